"""The front page for those who are not signed in, and Today for those who are."""

from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from campus.people.access import standing_of
from campus.people.requests import SignedInRequest
from campus.places.models import Campus
from campus.web.today import learner_today, staff_today
from courses.announcements.api import latest_news
from courses.attendance.api import attending
from courses.catalog.api import runs_of
from courses.catalog.selectors import catalogue
from courses.timetable.api import next_class


@login_not_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show Today to whoever is signed in, the campus's front page to everyone else."""
    if request.user.is_authenticated:
        return today(cast("SignedInRequest", request))
    entries = catalogue(standing_of(request.user))[:6]
    context = {"entries": entries, "campuses": Campus.objects.filter(is_open=True)}
    return render(request, "web/front.html", context)


def today(request: SignedInRequest) -> HttpResponse:
    """Show what this person is to do today, as learner, as staff, or as both."""
    now = timezone.now()
    standing = standing_of(request.user)
    context: dict[str, Any] = {"now": now, "is_staff": bool(standing.grants)}
    if standing.grants:
        context |= staff_today(standing)
    enrolments = runs_of(request.user.pk)
    context["learns"] = bool(enrolments)
    if enrolments or not standing.grants:
        context |= learner_today(request.user, enrolments, now)
    context["news"] = latest_news(standing)
    shown = context["next_class"] = next_class(request.user.pk, standing, now)
    if shown is not None:
        context["attending"] = attending(shown.session, enrolments, now)
        context["leads"] = any(teacher.user_id == request.user.pk for teacher in shown.session.teachers.all())
    template = "web/_today_live.html" if request.GET.get("part") == "live" else "web/today.html"
    return render(request, template, context)
