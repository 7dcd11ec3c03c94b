"""Periods of whole days, as the campus counts them."""

from dataclasses import dataclass
from datetime import date, timedelta

MOST_DAYS = 400


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def last_days(today: date, days: int) -> Period:
    """Return the period of `days` days that ends today."""
    return Period(today - timedelta(days=days - 1), today)


def between(first: date | None, last: date | None, today: date, days: int) -> Period:
    """Return the period asked for; what was left out is filled from the other end, or from today.

    Raises ValueError for one that runs backwards or is longer than MOST_DAYS.
    """
    last = last or (min(today, first + timedelta(days=MOST_DAYS - 1)) if first else today)
    period = Period(first or last - timedelta(days=days - 1), last)
    if not 1 <= period.days <= MOST_DAYS:
        raise ValueError(f"{period.days} days")
    return period
