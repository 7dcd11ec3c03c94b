"""Calendar addresses: showing, renewing and revoking one's own and a cohort's, and the feed that programs read."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from campus.core.errors import NotFound
from campus.people.api import INSTRUCTING, standing_of
from campus.people.requests import SignedInRequest
from courses.catalog.models import Cohort
from courses.timetable.ical import calendar_of
from courses.timetable.models import CalendarFeed
from courses.timetable.services import feed_of, read_feed, renew_feed, revoke_feed
from courses.timetable.services.calendars import token_of


@require_GET
def addresses(request: SignedInRequest) -> HttpResponse:
    """Show one's own calendar address, and for instructors those of their cohorts."""
    cohorts = list(_instructed(request).order_by("-run__term__starts_on", "name"))
    valid = CalendarFeed.objects.filter(cohort__in=cohorts, revoked_at=None)
    feeds = {feed.cohort_id: feed for feed in valid}
    mine = feed_of(user=request.user)
    context = {
        "mine": mine,
        "my_address": _address(mine),
        "cohorts": [
            {"cohort": cohort, "feed": feeds.get(cohort.pk), "address": _address(feeds.get(cohort.pk))}
            for cohort in cohorts
        ],
    }
    return render(request, "timetable/calendar.html", context)


@require_POST
def renew(request: SignedInRequest) -> HttpResponse:
    """Give a new address; the old one ends."""
    cohort = _asked(request)
    renew_feed(user=None if cohort else request.user, cohort=cohort)
    messages.success(request, _("Here is the new address. An older one no longer works."))
    return redirect("timetable:calendar")


@require_POST
def revoke(request: SignedInRequest) -> HttpResponse:
    """End an address."""
    cohort = _asked(request)
    revoke_feed(user=None if cohort else request.user, cohort=cohort)
    messages.success(request, _("The address no longer works."))
    return redirect("timetable:calendar")


@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """What a calendar program reads: no sign-in, the address is the secret."""
    found = read_feed(token=token)
    response = HttpResponse(calendar_of(found, timezone.now()), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="campus.ics"'
    response["Cache-Control"] = "private, max-age=300"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _instructed(request: SignedInRequest) -> QuerySet[Cohort]:
    scopes = standing_of(request.user).scope_ids(INSTRUCTING)
    return Cohort.objects.filter(scope__path__overlap=scopes).select_related("run__course", "run__term", "campus")


def _asked(request: SignedInRequest) -> Cohort | None:
    """The cohort that is asked for, or None for one's own. Raises NotFound for one that one does not instruct."""
    text = request.POST.get("cohort", "")
    if not text:
        return None
    known = text.isascii() and text.isdecimal() and len(text) < 18
    cohort = _instructed(request).filter(pk=int(text)).first() if known else None
    if cohort is None:
        raise NotFound
    return cohort


def _address(found: CalendarFeed | None) -> str:
    path = reverse("timetable:feed", args=[token_of(found)]) if found else ""
    return f"{settings.CAMPUS_URL}{path}" if path else ""
