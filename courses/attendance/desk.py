"""What waits for staff: flags to judge, excuses and contests to answer, today's classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from campus.people.api import TEACHING, Standing
from courses.timetable.models import ClassSession, Kind

from .models import Contest, Excuse, Flag

SHOWN = 50
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


def desk(standing: Standing, now: datetime) -> Desk:
    """What waits for one person, for cohorts whose staff they are and classes they teach. Six queries."""
    flags = list(waiting_flags(standing)[: SHOWN + 1])
    excuses = list(waiting_excuses(standing)[: SHOWN + 1])
    contests = list(waiting_contests(standing)[: SHOWN + 1])
    more = max(len(flags), len(excuses), len(contests)) > SHOWN
    return Desk(classes_near(standing, now), flags[:SHOWN], excuses[:SHOWN], contests[:SHOWN], more)


def classes_near(standing: Standing, now: datetime) -> list[ClassSession]:
    """Classes that one takes the roll of, of the hours around now."""
    scopes = standing.scope_ids(TEACHING)
    mine = Q(places__cohort__scope__path__overlap=scopes) | Q(teachers__user_id=standing.user_id)
    near = ClassSession.objects.filter(
        mine, state=ClassSession.State.PLANNED, starts_at__lt=now + _NEAR, ends_at__gt=now - _NEAR
    ).exclude(kind=Kind.OFFICE)
    return list(near.select_related("run__course").order_by("starts_at", "pk").distinct()[:20])


def waiting_flags(standing: Standing) -> QuerySet[Flag]:
    rows = Flag.objects.filter(_mine(standing, "evidence__"), state=Flag.State.OPEN)
    return rows.select_related(
        "evidence__enrolment__user", "evidence__enrolment__cohort", "evidence__session", "evidence__station__room",
        "other__enrolment__user",
    ).order_by("pk").distinct()  # fmt: skip


def waiting_excuses(standing: Standing) -> QuerySet[Excuse]:
    rows = Excuse.objects.filter(_mine(standing), state=Excuse.State.ASKED).prefetch_related("documents")
    return rows.select_related("enrolment__user", "enrolment__cohort", "session").order_by("pk").distinct()


def waiting_contests(standing: Standing) -> QuerySet[Contest]:
    rows = Contest.objects.filter(_mine(standing), state=Contest.State.OPEN)
    return rows.select_related("enrolment__user", "enrolment__cohort", "session").order_by("pk").distinct()


def _mine(standing: Standing, prefix: str = "") -> Q:
    scopes = {f"{prefix}enrolment__cohort__scope__path__overlap": standing.scope_ids(TEACHING)}
    return Q(**scopes) | Q(**{f"{prefix}session__teachers__user_id": standing.user_id})
