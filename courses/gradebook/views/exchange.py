"""The gradebook as a file: out, and in after a preview."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from campus.core import audit
from campus.core.errors import CampusError, InvalidInput, NotFound
from campus.core.form_errors import add_service_error
from campus.core.spreadsheets import csv_response, xlsx_response
from campus.people.requests import SignedInRequest
from courses.gradebook.access import BookAccess, get_book_for
from courses.gradebook.books import book_of
from courses.gradebook.exchange import apply_import, cells_of, preview_import, read_file, table_of
from courses.gradebook.forms import ImportForm

FORMS = ("csv", "xlsx")
SHOWN_CHANGES = 300


@require_GET
def export(request: SignedInRequest, slug: str, form: str) -> HttpResponse:
    """Hand out the gradebook of the reader's cohorts; that it was handed out is in the audit trail."""
    access = get_book_for(request.user, slug)
    if form not in FORMS:
        raise NotFound
    table = table_of(book_of(access.run, cohort_ids=access.cohort_ids))
    audit.record(
        actor=request.user, verb="gradebook.exported", target=access.run, changes={"rows": (0, len(table) - 1)},
        scope_path=access.cohorts[0].scope.path if access.cohorts else (),
    )  # fmt: skip
    name = f"{access.run.slug}-gradebook"
    if form == "csv":
        return csv_response(table, name)
    return xlsx_response(cells_of(table), name, title=str(_("Gradebook")), freeze="D2")


@require_http_methods(["GET", "POST"])
def upload(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take a file, show what importing it would change, then do exactly that."""
    access = get_book_for(request.user, slug)
    if request.method == "POST" and "token" in request.POST:
        return _apply(request, access)
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"run": access.run, "access": access, "form": form}
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            context["preview"] = preview_import(access=access, table=read_file(file.name, file.read()))
        except InvalidInput as error:
            add_service_error(form, error)
        else:
            context["shown"] = context["preview"].changes[:SHOWN_CHANGES]
            context["more"] = len(context["preview"].changes) - len(context["shown"])
            return render(request, "gradebook/import.html", context)
    return render(request, "gradebook/import.html", context, status=400 if form.errors else 200)


def _apply(request: SignedInRequest, access: BookAccess) -> HttpResponse:
    try:
        outcome = apply_import(
            access=access, token=request.POST["token"], reason=request.POST.get("reason", ""), actor=request.user
        )
    except CampusError as error:
        form = ImportForm(None)
        first = (
            next((texts[0] for texts in error.fields.values()), error.message)
            if isinstance(error, InvalidInput)
            else error.message
        )
        messages.error(request, str(first))
        return render(
            request, "gradebook/import.html", {"run": access.run, "access": access, "form": form}, status=error.status
        )
    words = ngettext("%(count)d mark was imported.", "%(count)d marks were imported.", len(outcome.saved))
    messages.success(request, words % {"count": len(outcome.saved)} + " " + _("The history of entries can undo it."))
    return redirect("gradebook:book", access.run.slug)
