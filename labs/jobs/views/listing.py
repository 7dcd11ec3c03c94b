"""The list of jobs, and two of them side by side."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from campus.core.errors import NotFound
from campus.people.access import standing_of
from campus.people.requests import SignedInRequest
from labs.jobs.access import get_job_for, jobs_for
from labs.jobs.comparison import compare_jobs
from labs.jobs.models import Job

PAGE = 30
STATES = {
    "open": Job.OPEN_STATES,
    "succeeded": ("SUCCEEDED",),
    "failed": ("FAILED", "TIMED_OUT"),
    "cancelled": ("CANCELLED",),
}


@require_GET
def jobs(request: SignedInRequest) -> HttpResponse:
    """List one's own jobs, or with `?whose=all` those of everyone whom one teaches."""
    standing = standing_of(request.user)
    of_all = request.GET.get("whose") == "all" and standing.is_teaching
    # A sweep's runs have a page of their own; 256 of them would bury everything else.
    found = jobs_for(standing).filter(sweep=None).select_related("owner", "environment")
    if not of_all:
        found = found.filter(owner=request.user)
    if states := STATES.get(chosen := request.GET.get("state", "")):
        found = found.filter(state__in=states)
    page = Paginator(found.order_by("-id"), PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page_obj": page,
        "of_all": of_all,
        "may_see_all": standing.is_teaching,
        "chosen": chosen,
        "states": _state_links(of_all),
    }
    return render(request, "jobs/list.html", context)


@require_GET
def compare(request: SignedInRequest) -> HttpResponse:
    """Show two jobs side by side: `?a=&b=`, or the two that were ticked in the list, the older one first."""
    standing = standing_of(request.user)
    given = [request.GET.get("a", ""), request.GET.get("b", "")]
    ids = [int(one) for one in (*given, *request.GET.getlist("job")) if one.isdecimal() and len(one) < 15]
    if "job" in request.GET or not any(given):
        ids = sorted(set(ids))
        if len(ids) != 2:
            messages.warning(request, _("Tick exactly two runs, then compare them."))
            return redirect("jobs:list")
    if len(ids) != 2:
        raise NotFound
    first, second = (get_job_for(standing, one) for one in ids)
    return render(request, "jobs/compare.html", compare_jobs(first, second))


def _state_links(of_all: bool) -> list[dict[str, str]]:
    whose = "&whose=all" if of_all else ""
    words = {
        "": _("All"),
        "open": _("Open"),
        "succeeded": _("Succeeded"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
    }
    return [{"key": key, "label": word, "url": f"?state={key}{whose}"} for key, word in words.items()]
