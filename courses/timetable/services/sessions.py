"""One class: saving, moving and cancelling it, with all that it takes, in one transaction or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.core.notices.services import notify
from campus.people.models import User
from campus.places.models import Room
from courses.catalog.models import Cohort
from courses.timetable.live import tell
from courses.timetable.models import ClassSession, OfficeSlot

from .advice import advice_on
from .looking import look
from .taking import free, lock, one_booking, take
from .telling import iso, page_of, tell_of_one, tell_of_place
from .wishes import ClassWish, check_time, check_wish, get_run, require_planner, wish_of


@dataclass(frozen=True)
class Saved:
    """A class that was saved, and what its planner should know though it forbids nothing (a room that is too small)."""

    session: ClassSession
    advice: tuple[str, ...] = ()


@one_booking
def save_session(
    *,
    run_id: int,
    wish: ClassWish,
    starts_at: datetime,
    ends_at: datetime,
    actor: User | None,
    session_id: int | None = None,
    sequence: int | None = None,
) -> Saved:
    """Plan a class, or change the one with `session_id`: rooms, stream, teachers, cohorts and GPUs at once.

    `sequence` is what the planner saw: another's change in between is not overwritten. `actor` None is the platform.
    Raises NotFound, NotAllowed, InvalidInput (fields named), TimetableClash (every clash and free slots), Conflict.
    """
    run, now = get_run(run_id), database_now()
    cohorts = check_wish(run=run, wish=wish, actor=actor)
    check_time(starts_at, ends_at, now if actor is not None else None)
    if session_id is None:
        session = ClassSession(run=run, created_by=actor)
        before = None
    else:
        session = open_to_change(session_id, sequence, now)
        require_planner(actor, session.places.values_list("cohort_id", flat=True))
        if session.run_id != run.pk:
            raise NotFound
        before = wish_of(session)
    was = (session.starts_at, session.ends_at)
    look(
        wish=wish, times=[(starts_at, ends_at)], cohorts=list(cohorts.values()), now=now,
        except_ids=[session.pk] if session.pk else (),
    )  # fmt: skip
    _write(session, wish, starts_at, ends_at)
    take(sessions=[session], wish=wish, cohorts=cohorts, actor=actor)
    _note(session, cohorts, before, wish, was, actor)
    return Saved(session, advice_on(session))


@one_booking
def move_session(
    *, session_id: int, starts_at: datetime, actor: User, ends_at: datetime | None = None, sequence: int | None = None
) -> Saved:
    """Move a class with all that it takes; without `ends_at` it stays as long as it was. Raises as `save_session`."""
    now = database_now()
    session = open_to_change(session_id, sequence, now)
    wish = wish_of(session)
    require_planner(actor, [place.cohort_id for place in wish.places])
    cohorts = check_wish(run=session.run, wish=wish, actor=actor)
    ends_at = ends_at or starts_at + (session.ends_at - session.starts_at)
    check_time(starts_at, ends_at, now)
    was = (session.starts_at, session.ends_at)
    if was == (starts_at, ends_at):
        return Saved(session)
    look(
        wish=wish, times=[(starts_at, ends_at)], cohorts=list(cohorts.values()), now=now, except_ids=[session.pk]
    )  # fmt: skip
    _write(session, wish, starts_at, ends_at)
    take(sessions=[session], wish=wish, cohorts=cohorts, actor=actor)
    _note(session, cohorts, wish, wish, was, actor)
    return Saved(session, advice_on(session))


@one_booking
def cancel_session(*, session_id: int, actor: User | None, reason: str, sequence: int | None = None) -> ClassSession:
    """Cancel a class: all that it takes is free at once, and those it touches are told. Twice changes nothing.

    Raises NotFound, NotAllowed, InvalidInput (no reason), Conflict (it is over, or changed meanwhile).
    """
    found = lock([session_id])
    if not found:
        raise NotFound
    if not found[0].is_planned:
        return found[0]
    session = open_to_change(session_id, sequence, database_now())
    require_planner(actor, session.places.values_list("cohort_id", flat=True))
    reason = reason.strip()
    if not 0 < len(reason) <= 300 or not reason.isprintable():
        raise InvalidInput({"reason": _("Say in at most 300 characters why; those it touches read it.")})
    cohort_ids = list(session.places.values_list("cohort_id", flat=True))
    session.state, session.cancel_reason = ClassSession.State.CANCELLED, reason
    session.is_changed_by_hand = True
    touch(session)
    session.save(update_fields=["state", "cancel_reason", "is_changed_by_hand", "sequence", "changed_at"])
    session.refresh_from_db(fields=["changed_at"])
    free(sessions=[session], actor=actor)
    facts = {"starts_at": iso(session.starts_at), "reason": reason}
    tell_of_one("timetable.cancelled", session, cohort_ids, actor=actor, facts=facts)
    note_act(session, "class.cancelled", cohort_ids, actor, {}, reason)
    return session


def touch(session: ClassSession) -> None:
    """Count a change for calendars and for pages that were opened before it."""
    session.sequence += 1
    session.changed_at = Now()


def open_to_change(session_id: int, sequence: int | None, now: datetime) -> ClassSession:
    """Lock a class that may be changed. Raises NotFound, Conflict."""
    found = lock([session_id])
    if not found:
        raise NotFound
    (session,) = found
    if sequence is not None and session.sequence != sequence:
        raise Conflict(
            _("Somebody else changed this class meanwhile. Look at it again before you change it."), code="changed"
        )
    if not session.is_planned:
        raise Conflict(_("This class is cancelled. Plan a make-up class instead."), code="class_cancelled")
    if session.is_over(now):
        raise Conflict(_("This class is over; it stays as it was."), code="class_over")
    return session


def _write(session: ClassSession, wish: ClassWish, starts_at: datetime, ends_at: datetime) -> None:
    is_new = session.pk is None
    if not is_new:
        _keep_slots(session, wish, starts_at, ends_at)
        touch(session)
        session.is_changed_by_hand = session.is_changed_by_hand or session.series_id is not None
    apply(session, wish)
    session.starts_at, session.ends_at = starts_at, ends_at
    session.save(force_insert=is_new)
    session.refresh_from_db(fields=["changed_at"])


def apply(session: ClassSession, wish: ClassWish) -> None:
    """Set what a wish says of a session's own row."""
    session.title, session.kind, session.note = wish.title.strip(), wish.kind, wish.note.strip()
    session.stream_id, session.module_id = wish.stream_id, wish.module_id
    session.slot_minutes = wish.slot_minutes if not wish.takes_cohorts else None
    session.replaces_id = wish.replaces_id


