"""The nearest times at which everything that a class takes is free."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from .clashes import Busy, Need
from .recurrence import at_wall

STEP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Hours:
    """When classes may be: from `opens` until `closes` of the wall clock in `zone`, not on days that are `closed`."""

    zone: tzinfo
    opens: time = time(8)
    closes: time = time(22)
    closed: frozenset[date] = frozenset()
    weekdays: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Slot:
    starts_at: datetime
    ends_at: datetime


def free_slots(
    need: Need, busy: Iterable[Busy], hours: Hours, *, not_before: datetime, within_days: int = 14, most: int = 3
) -> list[Slot]:
    """The free times of the same length that lie nearest to the wished one, the nearest first; the earlier of two.

    They begin at full and half hours, on a day that is open, from `not_before` on, at most `within_days` away.
    """
    length = need.ends_at - need.starts_at
    taken = union((one.starts_at, one.ends_at) for one in busy if one.resource in need.resources)
    starts_of_taken = [start for start, _end in taken]
    found: list[Slot] = []
    for start in _candidates(need.starts_at, length, hours, within_days):
        end = start + length
        if start < not_before or start == need.starts_at:
            continue
        before = bisect_left(starts_of_taken, end) - 1
        if before >= 0 and taken[before][1] > start:
            continue
        if all(pool.fits(start, end) for pool in need.pools):
            found.append(Slot(start, end))
            if len(found) == most:
                break
    return found


def union(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans that touch or overlap, made one; in order."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _candidates(wished: datetime, length: timedelta, hours: Hours, within_days: int) -> list[datetime]:
    here = wished.astimezone(hours.zone).date()
    found: list[datetime] = []
    for away in range(-within_days, within_days + 1):
        day = here + timedelta(days=away)
        if day in hours.closed or day.weekday() not in hours.weekdays:
            continue
        start, closes = at_wall(day, hours.opens, hours.zone), at_wall(day, hours.closes, hours.zone)
        while start + length <= closes:
            found.append(start)
            start += STEP
    return sorted(found, key=lambda start: (abs(start - wished), start))


def slots_of(starts_at: datetime, ends_at: datetime, minutes: int, taken: Collection[datetime] = ()) -> list[Slot]:
    """The parts of office hours that nobody took: as many whole ones as there is time for."""
    length = timedelta(minutes=minutes)
    count = (ends_at - starts_at) // length
    parts = [Slot(starts_at + length * n, starts_at + length * (n + 1)) for n in range(count)]
    return [part for part in parts if part.starts_at not in taken]


def weekly_times(
    needs: Sequence[Need], busy: Iterable[Busy], hours: Hours, *, not_before: datetime, most: int = 3
) -> list[Slot]:
    """Other times of the day at which every class of a series is free, nearest first, as the first class would be.

    The classes must wish the same things and begin at the same time of the wall clock.
    """
    ordered = sorted(needs, key=lambda need: need.starts_at)
    resources = ordered[0].resources
    taken = union((one.starts_at, one.ends_at) for one in busy if one.resource in resources)
    starts_of_taken = [start for start, _end in taken]
    found: list[Slot] = []
    for first in _candidates(ordered[0].starts_at, ordered[0].ends_at - ordered[0].starts_at, hours, 0):
        wall = first.astimezone(hours.zone).time()
        if first == ordered[0].starts_at or first < not_before:
            continue
        if all(_is_free_at(need, wall, hours.zone, taken, starts_of_taken) for need in ordered):
            found.append(Slot(first, first + (ordered[0].ends_at - ordered[0].starts_at)))
            if len(found) == most:
                break
    return found


def _is_free_at(
    need: Need, wall: time, zone: tzinfo, taken: Sequence[tuple[datetime, datetime]], starts: Sequence[datetime]
) -> bool:
    start = at_wall(need.starts_at.astimezone(zone).date(), wall, zone)
    end = start + (need.ends_at - need.starts_at)
    before = bisect_left(starts, end) - 1
    return (before < 0 or taken[before][1] <= start) and all(pool.fits(start, end) for pool in need.pools)
