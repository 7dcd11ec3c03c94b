"""Reading offers after an outage, for those who decide about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from courses.catalog.api import RunAccess

from .access import may_publish
from .models import Assignment, OutageEvidence, OutageOffer


@dataclass(frozen=True)
class ShownOffer:
    """An offer with what it would do, and its evidence in order of time."""

    offer: OutageOffer
    new_due_at: datetime
    evidence: tuple[OutageEvidence, ...]


@dataclass(frozen=True)
class Offers:
    """What waits for a decision, and what was decided. The times and hours span all that is open."""

    open: tuple[ShownOffer, ...]
    decided: tuple[ShownOffer, ...]

    @property
    def from_at(self) -> datetime:
        return min(one.offer.from_at for one in self.open)

    @property
    def until_at(self) -> datetime:
        return max(one.offer.until_at for one in self.open)

    @property
    def most_hours(self) -> int:
        return max(one.offer.hours for one in self.open)

    @property
    def is_even(self) -> bool:
        return len({one.offer.hours for one in self.open}) == 1

    @property
    def lost(self) -> int:
        return sum(1 for one in self.open for row in one.evidence if row.attempt is not None)

    @property
    def waits(self) -> int:
        return sum(1 for one in self.open for row in one.evidence if row.attempt is None)


def offers_for(assignment: Assignment, access: RunAccess) -> Offers:
    """Return the offers of the cohorts that one instructs, the newest decisions first. Two queries."""
    rows = (
        _mine(assignment, access)
        .select_related("enrolment__user", "enrolment__cohort__scope", "decided_by")
        .prefetch_related("evidence")
        .order_by("enrolment__user__name", "pk")
    )
    shown = [
        ShownOffer(one, one.due_at + timedelta(hours=one.hours), tuple(one.evidence.all()))
        for one in rows
        if may_publish(access, one.enrolment)
    ]
    is_open = [one for one in shown if one.offer.state == OutageOffer.State.OPEN]
    decided = [one for one in shown if one.offer.decided_at is not None]
    decided.sort(key=lambda one: one.offer.decided_at or one.offer.made_at, reverse=True)
    return Offers(tuple(is_open), tuple(decided))


def count_open(assignment: Assignment, access: RunAccess) -> int:
    """Return how many offers wait for a decision in the cohorts that one teaches. One query."""
    return _mine(assignment, access).filter(state=OutageOffer.State.OPEN).count()


def _mine(assignment: Assignment, access: RunAccess) -> QuerySet[OutageOffer]:
    return OutageOffer.objects.filter(assignment=assignment, enrolment__cohort__in=access.taught)
