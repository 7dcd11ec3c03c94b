"""What a learner has before them over all courses: labs that are not done and work to hand in, for Today."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from campus.core.compiled import AnyOf, Compiled
from courses.catalog.models import Enrolment
from courses.content.api import locked_for

from .models import Assignment, Lab
from .selectors import SOONEST_DUE, DueLab, lab_entries
from .work_lists import Work, work_of


@dataclass(frozen=True)
class Due:
    """Each kind soonest first: of labs also what is overdue, of work nothing that is closed."""

    labs: list[DueLab]
    work: list[Work]


def _open_here(model: type[Lab] | type[Assignment]) -> QuerySet[Any]:
    rows = model.objects.filter(module__run_id=AnyOf("runs"), is_published=True, module__is_published=True)
    return rows.exclude(module_id=AnyOf("closed")).select_related("module")


# What is handed in belongs to its assignment.
_LABS = Compiled(
    lambda: _open_here(Lab).filter(assignment=None).select_related("module", "assignment").order_by(*SOONEST_DUE)
)
_ASSIGNMENTS = Compiled(lambda: _open_here(Assignment).order_by("pk"))


def due_of(enrolments: Collection[Enrolment], now: datetime) -> Due:
    """Return what is before one person, who has these active enrolments (with their runs).

    Six queries; where a module needs another, those that `locked_modules` adds.
    """
    learners = {one.run_id: one for one in enrolments if one.run.is_published}
    if not learners:
        return Due([], [])
    closed = set().union(*locked_for(learners.values(), now).values())
    open_here = {"runs": list(learners), "closed": list(closed)}
    entries = lab_entries(_LABS.models(**open_here), learners, now)
    work = work_of(_ASSIGNMENTS.models(**open_here), list(learners.values()), now)
    return Due(
        [one for one in entries if not one.progress.is_done],
        sorted((one for one in work if one.is_open and not one.deadline.is_closed(now)), key=_soonest),
    )


def _soonest(work: Work) -> tuple[bool, float, int]:
    due_at = work.deadline.due_at
    return (due_at is None, due_at.timestamp() if due_at else 0.0, work.assignment.pk)
