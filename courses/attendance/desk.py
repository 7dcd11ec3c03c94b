"""What waits for staff: flags to judge, excuses and contests to answer, today's classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from campus.people.api import TEACHING, Standing
from courses.catalog.models import Cohort
from courses.timetable.models import ClassSession, Kind, SessionCohort, SessionTeacher

from .models import Contest, Evidence, Excuse, Flag

SHOWN = 25
_NEAR = timedelta(hours=12)


@dataclass(frozen=True)
class Desk:
    """Oldest first, at most SHOWN of each; `more` says that there are more."""

    classes: Sequence[ClassSession]
    flags: Sequence[Flag]
    excuses: Sequence[Excuse]
    contests: Sequence[Contest]
    more: bool

    @property
    def is_empty(self) -> bool:
        return not (self.flags or self.excuses or self.contests)


@dataclass(frozen=True)
class _Mine:
    """Of whom one is staff, asked for once: joins of a dozen tables take far longer to plan than to carry out."""

    user_id: int
    cohort_ids: Sequence[int]

    def asked(self, cohort: str, session: str) -> Q:
        """A row whose learner is of these cohorts, or whose class one teaches; both by the path to the id."""
        return Q(**{f"{cohort}__in": self.cohort_ids}) | Q(Exists(self.teaches(session)))

    def teaches(self, session: str) -> QuerySet[SessionTeacher]:
        return SessionTeacher.objects.filter(user_id=self.user_id, session=OuterRef(session))


def desk(standing: Standing, now: datetime) -> Desk:
    """What waits for one person, for cohorts whose staff they are and classes they teach. At most eight queries."""
    taught = Cohort.objects.filter(scope__path__overlap=standing.scope_ids(TEACHING)).order_by()
    mine = _Mine(standing.user_id or 0, list(taught.values_list("pk", flat=True)))
    flags = list(_waiting_flags(mine)[: SHOWN + 1])
    excuses = list(_waiting_excuses(mine)[: SHOWN + 1])
    contests = list(_waiting_contests(mine)[: SHOWN + 1])
    more = max(len(flags), len(excuses), len(contests)) > SHOWN
    return Desk(_classes_near(mine, now), flags[:SHOWN], excuses[:SHOWN], contests[:SHOWN], more)


def _classes_near(mine: _Mine, now: datetime) -> list[ClassSession]:
    """Classes that one takes the roll of, of the hours around now."""
    places = SessionCohort.objects.filter(cohort__in=mine.cohort_ids, session=OuterRef("pk"))
    near = ClassSession.objects.filter(
        Q(Exists(places)) | Q(Exists(mine.teaches("pk"))), state=ClassSession.State.PLANNED, starts_at__lt=now + _NEAR,
        ends_at__gt=now - _NEAR,
    ).exclude(kind=Kind.OFFICE)  # fmt: skip
    return list(near.select_related("run__course").order_by("starts_at", "pk")[:20])


def _waiting_flags(mine: _Mine) -> QuerySet[Flag]:
    rows = Flag.objects.filter(
        mine.asked("evidence__enrolment__cohort_id", "evidence__session_id"), state=Flag.State.OPEN
    )
    others = Prefetch("other", Evidence.objects.select_related("enrolment__user").order_by())
    shown = rows.select_related("evidence__enrolment__user", "evidence__session")
    return shown.prefetch_related(others).order_by("pk")


def _waiting_excuses(mine: _Mine) -> QuerySet[Excuse]:
    rows = Excuse.objects.filter(mine.asked("enrolment__cohort_id", "session_id"), state=Excuse.State.ASKED)
    return rows.select_related("enrolment__user", "session").prefetch_related("documents").order_by("pk")


def _waiting_contests(mine: _Mine) -> QuerySet[Contest]:
    rows = Contest.objects.filter(mine.asked("enrolment__cohort_id", "session_id"), state=Contest.State.OPEN)
    return rows.select_related("enrolment__user", "session").order_by("pk")
