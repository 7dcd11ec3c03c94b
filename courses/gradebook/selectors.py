"""What the gradebook's lists show."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, QuerySet

from .access import BookAccess
from .models import CellChange, Entry, RegradeRequest

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


def history_of(enrolment_id: int, item_id: int) -> "QuerySet[CellChange]":
    """Return a cell's changes, newest first."""
    found = CellChange.objects.filter(cell__enrolment_id=enrolment_id, cell__item_id=item_id)
    return found.select_related("entry__actor")