def _keep_slots(session: ClassSession, wish: ClassWish, starts_at: datetime, ends_at: datetime) -> None:
    """Slots that learners took move with their office hours; what would be cut off is refused. Raises InvalidInput."""
    slots = list(OfficeSlot.objects.filter(session=session).order_by("starts_at"))
    if not slots:
        return
    shift: timedelta = starts_at - session.starts_at
    if wish.slot_minutes != session.slot_minutes or slots[-1].ends_at + shift > ends_at:
        raise InvalidInput({"ends": _("Learners took slots that would be gone. Keep length and slots, or cancel it.")})
    for slot in reversed(slots) if shift > timedelta(0) else slots:
        slot.starts_at, slot.ends_at = slot.starts_at + shift, slot.ends_at + shift
        slot.save(update_fields=["starts_at", "ends_at"])


def _note(
    session: ClassSession,
    cohorts: Mapping[int, Cohort],
    before: ClassWish | None,
    wish: ClassWish,
    was: tuple[datetime, datetime],
    actor: Any,
) -> None:
    """Audit what happened, and tell whom it touches: of a new time, or else of a new place."""
    cohort_ids = sorted(cohorts)
    now = (session.starts_at, session.ends_at)
    times = {"starts_at": iso(now[0]), "ends_at": iso(now[1])}
    if before is None:
        kind = "timetable.make_up" if session.replaces_id else "timetable.added"
        tell_of_one(kind, session, cohort_ids, actor=actor, facts=times)
        note_act(session, "class.planned", cohort_ids, actor, {"starts_at": ("", now[0])})
        return
    everybody = sorted({*cohort_ids, *(place.cohort_id for place in before.places)})
    if was != now:
        facts = {"before_at": iso(was[0]), "after_at": iso(now[0]), **times}
        tell_of_one("timetable.moved", session, everybody, actor=actor, facts=facts)
    else:
        _tell_of_changes(session, before, wish, actor)
        tell(cohort_ids=everybody, user_ids={*before.teacher_ids, *wish.teacher_ids})
    changes = {"starts_at": (was[0], now[0]), "ends_at": (was[1], now[1]), "places": (before.places, wish.places)}
    note_act(session, "class.moved" if was != now else "class.changed", everybody, actor, changes)


def _tell_of_changes(session: ClassSession, before: ClassWish, wish: ClassWish, actor: Any) -> None:
    """The time stayed: tell cohorts of their new room, and new teachers that they teach."""
    rooms = {place.cohort_id: place.room_id for place in before.places}
    changed = {p.cohort_id: p.room_id for p in wish.places if p.cohort_id in rooms and rooms[p.cohort_id] != p.room_id}
    named = {room.pk: str(room) for room in Room.objects.filter(pk__in=[pk for pk in changed.values() if pk])}
    with translation.override("ko"):
        online = _("Online")
    tell_of_place(session, {pk: named[room] if room else online for pk, room in changed.items()}, actor=actor)
    fresh = set(wish.teacher_ids) - set(before.teacher_ids) - {getattr(actor, "pk", None)}
    if fresh:
        facts = {"title": session.title, "course": session.run.course.name_ko, "starts_at": iso(session.starts_at)}
        notify(recipient_ids=fresh, kind="timetable.added", url=page_of(session), facts=facts)


def note_act(session: ClassSession, verb: str, cohort_ids: Any, actor: Any, changes: Any, reason: str = "") -> None:
    paths = Cohort.objects.filter(pk__in=cohort_ids).values_list("scope__path", flat=True)
    scopes = sorted({scope_id for path in paths for scope_id in path})
    audit.record(actor=actor, verb=verb, target=session, scope_path=scopes, changes=changes, reason=reason)
