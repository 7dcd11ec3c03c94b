"""The kiosk at the door, and the six digits for it."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from campus.core.errors import CampusError, InvalidInput
from campus.people.requests import SignedInRequest
from courses.attendance.access import get_own_session, get_station
from courses.attendance.models import Station
from courses.attendance.services import checking, stations
from courses.attendance.words import class_time, clock


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def kiosk(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a code or a card number, say whose it was, and be ready for the next."""
    station, now = get_station(key, Station.Kind.KIOSK), timezone.now()
    context = {
        "station": station,
        "session": station.session,
        "when": class_time(station.session.starts_at, station.session.ends_at),
    }
    if request.method == "GET":
        return render(request, "attendance/kiosk.html", context)
    is_leaving = request.POST.get("leave") == "yes"
    try:
        typed = request.POST.get("number", "")
        enrolment, done = checking.check_at_kiosk(station=station, typed=typed, is_leaving=is_leaving, now=now)
    except CampusError as error:
        fields = error.fields if isinstance(error, InvalidInput) else {}
        words = next(iter(fields.values()))[0] if fields else error.message
        return render(request, "attendance/kiosk.html", context | {"refusal": words}, status=error.status)
    context |= {"person": enrolment.user.name, "at": clock(now), "is_leaving": is_leaving, "is_new": done.is_new}
    return render(request, "attendance/kiosk.html", context)


@never_cache
@require_POST
def my_code(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Show a learner the digits to type at the kiosk of their class."""
    access, enrolment = get_own_session(request.user, session_id)
    code = stations.kiosk_code(session=access.session, enrolment=enrolment, now=timezone.now())
    return render(request, "attendance/my_code.html", {"session": access.session, "code": code})
