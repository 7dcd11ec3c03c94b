"""Sweeps: their list, one sweep as it runs, its table as CSV, cancelling the rest, running again what failed."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import Conflict, OverQuota
from campus.core.spreadsheets import csv_response
from campus.people.access import standing_of
from campus.people.requests import SignedInRequest
from labs.jobs.access import get_own_sweep, get_sweep_for, get_sweep_to_cancel, may_cancel_sweep, sweeps_for
from labs.jobs.services import cancel_sweep, rerun_failed
from labs.jobs.sweep_page import sweep_context, table_of, with_progress

PAGE = 30


@require_GET
def sweeps(request: SignedInRequest) -> HttpResponse:
    """List one's own sweeps, or with `?whose=all` those of everyone whom one teaches."""
    standing = standing_of(request.user)
    of_all = request.GET.get("whose") == "all" and standing.is_teaching
    found = with_progress(sweeps_for(standing).select_related("owner"))
    if not of_all:
        found = found.filter(owner=request.user)
    page = Paginator(found.order_by("-id"), PAGE).get_page(request.GET.get("page"))
    context = {"page_obj": page, "of_all": of_all, "may_see_all": standing.is_teaching}
    return render(request, "jobs/sweeps.html", context)


@require_GET
def sweep(request: SignedInRequest, sweep_id: int) -> HttpResponse:
    """Show a sweep; `?part=live` gives what changes while it runs, for the page to swap in."""
    standing = standing_of(request.user)
    shown = get_sweep_for(standing, sweep_id)
    context: dict[str, Any] = sweep_context(shown, request.GET.get("sort", ""))
    context |= {
        "is_owner": shown.owner_id == request.user.pk,
        "may_cancel": bool(context["open"]) and may_cancel_sweep(standing, shown),
    }
    return render(request, "jobs/_sweep.html" if request.GET.get("part") == "live" else "jobs/sweep.html", context)


@require_GET
def sweep_csv(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Download all runs with their parameters and results."""
    shown = get_sweep_for(standing_of(request.user), sweep_id)
    return csv_response(table_of(shown), f"sweep-{shown.pk}")


@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Ask once, then cancel every run that is not over."""
    shown = get_sweep_to_cancel(standing_of(request.user), sweep_id)
    if request.method == "POST":
        ended = cancel_sweep(sweep_id=shown.pk, actor=request.user)
        words = ngettext(
            "%(runs)d run is being cancelled. Only the time it ran is charged.",
            "%(runs)d runs are being cancelled. Only the time they ran is charged.",
            ended,
        )
        messages.success(request, words % {"runs": ended})
        return redirect("jobs:sweep", sweep_id)
    context = {
        "title": _("Cancel the rest of this sweep?"),
        "text": _("Every run of %(title)s that is not over stops. What has finished stays.") % {"title": shown.title},
        "label": _("Cancel the rest"),
        "cancel_url": reverse("jobs:sweep", args=[shown.pk]),
        "tone": "danger",
    }
    return render(request, "core/confirm.html", context)


@require_http_methods(["GET", "POST"])
def rerun(request: HttpRequest, sweep_id: int) -> HttpResponse:
    """Ask once, then run again what failed or ran out of time, in the same places."""
    shown = get_own_sweep(standing_of(request.user), sweep_id)
    if request.method == "POST":
        try:
            again = rerun_failed(sweep_id=shown.pk, actor=request.user)
        except (Conflict, OverQuota) as error:
            messages.error(request, str(error.message))
        else:
            words = ngettext("%(runs)d run is queued again.", "%(runs)d runs are queued again.", len(again))
            messages.success(request, words % {"runs": len(again)})
        return redirect("jobs:sweep", sweep_id)
    context = {
        "title": _("Run again what failed?"),
        "text": _("Each run that failed or ran out of time becomes a new job with the same code and parameters."),
        "label": _("Run them again"),
        "cancel_url": reverse("jobs:sweep", args=[shown.pk]),
        "tone": "primary",
    }
    return render(request, "core/confirm.html", context)
