"""The REST API of grades: my own with all that they come from; for staff a run's gradebook, and writing its marks."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.people.models import User

from .access import get_book_for, get_own_row
from .books import Book, book_of
from .domain.marks import State, text_of
from .explaining import CategoryLine, ItemLine, why
from .models import GradeItem, PublishedGrade
from .services import CellEdit, Outcome, set_cells, undo

STATES = [state.value for state in State]
TYPED = "As one types it into the grid: a number, `EX` (excused), `MISS` (missing), or nothing."
MOST_CELLS = 2_000


class MyItemAnswer(serializers.Serializer):
    """An item that is published, with my mark."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    points = serializers.DecimalField(max_digits=12, decimal_places=3, allow_null=True)
    out_of = serializers.DecimalField(max_digits=8, decimal_places=2)
    effect = serializers.CharField(help_text="COUNTED, DROPPED, EXCUSED, MISSING, BONUS or PENDING.")
    override_reason = serializers.CharField(allow_blank=True)


class MyCategoryAnswer(serializers.Serializer):
    title = serializers.CharField()
    weight = serializers.DecimalField(max_digits=6, decimal_places=2)
    percent = serializers.DecimalField(max_digits=8, decimal_places=2, allow_null=True, help_text="Of the category.")
    adds = serializers.DecimalField(max_digits=8, decimal_places=2, allow_null=True, help_text="Percent of the whole.")
    items = MyItemAnswer(many=True)


class MyGradesAnswer(serializers.Serializer):
    """My grade so far, from what is published. `final` is set once the final grades are."""

    course = serializers.CharField(help_text="The course run's slug.")
    percent = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
    grade = serializers.CharField(allow_blank=True)
    least = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True, help_text="Still possible.")
    most = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True, help_text="Still possible.")
    final = serializers.CharField(allow_null=True)
    categories = MyCategoryAnswer(many=True)


class ItemAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField()
    category = serializers.CharField()
    kind = serializers.ChoiceField(GradeItem.Kind.values)
    out_of = serializers.DecimalField(max_digits=8, decimal_places=2)
    is_published = serializers.BooleanField()


class CellAnswer(serializers.Serializer):
    item = serializers.IntegerField()
    mark = serializers.CharField(allow_blank=True, help_text=TYPED)
    version = serializers.IntegerField(help_text="Give it back when you write; 0: never written by hand.")
    is_override = serializers.BooleanField(help_text="By hand, over a mark that comes from elsewhere.")
    is_draft = serializers.BooleanField(help_text="The learner does not see it yet.")


class RowAnswer(serializers.Serializer):
    """A learner; `cells` are those that hold anything."""

    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.EmailField()
    cohort = serializers.CharField()
    percent = serializers.DecimalField(max_digits=None, decimal_places=None, allow_null=True)
    grade = serializers.CharField(allow_blank=True)
    cells = CellAnswer(many=True)


class GradebookAnswer(serializers.Serializer):
    """A run's gradebook, as far as the reader's own cohorts go."""

    course = serializers.CharField()
    items = ItemAnswer(many=True)
    rows = RowAnswer(many=True)


class CellWish(serializers.Serializer):
    item = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    enrolment = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    mark = serializers.CharField(allow_blank=True, max_length=20, help_text=TYPED)
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 1, help_text="Of the cell that you saw.")


class CellsWish(serializers.Serializer):
    """Cells to write. Each is written or refused by itself; none that changed since you saw it is written over."""

    cells = serializers.ListField(child=CellWish(), min_length=1, max_length=MOST_CELLS)
    reason = serializers.CharField(
        max_length=300, required=False, allow_blank=True, default="",
        help_text="Needed where a mark comes from an assignment or from attendance.",
    )  # fmt: skip


class SavedCellAnswer(serializers.Serializer):
    item = serializers.IntegerField()
    enrolment = serializers.IntegerField()
    mark = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()


class RefusedCellAnswer(serializers.Serializer):
    """A cell that was not written; after a conflict `mark` and `version` are what is there."""

    item = serializers.IntegerField()
    enrolment = serializers.IntegerField()
    message = serializers.CharField()
    is_conflict = serializers.BooleanField()
    mark = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()


class CellsAnswer(serializers.Serializer):
    entry = serializers.IntegerField(allow_null=True, help_text="Undo by it; null where nothing changed.")
    saved = SavedCellAnswer(many=True)
    refused = RefusedCellAnswer(many=True)


