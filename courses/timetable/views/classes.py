"""A class: its page, planning, changing, moving, cancelling, making up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from campus.core.errors import CampusError, InvalidInput
from campus.core.form_errors import add_service_error
from campus.core.formats import campus_time
from campus.people.requests import SignedInRequest
from courses.timetable.access import SessionAccess, get_session_for, get_session_to_edit
from courses.timetable.board import place_words, state_of, taken_slot
from courses.timetable.domain.free_slots import slots_of
from courses.timetable.domain.recurrence import at_wall
from courses.timetable.forms import CancelForm, ClassForm, PlanForm, SlotForm, blank, initial_of, parsed_at
from courses.timetable.models import Kind
from courses.timetable.planning import get_plannable
from courses.timetable.selectors import roll_of
from courses.timetable.services import Saved, cancel_session, end_session, move_session, save_session
from courses.timetable.services.advice import advice_on
from courses.timetable.services.looking import TimetableClash

_NAMES = {"starts_at": "starts", "ends_at": "ends", "site": "", "room": "", "gpus": "", "cohorts": ""}


@require_GET
def class_page(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Show a class: when, where, who teaches, what to bring; for its staff what it takes and who comes."""
    access = get_session_for(request.user, session_id)
    session = access.session
    with timezone.override(access.places[0].cohort.campus.zone if access.places else None):
        now = timezone.now()
        mine = (access.enrolment.cohort_id, access.enrolment.mode) if access.enrolment and not access.is_staff else ()
        context: dict[str, Any] = {
            "access": access,
            "session": session,
            "state": state_of(session, now),
            "place": place_words(session, *mine),
            "zone_name": timezone.localtime(session.starts_at).tzname(),
            "make_ups": session.make_ups.all(),
            "may_change": access.may_edit and session.is_planned and not session.is_over(now),
        }
        if access.is_staff:
            context |= _for_staff(access)
        if session.kind == Kind.OFFICE:
            context |= _slots(request, access, now)
        template = "timetable/_class.html" if request.GET.get("part") == "live" else "timetable/class.html"
        return render(request, template, context)


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Plan a class."""
    run, cohorts = get_plannable(request.user, slug)
    initial = blank(cohorts, timezone.localdate())
    form = ClassForm(given_with_slot(request, cohorts), run=run, cohorts=cohorts, initial=initial)

    def save() -> str:
        starts_at, ends_at = form.times()
        saved = save_session(run_id=run.pk, wish=form.wish(), starts_at=starts_at, ends_at=ends_at, actor=request.user)
        return _saved(request, saved, _("The class is planned. Everything it needs is booked."))

    back = reverse("timetable:week")
    return plan_page(request, form, save, title=_("Plan a class"), back=back, run=run, is_new=True)


@require_http_methods(["GET", "POST"])
def edit(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Change a class."""
    access = get_session_to_edit(request.user, session_id)
    session = access.session
    run, cohorts = get_plannable(request.user, session.run.slug)
    zone = access.places[0].cohort.campus.zone
    form = ClassForm(given_with_slot(request, cohorts), run=run, cohorts=cohorts, initial=initial_of(session, zone))

    def save() -> str:
        starts_at, ends_at = form.times()
        saved = save_session(
            run_id=run.pk, wish=form.wish(), starts_at=starts_at, ends_at=ends_at, actor=request.user,
            session_id=session.pk, sequence=form.cleaned_data["sequence"],
        )  # fmt: skip
        return _saved(request, saved, _("Saved. Those it touches are told."))

    back = reverse("timetable:class", args=[session.pk])
    return plan_page(request, form, save, title=_("Change the class"), back=back, run=run, session=session)


