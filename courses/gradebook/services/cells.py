"""Writing cells: many in one act, each by compare-and-swap on its version, with history and undo."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.models import User
from courses.catalog.models import CourseRun, Enrolment
from courses.gradebook.books import mark_of
from courses.gradebook.domain.marks import Mark, State, parse, text_of
from courses.gradebook.models import Cell, CellChange, Entry, GradeItem

MOST_CELLS = 20_000
"""In one act: a whole gradebook of 300 learners and 60 items."""
TIMES_OUT_OF = 2
"""A mark of more than twice the points is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class CellEdit:
    """`text` as typed. `version`: what the editor saw; None takes whatever is there (an import that was previewed)."""

    item_id: int
    enrolment_id: int
    text: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    item_id: int
    enrolment_id: int
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A cell that was not written. `is_conflict`: somebody else was first; `text` and `version` are theirs."""

    item_id: int
    enrolment_id: int
    message: str
    is_conflict: bool = False
    text: str = ""
    version: int = 0
    by: str = ""


@dataclass
class Outcome:
    entry_id: int | None = None
    saved: list[Saved] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@transaction.atomic
def set_cells(
    *,
    run: CourseRun,
    cohort_ids: Collection[int],
    edits: Sequence[CellEdit],
    actor: User | None,
    reason: str = "",
    kind: Entry.Kind = Entry.Kind.TYPED,
    undoes: Entry | None = None,
) -> Outcome:
    """Write cells of learners in `cohort_ids`. What cannot be written is returned by cell, the rest is kept.

    A cell of an item with a source (an assignment, attendance) overrides it and needs a `reason`. Cells are locked in
    the order of their ids. Raises InvalidInput (too many, the same cell twice).
    """
    if len(edits) > MOST_CELLS:
        raise InvalidInput({"": _("At most %(most)d cells at once.") % {"most": MOST_CELLS}})
    if len({(one.item_id, one.enrolment_id) for one in edits}) != len(edits):
        raise InvalidInput({"": _("A cell is given twice.")})
    outcome = Outcome()
    reason = " ".join(reason.split())[:300]
    marks = _readable(run, cohort_ids, edits, reason, outcome)
    cells = _locked(edit for edit, _mark in marks)
    at = database_now()
    changed: list[tuple[Cell, str]] = []
    for edit, mark in marks:
        cell = cells[edit.item_id, edit.enrolment_id]
        before = text_of(mark_of(cell))
        if edit.version is not None and edit.version != cell.version:
            outcome.refused.append(_conflict(cell, before))
        elif mark == mark_of(cell):
            outcome.saved.append(Saved(edit.item_id, edit.enrolment_id, cell.version, before))
        else:
            cell.state, cell.points = Cell.State(mark.state.value), mark.points
            cell.version += 1
            cell.reason, cell.changed_by, cell.changed_at = reason, actor, at
            changed.append((cell, before))
            outcome.saved.append(Saved(edit.item_id, edit.enrolment_id, cell.version, text_of(mark)))
    if changed:
        outcome.entry_id = _keep(run, changed, kind=kind, reason=reason, actor=actor, undoes=undoes).pk
    return outcome


@transaction.atomic
def undo(*, entry_id: int, run: CourseRun, cohort_ids: Collection[int], actor: User) -> Outcome:
    """Put back what an entry changed, where nobody changed it since. Raises NotFound, Conflict (undone already)."""
    entry = Entry.objects.select_for_update().filter(pk=entry_id, run=run).first()
    if entry is None:
        raise NotFound
    if Entry.objects.filter(undoes=entry).exists():
        raise Conflict(_("That was undone already."))
    changes = list(entry.changes.select_related("cell"))
    if any(change.cell.enrolment_id not in _learners(run, cohort_ids) for change in changes):
        raise NotFound
    edits = [
        CellEdit(change.cell.item_id, change.cell.enrolment_id, change.before, change.version) for change in changes
    ]
    words = _("Undoes what was entered before.")
    return set_cells(
        run=run, cohort_ids=cohort_ids, edits=edits, actor=actor, reason=entry.reason or words,
        kind=Entry.Kind.UNDONE, undoes=entry,
    )  # fmt: skip


def _learners(run: CourseRun, cohort_ids: Collection[int]) -> set[int]:
    return set(Enrolment.objects.filter(run=run, cohort_id__in=cohort_ids).values_list("pk", flat=True))


def _readable(
    run: CourseRun, cohort_ids: Collection[int], edits: Sequence[CellEdit], reason: str, outcome: Outcome
) -> list[tuple[CellEdit, Mark]]:
    """Return the edits that may be written with what they say; the others go to `outcome.refused`."""
    items = {item.pk: item for item in GradeItem.objects.filter(category__run=run)}
    learners = _learners(run, cohort_ids)
    fine = []
    for edit in edits:
        item = items.get(edit.item_id)
        if item is None or edit.enrolment_id not in learners:
            message = _("There is no such cell in your gradebook.")
        else:
            mark = parse(edit.text)
            message = _wrong(item, mark, reason)
            if mark is not None and not message:
                fine.append((edit, mark))
                continue
        outcome.refused.append(Refused(edit.item_id, edit.enrolment_id, message))
    return fine


def _wrong(item: GradeItem, mark: Mark | None, reason: str) -> str:
    if mark is None:
        return _("Enter a number, EX (excused), MISS (missing), or nothing.")
    if mark.points is not None and mark.points > item.out_of * TIMES_OUT_OF:
        return _("More than twice the %(points)s points of “%(item)s”: is that a slip?") % {
            "points": text_of(Mark(State.GRADED, item.out_of)), "item": item.title,
        }  # fmt: skip
    if mark.points is not None and mark.points != round(mark.points, 3):
        return _("At most three decimal places.")
    if item.kind != GradeItem.Kind.MANUAL and not reason:
        return _("“%(item)s” is graded elsewhere. To override it here, say why.") % {"item": item.title}
    return ""


def _locked(edits: Iterable[CellEdit]) -> dict[tuple[int, int], Cell]:
    """Make the rows that are not there, and lock all in the order of their ids."""
    keys = sorted((edit.item_id, edit.enrolment_id) for edit in edits)  # one order, or two inserts may deadlock
    if not keys:
        return {}
    Cell.objects.bulk_create(
        [Cell(item_id=item, enrolment_id=enrolment) for item, enrolment in keys], ignore_conflicts=True, batch_size=5000
    )
    items, enrolments = {item for item, _ in keys}, {enrolment for _, enrolment in keys}
    rows = (
        Cell.objects.select_for_update(of=("self",))
        .select_related("changed_by")
        .filter(item_id__in=items, enrolment_id__in=enrolments)
        .order_by("pk")
    )
    wanted = set(keys)
    return {key: row for row in rows if (key := (row.item_id, row.enrolment_id)) in wanted}


def _keep(
    run: CourseRun, changed: Sequence[tuple[Cell, str]], *, kind: Entry.Kind, reason: str, actor: User | None,
    undoes: Entry | None,
) -> Entry:  # fmt: skip
    cells = [cell for cell, _before in changed]
    fields = ["state", "points", "version", "reason", "changed_by", "changed_at"]
    Cell.objects.bulk_update(cells, fields, batch_size=2000)
    entry = Entry.objects.create(run=run, kind=kind, reason=reason, actor=actor, undoes=undoes)
    CellChange.objects.bulk_create(
        [
            CellChange(entry=entry, cell=cell, version=cell.version, before=before, after=text_of(mark_of(cell)))
            for cell, before in changed
        ],
        batch_size=5000,
    )
    return entry


def _conflict(cell: Cell, text: str) -> Refused:
    by = str(cell.changed_by) if cell.changed_by else ""
    words = _("%(who)s changed this cell meanwhile, to “%(text)s”. Yours was not saved.")
    return Refused(
        cell.item_id, cell.enrolment_id, words % {"who": by, "text": text or "–"},
        is_conflict=True, text=text, version=cell.version, by=by,
    )  # fmt: skip
