"""Office hours: what is on offer, taking a slot, giving it up."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campus.core.errors import CampusError, InvalidInput
from campus.core.formats import campus_time
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest
from courses.timetable.access import get_session_for, readable_by
from courses.timetable.board import shown_to
from courses.timetable.domain.free_slots import slots_of
from courses.timetable.forms import SlotForm
from courses.timetable.models import ClassSession, Kind, OfficeSlot
from courses.timetable.selectors import sessions_between
from courses.timetable.services import give_up_slot, take_slot

WEEKS = 4


@require_GET
def office_hours(request: SignedInRequest) -> HttpResponse:
    """List the office hours of the next weeks with the slots that are left."""
    now = timezone.now()
    standing = standing_of(request.user)
    coming = sessions_between(now, now + timedelta(weeks=WEEKS)).filter(
        Q(kind=Kind.OFFICE), readable_by(standing), state=ClassSession.State.PLANNED
    )
    shown = shown_to(request.user.pk, standing, coming, now)
    taken: dict[int, list[OfficeSlot]] = {}
    for slot in OfficeSlot.objects.filter(session__in=[one.session.pk for one in shown]):
        taken.setdefault(slot.session_id, []).append(slot)
    rows = [_row(one, taken.get(one.session.pk, []), request.user.pk, now) for one in shown]
    return render(request, "timetable/office_hours.html", {"rows": rows, "weeks": WEEKS})


def _row(shown: Any, taken: list[OfficeSlot], user_id: int, now: Any) -> dict[str, Any]:
    session = shown.session
    parts = slots_of(session.starts_at, session.ends_at, session.slot_minutes or 30, {slot.starts_at for slot in taken})
    return {
        "shown": shown,
        "left": sum(1 for part in parts if part.starts_at > now),
        "mine": next((slot for slot in taken if slot.learner_id == user_id), None),
    }


@require_POST
def take(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Take a slot."""
    get_session_for(request.user, session_id)
    form = SlotForm(request.POST)
    if not form.is_valid():
        raise InvalidInput({"starts_at": _("Choose one of the slots that are shown.")})
    try:
        slot = take_slot(session_id=session_id, learner=request.user, **form.cleaned_data)
    except CampusError as error:
        if error.status != 409:
            raise
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The slot is yours: %(time)s.") % {"time": campus_time(slot.starts_at)})
    return redirect("timetable:class", session_id)


@require_POST
def give_up(request: SignedInRequest, slot_id: int) -> HttpResponse:
    """Give one's own slot up."""
    session_id = OfficeSlot.objects.filter(pk=min(slot_id, 2**62)).values_list("session_id", flat=True).first()
    give_up_slot(slot_id=min(slot_id, 2**62), learner=request.user)
    messages.success(request, _("You gave the slot up."))
    return redirect("timetable:class", session_id)
