"""The cohorts that one teaches, and the board of one cohort."""

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from campus.core.errors import NotAllowed
from campus.people.access import standing_of
from campus.people.requests import SignedInRequest
from campus.web.cohort_board import board
from courses.catalog.api import get_cohort_for, runs_taught


@require_GET
def cohorts(request: SignedInRequest) -> HttpResponse:
    """List the cohorts that one teaches."""
    standing = standing_of(request.user)
    if not standing.is_teaching:
        raise NotAllowed
    taught = runs_taught(standing).annotate(
        learners=Count("enrolments", filter=Q(enrolments__state="ACTIVE")),
        online=Count("enrolments", filter=Q(enrolments__state="ACTIVE", enrolments__mode="ONLINE")),
    )
    return render(request, "web/cohorts.html", {"cohorts": taught})


@require_GET
def cohort(request: SignedInRequest, cohort_id: int) -> HttpResponse:
    """Show a cohort at a glance: who is where in the labs, who has not begun, and what it used."""
    shown = get_cohort_for(request.user, cohort_id)
    context = board(shown, timezone.now(), sort=request.GET.get("sort", ""), page=request.GET.get("page"))
    template = "web/_cohort_live.html" if request.GET.get("part") == "live" else "web/cohort.html"
    return render(request, template, context)
