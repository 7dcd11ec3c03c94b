"""Charts of GPU time by day, and the sentence that each of them says."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from campus.core import formats


def gpu_h(gpu_seconds: int) -> float:
    """Return GPU-hours, rounded as a chart shows them."""
    return round(gpu_seconds / 3600, 3)


def days_between(first: date, last: date) -> list[date]:
    """Return every day from `first` to `last`."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def by_day(used: Mapping[date, int], first: date, last: date) -> dict[str, Any]:
    """Return a chart of GPU-hours by day; days without use are drawn as nothing."""
    days = days_between(first, last)
    return {
        "kind": "bar",
        "x": [f"{day.month}/{day.day}" for day in days],
        "x_name": _("Day"),
        "series": [{"name": _("GPU-hours used"), "values": [gpu_h(used.get(day, 0)) for day in days]}],
    }


def by_day_title(used: Mapping[date, int], days: int) -> str:
    """Say what the chart by day shows: how much in all, and on which day most of it."""
    total = sum(used.values())
    if total <= 0:
        return _("No GPU time was used in the last %(days)s days") % {"days": days}
    top = max(used, key=lambda day: used[day])
    texts = {"total": formats.gpu_hours(total), "days": days, "day": formats.campus_date(top)}
    texts["share"] = formats.percent(used[top] / total)
    return _("%(total)s used in the last %(days)s days, %(share)s of it on %(day)s") % texts
