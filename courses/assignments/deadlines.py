"""Deadlines of assignments for learners: reads what was changed for whom and asks the one resolver."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from courses.catalog.models import Enrolment

from .domain.deadlines import Change, Deadline, Outage, Rule, Times, resolve
from .models import Assignment, DeadlineChange

Deadlines = Mapping[tuple[int, int], Deadline]
"""By (assignment id, enrolment id)."""


def deadline_for(assignment: Assignment, enrolment: Enrolment) -> Deadline:
    """Return one learner's deadline for one assignment. One query."""
    return deadlines_of([assignment], [enrolment])[assignment.pk, enrolment.pk]


def deadlines_of(assignments: Sequence[Assignment], enrolments: Iterable[Enrolment]) -> Deadlines:
    """Return every pair's deadline. One query, whatever their number."""
    learners = list(enrolments)
    changes = _changes(assignments, learners)
    return {
        (assignment.pk, learner.pk): resolve(
            Times(assignment.opens_at or assignment.created_at, assignment.due_at, assignment.closes_at),
            [
                *changes[assignment.pk, "cohort", learner.cohort_id],
                *changes[assignment.pk, "learner", learner.pk],
                *changes[None, "learner", learner.pk],
            ],
        )
        for assignment in assignments
        for learner in learners
    }


def _changes(
    assignments: Sequence[Assignment], learners: Sequence[Enrolment]
) -> dict[tuple[int | None, str, int], list[Change]]:
    found: dict[tuple[int | None, str, int], list[Change]] = defaultdict(list)
    rows = DeadlineChange.objects.select_related("approver").filter(
        Q(cohort_id__in={one.cohort_id for one in learners}) | Q(enrolment_id__in=[one.pk for one in learners]),
        Q(assignment_id__in=[one.pk for one in assignments]) | Q(assignment=None),
        revoked_at=None,
    )
    for row in rows:
        approver = row.approver.name if row.approver else ""
        change = Change(
            Rule(row.kind), row.due_at, row.closes_at, row.factor_pct or 100, row.reason, approver, _outage(row.facts)
        )
        whose = ("cohort", row.cohort_id) if row.cohort_id else ("learner", row.enrolment_id or 0)
        found[row.assignment_id, *whose].append(change)
    return found


def outage_facts(hours: int, from_at: datetime, until_at: datetime) -> dict[str, Any]:
    """What a change after an outage keeps in `facts`."""
    return {"hours": hours, "from_at": from_at.isoformat(), "until_at": until_at.isoformat()}


def _outage(facts: Mapping[str, Any]) -> Outage | None:
    if not facts:
        return None
    return Outage(facts["hours"], *(datetime.fromisoformat(facts[name]) for name in ("from_at", "until_at")))