class MyGrades(APIView):
    """`GET`: my grade so far in a course, and all that it comes from."""

    @extend_schema(operation_id="grades_mine", tags=["grades"], responses=MyGradesAnswer)
    def get(self, request: Request, slug: str) -> Response:
        enrolment = get_own_row(_person(request), slug)
        told = why(book_of(enrolment.run, enrolment_id=enrolment.pk), enrolment.pk, for_learner=True)
        published = PublishedGrade.objects.filter(enrolment=enrolment, is_current=True).first()
        answer = {
            "course": slug,
            "percent": told.percent,
            "grade": told.band,
            "least": told.least,
            "most": told.most,
            "final": published.band if published else None,
            "categories": [_category(line) for line in told.categories],
        }
        return Response(MyGradesAnswer(answer).data)


class GradebookView(APIView):
    """`GET`: the gradebook of a run, for the staff of its cohorts."""

    @extend_schema(operation_id="gradebook", tags=["grades"], responses=GradebookAnswer)
    def get(self, request: Request, slug: str) -> Response:
        access = get_book_for(_person(request), slug)
        book = book_of(access.run, cohort_ids=access.cohort_ids)
        items = [
            {
                "id": item.pk,
                "title": item.title,
                "category": item.category.name,
                "kind": item.kind,
                "out_of": item.out_of,
                "is_published": item.is_published,
            }
            for item in book.items
        ]
        return Response(GradebookAnswer({"course": slug, "items": items, "rows": _rows(book)}).data)


class GradebookCells(APIView):
    """`POST`: write cells of the gradebook, each by compare-and-swap on its version."""

    @extend_schema(operation_id="gradebook_write", tags=["grades"], request=CellsWish, responses=CellsAnswer)
    def post(self, request: Request, slug: str) -> Response:
        access = get_book_for(_person(request), slug)
        wish = CellsWish(data=request.data)
        wish.is_valid(raise_exception=True)
        given = wish.validated_data
        edits = [CellEdit(one["item"], one["enrolment"], one["mark"], one["version"]) for one in given["cells"]]
        outcome = set_cells(
            run=access.run, cohort_ids=access.cohort_ids, edits=edits, reason=given["reason"], actor=_person(request)
        )
        return Response(CellsAnswer(_outcome(outcome)).data)


class GradebookUndo(APIView):
    """`POST`: put back what an entry changed, where nobody changed it since."""

    @extend_schema(operation_id="gradebook_undo", tags=["grades"], request=None, responses=CellsAnswer)
    def post(self, request: Request, slug: str, entry_id: int) -> Response:
        access = get_book_for(_person(request), slug)
        outcome = undo(entry_id=entry_id, run=access.run, cohort_ids=access.cohort_ids, actor=_person(request))
        return Response(CellsAnswer(_outcome(outcome)).data)


def _category(line: CategoryLine) -> dict[str, Any]:
    return {
        "title": line.category.name,
        "weight": line.category.weight,
        "percent": line.percent,
        "adds": line.adds,
        "items": [_item(one) for one in line.items],
    }


def _item(line: ItemLine) -> dict[str, Any]:
    return {
        "id": line.item.pk,
        "title": line.item.title,
        "state": line.mark.state.value,
        "points": line.mark.points,
        "out_of": line.item.out_of,
        "effect": line.effect,
        "override_reason": line.reason,
    }


def _rows(book: Book) -> list[dict[str, Any]]:
    rows = []
    for row in book.rows:
        percent, band = book.final(row.pk, book.grade(row.pk))
        cells = []
        for item in book.items:
            shown = book.shown(item, row.pk)
            if shown.version or shown.mark.state is not State.PENDING:
                cells.append(
                    {
                        "item": item.pk,
                        "mark": text_of(shown.mark),
                        "version": shown.version,
                        "is_override": shown.is_override,
                        "is_draft": shown.is_draft,
                    }
                )
        user = row.user
        rows.append(
            {
                "enrolment": row.pk,
                "name": user.name,
                "email": user.email,
                "cohort": row.cohort.name,
                "percent": percent,
                "grade": band,
                "cells": cells,
            }
        )
    return rows


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "entry": outcome.entry_id,
        "saved": [
            {"item": one.item_id, "enrolment": one.enrolment_id, "mark": one.text, "version": one.version}
            for one in outcome.saved
        ],
        "refused": [
            {
                "item": one.item_id,
                "enrolment": one.enrolment_id,
                "message": one.message,
                "is_conflict": one.is_conflict,
                "mark": one.text,
                "version": one.version,
            }
            for one in outcome.refused
        ],
    }


def _person(request: Request) -> User:
    return request.user  # type: ignore[return-value]
