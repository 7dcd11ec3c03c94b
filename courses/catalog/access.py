"""Who may see and change which run and cohort."""

from dataclasses import dataclass, field, replace

from campus.core.compiled import Compiled, Given
from campus.core.errors import NotAllowed, NotFound
from campus.people.api import ADMINISTERING, INSTRUCTING, TEACHING, Standing, standing_of
from campus.people.models import User

from .models import Cohort, CourseRun, Enrolment


@dataclass(frozen=True)
class RunAccess:
    """A run as one person may use it. `cohorts` are all cohorts, `taught` those whose staff the person is."""

    run: CourseRun
    cohorts: tuple[Cohort, ...] = ()
    taught: tuple[Cohort, ...] = ()
    enrolment: Enrolment | None = None
    may_edit: bool = False
    standing: Standing = field(default_factory=lambda: Standing(user_id=None))
    is_preview: bool = False

    @property
    def is_staff(self) -> bool:
        return bool(self.taught) or self.may_edit

    @property
    def shown(self) -> list[bool]:
        """What `is_published` may be of all that the person finds there: staff also find what is hidden."""
        return [True, False] if self.is_staff else [True]

    @property
    def may_read(self) -> bool:
        """Whether lessons and labs open: to those enrolled (also once they completed) and to staff."""
        return self.is_staff or self.enrolment is not None or self.is_preview

    def as_learner(self) -> "RunAccess":
        """What a learner who has just enrolled would have; for staff, who look at their course through it."""
        return replace(self, taught=(), may_edit=False, enrolment=None, is_preview=True)


_READING = (Enrolment.State.ACTIVE, Enrolment.State.COMPLETED)
# Every page of a course asks them.
_RUN = Compiled(lambda: CourseRun.objects.select_related("course__programme", "term").filter(slug=Given("slug")))
_COHORTS = Compiled(lambda: Cohort.objects.select_related("campus", "scope").filter(run_id=Given("run_id")))
_ENROLMENT = Compiled(
    lambda: (
        Enrolment.objects.select_related("cohort", "account")
        .filter(run_id=Given("run_id"), user_id=Given("user_id"), state__in=_READING)
        .order_by("state")[:1]
    )
)


def may_enrol_others(actor: User, cohort: Cohort) -> bool:
    """Say whether `actor` may enrol and withdraw other people: instructors and administrators of the cohort."""
    return standing_of(actor).holds(INSTRUCTING, cohort.scope.path)


def run_access(user: object, run: CourseRun) -> RunAccess:
    """Say what `user` may do with `run`: two queries beside the standing's. Anonymous people may be passed."""
    standing = standing_of(user)
    cohorts = tuple(_COHORTS.models(run_id=run.pk))
    taught = tuple(cohort for cohort in cohorts if standing.holds(TEACHING, cohort.scope.path))
    may_edit = any(standing.holds(INSTRUCTING, cohort.scope.path) for cohort in cohorts)
    may_edit = may_edit or standing.is_platform_admin or (not cohorts and standing.holds_anywhere(ADMINISTERING))
    enrolment = None
    if standing.user_id is not None:
        enrolment = _ENROLMENT.model(run_id=run.pk, user_id=standing.user_id)
    return RunAccess(run, cohorts, taught, enrolment, may_edit, standing)


def get_run_for(user: object, slug: str) -> RunAccess:
    """Return the run for its page: published ones for anyone, others for staff. Raises NotFound."""
    run = _RUN.model(slug=slug)
    if run is None:
        raise NotFound
    access = run_access(user, run)
    if not (run.is_published or access.is_staff):
        raise NotFound
    return access


def get_readable_run(user: object, run: CourseRun) -> RunAccess:
    """Return the run for its lessons and labs. Raises NotFound for strangers, and for learners until published."""
    access = run_access(user, run)
    if not access.may_read or not (run.is_published or access.is_staff):
        raise NotFound
    return access


def get_editable_run(user: object, run: CourseRun) -> RunAccess:
    """Return the run for editing. Raises NotFound for strangers, NotAllowed for those who may only read."""
    access = get_readable_run(user, run)
    if not access.may_edit:
        raise NotAllowed
    return access


_COHORT = Compiled(
    lambda: (
        Cohort.objects.filter(pk=Given("pk"))
        .select_related("run__course", "run__term", "campus", "scope", "account")
        .order_by()
    )
)


def get_cohort_for(user: User, cohort_id: int) -> Cohort:
    """Return a cohort for its teaching staff. Raises NotFound for everybody else, its learners included."""
    cohort: Cohort | None = _COHORT.model(pk=cohort_id)
    if cohort is None or not standing_of(user).holds(TEACHING, cohort.scope.path):
        raise NotFound
    return cohort


def get_cohort_to_enrol(user: User, cohort_id: int) -> Cohort:
    """Return a cohort whose roster the person may change. Raises NotFound, NotAllowed (assistants)."""
    cohort = get_cohort_for(user, cohort_id)
    if not may_enrol_others(user, cohort):
        raise NotAllowed
    return cohort
