"""The grid: all learners by all items, edited like a spreadsheet."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import CampusError, InvalidInput
from campus.people.requests import SignedInRequest
from courses.gradebook.access import BookAccess, get_book_for
from courses.gradebook.books import book_of
from courses.gradebook.grid import final_of, rows_html
from courses.gradebook.selectors import entries_of, open_question_count
from courses.gradebook.services import CellEdit, Outcome, set_cells
from courses.gradebook.services import undo as undo_service

MOST_BYTES = 2_000_000


@require_GET
def book(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the grid: of all cohorts whose staff the reader is, or of the one that `?cohort=` names."""
    access = get_book_for(request.user, slug)
    chosen = _chosen(request, access)
    shown = book_of(access.run, cohort_ids=chosen)
    context = {
        "run": access.run, "access": access, "book": shown, "rows": rows_html(shown), "head": _head(shown),
        "cuts": _cuts(access, chosen), "questions": open_question_count(access), "words": _words(),
    }  # fmt: skip
    return render(request, "gradebook/book.html", context)


@require_POST
def cells(request: SignedInRequest, slug: str) -> HttpResponse:
    """Write cells: `{"reason": …, "edits": [[item, enrolment, text, version], …]}`. Answers by cell."""
    access = get_book_for(request.user, slug)
    try:
        edits, reason = _edits_of(request)
        outcome = set_cells(
            run=access.run, cohort_ids=access.cohort_ids, edits=edits, reason=reason, actor=request.user
        )
    except InvalidInput as error:
        return JsonResponse({"message": _first(error)}, status=error.status)
    return JsonResponse(_answer(access, outcome))


@require_POST
def undo_entry(request: SignedInRequest, slug: str, entry_id: int) -> HttpResponse:
    """Undo one act on the grid; a program is answered as by `cells`, a person sent back to the list of entries."""
    access = get_book_for(request.user, slug)
    is_program = "application/json" in request.headers.get("Accept", "")
    try:
        outcome = undo_service(entry_id=entry_id, run=access.run, cohort_ids=access.cohort_ids, actor=request.user)
    except CampusError as error:
        if is_program:
            return JsonResponse({"message": str(error.message)}, status=error.status)
        raise
    if is_program:
        return JsonResponse(_answer(access, outcome))
    done = ngettext("%(count)d mark was put back.", "%(count)d marks were put back.", len(outcome.saved))
    messages.success(request, done % {"count": len(outcome.saved)})
    if outcome.refused:
        kept = ngettext(
            "%(count)d was changed again since and stays.", "%(count)d were changed again since and stay.",
            len(outcome.refused),
        )  # fmt: skip
        messages.warning(request, kept % {"count": len(outcome.refused)})
    return redirect("gradebook:entries", slug)


@require_GET
def entries(request: SignedInRequest, slug: str) -> HttpResponse:
    """List what was entered, by whom and when, each with its undo."""
    access = get_book_for(request.user, slug)
    page = entries_of(access, request.GET.get("page"))
    return render(request, "gradebook/entries.html", {"run": access.run, "access": access, "page_obj": page})


def _cuts(access: BookAccess, chosen: frozenset[int]) -> list[dict[str, Any]]:
    """All cohorts, or one of them; nothing to choose where there is one."""
    if len(access.cohorts) < 2:
        return []
    is_all = chosen == access.cohort_ids
    ones = [
        {"label": one.name, "url": f"?cohort={one.pk}", "is_active": not is_all and one.pk in chosen}
        for one in access.cohorts
    ]
    return [{"label": _("All"), "url": "?", "is_active": is_all}, *ones]


def _chosen(request: HttpRequest, access: BookAccess) -> frozenset[int]:
    wanted = request.GET.get("cohort", "")
    mine = access.cohort_ids
    return frozenset({int(wanted)}) & mine if wanted.isdecimal() and len(wanted) < 16 else mine


def _edits_of(request: HttpRequest) -> tuple[list[CellEdit], str]:
    if len(request.body) > MOST_BYTES:
        raise InvalidInput({"": _("That is too much at once. Paste it in parts.")})
    try:
        given = json.loads(request.body)
        edits = [CellEdit(int(item), int(row), str(text), int(version)) for item, row, text, version in given["edits"]]
        reason = str(given.get("reason", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidInput({"": _("This page is out of date. Load it again.")}) from error
    in_range = all(0 < one.item_id < 2**63 and 0 < one.enrolment_id < 2**63 for one in edits)
    if "\0" in reason or not in_range:
        raise InvalidInput({"": _("This page is out of date. Load it again.")})
    return edits, reason


def _answer(access: BookAccess, outcome: Outcome) -> dict[str, Any]:
    touched = {one.enrolment_id for one in outcome.saved}
    shown = book_of(access.run, cohort_ids=access.cohort_ids, among=touched)
    finals = {row.pk: final_of(shown, row.pk) for row in shown.rows}
    return {
        "entry": outcome.entry_id,
        "saved": [[one.item_id, one.enrolment_id, one.version, one.text] for one in outcome.saved],
        "refused": [
            [one.item_id, one.enrolment_id, one.message, one.is_conflict, one.text, one.version]
            for one in outcome.refused
        ],
        "finals": {row: [final.percent, final.band] for row, final in finals.items()},
    }


def _head(shown: Any) -> list[dict[str, Any]]:
    """The categories with how many columns each spans."""
    return [
        {"category": category, "span": span}
        for category in shown.categories
        if (span := sum(1 for item in shown.items if item.category_id == category.pk))
    ]


def _words() -> dict[str, str]:
    """What the grid's script says."""
    return {
        "saving": _("Saving…"),
        "saved": _("Saved"),
        "failed": _("Not saved: the campus could not be reached. What you typed stays here; it is sent again."),
        "undone": _("Undone"),
        "nothing": _("Nothing to undo"),
        "mine": _("Use mine"),
        "theirs": _("Keep theirs"),
    }


def _first(error: InvalidInput) -> str:
    return next((str(texts[0]) for texts in error.fields.values() if texts), str(error.message))
