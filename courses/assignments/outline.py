"""A course's outline with labs and assignments as one reader sees it: registered with the catalogue, which draws it."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from courses.catalog.api import RunAccess
from courses.content.api import OutlineModule, outline

from .domain.deadlines import Deadline
from .selectors import group_by_module, labs_of
from .work_lists import Work, assignments_of, work_of


def course_outline(access: RunAccess) -> list[OutlineModule]:
    """Return modules with lessons, labs and assignments, with the reader's progress.

    Ten queries at most, and two more where a module needs another.
    """
    now = timezone.now()
    modules = outline(access)
    closed = {part.module.pk for part in modules if part.is_closed}
    labs = group_by_module(labs_of(access, now, closed))
    work = _work_by_module(access, now, closed)
    for part in modules:
        part.labs = list(labs.get(part.module.pk, []))
        part.assignments = list(work.get(part.module.pk, []))
    return modules


def _work_by_module(access: RunAccess, now: datetime, closed: Collection[int]) -> dict[int, list[Work]]:
    """A learner's work; for everybody else assignments as the course has them."""
    found = assignments_of(access, closed)
    if access.enrolment is not None:
        work = work_of(found, [access.enrolment], now)
    else:
        work = [Work(one, None, Deadline(one.due_at, one.closes_at), None) for one in found]
    grouped: dict[int, list[Work]] = defaultdict(list)
    for one in work:
        grouped[one.assignment.module_id].append(one)
    return grouped
