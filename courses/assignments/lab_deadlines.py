"""When labs are due for whom: one that is handed in by its assignment's deadline for that learner, others by their own.

Labs come with their assignment selected, or each costs a query.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .deadlines import Deadlines, Learner, deadlines_of
from .models import Assignment, Lab


@dataclass(frozen=True)
class LabDeadlines:
    """Says when a lab is due for a learner. `of_their_own`: whose are not those of their cohort."""

    deadlines: Deadlines
    of_their_own: frozenset[int]

    def of(self, lab: Lab, enrolment_id: int) -> datetime | None:
        """When this lab is due for this learner, None for never."""
        assignment = assignment_of(lab)
        return self.deadlines[assignment.pk, enrolment_id].due_at if assignment else lab.due_at

    def overdue(self, labs: Iterable[Lab], enrolment_id: int, now: datetime) -> list[int]:
        """The ids of the labs whose deadline is past for this learner."""
        times = ((lab.pk, self.of(lab, enrolment_id)) for lab in labs)
        return [pk for pk, due_at in times if due_at is not None and now > due_at]


def lab_deadlines(labs: Sequence[Lab], learners: Sequence[Learner]) -> LabDeadlines:
    """Return when these labs are due for these learners. One query, none where no lab is handed in."""
    handed_in = [one for lab in labs if (one := assignment_of(lab)) is not None]
    if not handed_in or not learners:
        return LabDeadlines({}, frozenset())
    found = deadlines_of(handed_in, learners)
    return LabDeadlines(found, found.of_their_own)


def assignment_of(lab: Lab) -> Assignment | None:
    """The assignment by which a lab is handed in."""
    return getattr(lab, "assignment", None)
