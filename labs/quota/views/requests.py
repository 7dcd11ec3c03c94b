"""Requests for more: the form, the lists, one request with its history, and the answers."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campus.core import formats
from campus.core.errors import CampusError
from campus.core.form_errors import add_service_error
from campus.people.access import ADMINISTERING, Standing, standing_of
from campus.people.requests import SignedInRequest
from labs.quota import selectors_requests as selectors
from labs.quota.access_requests import get_account_to_ask_for, get_own_request, get_request_for, get_request_to_decide
from labs.quota.forecasts import outlook_of
from labs.quota.forms_requests import ApproveForm, AskForm, DeclineForm, PassUpForm
from labs.quota.horizons import ends_of
from labs.quota.services import requests as services

PAGE = 20
SHOWN = {"decide": selectors.to_decide, "mine": selectors.asked_by, "answered": selectors.answered_for}


@require_safe
def listing(request: SignedInRequest) -> HttpResponse:
    """What waits for this person's decision, what they asked for, what was answered; a tab each."""
    standing = standing_of(request.user)
    decides = standing.holds_anywhere(ADMINISTERING)
    show = request.GET.get("show", "")
    show = show if show in SHOWN and (decides or show == "mine") else "decide" if decides else "mine"
    page = Paginator(SHOWN[show](standing), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page, "cards": selectors.cards_of(standing, list(page)), "decides": decides, "show": show,
        **{f"is_{name}": name == show for name in SHOWN},
    }  # fmt: skip
    return render(request, "quota/requests.html", context)


@require_http_methods(["GET", "POST"])
def ask(request: SignedInRequest, account_id: int) -> HttpResponse:
    """Ask for more for an account; the form begins with what a refused job lacked (`?hours=`)."""
    account = get_account_to_ask_for(standing_of(request.user), account_id)
    initial = {"until": ends_of([account]).get(account.pk), "wanted_s": _hours(request.GET.get("hours", ""))}
    form = AskForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.ask(account_id=account.pk, asker=request.user, **form.cleaned_data)
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Asked. You are told as soon as it is answered."))
            return redirect("quota:request", made.pk)
    context = {
        "form": form, "account": account, "outlook": outlook_of(account),
        "waiting": selectors.waiting_for(account, request.user.pk),
    }  # fmt: skip
    return render(request, "quota/request_new.html", context, status=400 if form.errors else 200)


@require_safe
def one(request: SignedInRequest, request_id: int) -> HttpResponse:
    """A request, its history, and to who decides it the facts and the answers."""
    standing = standing_of(request.user)
    return _page(request, standing, get_request_for(standing, request_id))


@require_POST
def approve(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Give the whole, or as much as the form says."""
    standing = standing_of(request.user)
    found = get_request_to_decide(standing, request_id)
    form = ApproveForm(request.POST, auto_id="approve_%s")

    def act() -> str:
        done = services.approve(request_id=found.pk, actor=request.user, standing=standing, **form.cleaned_data)
        texts = {"name": done.account.name, "hours": formats.gpu_hours(done.given_s or 0)}
        if done.given_until is None:
            return _("“%(name)s” was given %(hours)s.") % texts
        texts["until"] = formats.campus_date(done.given_until)
        return _("“%(name)s” was given %(hours)s until %(until)s.") % texts

    return _answered(request, standing, request_id, form, act)


@require_POST
def decline(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Say no, and why."""
    standing = standing_of(request.user)
    found = get_request_to_decide(standing, request_id)
    form = DeclineForm(request.POST, auto_id="decline_%s")

    def act() -> str:
        services.decline(request_id=found.pk, actor=request.user, **form.cleaned_data)
        return _("Declined. %(name)s is told why.") % {"name": found.asker.name}

    return _answered(request, standing, request_id, form, act)


@require_POST
def pass_up(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Ask further up for what is lacking."""
    standing = standing_of(request.user)
    found = get_request_to_decide(standing, request_id)
    form = PassUpForm(request.POST, auto_id="pass_%s")

    def act() -> str:
        note = form.cleaned_data["answer"]
        raised = services.pass_up(request_id=found.pk, actor=request.user, standing=standing, note=note)
        return _("Asked for more at “%(name)s”.") % {"name": raised.account.name}

    return _answered(request, standing, request_id, form, act)


@require_http_methods(["GET", "POST"])
def withdraw(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Ask once, then take it back."""
    found = get_own_request(standing_of(request.user), request_id)
    if request.method == "POST":
        services.withdraw(request_id=found.pk, actor=request.user)
        messages.success(request, _("Withdrawn."))
        return redirect("quota:request", found.pk)
    context = {
        "title": _("Withdraw this request?"),
        "text": _("Nobody decides it then. You may ask again."),
        "label": _("Withdraw"),
        "cancel_url": reverse("quota:request", args=[found.pk]),
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


def _answered(
    request: SignedInRequest, standing: Standing, request_id: int, form: Any, act: Callable[[], str]
) -> HttpResponse:
    """Do it and go back to the list, or show the page again with what was wrong."""
    status = 400
    if form.is_valid():
        try:
            messages.success(request, act())
        except CampusError as error:
            add_service_error(form, error)
            status = error.status
        else:
            return _back(request, request_id)
    return _page(request, standing, get_request_for(standing, request_id), form, status=status)


def _page(
    request: SignedInRequest, standing: Standing, found: Any, refused: Any = None, *, status: int = 200
) -> HttpResponse:
    (card,) = selectors.cards_of(standing, [found])
    given_s = found.wanted_s if card.can_give_all or card.way is None else card.way.most_s
    forms = {
        "approve_form": ApproveForm(
            initial={"given_s": _steps(given_s), "until": card.gives_until}, auto_id="approve_%s"
        ),
        "decline_form": DeclineForm(auto_id="decline_%s"),
        "pass_form": PassUpForm(auto_id="pass_%s"),
    }
    # What was refused keeps what was typed into it.
    forms |= {name: refused for name, form in forms.items() if type(form) is type(refused)}
    context = {
        "card": card, "found": found, "account": found.account, "steps": selectors.history_of(found),
        "is_mine": found.asker_id == request.user.pk, "refused": refused, **forms,
    }  # fmt: skip
    return render(request, "quota/request.html", context, status=status)


def _steps(gpu_seconds: int) -> str:
    """GPU-hours in whole tenths, rounded down, as the form takes them."""
    return f"{gpu_seconds // 360 / 10:.1f}"


def _hours(text: str) -> str:
    """What the address asks the form to begin with, where it is a small number."""
    digits = text.replace(".", "", 1)
    return text if digits.isascii() and digits.isdecimal() and len(text) <= 7 else ""


def _back(request: SignedInRequest, request_id: int) -> HttpResponse:
    wished = request.POST.get("next", "")
    if wished and url_has_allowed_host_and_scheme(wished, allowed_hosts={request.get_host()}):
        return redirect(wished)
    return redirect("quota:request", request_id)
