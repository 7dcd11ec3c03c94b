"""What one learner may use in a day and in a week, by the campus's own clock. A week begins on Monday."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Span(StrEnum):
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True)
class Window:
    """The campus's day or week: its first and last day, and when the next one begins."""

    span: Span
    first: date
    last: date
    renews_at: datetime


@dataclass(frozen=True)
class OverCap:
    """A cap that a job would pass: GPU-seconds used in the window, held now, wanted on top."""

    window: Window
    cap_s: int
    used_s: int
    held_s: int
    wanted_s: int

    @property
    def left_s(self) -> int:
        return max(0, self.cap_s - self.used_s - self.held_s)


def window_of(span: Span, now: datetime, zone: ZoneInfo) -> Window:
    """Return the day or week of `now` there."""
    today = now.astimezone(zone).date()
    if span is Span.DAY:
        first, last = today, today
    else:
        first = today - timedelta(days=today.weekday())
        last = first + timedelta(days=6)
    return Window(span, first, last, datetime.combine(last + timedelta(days=1), time(), zone))


def judge(window: Window, cap_s: int | None, *, used_s: int, held_s: int, wanted_s: int) -> OverCap | None:
    """Return what is wrong, if anything. What is held counts, as if it were used today; use is never below nothing."""
    used_s = max(0, used_s)
    if cap_s is None or used_s + held_s + wanted_s <= cap_s:
        return None
    return OverCap(window, cap_s, used_s, held_s, wanted_s)
