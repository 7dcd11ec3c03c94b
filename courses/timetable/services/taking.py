"""Taking and freeing what classes need: rooms, stream, teachers, cohorts, GPUs, in this one order and within one
transaction, so that two who save at once wait for each other and never lock each other out. The database's exclusion
constraints decide who is first (docs/decisions/0001-one-booking.md)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput
from campus.places.api import RoomWish, book_rooms, free_bookings
from courses.catalog.models import Cohort
from courses.timetable.models import ClassSession, SessionCohort, SessionTeacher
from labs.scheduling.api import cancel_reservation, move_reservation, reserve_class

from .wishes import ClassWish, PlaceWish

P = ParamSpec("P")
R = TypeVar("R")

#: PostgreSQL: an exclusion constraint was violated; a deadlock was found.
_RACES = {"23P01", "40P01"}
_TRIES = 3
#: The scheduler takes no reservation for a class that began longer ago.
_BEGUN = timedelta(minutes=25)


class _Raced(Exception):
    """Another was faster between the look and the booking."""


def one_booking(act: Callable[P, R]) -> Callable[P, R]:
    """Run a service in one transaction; when another was faster, look again, and then name what they took."""

    @wraps(act)
    def booked(*args: P.args, **kwargs: P.kwargs) -> R:
        for _number in range(_TRIES):
            try:
                with transaction.atomic():
                    return act(*args, **kwargs)
            except _Raced:
                continue
            except (IntegrityError, OperationalError) as error:
                if getattr(error.__cause__, "sqlstate", None) not in _RACES:
                    raise
        raise Conflict(_("Others are planning at the same time. Try again in a moment."), code="busy")

    return booked


def take(*, sessions: Sequence[ClassSession], wish: ClassWish, cohorts: dict[int, Cohort], actor: Any) -> None:
    """Make rooms, teachers, cohorts and GPUs of these saved, planned sessions exactly what the wish says.

    What they have already is moved, what they no longer need is freed. Raises what `one_booking` retries.
    """
    ordered = sorted(sessions, key=lambda one: (one.starts_at, one.pk))
    rooms = _take_rooms(ordered, wish, actor)
    _take_teachers(ordered, wish)
    _take_cohorts(ordered, wish, rooms)
    _take_gpus(ordered, wish, cohorts, actor)


def free(*, sessions: Sequence[ClassSession], actor: Any) -> None:
    """Free all that these sessions have; who teaches and which cohorts they were for stays written."""
    ids = [session.pk for session in sessions]
    free_bookings(keys=[session.booking_key for session in sessions])
    SessionTeacher.objects.filter(session__in=ids).update(period=None)
    places = SessionCohort.objects.filter(session__in=ids)
    held = list(places.filter(reservation__isnull=False).order_by("reservation__site_id", "pk"))
    places.update(period=None, booking=None)
    for place in held:
        _free_gpus(place, actor)


def give_back_rest(*, session: ClassSession, wish: ClassWish, actor: Any) -> None:
    """Free what a class that ended early held for the rest of its time; its GPUs wholly, since its hour is now."""
    _take_teachers([session], wish)
    _take_cohorts([session], wish, _take_rooms([session], wish, actor))
    held = SessionCohort.objects.filter(session=session, reservation__isnull=False)
    for place in held.select_related("reservation").order_by("reservation__site_id", "pk"):
        _free_gpus(place, actor)


def _take_rooms(sessions: Sequence[ClassSession], wish: ClassWish, actor: Any) -> dict[tuple[str, int], int]:
    free_bookings(keys=[one.booking_key for one in sessions], except_rooms=wish.room_ids)
    made = book_rooms(
        wishes=[
            RoomWish(room_id, one.starts_at, one.ends_at, one.booking_key, f"{one.title} · {one.run.course.name}"[:160])
            for room_id in wish.room_ids
            for one in sessions
        ],
        actor=actor,
    )
    return {(row.key, row.room_id): row.pk for row in made}


def _take_teachers(sessions: Sequence[ClassSession], wish: ClassWish) -> None:
    ids = [one.pk for one in sessions]
    SessionTeacher.objects.filter(session__in=ids).exclude(user__in=wish.teacher_ids).delete()
    there = {(row.session_id, row.user_id): row for row in SessionTeacher.objects.filter(session__in=ids)}
    fresh: list[SessionTeacher] = []
    for user_id in sorted(wish.teacher_ids):
        for one in sessions:
            row = there.get((one.pk, user_id))
            if row is None:
                fresh.append(SessionTeacher(session=one, user_id=user_id, period=_period(one)))
            elif row.period != _period(one):
                row.period = _period(one)
                row.save(update_fields=["period"])
    SessionTeacher.objects.bulk_create(fresh)


def _take_cohorts(sessions: Sequence[ClassSession], wish: ClassWish, rooms: dict[tuple[str, int], int]) -> None:
    ids = [one.pk for one in sessions]
    there = {(row.session_id, row.cohort_id): row for row in SessionCohort.objects.filter(session__in=ids)}
    fresh: list[SessionCohort] = []
    for place in sorted(wish.places, key=lambda one: one.cohort_id):
        for one in sessions:
            row = there.pop((one.pk, place.cohort_id), None)
            is_new = row is None
            row = row or SessionCohort(session=one, cohort_id=place.cohort_id)
            row.room_id = place.room_id
            row.booking_id = rooms[one.booking_key, place.room_id] if place.room_id is not None else None
            row.period = _period(one) if wish.takes_cohorts else None
            row.gpus, row.gpu_type, row.site_id = _gpus_of(place)
            if is_new:
                fresh.append(row)
            else:
                row.save()
    SessionCohort.objects.bulk_create(fresh)
    for row in there.values():
        _free_gpus(row, None)
        row.delete()


def _gpus_of(place: PlaceWish) -> tuple[int, str, int | None]:
    return (place.gpus, place.gpu_type, place.site_id) if place.gpus else (0, "", None)


def _take_gpus(sessions: Sequence[ClassSession], wish: ClassWish, cohorts: dict[int, Cohort], actor: Any) -> None:
    begun = database_now() - _BEGUN
    by_id = {one.pk: one for one in sessions}
    rows = SessionCohort.objects.select_related("reservation").filter(session__in=by_id)
    for row in sorted(rows, key=lambda row: (row.site_id or 0, row.session_id, row.cohort_id)):
        session = by_id[row.session_id]
        if not row.gpus:
            _free_gpus(row, actor)
        elif session.starts_at > begun:
            _reserve(row, session, cohorts[row.cohort_id], actor)


def _reserve(row: SessionCohort, session: ClassSession, cohort: Cohort, actor: Any) -> None:
    """Move the reservation that the place has, or make one. A clash here is a race: the look found none."""
    wished: dict[str, Any] = {
        "title": session.title, "site_id": row.site_id, "gpus": row.gpus, "gpu_type": row.gpu_type,
        "start_at": session.starts_at, "end_at": session.ends_at,
    }  # fmt: skip
    held = row.reservation
    if held is not None and all(getattr(held, name) == value for name, value in wished.items()):
        return
    try:
        if held is not None and held.state == held.State.BOOKED and held.end_at > database_now():
            move_reservation(reservation_id=held.pk, actor=actor, **wished)
            return
        key = f"{session.booking_key}:{cohort.pk}:{session.sequence}"
        made = reserve_class(account_id=cohort.account_id, actor=actor, key=key, **wished)
    except InvalidInput as error:
        raise InvalidInput({"gpus": [text for texts in error.fields.values() for text in texts]}) from error
    except Conflict as error:
        raise _Raced from error
    row.reservation = made
    row.save(update_fields=["reservation"])


def _free_gpus(row: SessionCohort, actor: Any) -> None:
    """Give the GPUs of a place back, unless they were given up or the class is over."""
    held = row.reservation
    if held is None:
        return
    if held.state == held.State.BOOKED and held.end_at > database_now():
        cancel_reservation(reservation_id=held.pk, actor=actor)
    SessionCohort.objects.filter(pk=row.pk).update(reservation=None)


def _period(session: ClassSession) -> DateTimeTZRange:
    return DateTimeTZRange(session.starts_at, session.ends_at, "[)")


def lock(session_ids: Iterable[int]) -> list[ClassSession]:
    """Lock sessions in the order of their ids, with run and course."""
    rows = ClassSession.objects.select_for_update(no_key=True, of=("self",)).select_related("run__course")
    return list(rows.filter(pk__in=list(session_ids)).order_by("pk"))
