"""The timetable by week and by month; with `?part=live` only what changes."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from campus.core.formats import is_korean
from campus.people.api import standing_of
from campus.people.requests import SignedInRequest
from courses.timetable.access import plannable_runs
from courses.timetable.board import Reader, month_of, reader_of, week_of

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@require_GET
def week(request: SignedInRequest) -> HttpResponse:
    """Show a week of classes; who plans them moves them there."""
    reader = reader_of(request.user, standing_of(request.user), request.GET.get("who", ""))
    with timezone.override(reader.zone):
        now = timezone.now()
        day = _day(request.GET.get("day", ""), timezone.localdate())
        monday = day - timedelta(days=day.weekday())
        context = {
            "board": week_of(reader, monday, now),
            "monday": monday,
            "sunday": monday + timedelta(days=6),
            "before": monday - timedelta(days=7),
            "after": monday + timedelta(days=7),
            "is_week": True,
        }
        name = "timetable/_week.html" if request.GET.get("part") == "live" else "timetable/week.html"
        return render(request, name, context | _common(request, reader, day))


@require_GET
def month(request: SignedInRequest) -> HttpResponse:
    """Show a month of classes."""
    reader = reader_of(request.user, standing_of(request.user), request.GET.get("who", ""))
    with timezone.override(reader.zone):
        day = _day(request.GET.get("day", ""), timezone.localdate())
        first = day.replace(day=1)
        context = {
            "board": month_of(reader, first, timezone.now()),
            "first": first,
            "before": (first - timedelta(days=1)).replace(day=1),
            "after": (first + timedelta(days=31)).replace(day=1),
            "is_month": True,
            "month_words": first.strftime("%Y년 %-m월") if is_korean() else f"{_MONTHS[first.month - 1]} {first.year}",
        }
        name = "timetable/_month.html" if request.GET.get("part") == "live" else "timetable/month.html"
        return render(request, name, context | _common(request, reader, day))


def _common(request: SignedInRequest, reader: Reader, day: date) -> dict[str, Any]:
    standing = reader.standing
    chosen = str(reader.chosen.pk) if reader.chosen else "mine" if reader.mine and standing.grants else ""
    return {
        "reader": reader,
        "day_text": day.isoformat(),
        "who": chosen,
        "cohorts": list(reader.cohorts.values()),
        "plannable": plannable_runs(standing),
        "is_staff": bool(standing.grants),
        "zone_name": timezone.localtime().tzname(),
    }


def _day(text: str, today: date) -> date:
    """The asked day; today for what is none or too far."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return today
    return asked if abs((asked - today).days) < 4000 else today
