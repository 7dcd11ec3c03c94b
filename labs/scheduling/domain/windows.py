"""The hours of a lending as windows in time: every day between two dates, in the campus's own time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

AHEAD = timedelta(days=2)
"""How far ahead windows are told: beyond it nobody plans."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens_at` until `closes_at` (of the next day if not later) on each day; no `last_day` is without end."""

    first_day: date
    last_day: date | None
    opens_at: time
    closes_at: time
    zone: str


def windows(hours: Hours, now: datetime, ahead: timedelta = AHEAD) -> list[tuple[datetime, datetime]]:
    """The windows that are open or open within `ahead`, in order. Those that touch are one."""
    found: list[tuple[datetime, datetime]] = []
    for opens, closes in _daily(hours, now, ahead):
        if closes <= now:
            continue
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(closes, found[-1][1]))
        else:
            found.append((opens, closes))
    return found


def _daily(hours: Hours, now: datetime, ahead: timedelta) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(hours.zone)
    today = now.astimezone(zone).date()
    # A window around the clock is told for some days more, so that it does not seem to end soon.
    last = (now + ahead).astimezone(zone).date() + (
        timedelta(days=7) if hours.opens_at == hours.closes_at else timedelta()
    )
    day = max(hours.first_day, today - timedelta(days=1))
    while day <= last and (hours.last_day is None or day <= hours.last_day):
        closing_day = day if hours.closes_at > hours.opens_at else day + timedelta(days=1)
        yield (
            datetime.combine(day, hours.opens_at, zone),
            datetime.combine(closing_day, hours.closes_at, zone),
        )
        day += timedelta(days=1)
