"""Writing cells: history, undo, conflicts; and two graders at once, with the negative control."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campus.core.errors import Conflict, InvalidInput, NotFound
from courses.gradebook import services
from courses.gradebook.books import book_of
from courses.gradebook.models import Cell, CellChange
from courses.gradebook.services import cells as writing

from . import build


@pytest.mark.django_db
def test_what_is_typed_is_kept_with_its_history() -> None:
    made = build.gradebook()
    first = made.set(made.edit(0, 0, "7.5"), made.edit(0, 1, "ex"))
    assert [(one.text, one.version) for one in first.saved] == [("7.5", 1), ("EX", 1)]
    second = made.set(made.edit(0, 0, "8", version=1), reason="  다시\n채점 ")
    cell = Cell.objects.get(item=made.items[0], enrolment=made.learners[0])
    assert (cell.points, cell.version, cell.reason, cell.changed_by) == (Decimal("8.000"), 2, "다시 채점", made.teacher)
    history = CellChange.objects.filter(cell=cell).values_list("before", "after", "entry_id")
    assert list(history) == [("7.5", "8", second.entry_id), ("", "7.5", first.entry_id)]


@pytest.mark.django_db
def test_history_cannot_be_changed_or_deleted() -> None:
    made = build.gradebook()
    made.set(made.edit(0, 0, "7"))
    for act in (lambda: CellChange.objects.update(after="10"), lambda: CellChange.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            act()


@pytest.mark.django_db
def test_the_second_grader_meets_a_conflict_and_the_rest_is_kept() -> None:
    made = build.gradebook()
    made.set(made.edit(0, 0, "7"))
    outcome = made.set(made.edit(0, 0, "3", version=0), made.edit(1, 0, "4"))
    (refused,) = outcome.refused
    assert (refused.is_conflict, refused.text, refused.version, refused.by) == (True, "7", 1, str(made.teacher))
    assert [one.text for one in outcome.saved] == ["4"]
    assert Cell.objects.get(item=made.items[0], enrolment=made.learners[0]).points == 7


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["abc", "-1", "=1", "20.01", "1.2345"])
def test_nonsense_is_refused_by_cell(text: str) -> None:
    made = build.gradebook()
    outcome = made.set(made.edit(0, 0, text))
    assert len(outcome.refused) == 1
    assert not outcome.refused[0].is_conflict
    assert (outcome.saved, outcome.entry_id) == ([], None)
    assert not CellChange.objects.exists()


@pytest.mark.django_db
def test_cells_of_others_and_of_other_courses_do_not_exist() -> None:
    made = build.gradebook()
    other = build.gradebook()
    edits = [
        services.CellEdit(made.items[0].pk, other.learners[0].pk, "1", 0),
        services.CellEdit(other.items[0].pk, made.learners[0].pk, "1", 0),
    ]
    outcome = made.set(*edits)
    assert len(outcome.refused) == 2
    assert services.set_cells(run=made.run, cohort_ids=set(), edits=[made.edit(0, 0, "1")], actor=made.teacher).refused


@pytest.mark.django_db
def test_an_act_has_a_limit_and_names_a_cell_once(monkeypatch: Any) -> None:
    made = build.gradebook()
    with pytest.raises(InvalidInput):
        made.set(made.edit(0, 0, "1"), made.edit(0, 0, "2"))
    monkeypatch.setattr(writing, "MOST_CELLS", 1)
    with pytest.raises(InvalidInput):
        made.set(made.edit(0, 0, "1"), made.edit(1, 0, "2"))
    assert not CellChange.objects.exists()
    assert made.set(made.edit(0, 0, "1")).saved


@pytest.mark.django_db
def test_undo_puts_back_what_nobody_changed_since() -> None:
    made = build.gradebook()
    made.set(made.edit(0, 0, "5"))
    entry = made.set(made.edit(0, 0, "6", version=1), made.edit(1, 0, "9"), made.edit(2, 0, "2")).entry_id
    made.set(made.edit(1, 0, "8", version=1))
    assert entry is not None
    undone = services.undo(entry_id=entry, run=made.run, cohort_ids=made.cohort_ids, actor=made.teacher)
    assert {one.text for one in undone.saved} == {"5", ""}
    assert [one.text for one in undone.refused] == ["8"]
    with pytest.raises(Conflict):
        services.undo(entry_id=entry, run=made.run, cohort_ids=made.cohort_ids, actor=made.teacher)
    assert undone.entry_id is not None
    again = services.undo(entry_id=undone.entry_id, run=made.run, cohort_ids=made.cohort_ids, actor=made.teacher)
    assert {one.text for one in again.saved} == {"6", "2"}


@pytest.mark.django_db
def test_undo_reaches_no_other_cohort() -> None:
    made = build.gradebook()
    entry = made.set(made.edit(0, 0, "5")).entry_id
    assert entry is not None
    with pytest.raises(NotFound):
        services.undo(entry_id=entry, run=made.run, cohort_ids=set(), actor=made.teacher)


@pytest.mark.django_db
def test_many_cells_cost_as_many_queries_as_few() -> None:
    made = build.gradebook(learners=3)

    def cost(edits: list[services.CellEdit]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(made.set(*edits).saved) == len(edits)
        return len(queries)

    few = cost([made.edit(0, 0, "1")])
    many = cost([made.edit(item, learner, "2") for item in (1, 2, 3) for learner in (0, 1, 2)])
    assert few == many


@pytest.mark.django_db
def test_a_book_adds_it_up_for_staff_and_shows_learners_what_is_published() -> None:
    made = build.gradebook(learners=1)
    made.set(made.edit(0, 0, "10"), made.edit(1, 0, "2"), made.edit(2, 0, "5"))
    row = made.learners[0].pk
    assert book_of(made.run).grade(row).percent == Decimal("70.00")
    assert book_of(made.run).grade(row, for_learner=True).percent is None
    services.publish_item(run=made.run, item_id=made.items[2].pk, is_published=True, actor=made.teacher)
    book = book_of(made.run, enrolment_id=row)
    assert book.grade(row, for_learner=True).percent == Decimal("50.00")


THREADS = 6


def rush(made: build.Made, write: Any) -> list[bool]:
    """Let graders who all saw version 0 write one cell at the same moment; say whose was taken."""
    begin = threading.Barrier(THREADS)

    def work(number: int) -> bool:
        try:
            begin.wait(timeout=30)
            return bool(write(made, str(number)))
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


@pytest.mark.django_db(transaction=True)
def test_of_graders_at_once_one_is_first_and_the_others_are_told() -> None:
    made = build.gradebook(learners=1)
    taken = rush(made, lambda made, text: made.set(made.edit(0, 0, text)).saved)
    assert taken.count(True) == 1
    cell = Cell.objects.get()
    assert (cell.version, cell.points) == (1, taken.index(True))
    assert CellChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_overwrite_each_other(monkeypatch: Any) -> None:
    """The negative control: versions read without a lock let several write, or burst the history's constraint."""
    made = build.gradebook(learners=1)
    made.set(made.edit(0, 0, "9"))
    read = threading.Barrier(THREADS)

    def unlocked(edits: Any) -> Any:
        keys = {(edit.item_id, edit.enrolment_id) for edit in edits}
        found = {(one.item_id, one.enrolment_id): one for one in Cell.objects.select_related("changed_by")}
        read.wait(timeout=30)
        return {key: found[key] for key in keys}

    monkeypatch.setattr(writing, "_locked", unlocked)

    def write(made: build.Made, text: str) -> bool:
        try:
            return bool(made.set(made.edit(0, 0, text, version=1)).saved)
        except DatabaseError:
            return True

    assert rush(made, write).count(True) > 1
