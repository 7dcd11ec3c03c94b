"""What a learner has before them over all courses: labs that are not done and work to hand in, for Today."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from courses.catalog.models import Enrolment
from courses.content.api import locked_for

from .models import Assignment, Lab
from .selectors import DueLab, lab_entries
from .work_lists import Work, work_of


@dataclass(frozen=True)
class Due:
    """Each kind soonest first: of labs also what is overdue, of work nothing that is closed."""

    labs: list[DueLab]
    work: list[Work]


def due_of(enrolments: Collection[Enrolment], now: datetime) -> Due:
    """Return what is before one person, who has these active enrolments (with their runs).

    Six queries; where a module needs another, those that `locked_modules` adds.
    """
    learners = {one.run_id: one for one in enrolments if one.run.is_published}
    closed = set().union(*locked_for(learners.values(), now).values())
    open_here = {"module__run_id__in": list(learners), "is_published": True, "module__is_published": True}
    # What is handed in belongs to its assignment.
    labs = Lab.objects.filter(**open_here, assignment=None).exclude(module_id__in=closed)
    entries = lab_entries(labs.select_related("module"), learners, now)
    assignments = Assignment.objects.filter(**open_here).exclude(module_id__in=closed).select_related("module")
    work = work_of(list(assignments.order_by("pk")), list(learners.values()), now)
    return Due(
        [one for one in entries if not one.progress.is_done],
        sorted((one for one in work if one.is_open and not one.deadline.is_closed(now)), key=_soonest),
    )


def _soonest(work: Work) -> tuple[bool, float, int]:
    due_at = work.deadline.due_at
    return (due_at is None, due_at.timestamp() if due_at else 0.0, work.assignment.pk)
