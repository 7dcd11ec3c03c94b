"""Moving dates from one term into another, by whole weeks, so that weekdays and hours on the wall stay."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MOST_WEEKS = 520


def weeks_between(old_start: date, new_start: date) -> int:
    """Return the whole number of weeks nearest to the days between two terms' starts; half a week goes forward."""
    return (2 * (new_start - old_start).days + 7) // 14


def shift_day(day: date | None, weeks: int) -> date | None:
    """Return the same weekday `weeks` later (earlier if negative)."""
    return None if day is None else day + timedelta(weeks=weeks)


def shift_time(at: datetime | None, weeks: int, zone: ZoneInfo) -> datetime | None:
    """Return the same hour on the wall in `zone` that many weeks later, also over a change of summer time."""
    if at is None:
        return None
    local = at.astimezone(zone)
    return (local.replace(tzinfo=None) + timedelta(weeks=weeks)).replace(tzinfo=zone).astimezone(at.tzinfo)
