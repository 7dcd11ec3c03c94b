"""A weekly pattern becomes class times: by the wall clock of the campus, without holidays and exceptions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
#: A pattern is for a term; this many days is more than a year of it.
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Pattern:
    """Weekdays (0 is Monday) from a day until a day, both included, at times of the wall clock in `zone`."""

    weekdays: frozenset[int]
    starts: time
    ends: time
    zone: tzinfo
    from_on: date
    until_on: date
    skipped: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One class of a pattern: the day it stands for, and when it is, aware and in UTC."""

    on: date
    starts_at: datetime
    ends_at: datetime


def days_of(pattern: Pattern, holidays: Collection[date] = ()) -> list[date]:
    """The days of a pattern in order, without its exceptions and without holidays. At most MOST_DAYS are looked at."""
    count = min((pattern.until_on - pattern.from_on).days + 1, MOST_DAYS)
    days = (pattern.from_on + DAY * number for number in range(count))
    free = pattern.skipped.union(holidays)
    return [day for day in days if day.weekday() in pattern.weekdays and day not in free]


def left_out(pattern: Pattern, holidays: Collection[date]) -> list[date]:
    """The days on which there would be a class, were they no holidays."""
    kept = set(days_of(pattern, holidays))
    return [day for day in days_of(pattern) if day not in kept]


def occurrences(pattern: Pattern, holidays: Collection[date] = ()) -> list[Occurrence]:
    """The classes of a pattern in order."""
    return [
        Occurrence(day, at_wall(day, pattern.starts, pattern.zone), at_wall(day, pattern.ends, pattern.zone))
        for day in days_of(pattern, holidays)
    ]


def at_wall(day: date, wall: time, zone: tzinfo) -> datetime:
    """A time of the wall clock as an instant; one that the clock skips is as much later as was skipped (RFC 5545)."""
    return datetime.combine(day, wall, zone).astimezone(UTC)
