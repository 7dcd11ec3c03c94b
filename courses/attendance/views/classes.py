"""A class's roll: the live board, marks for one or many with undo, opening and closing screens and kiosks."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import CampusError, NotFound
from campus.people.requests import SignedInRequest
from courses.attendance import selectors
from courses.attendance.access import RollAccess, get_roll_for
from courses.attendance.forms import GIVEN
from courses.attendance.models import Evidence, Mark, Station
from courses.attendance.services import marking, stations
from courses.attendance.words import class_time


@require_GET
def board(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Show who is there, live."""
    access = get_roll_for(request.user, session_id)
    groups = selectors.roll(access, _("Online"))
    context = {
        "session": access.session,
        "when": class_time(access.session.starts_at, access.session.ends_at),
        "places": access.places,
        "groups": groups,
        "counts": selectors.counts(groups),
        "stations": selectors.stations_of(access.session),
        "kinds": Evidence.Kind.choices,
        "marks": GIVEN,
        "shown_marks": Mark.choices,
        "batch": _own_batch(request, access),
    }
    return render(request, "attendance/board.html", context)


def _own_batch(request: SignedInRequest, access: RollAccess) -> dict[str, Any] | None:
    """What was just marked, to be taken back from the page that shows it."""
    try:
        batch = UUID(request.GET.get("marked", ""))
    except ValueError:
        return None
    rows = Evidence.objects.filter(batch=batch, session=access.session, by=request.user, undone_by=None)
    return {"id": batch, "count": rows.count()}


@require_POST
def mark(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Mark one or many learners: a form goes back to where it came from, a script is told what became of it."""
    access = get_roll_for(request.user, session_id)
    is_script = request.headers.get("Accept", "") == "application/json"
    try:
        batch = marking.mark(
            session=access.session, wishes=_wishes(request), mark=request.POST.get("mark", ""),
            reason=request.POST.get("reason", ""), actor=request.user, cohort_ids=access.cohort_ids,
            now=timezone.now(),
        )  # fmt: skip
    except CampusError as error:
        if is_script:
            return JsonResponse({"detail": _first_words(error), **error.facts}, status=error.status)
        messages.error(request, _first_words(error))
        return redirect("attendance:board", session_id)
    if is_script:
        rows = selectors.roll_facts(session_id)
        revisions = {wish.enrolment_id: rows[wish.enrolment_id][0].revision for wish in _wishes(request)}
        return JsonResponse({"undo": reverse("attendance:undo", args=[batch]), "revisions": revisions})
    count = len(_wishes(request))
    messages.success(request, ngettext("%(n)d learner marked.", "%(n)d learners marked.", count) % {"n": count})
    return redirect(f"{reverse('attendance:board', args=[session_id])}?marked={batch}")


@require_POST
def undo(request: SignedInRequest, batch: UUID) -> HttpResponse:
    """Take back what was marked at once."""
    made = Evidence.objects.filter(batch=batch).first()
    if made is None:
        raise NotFound
    access = get_roll_for(request.user, made.session_id)
    count = marking.undo(batch=batch, actor=request.user, cohort_ids=access.cohort_ids, now=timezone.now())
    if request.headers.get("Accept", "") == "application/json":
        rows = selectors.roll_facts(made.session_id)
        marked = Evidence.objects.filter(batch=batch).values_list("enrolment_id", flat=True)
        found = {pk: [rows[pk][0].mark, rows[pk][0].revision] for pk in marked}
        return JsonResponse({"verdicts": found})
    messages.success(request, ngettext("%(n)d mark taken back.", "%(n)d marks taken back.", count) % {"n": count})
    return redirect("attendance:board", made.session_id)


@require_POST
def open_station(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Open a screen or a kiosk, and go there."""
    access = get_roll_for(request.user, session_id)
    room = request.POST.get("room", "")
    station = stations.open_station(
        session=access.session, kind=request.POST.get("kind", ""), room_id=int(room) if room.isdecimal() else None,
        actor=request.user,
    )  # fmt: skip
    return redirect("attendance:screen" if station.kind == Station.Kind.SCREEN else "attendance:kiosk", station.key)


@require_POST
def close_station(request: SignedInRequest, station_id: int) -> HttpResponse:
    """Close a screen or a kiosk: what it shows holds no longer."""
    station = Station.objects.filter(pk=station_id).first()
    if station is None:
        raise NotFound
    get_roll_for(request.user, station.session_id)
    stations.close_station(station=station, now=timezone.now())
    messages.success(request, _("Closed. Its address and codes no longer work."))
    return redirect("attendance:board", station.session_id)


def _wishes(request: SignedInRequest) -> list[marking.Wish]:
    """Learners as `ENROLMENT:REVISION`, or by their number alone."""
    found = []
    for text in request.POST.getlist("learner")[: marking.MOST + 1]:
        pk, _colon, revision = text.partition(":")
        if pk.isascii() and pk.isdecimal() and len(pk) < 19:
            seen = int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 9 else None
            found.append(marking.Wish(int(pk), seen))
    return found


def _first_words(error: CampusError) -> str:
    fields = getattr(error, "fields", {})
    return str(next(iter(fields.values()))[0]) if fields else str(error.message)
