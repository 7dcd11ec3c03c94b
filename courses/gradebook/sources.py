"""Where the marks of items come from that nobody enters by hand: graded assignments, and attendance."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.assignments import api as assignments
from courses.attendance import api as attendance
from courses.catalog.models import Enrolment

from .domain.marks import EXCUSED, MISSING, PENDING, Mark, graded
from .models import GradeItem

Key = tuple[int, int]
"""An item's id and an enrolment's."""
Line = tuple[str, str, str]
"""A code, points and a note of what a mark was made of; the source says it in words."""


class Sourced(NamedTuple):
    """A mark and what a learner may know of it. A draft is for staff: learners see it as pending."""

    mark: Mark
    is_draft: bool = False
    why: tuple[Line, ...] = ()


Source = Callable[[int, Sequence[Enrolment], Sequence[GradeItem], bool], Mapping[Key, Sourced]]
Words = Callable[[Sequence[Line]], list[str]]


def sourced(
    run_id: int, rows: Sequence[Enrolment], items: Sequence[GradeItem], *, is_explained: bool = True
) -> dict[Key, Sourced]:
    """Return the marks of all items that have a source, for these learners, in a fixed number of queries.

    Without `is_explained`, `why` stays empty where telling it costs a query.
    """
    found: dict[Key, Sourced] = {}
    for kind, (source, _words) in _SOURCES.items():
        some = [item for item in items if item.kind == kind]
        if some and rows:
            found |= source(run_id, rows, some, is_explained)
    return found


def in_words(kind: str, why: Sequence[Line]) -> list[str]:
    """Return why a mark is what it is, a sentence a line."""
    return _SOURCES[kind][1](why) if why and kind in _SOURCES else []


def _from_assignments(
    run_id: int, rows: Sequence[Enrolment], items: Sequence[GradeItem], is_explained: bool
) -> dict[Key, Sourced]:
    """Marks of assignments, scaled to the item's points where the two differ."""
    by_assignment = {item.assignment_id: item for item in items}
    handed_out = [item.assignment for item in items if item.assignment is not None]
    found = {}
    for row in assignments.results_of(run_id, enrolments=rows, assignments=handed_out, is_explained=is_explained):
        item = by_assignment[row.assignment_id]
        mark = _UNGRADED.get(row.state, PENDING)
        if row.points is not None:
            mark = graded(scaled(row.points, row.out_of, item.out_of))
        why = (*row.why, ("group", "", row.group)) if row.group and row.why else row.why
        found[item.pk, row.enrolment_id] = Sourced(mark, not row.is_published, why)
    return found


def scaled(points: Decimal, of: Decimal, out_of: Decimal) -> Decimal:
    """Return points of `of` as points of `out_of`, to the cent where the two differ."""
    return points if of == out_of else round(points * out_of / of, 2)


_UNGRADED = {"EXCUSED": EXCUSED, "MISSING": MISSING}


def _from_attendance(
    _run_id: int, rows: Sequence[Enrolment], items: Sequence[GradeItem], _is_explained: bool
) -> dict[Key, Sourced]:
    """The share of classes so far that are no absence, lates folded in as the run's rules say; excused ones count."""
    found = {}
    for row_id, standing in attendance.standings(rows).items():
        held = sum(standing.counts.values())
        if not held:
            continue
        share = Decimal(max(held - standing.absences, 0)) / held
        why = (
            ("held", str(held), ""),
            ("absences", str(standing.absences), ""),
            ("lates", str(standing.from_lates), ""),
        )
        for item in items:
            found[item.pk, row_id] = Sourced(graded(round(item.out_of * share, 2)), why=why)
    return found


def _assignment_words(why: Sequence[Line]) -> list[str]:
    said = [f"{what}: {points}" for what, points in assignments.why_words(line for line in why if line[0] != "group")]
    groups = [_("Handed in together: %(group)s") % {"group": name} for code, _points, name in why if code == "group"]
    return said + groups


def _attendance_words(why: Sequence[Line]) -> list[str]:
    counts = {code: int(number) for code, number, _note in why}
    held = ngettext("%(n)d class so far", "%(n)d classes so far", counts["held"]) % {"n": counts["held"]}
    absences = ngettext("%(n)d counts as absent", "%(n)d count as absent", counts["absences"])
    said = [held, absences % {"n": counts["absences"]}]
    if counts["lates"]:
        lates = ngettext("%(n)d of them from being late", "%(n)d of them from being late", counts["lates"])
        said.append(lates % {"n": counts["lates"]})
    return [" · ".join(said)]


_SOURCES: dict[str, tuple[Source, Words]] = {
    GradeItem.Kind.ASSIGNMENT: (_from_assignments, _assignment_words),
    GradeItem.Kind.ATTENDANCE: (_from_attendance, _attendance_words),
}
