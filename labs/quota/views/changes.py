"""Changing many accounts at once: by form, by hand, by CSV; the preview, the history, and undoing."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campus.core.errors import CampusError, Conflict, NotAllowed
from campus.core.form_errors import add_service_error
from campus.people.access import Standing
from labs.quota.access import may_allocate
from labs.quota.change_files import changes_from_csv
from labs.quota.change_words import shown
from labs.quota.domain.change_csv import CHANGING, MAX_BYTES
from labs.quota.forms_desk import MOST_BY_HAND, AlikeForm, ApplyForm, HandForm, ReasonForm, UploadForm, as_text
from labs.quota.models import Account
from labs.quota.selectors_batches import batch_for, batches_for, changed_lines
from labs.quota.selectors_desk import administered
from labs.quota.services import (
    AccountChange,
    ChangesRefused,
    apply_changes,
    preview_changes,
    preview_undo,
)
from labs.quota.services import (
    undo as undo_batch,
)
from labs.quota.services.batches import MOST_ROWS

from .desk import require_administrator

PAGE = 25


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest) -> HttpResponse:
    """Choose what to change of the accounts: alike for all, or each by hand; and preview it."""
    standing = require_administrator(request)
    accounts = _chosen(request, standing)
    if not accounts:
        messages.info(request, _("Choose at least one account that you may change."))
        return redirect("quota:desk")
    by_hand = len(accounts) <= MOST_BY_HAND
    step = request.POST.get("step", "")
    alike = AlikeForm(request.POST if step else None)
    hand = HandForm(accounts, request.POST if step == "hand" else None) if by_hand else None
    context: dict[str, Any] = {
        "accounts": accounts, "ids": ",".join(str(account.pk) for account in accounts), "alike": alike, "hand": hand,
        "learners": _learners_below(standing, accounts), "most_by_hand": MOST_BY_HAND,
    }  # fmt: skip
    if step == "alike" and alike.is_valid():
        context |= _previewed(request, alike.changes(accounts))
    elif step == "hand" and hand is not None and hand.is_valid:
        context |= _previewed(request, hand.changes)
    return render(request, "quota/desk_edit.html", context, status=400 if step and "shown" not in context else 200)


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Read a CSV of changes: what is wrong by line, or a preview."""
    standing = require_administrator(request)
    context: dict[str, Any] = {
        "form": UploadForm(), "columns": CHANGING, "most_rows": MOST_ROWS, "most_bytes": MAX_BYTES
    }  # fmt: skip
    if request.method == "POST":
        context["form"] = form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            found = changes_from_csv(form.cleaned_data["table"].read(MAX_BYTES + 1), standing)
            context["errors"] = found.errors
            if not found.errors:
                context |= _previewed(request, found.changes, found.lines)
    status = 400 if request.method == "POST" and "shown" not in context else 200
    return render(request, "quota/desk_upload.html", context, status=status)


@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Make what was previewed, all of it or nothing; where it cannot be any more, say why."""
    require_administrator(request)
    form = ApplyForm(request.POST)
    refused: ChangesRefused | None = None
    if form.is_valid():
        actor: Any = request.user
        changes, reason = form.cleaned_data["changes"], form.cleaned_data["reason"]
        try:
            batch = apply_changes(changes=changes, reason=reason, actor=actor)
        except ChangesRefused as error:
            refused = error
        except CampusError as error:
            add_service_error(form, error)
        else:
            count = len(changes)
            words = ngettext("%(n)s account is changed.", "%(n)s accounts are changed.", count) % {"n": count}
            messages.success(request, words)
            return redirect("quota:batch", batch.pk)
    preview = refused.preview if refused else _preview_again(request, form)
    context = {"form": form, "shown": shown(preview) if preview else None, "is_late": refused is not None}
    return render(request, "quota/desk_apply.html", context, status=409 if refused else 400)


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """The batches of changes to accounts that one administers, newest first."""
    standing = require_administrator(request)
    page = Paginator(batches_for(standing), PAGE).get_page(request.GET.get("page"))
    return render(request, "quota/batches.html", {"page": page})


@require_safe
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One batch: what it changed, and what undoing it would do."""
    return _batch_page(request, require_administrator(request), batch_id)


@require_POST
def undo(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Post the reverse of a batch, or say why that cannot be."""
    standing = require_administrator(request)
    found = batch_for(standing, batch_id)
    if found.hidden:
        raise NotAllowed
    form = ReasonForm(request.POST)
    if form.is_valid():
        actor: Any = request.user
        try:
            made = undo_batch(batch_id=batch_id, actor=actor, reason=form.cleaned_data["reason"])
        except ChangesRefused:
            return _batch_page(request, standing, batch_id, form, status=409)
        except Conflict as error:
            messages.error(request, str(error.message))
            return redirect("quota:batch", batch_id)
        messages.success(request, _("Undone."))
        return redirect("quota:batch", made.pk)
    return _batch_page(request, standing, batch_id, form, status=400)


def _batch_page(
    request: HttpRequest, standing: Standing, batch_id: int, form: ReasonForm | None = None, status: int = 200
) -> HttpResponse:
    found = batch_for(standing, batch_id)
    context: dict[str, Any] = {"found": found, "batch": found.batch, "lines": changed_lines(found)}
    if found.undone_by is None:
        actor: Any = request.user
        try:
            context["shown"] = shown(preview_undo(batch_id=batch_id, actor=actor))
        except CampusError as error:
            context["refused"] = str(error.message)
    # Words of the service, not of ours: it writes the same where none are given, as over the API.
    words = _("Undone: %(reason)s") % {"reason": found.batch.reason}
    context["form"] = form or ReasonForm(initial={"reason": words[:200]})
    return render(request, "quota/batch.html", context, status=status)


def _previewed(
    request: HttpRequest, changes: Sequence[AccountChange], lines: dict[int, int] | None = None
) -> dict[str, Any]:
    """Return what a page shows of a preview; nothing where nothing would change."""
    if not changes:
        return {"is_empty": True}
    actor: Any = request.user
    try:
        preview = preview_changes(changes=changes, actor=actor)
    except CampusError as error:
        return {"refused": str(error.message)}
    form = ApplyForm(initial={"changes": as_text(changes)})
    return {"shown": shown(preview, lines), "apply_form": form}


def _preview_again(request: HttpRequest, form: ApplyForm) -> Any:
    """Preview what a form without a reason was to apply, so that nothing has to be entered again."""
    changes = form.cleaned_data.get("changes") if hasattr(form, "cleaned_data") else None
    if not changes:
        return None
    actor: Any = request.user
    try:
        return preview_changes(changes=changes, actor=actor)
    except CampusError:
        return None


def _chosen(request: HttpRequest, standing: Standing) -> list[Account]:
    """Return the accounts that were chosen and may be changed, in the order of their names."""
    given = request.POST.get("ids", "").split(",") if "ids" in request.POST else []
    given += request.POST.getlist("account") + request.GET.getlist("account")
    below = _numbers(request.GET.getlist("below"))
    mine = administered(standing)
    if below:
        found = mine.filter(parent_id__in=below, kind=Account.Kind.LEARNER)
    else:
        found = mine.filter(pk__in=_numbers(given))
    ordered = found.order_by("kind", "name", "id")[:MOST_ROWS]
    return [account for account in ordered if may_allocate(standing, account)]


def _learners_below(standing: Standing, accounts: Sequence[Account]) -> int:
    above = [account.pk for account in accounts if account.kind != Account.Kind.LEARNER]
    if not above:
        return 0
    return administered(standing).filter(parent_id__in=above, kind=Account.Kind.LEARNER).count()


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]
