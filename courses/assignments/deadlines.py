"""Deadlines of assignments for learners: reads what was changed for whom and asks the one resolver."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Q

from campus.core.compiled import AnyOf, Compiled
from courses.catalog.models import Enrolment

from .domain.deadlines import Change, Deadline, Outage, Rule, Times, resolve
from .models import Assignment, DeadlineChange

Deadlines = Mapping[tuple[int, int], Deadline]
"""By (assignment id, enrolment id)."""


class Learner(Protocol):
    """As much of an enrolment as its deadlines depend on."""

    @property
    def pk(self) -> int: ...

    @property
    def cohort_id(self) -> int: ...


def deadline_for(assignment: Assignment, enrolment: Enrolment) -> Deadline:
    """Return one learner's deadline for one assignment. One query."""
    return deadlines_of([assignment], [enrolment])[assignment.pk, enrolment.pk]


def deadlines_of(assignments: Sequence[Assignment], enrolments: Iterable[Learner]) -> "Resolved":
    """Return every pair's deadline, each resolved when it is asked for. One query, whatever their number."""
    learners = list(enrolments)
    return Resolved(assignments, learners, _changes(assignments, learners))


class Resolved(Mapping[tuple[int, int], Deadline]):
    """A gradebook has thousands of pairs and asks for few: those who handed nothing in."""

    def __init__(self, assignments: Sequence[Assignment], learners: Sequence[Learner], changes: "_Changes") -> None:
        self._assignments = {one.pk: one for one in assignments}
        self._learners = {one.pk: one for one in learners}
        self._changes = changes
        self._found: dict[tuple[int, int], Deadline] = {}

    @property
    def of_their_own(self) -> frozenset[int]:
        """The learners who have what others of their cohort have not, by id."""
        return frozenset(pk for _assignment, whose, pk in self._changes if whose == "learner")

    def __getitem__(self, pair: tuple[int, int]) -> Deadline:
        found = self._found.get(pair)
        if found is None:
            found = self._found[pair] = self._resolve(self._assignments[pair[0]], self._learners[pair[1]])
        return found

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((assignment, learner) for assignment in self._assignments for learner in self._learners)

    def __len__(self) -> int:
        return len(self._assignments) * len(self._learners)

    def _resolve(self, assignment: Assignment, learner: Learner) -> Deadline:
        whose = (
            (assignment.pk, "cohort", learner.cohort_id), (assignment.pk, "learner", learner.pk),
            (None, "learner", learner.pk),
        )  # fmt: skip
        times = Times(assignment.opens_at or assignment.created_at, assignment.due_at, assignment.closes_at)
        return resolve(times, [change for one in whose for change in self._changes.get(one, ())])


_Changes = Mapping[tuple[int | None, str, int], list[Change]]


_CHANGED = Compiled(
    lambda: DeadlineChange.objects.filter(
        Q(cohort_id=AnyOf("cohorts")) | Q(enrolment_id=AnyOf("learners")),
        Q(assignment_id=AnyOf("assignments")) | Q(assignment=None),
        revoked_at=None,
    ).values_list(
        "assignment_id", "cohort_id", "enrolment_id", "kind", "due_at", "closes_at", "factor_pct", "reason",
        "approver__name", "facts",
    )
)  # fmt: skip


def _changes(assignments: Sequence[Assignment], learners: Sequence[Learner]) -> _Changes:
    found: dict[tuple[int | None, str, int], list[Change]] = defaultdict(list)
    if not learners:
        return found
    rows = _CHANGED.rows(
        cohorts=list({one.cohort_id for one in learners}),
        learners=[one.pk for one in learners],
        assignments=[one.pk for one in assignments],
    )
    for assignment_id, cohort_id, enrolment_id, kind, due_at, closes_at, factor_pct, reason, approver, facts in rows:
        change = Change(Rule(kind), due_at, closes_at, factor_pct or 100, reason, approver or "", _outage(facts))
        whose = ("cohort", cohort_id) if cohort_id else ("learner", enrolment_id or 0)
        found[assignment_id, *whose].append(change)
    return found


def outage_facts(hours: int, from_at: datetime, until_at: datetime) -> dict[str, Any]:
    """What a change after an outage keeps in `facts`."""
    return {"hours": hours, "from_at": from_at.isoformat(), "until_at": until_at.isoformat()}


def _outage(facts: Mapping[str, Any]) -> Outage | None:
    if not facts:
        return None
    return Outage(facts["hours"], *(datetime.fromisoformat(facts[name]) for name in ("from_at", "until_at")))
