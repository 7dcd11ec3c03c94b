"""One account: balances, use, children, ledger, history; and changing its allocation."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from campus.core import formats
from campus.core.errors import CampusError, InvalidInput, OverQuota
from campus.core.form_errors import add_service_error
from campus.people.access import standing_of
from labs.quota import charts
from labs.quota.access import get_account_for, get_account_to_allocate, looks_after, may_allocate
from labs.quota.access_requests import may_ask
from labs.quota.forecasts import outlook_of
from labs.quota.forms import AllocateForm
from labs.quota.models import Account
from labs.quota.paging import LedgerPaginator
from labs.quota.selectors import (
    TreeRow,
    children_of,
    children_rows,
    history_of,
    ledger_below,
    used_by_day,
    with_outlooks,
)
from labs.quota.selectors_grants import grants_of, lendings_of, sponsor_uses, sponsored_for
from labs.quota.services import allocate, cap_lines, preview, rates_now, refusal_of
from labs.quota.shortage import helpers_of
from labs.quota.zones import zone_of

DAYS = 30
PAGE = 25
TABS = ("overview", "grants", "ledger", "history")


@require_safe
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Balances and use; below them, on a tab each, the accounts below, the ledger, the history."""
    standing = standing_of(request.user)
    found = get_account_for(standing, account_id)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    is_staff = looks_after(standing, found)
    context = {
        "account": found,
        "part": f"quota/_{tab}.html",
        "url_overview": request.path,
        **{f"is_{name}": name == tab for name in TABS},
        "is_staff": is_staff,
        "may_allocate": may_allocate(standing, found),
        "may_ask": may_ask(standing, found),
        "parent_visible": found.parent is not None and looks_after(standing, found.parent),
    }
    context |= {"overview": _overview, "grants": _grants, "ledger": _ledger, "history": _history}[tab](request, found)
    if tab == "overview" and is_staff:
        page = Paginator(children_of(found), PAGE).get_page(request.GET.get("page"))
        own, *rows = with_outlooks([TreeRow(found, 0, False), *children_rows(standing, list(page.object_list), 1)])
        context |= {"page": page, "rows": rows, "outlook": own.outlook}
    elif tab == "overview":
        context["outlook"] = outlook_of(found)
    return render(request, "quota/account.html", context)


def _overview(request: HttpRequest, found: Account) -> dict[str, Any]:
    today = timezone.now().astimezone(ZoneInfo(zone_of(found.scope.path))).date()
    first = today - timedelta(days=DAYS - 1)
    used = used_by_day(found.pk, first, today)
    return {"chart": charts.by_day(used, first, today), "chart_title": charts.by_day_title(used, DAYS),
            "helpers": helpers_of(found), "sponsored": sponsored_for([found])[found.pk]}  # fmt: skip


def _grants(request: HttpRequest, found: Account) -> dict[str, Any]:
    """Grants that end, sponsors' shares, settings, lending and rates; caps as they stand for the account's owner."""
    path = sorted(Account.objects.select_related("scope").filter(pk__in=found.path), key=lambda one: len(one.path))
    return {
        "grants": grants_of(found),
        "sponsors": sponsor_uses(found),
        "lendings": lendings_of(found),
        "rates": rates_now(),
        "caps": cap_lines(path, timezone.now()),
    }


def _ledger(request: HttpRequest, found: Account) -> dict[str, Any]:
    return {"page": LedgerPaginator(ledger_below(found), PAGE).get_page(request.GET.get("page"))}


def _history(request: HttpRequest, found: Account) -> dict[str, Any]:
    return {"page": Paginator(history_of(found), PAGE).get_page(request.GET.get("page"))}


@require_http_methods(["GET", "POST"])
def change_allocation(request: HttpRequest, account_id: int) -> HttpResponse:
    """Show the form, preview what would stand afterwards, or allocate."""
    found = get_account_to_allocate(standing_of(request.user), account_id)
    is_preview = "preview" in request.POST
    form = AllocateForm(request.POST or None, account_id=found.pk, is_preview=is_preview)
    context: dict[str, Any] = {"account": found, "form": form, "next": _next(request, found)}
    if request.method == "POST" and form.is_valid():
        if is_preview:
            context |= _previewed(found, form.delta_s)
        elif _allocated(request, found, form):
            return _done(request, context["next"])
    if request.headers.get("HX-Request"):
        return render(request, "quota/_preview.html" if is_preview else "quota/_allocate_row.html", context)
    return render(request, "quota/allocate.html", context)


def _previewed(found: Account, delta_s: int) -> dict[str, Any]:
    outcome = preview(account=found, delta_s=delta_s)
    refused = refusal_of(outcome, found, delta_s) if outcome.refusal else None
    figures = [(_("%(name)s: allocated"), found, outcome.before_s, outcome.after_s)]
    figures.append((_("%(name)s: free"), found, outcome.free_after_s - delta_s, outcome.free_after_s))
    if found.parent is not None and (after := outcome.parent_grantable_after_s) is not None:
        figures.append((_("%(name)s: left to grant"), found.parent, after + delta_s, after))
    rows = [(label % {"name": of.name}, _exact_hours(now), _exact_hours(then)) for label, of, now, then in figures]
    return {"figures": rows, "refusal": _words(refused)}


def _exact_hours(gpu_seconds: int) -> str:
    """Write GPU-hours to the tenth in which they are allocated: a rounded figure would hide what changes."""
    return formats.number(gpu_seconds / 3600, 1)


def _words(refused: CampusError | None) -> str:
    if isinstance(refused, InvalidInput):
        return " ".join(str(text) for texts in refused.fields.values() for text in texts)
    return str(refused.message) if refused else ""


def _allocated(request: HttpRequest, found: Account, form: AllocateForm) -> bool:
    """Allocate; where it is refused, put the reason on the form."""
    reason = form.cleaned_data["reason"]
    try:
        with transaction.atomic():
            done = allocate(account_id=found.pk, delta_s=form.delta_s, reason=reason, actor=request.user)  # type: ignore[arg-type]
    except InvalidInput as error:
        named = {"gpu_hours" if name == "delta_s" else name: texts for name, texts in error.fields.items()}
        add_service_error(form, InvalidInput(named))
        return False
    except OverQuota as error:
        form.add_error("gpu_hours", str(error.message))
        return False
    texts = {"name": found.name, "hours": formats.gpu_hours(done.after_s)}
    messages.success(request, _("“%(name)s” now has %(hours)s.") % texts)
    return True


def _next(request: HttpRequest, found: Account) -> str:
    wished = request.POST.get("next") or request.GET.get("next", "")
    if wished and url_has_allowed_host_and_scheme(wished, allowed_hosts={request.get_host()}):
        return wished
    return redirect("quota:account", found.pk).url


def _done(request: HttpRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)
