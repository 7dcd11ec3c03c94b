"""What the gradebook's lists show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet

from courses.assignments.api import score_steps
from courses.assignments.models import Assignment

from .access import BookAccess
from .domain.marks import EXCUSED, graded, text_of
from .models import CellChange, Entry, GradeItem, RegradeRequest
from .sources import scaled

PAGE_SIZE = 30
QUESTIONS_SHOWN = 15
"""An open one has a form of its own, and a phone scrolls past each."""


def entries_of(access: BookAccess, page: str | None) -> "Page[Any]":
    """Return acts on cells of the reader's cohorts, newest first, with how many cells each changed."""
    mine = Entry.objects.filter(run=access.run, changes__cell__enrolment__cohort_id__in=access.cohort_ids)
    found = mine.select_related("actor", "undone_by").annotate(cells=Count("changes", distinct=True)).order_by("-pk")
    return Paginator(found, PAGE_SIZE).get_page(page)


def questions_of(access: BookAccess) -> "QuerySet[RegradeRequest]":
    """Return what learners of the reader's cohorts asked, open ones first."""
    found = RegradeRequest.objects.filter(item__category__run=access.run, enrolment__cohort_id__in=access.cohort_ids)
    return found.select_related("item", "enrolment__user", "enrolment__cohort", "answered_by").order_by("-state", "-pk")


def questions_page(access: BookAccess, page: str | None) -> "Page[RegradeRequest]":
    """Return a page of what learners asked: open ones come first, so answering goes on from the first page."""
    return Paginator(questions_of(access), QUESTIONS_SHOWN).get_page(page)


def open_question_count(access: BookAccess) -> int:
    """Say how many questions wait for an answer."""
    return questions_of(access).filter(state=RegradeRequest.State.OPEN).count()


@dataclass(frozen=True)
class Change:
    """A change of a mark, entered here or (`is_graded`) where it is graded. Texts are as one types them."""

    at: datetime
    by: str
    before: str
    after: str
    reason: str
    is_graded: bool = False


def history_of(enrolment_id: int, item: GradeItem) -> list[Change]:
    """Return a mark's changes, newest first: those entered in the gradebook, and those of the assignment it is from.

    Two queries at most.
    """
    rows = CellChange.objects.filter(cell__enrolment_id=enrolment_id, cell__item_id=item.pk)
    found = [
        Change(one.entry.at, one.entry.actor.name if one.entry.actor else "", one.before, one.after, one.entry.reason)
        for one in rows.select_related("entry__actor")
    ]
    if item.assignment is not None:
        found += _graded(item, item.assignment, enrolment_id)
    return sorted(found, key=lambda one: one.at, reverse=True)


def _graded(item: GradeItem, assignment: Assignment, enrolment_id: int) -> list[Change]:
    """Changes of the assignment's score, in the item's points."""
    found, before = [], ""
    for one in score_steps(assignment.pk, enrolment_id):
        after = text_of(EXCUSED) if one.is_excused else ""
        if one.after is not None and not one.is_excused:
            after = text_of(graded(scaled(one.after, assignment.points, item.out_of)))
        found.append(Change(one.at, one.by, before, after, one.reason, is_graded=True))
        before = after
    return found
