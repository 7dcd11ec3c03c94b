"""Where the marks of items come from that nobody enters by hand."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from courses.assignments import api as assignments

from .domain.marks import EXCUSED, MISSING, PENDING, Mark, graded
from .models import GradeItem

Key = tuple[int, int]
"""An item's id and an enrolment's."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """A mark and what a learner may know of it. A draft is for staff: learners see it as pending.

    `why` are (code, points, note) lines that the source's own app says in words.
    """

    mark: Mark
    is_draft: bool = False
    why: tuple[tuple[str, str, str], ...] = ()


Source = Callable[[int, Iterable[GradeItem]], Mapping[Key, Sourced]]
_sources: dict[str, Source] = {}


def register_source(kind: str, source: Source) -> None:
    """Say who tells the marks of items of `kind`: a function of the run's id and the items, of few queries."""
    _sources[kind] = source


def sourced(run_id: int, items: Iterable[GradeItem]) -> dict[Key, Sourced]:
    """Return the marks of all items that have a source."""
    by_kind: dict[str, list[GradeItem]] = {}
    for item in items:
        by_kind.setdefault(item.kind, []).append(item)
    found: dict[Key, Sourced] = {}
    for kind, some in by_kind.items():
        if kind in _sources:
            found |= _sources[kind](run_id, some)
    return found


def from_assignments(run_id: int, items: Iterable[GradeItem]) -> dict[Key, Sourced]:
    """Marks of assignments, scaled to the item's points where the two differ."""
    by_assignment = {item.assignment_id: item for item in items}
    found = {}
    for row in assignments.results_of(run_id):
        item = by_assignment.get(row.assignment_id)
        if item is None:
            continue
        mark = {"EXCUSED": EXCUSED, "MISSING": MISSING}.get(row.state, PENDING)
        if row.points is not None:
            same = row.out_of == item.out_of
            mark = graded(row.points if same else round(row.points * item.out_of / row.out_of, 3))
        found[item.pk, row.enrolment_id] = Sourced(mark, is_draft=not row.is_published, why=row.why)
    return found