@require_POST
def move(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Move a class to another time: by drag or by keys, so the answer is JSON; a clash names all and offers times."""
    get_session_to_edit(request.user, session_id)
    try:
        starts_at = _asked(request.POST)
        sequence = int(request.POST["sequence"]) if request.POST.get("sequence", "").isdecimal() else None
        saved = move_session(session_id=session_id, starts_at=starts_at, actor=request.user, sequence=sequence)
    except forms.ValidationError as error:
        return JsonResponse({"message": error.messages[0]}, status=400)
    except TimetableClash as error:
        said = [{"starts_at": slot.starts_at.isoformat(), "words": campus_time(slot.starts_at)} for slot in error.slots]
        clashes = [one.words for one in error.clashes]
        return JsonResponse({"message": _("Nothing was moved."), "clashes": clashes, "slots": said}, status=409)
    except InvalidInput as error:
        words = " ".join(str(text) for texts in error.fields.values() for text in texts)
        return JsonResponse({"message": words or str(error.message)}, status=400)
    except CampusError as error:
        return JsonResponse({"message": str(error.message)}, status=error.status)
    words = _("Moved to %(time)s.") % {"time": campus_time(saved.session.starts_at)}
    return JsonResponse({"message": " ".join([words, *saved.advice]), "sequence": saved.session.sequence})


@require_http_methods(["GET", "POST"])
def cancel(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Cancel a class, with the reason that those it touches read."""
    access = get_session_to_edit(request.user, session_id)
    back = reverse("timetable:class", args=[session_id])
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            cancel_session(session_id=session_id, actor=request.user, reason=form.cleaned_data["reason"])
        except CampusError as error:
            add_service_error(form, error)
        else:
            messages.success(request, _("Cancelled. Rooms, stream and GPUs are free, and those it touches are told."))
            return redirect(back)
    context = {"form": form, "session": access.session, "back": back, "people": len(roll_of(access.session))}
    return render(request, "timetable/cancel.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def end(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Let a class out now, before its planned end."""
    access = get_session_to_edit(request.user, session_id)
    back = reverse("timetable:class", args=[session_id])
    if request.method == "POST":
        try:
            end_session(session_id=session_id, actor=request.user)
        except CampusError as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("The class is over. Room, stream and GPUs are free; check-out still counts."))
        return redirect(back)
    context = {
        "title": _("End “%(title)s” now?") % {"title": access.session.title},
        "text": _("Attendance counts to this minute, and nobody leaves early. Room, stream and GPUs are free at once."),
        "label": _("End the class now"),
        "cancel_url": back,
        "tone": "primary",
    }
    return render(request, "core/confirm.html", context)


@require_http_methods(["GET", "POST"])
def make_up(request: SignedInRequest, session_id: int) -> HttpResponse:
    """Plan the make-up class of a cancelled one: the same, at another time."""
    access = get_session_to_edit(request.user, session_id)
    missed = access.session
    run, cohorts = get_plannable(request.user, missed.run.slug)
    initial = initial_of(missed, access.places[0].cohort.campus.zone)
    initial |= {"title": _("Make-up: %(title)s") % {"title": missed.title}, "day": timezone.localdate()}
    form = ClassForm(given_with_slot(request, cohorts), run=run, cohorts=cohorts, initial=initial)

    def save() -> str:
        starts_at, ends_at = form.times()
        wish = replace(form.wish(), replaces_id=missed.pk)
        saved = save_session(run_id=run.pk, wish=wish, starts_at=starts_at, ends_at=ends_at, actor=request.user)
        return _saved(request, saved, _("The make-up class is planned, and those it touches are told."))

    back = reverse("timetable:class", args=[missed.pk])
    return plan_page(request, form, save, title=_("Plan a make-up class"), back=back, run=run)


# ---- what they share ----------------------------------------------------------------------------


def plan_page(
    request: HttpRequest, form: PlanForm, save: Callable[[], str], *, title: str, back: str, **context: Any
) -> HttpResponse:
    """Draw a plan's form, or save it; a clash is shown whole, with free times to choose by a click."""
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(save())
        except TimetableClash as error:
            context |= {"clashes": error.clashes, "slots": error.slots, "is_weekly": error.is_weekly}
            form.add_error(None, _("Nothing was saved: something that it needs is taken."))
        except InvalidInput as error:
            error.fields = {_NAMES.get(name, name): texts for name, texts in error.fields.items()}
            add_service_error(form, error)
        except CampusError as error:
            add_service_error(form, error)
    context |= {"form": form, "title": title, "back": back}
    return render(request, "timetable/plan.html", context, status=400 if form.errors else 200)


def given_with_slot(request: HttpRequest, cohorts: Any) -> Any:
    """What was sent; a click on a free time puts that time into it."""
    if request.method != "POST":
        return None
    given = request.POST.copy()
    if given.get("slot"):
        start, _comma, end = str(given["slot"]).partition(",")
        try:
            chosen = next((c for c in cohorts if given.get(f"cohort_{c.pk}")), cohorts[0]).campus.zone
            starts, ends = (parsed_at(text).astimezone(chosen) for text in (start, end))
        except forms.ValidationError:
            return given
        given["starts"], given["ends"] = f"{starts:%H:%M}", f"{ends:%H:%M}"
        if "day" in given:
            given["day"] = starts.date().isoformat()
    return given


def _asked(given: QueryDict) -> datetime:
    """The asked start: an instant, or day, time and zone of the grid it was dropped in. Raises ValidationError."""
    if "day" not in given:
        return parsed_at(given.get("starts_at", ""))
    try:
        day, wall = date.fromisoformat(str(given["day"])), time.fromisoformat(str(given["time"]))
        zone = ZoneInfo(str(given["zone"]))
    except (KeyError, ValueError):
        raise forms.ValidationError(_("Choose a time.")) from None
    return at_wall(day, wall.replace(tzinfo=None), zone)


def _saved(request: HttpRequest, saved: Saved, words: str) -> str:
    messages.success(request, words)
    for sentence in saved.advice:
        messages.warning(request, sentence)
    return reverse("timetable:class", args=[saved.session.pk])


def _for_staff(access: SessionAccess) -> dict[str, Any]:
    roll = roll_of(access.session)
    return {
        "roll_count": len(roll),
        "online_count": sum(1 for entry in roll if entry.is_online),
        "advice": advice_on(access.session),
    }


def _slots(request: SignedInRequest, access: SessionAccess, now: datetime) -> dict[str, Any]:
    """Office hours: the slots with who took them, for staff; those left, and one's own, for a learner."""
    session = access.session
    taken = {slot.starts_at: slot for slot in session.slots.select_related("learner")}
    parts = slots_of(session.starts_at, session.ends_at, session.slot_minutes or 30)
    return {
        "slots": [
            {"part": part, "taken": taken.get(part.starts_at), "value": part.starts_at.isoformat(),
             "is_open": part.starts_at not in taken and part.starts_at > now and session.is_planned}
            for part in parts
        ],
        "my_slot": taken_slot(session, request.user.pk),
        "slot_form": SlotForm(),
    }  # fmt: skip
