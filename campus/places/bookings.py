"""Booking rooms: all of them or none, inside the booker's transaction; the database refuses two at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.db.models.functions import Now

from .models import Booking


@dataclass(frozen=True)
class RoomWish:
    """A room for a time: `key` names the booker, `purpose` says to people what for."""

    room_id: int
    starts_at: datetime
    ends_at: datetime
    key: str
    purpose: str


def book_rooms(*, wishes: Iterable[RoomWish], actor: Any) -> list[Booking]:
    """Take these rooms, or move what the same key holds in the same room; in the order of their ids, so that two who
    book the same rooms do not wait for each other.

    Raises RuntimeError outside a transaction, and IntegrityError (an exclusion) where another was faster: the caller
    looks with `bookings_at` before, and again after.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a booking is a part of what it is for; call this inside its transaction")
    ordered = sorted(wishes, key=lambda one: (one.room_id, one.starts_at, one.key))
    held = {
        (row.room_id, row.key): row
        for row in Booking.objects.filter(key__in={one.key for one in ordered}, given_up_at=None)
    }
    made: list[Booking] = []
    for wish in ordered:
        period = DateTimeTZRange(wish.starts_at, wish.ends_at, "[)")
        row = held.get((wish.room_id, wish.key))
        if row is None:
            row = Booking(room_id=wish.room_id, key=wish.key, period=period, purpose=wish.purpose, booked_by=actor)
            row.save(force_insert=True)
        elif (row.period.lower, row.period.upper, row.purpose) != (wish.starts_at, wish.ends_at, wish.purpose):
            row.period, row.purpose = period, wish.purpose
            row.save(update_fields=["period", "purpose"])
        made.append(row)
    return made


def free_bookings(*, keys: Iterable[str], except_rooms: Collection[int] = ()) -> int:
    """Give up what these keys hold, but in `except_rooms`; return how many rooms are free again."""
    held = Booking.objects.filter(key__in=list(keys), given_up_at=None)
    return held.exclude(room_id__in=list(except_rooms)).update(given_up_at=Now())


def bookings_at(
    *, room_ids: Iterable[int], from_at: datetime, until_at: datetime, except_keys: Collection[str] = ()
) -> QuerySet[Booking]:
    """The bookings of these rooms that touch the time, in order, without those of `except_keys`."""
    period = DateTimeTZRange(from_at, until_at, "[)")
    rows = Booking.objects.filter(room_id__in=list(room_ids), period__overlap=period, given_up_at=None)
    return rows.exclude(key__in=list(except_keys)).select_related("room").order_by("period", "pk")
