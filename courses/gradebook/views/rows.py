"""One learner's row for staff: marks entered without a script, why, history, and the final grade."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import Conflict, NotFound
from campus.people.requests import SignedInRequest
from courses.catalog.api import form_page
from courses.gradebook.access import get_row_for, get_row_to_finish
from courses.gradebook.books import book_of
from courses.gradebook.explaining import why
from courses.gradebook.forms import FinalForm
from courses.gradebook.models import FinalOverride, GradeItem
from courses.gradebook.selectors import history_of
from courses.gradebook.services import CellEdit, override_final, seen_of, set_cells


@require_http_methods(["GET", "POST"])
def row(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Show a learner's marks and what they come to; write those that were changed in the form."""
    enrolment, access = get_row_for(request.user, enrolment_id)
    typed: dict[int, str] = {}
    refused: dict[int, str] = {}
    if request.method == "POST":
        book = book_of(access.run, enrolment_id=enrolment_id)
        edits = [edit for item in book.items if (edit := _edit(request, item.pk, enrolment_id)) is not None]
        outcome = set_cells(
            run=access.run, cohort_ids=access.cohort_ids, edits=edits, reason=request.POST.get("reason", ""),
            actor=request.user,
        )  # fmt: skip
        if not outcome.refused:
            messages.success(request, _("Saved."))
            return redirect("gradebook:row", enrolment_id)
        refused = {one.item_id: one.message for one in outcome.refused}
        typed = {one.item_id: one.text for one in edits if one.item_id in refused}
    book = book_of(access.run, enrolment_id=enrolment_id)
    context = {
        "run": access.run, "access": access, "enrolment": enrolment, "typed": typed, "refused": refused,
        "why": why(book, enrolment_id, for_learner=False), "reason": request.POST.get("reason", ""), "book": book,
    }  # fmt: skip
    return render(request, "gradebook/row.html", context, status=409 if refused else 200)


@require_http_methods(["GET", "POST"])
def final(request: SignedInRequest, enrolment_id: int) -> HttpResponse:
    """Set the final percentage by hand, with a reason that the learner reads."""
    enrolment = get_row_to_finish(request.user, enrolment_id)
    override = FinalOverride.objects.filter(enrolment=enrolment).first()
    initial = {"percent": override.percent, "reason": override.reason, "seen": seen_of(override)} if override else {}
    back = reverse("gradebook:row", args=[enrolment_id])

    def save(fields: dict[str, Any]) -> str:
        try:
            override_final(enrolment=enrolment, actor=request.user, **fields)
        except Conflict:  # who saves again has seen it
            now = FinalOverride.objects.filter(enrolment=enrolment).first()
            form.data = {**request.POST.dict(), "seen": seen_of(now)}
            raise
        return back

    form = FinalForm(request.POST or None, initial=initial)
    return form_page(request, form, save, title=_("Set the final grade by hand"), back=back, hint=enrolment.user.name)


@require_GET
def history(request: SignedInRequest, enrolment_id: int, item_id: int) -> HttpResponse:
    """Show what became of one mark."""
    enrolment, access = get_row_for(request.user, enrolment_id)
    item = GradeItem.objects.select_related("assignment").filter(pk=item_id, category__run=access.run).first()
    if item is None:
        raise NotFound
    context = {"run": access.run, "enrolment": enrolment, "item": item, "changes": history_of(enrolment_id, item)}
    return render(request, "gradebook/history.html", context)


def _edit(request: SignedInRequest, item_id: int, enrolment_id: int) -> CellEdit | None:
    """Return the edit of a field, when it was changed in the form."""
    text, was = request.POST.get(f"mark-{item_id}"), request.POST.get(f"was-{item_id}", "")
    version = request.POST.get(f"version-{item_id}", "0")
    if text is None or text.strip() == was or not version.isdecimal():
        return None
    return CellEdit(item_id, enrolment_id, text[:40], int(version[:9]))
