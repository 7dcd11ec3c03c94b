"""Reading the catalogue: runs for lists, a person's runs, a cohort's roster."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from campus.core.compiled import Compiled, Given
from campus.people.api import TEACHING, Standing

from .models import Cohort, CourseRun, Enrolment


@dataclass(frozen=True)
class CatalogueEntry:
    """A run as the catalogue lists it. `seats` and `seats_taken` are summed over its cohorts."""

    run: CourseRun
    seats: int
    seats_taken: int
    cohorts: int
    enrolment: Enrolment | None = None
    is_taught: bool = False

    @property
    def seats_left(self) -> int:
        return self.seats - self.seats_taken


def catalogue(standing: Standing) -> list[CatalogueEntry]:
    """Return published runs, and hidden ones to their staff, newest term first. Three queries."""
    runs = (
        CourseRun.objects.select_related("course__programme", "term")
        .annotate(
            seats=Coalesce(Sum("cohorts__seats"), 0),
            taken=Coalesce(Sum("cohorts__seats_taken"), 0),
            cohort_count=Count("cohorts"),
        )
        .order_by("-term__starts_on", "course__code")
    )
    taught = set(_taught_run_ids(standing))
    if not standing.is_administering:
        runs = runs.filter(Q(is_published=True) | Q(pk__in=taught))
    mine: dict[int, Enrolment] = {}
    if standing.user_id is not None:
        active = Enrolment.objects.filter(user_id=standing.user_id, state=Enrolment.State.ACTIVE)
        mine = {row.run_id: row for row in active.select_related("cohort")}
    return [
        CatalogueEntry(run, run.seats, run.taken, run.cohort_count, mine.get(run.pk), run.pk in taught) for run in runs
    ]


_RUNS_OF = Compiled(
    lambda: (
        Enrolment.objects.select_related("run__course", "run__term", "cohort__campus", "account__parent")
        .filter(user_id=Given("user_id"), state=Enrolment.State.ACTIVE)
        .order_by("-run__term__starts_on", "run_id")
    )
)


def runs_of(user_id: int) -> list[Enrolment]:
    """Return a learner's active enrolments with run, course, cohort and account, newest term first. One query."""
    return _RUNS_OF.models(user_id=user_id)


def runs_taught(standing: Standing) -> QuerySet[Cohort]:
    """Return the cohorts whose teaching staff a person is, newest term first."""
    return (
        Cohort.objects.select_related("run__course", "run__term", "campus", "scope", "account")
        .filter(scope__path__overlap=standing.scope_ids(TEACHING))
        .order_by("-run__term__starts_on", "run_id", "name")
    )


def roster(cohort: Cohort) -> QuerySet[Enrolment]:
    """Return a cohort's enrolments with person and account, active ones first, then by name."""
    return (
        Enrolment.objects.select_related("user", "account").filter(cohort=cohort).order_by("state", "user__name", "pk")
    )


def roster_counts(cohort: Cohort) -> dict[str, int]:
    """Return how many are `active`, `onsite`, `online` and `withdrawn`. One query."""
    active = Q(state=Enrolment.State.ACTIVE)
    return Enrolment.objects.filter(cohort=cohort).aggregate(
        active=Count("pk", filter=active),
        onsite=Count("pk", filter=active & Q(mode=Enrolment.Mode.ONSITE)),
        online=Count("pk", filter=active & Q(mode=Enrolment.Mode.ONLINE)),
        withdrawn=Count("pk", filter=Q(state=Enrolment.State.WITHDRAWN)),
    )


def _taught_run_ids(standing: Standing) -> Sequence[int]:
    ids = standing.scope_ids(TEACHING)
    if not ids:
        return []
    return list(Cohort.objects.filter(scope__path__overlap=ids).values_list("run_id", flat=True))
