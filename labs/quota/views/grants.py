"""Giving and ending grants, lending to the accounts beside and recalling."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campus.core import formats
from campus.core.errors import CampusError, InvalidInput, NotFound
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from labs.quota.access import get_account_to_allocate
from labs.quota.beyond import terms
from labs.quota.forms_desk import ReasonForm
from labs.quota.forms_grants import GrantForm, LendForm
from labs.quota.models import Account, Grant, Lending
from labs.quota.services import cancel_grant, end_grant, grant_for_days, lend, recall
from labs.quota.services.day_grants import end_of
from labs.quota.zones import zone_of


@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, account_id: int) -> HttpResponse:
    """Give an account GPU time for a term or between two days."""
    account = get_account_to_allocate(standing_of(request.user), account_id)
    form = GrantForm(request.POST or None, terms=terms(), initial={"term": request.GET.get("term", "")})
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            with transaction.atomic():
                grant = grant_for_days(account_id=account.pk, actor=actor, **form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            texts = {"name": account.name, "hours": formats.gpu_hours(grant.planned_s), "label": grant.label}
            messages.success(request, _("“%(name)s” was given %(hours)s: %(label)s.") % texts)
            return _to_grants(account)
    context = {"account": account, "form": form}
    return render(request, "quota/grant_new.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Say what ending a grant does, then end it; one that begins later is cancelled."""
    grant = Grant.objects.select_related("sponsor").filter(pk=grant_id).first() if grant_id < 2**63 else None
    if grant is None:
        raise NotFound
    account = get_account_to_allocate(standing_of(request.user), grant.account_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act = cancel_grant if grant.state == Grant.State.PLANNED else end_grant
        actor: Any = request.user
        try:
            with transaction.atomic():
                act(grant_id=grant.pk, actor=actor, reason=form.cleaned_data["reason"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("“%(label)s” is ended.") % {"label": grant.label})
            return _to_grants(account)
    context = {"account": account, "grant": grant, "form": form, "is_planned": grant.state == Grant.State.PLANNED}
    return render(request, "quota/grant_end.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def lend_new(request: HttpRequest, account_id: int) -> HttpResponse:
    """Let the accounts beside this one use what it does not need."""
    account = get_account_to_allocate(standing_of(request.user), account_id)
    form = LendForm(request.POST or None, account=account)
    if request.method == "POST" and form.is_valid():
        try:
            _lend(request, account, form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("“%(name)s” lends from now on.") % {"name": account.name})
            return _to_grants(account)
    context = {"account": account, "form": form}
    return render(request, "quota/lend.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def lend_recall(request: HttpRequest, lending_id: int) -> HttpResponse:
    """Say what recalling does, then end the lending."""
    found = Lending.objects.select_related("borrower").filter(pk=lending_id) if lending_id < 2**63 else None
    lending = found.first() if found is not None else None
    if lending is None:
        raise NotFound
    account = get_account_to_allocate(standing_of(request.user), lending.lender_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor: Any = request.user
        try:
            with transaction.atomic():
                recall(lending_id=lending.pk, actor=actor, reason=form.cleaned_data["reason"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Recalled: nothing more is borrowed."))
            return _to_grants(account)
    context = {"account": account, "lending": lending, "form": form}
    return render(request, "quota/recall.html", context, status=400 if form.errors else 200)


def _lend(request: HttpRequest, account: Account, given: dict[str, Any]) -> None:
    zone = ZoneInfo(zone_of(account.scope.path))
    borrower, first = given["borrower"], given["first_on"]
    actor: Any = request.user
    try:
        with transaction.atomic():
            lend(
                account_id=account.pk, limit_s=given["limit_s"], until_at=end_of(given["last_on"], zone),
                from_at=datetime.combine(first, time(), zone) if first else None,
                borrower_id=borrower.pk if borrower else None, reason=given["reason"], actor=actor,
            )  # fmt: skip
    except InvalidInput as error:
        names = {"until_at": "last_on", "from_at": "first_on"}
        raise InvalidInput({names.get(name, name): texts for name, texts in error.fields.items()}) from error


def _to_grants(account: Account) -> HttpResponse:
    return redirect(f"{redirect('quota:account', account.pk).url}?tab=grants")
