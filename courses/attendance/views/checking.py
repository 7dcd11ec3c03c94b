"""The screen in a room, and the page that a phone opens by its code."""

from datetime import datetime, timedelta
from uuid import UUID

import segno
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from campus.core.errors import CampusError, Conflict
from campus.people.requests import SignedInRequest
from courses.attendance import selectors
from courses.attendance.access import get_station
from courses.attendance.domain.rolling import STEP_S, left_of
from courses.attendance.models import Evidence, Station, Verdict
from courses.attendance.services import checking, stations
from courses.attendance.traces import mark_device, traces_of
from courses.attendance.words import class_time

#: A scan may be confirmed so long after it, for instance behind the sign-in.
TICKET_FOR = timedelta(minutes=10)
TICKET = "campus_scan"
_SALT = "attendance.scan"


@login_not_required
@never_cache
@require_GET
def screen(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show the rolling code, full screen; `?part=code` is the part that its script fetches."""
    station, now = get_station(key, Station.Kind.SCREEN), timezone.now()
    address = request.build_absolute_uri(reverse("attendance:scan", args=[stations.shown_code(station, now)]))
    picture = segno.make(address, error="m").svg_inline(border=2, omitsize=True, svgclass="qr-code", lineclass=None)
    context = {
        "station": station,
        "session": station.session,
        "when": class_time(station.session.starts_at, station.session.ends_at),
        "qr": mark_safe(picture),  # noqa: S308 - drawn from our own address
        "left_s": left_of(now),
        "step_s": STEP_S,
        "here": Verdict.objects.filter(session=station.session, mark__in=selectors.HERE).count(),
        "is_leaving": station.session.is_over(now),
        "is_over": now >= station.session.ends_at + checking.OUT_AFTER,
    }
    template = "attendance/_screen_code.html" if request.GET.get("part") == "code" else "attendance/screen.html"
    return render(request, template, context)


@login_not_required
@never_cache
@require_GET
def scan(request: HttpRequest, code: str) -> HttpResponse:
    """Keep that this browser saw the code now, and go on to the page that checks in, behind the sign-in."""
    now = timezone.now()
    try:
        station, seen = stations.read_code(code, now)
    except Conflict as error:
        return render(request, "attendance/stale.html", {"error": error}, status=409)
    response = redirect("attendance:here")
    ticket = signing.dumps([station.pk, now.timestamp(), seen.step, seen.is_fresh], salt=_SALT)
    response.set_cookie(
        TICKET, ticket, max_age=int(TICKET_FOR.total_seconds()), httponly=True, samesite="Lax",
        secure=request.is_secure(),
    )  # fmt: skip
    mark_device(request, response)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def here(request: SignedInRequest) -> HttpResponse:
    """Ask who scanned, then check them in or out as of the scan."""
    try:
        station, at, step, is_fresh = _ticket(request)
        enrolment = checking.enrolment_at(station.session, request.user.pk)
        if request.method == "GET":
            return _here_page(request, station, enrolment.pk)
        done = checking.check(
            station=station, enrolment=enrolment, at=at, is_leaving=request.POST.get("leave") == "yes",
            traces=traces_of(request), step=step, is_fresh=is_fresh, now=timezone.now(),
        )  # fmt: skip
    except CampusError as error:
        return render(request, "attendance/stale.html", {"error": error}, status=error.status)
    return _here_page(request, station, enrolment.pk, done=done)


def _here_page(
    request: SignedInRequest, station: Station, enrolment_id: int, done: checking.CheckedIn | None = None
) -> HttpResponse:
    session = station.session
    last = done.evidence if done else None
    if last is None:
        moves = Evidence.objects.filter(
            session=session, enrolment=enrolment_id, act__in=["IN", "OUT"], undone_by=None
        )  # fmt: skip
        last = moves.order_by("-at", "-pk").first()
    context = {
        "session": session,
        "station": station,
        "when": class_time(session.starts_at, session.ends_at),
        "last": last,
        "verdict": done.verdict if done else None,
        "done": done,
        "enrolment_id": enrolment_id,
    }
    response = render(request, "attendance/here.html", context)
    if done is not None:
        response.delete_cookie(TICKET, samesite="Lax")  # one scan, one deed
    return response


def _ticket(request: HttpRequest) -> tuple[Station, datetime, int, bool]:
    """What this browser scanned. Raises Conflict where it scanned nothing, or too long ago."""
    try:
        number, at, step, is_fresh = signing.loads(request.COOKIES.get(TICKET, ""), salt=_SALT, max_age=TICKET_FOR)
    except signing.BadSignature as error:
        raise Conflict(_("Scan the code on the screen of your room.")) from error
    station = stations.station_of(int(number))
    if station is None:
        raise Conflict(_("This screen was closed. Scan the one that is on now."))
    return station, datetime.fromtimestamp(at, tz=timezone.get_default_timezone()), int(step), bool(is_fresh)
