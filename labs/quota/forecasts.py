"""Forecasts of accounts as they stand, and the words for them. The rule itself is `domain.forecast`."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core import formats
from campus.places.models import Campus

from .domain.forecast import WEEK, WEEKS, Forecast, Verdict, forecast
from .horizons import ends_of
from .models import Account


@dataclass(frozen=True)
class Outlook:
    """A forecast in words: `word` for a badge with its tone and icon, `sentence` in full.

    `daily` are the GPU-seconds used on each of the days that it looks back upon, today last.
    """

    forecast: Forecast
    word: str
    tone: str
    icon: str
    sentence: str
    daily: tuple[int, ...] = ()


def outlooks_of(accounts: Collection[Account]) -> dict[int, Outlook]:
    """Return the outlook of each account, by id; their scopes are at hand. Two queries, and one of whoever knows terms.

    A closed account, and one that was never given anything, has none.
    """
    wanted = [account for account in accounts if account.is_open and account.allocated_s]
    if not wanted:
        return {}
    zones = dict(Campus.objects.values_list("scope_id", "timezone"))
    ends, now = ends_of(wanted), timezone.now()
    days = {account.pk: now.astimezone(ZoneInfo(_zone(account, zones))).date() for account in wanted}
    first = min(days.values()) - timedelta(days=WEEKS * WEEK)
    used = _used_by_day([account.pk for account in wanted], first, max(days.values()))
    found = {}
    for account in wanted:
        own, today = used.get(account.pk, {}), days[account.pk]
        opened = account.created_at.astimezone(ZoneInfo(_zone(account, zones))).date()
        made = forecast(
            used=own, first=min(opened, *own) if own else opened, today=today, free_s=account.available_s,
            until=ends.get(account.pk),
        )  # fmt: skip
        daily = tuple(own.get(today - timedelta(days=ago), 0) for ago in range(WEEKS * WEEK - 1, -1, -1))
        found[account.pk] = replace(_outlook(made), daily=daily)
    return found


def outlook_of(account: Account) -> Outlook | None:
    """Return one account's outlook; its scope is at hand."""
    return outlooks_of([account]).get(account.pk)


def answer_of(made: Forecast) -> dict[str, Any]:
    """Return a forecast as the API gives it."""
    return {
        "verdict": made.verdict.value, "earliest_on": made.earliest_on, "latest_on": made.latest_on,
        "until": made.until, "week_s": made.week_s, "weeks": made.weeks,
    }  # fmt: skip


def _zone(account: Account, zones: dict[int, str]) -> str:
    return next((zones[scope_id] for scope_id in account.scope.path if scope_id in zones), settings.TIME_ZONE)


_USED = """
SELECT up.id, days.day, sum(days.charged_s - days.refunded_s)
FROM quota_usageday AS days CROSS JOIN LATERAL unnest(days.path) AS up (id)
WHERE days.day BETWEEN %s AND %s AND days.path && %s::bigint[] AND up.id = ANY(%s::bigint[])
GROUP BY up.id, days.day
"""


def _used_by_day(account_ids: list[int], first: date, last: date) -> dict[int, dict[date, int]]:
    """Return the GPU-seconds that stayed charged below each account, by day. One query."""
    found: dict[int, dict[date, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_USED, [first, last, account_ids, account_ids])
        for account_id, day, seconds in cursor.fetchall():
            found.setdefault(account_id, {})[day] = int(seconds)
    return found


def _outlook(made: Forecast) -> Outlook:
    texts = {
        "early": formats.campus_date(made.earliest_on) if made.earliest_on else "",
        "late": formats.campus_date(made.latest_on) if made.latest_on else "",
        "until": formats.campus_date(made.until) if made.until else "",
        "week": formats.gpu_hours(made.week_s),
        "n": made.weeks,
    }
    word, tone, icon = {
        Verdict.UNUSED: (_("Unused"), "neutral", "circle"),
        Verdict.TOO_EARLY: (_("Too early to say"), "neutral", "hourglass"),
        Verdict.EMPTY: (_("Nothing left"), "danger", "circle-x"),
        Verdict.RUNS_OUT: (_("Runs out %(when)s") % {"when": _short_range(made)}, "danger", "triangle-alert"),
        Verdict.MAY_RUN_OUT: (_("May run out from %(when)s") % {"when": _short(made.earliest_on)}, "warn", "clock"),
        Verdict.LASTS: (_("Lasts"), "ok", "circle-check"),
    }[made.verdict]
    if made.verdict is Verdict.RUNS_OUT and made.until is None:
        tone, icon = "warn", "clock"
    return Outlook(made, word, tone, icon, _sentence(made, texts))


def _sentence(made: Forecast, texts: dict[str, Any]) -> str:
    if made.verdict is Verdict.UNUSED:
        words = ngettext("Nothing was used in the last week.", "Nothing was used in the last %(n)s weeks.", made.weeks)
    elif made.verdict is Verdict.TOO_EARLY:
        words = _("A forecast needs one whole week of use.")
    elif made.verdict is Verdict.EMPTY:
        words = _("Everything is used or held by jobs.")
    elif made.verdict is Verdict.RUNS_OUT and made.until:
        words = _("At this pace (%(week)s a week) it runs out %(early)s to %(late)s; it is needed until %(until)s.")
    elif made.verdict is Verdict.RUNS_OUT:
        words = _("At this pace (%(week)s a week) it runs out %(early)s to %(late)s.")
    elif made.verdict is Verdict.MAY_RUN_OUT and made.until:
        words = _("In busy weeks it runs out from %(early)s on, in quiet ones it lasts until %(until)s.")
    elif made.verdict is Verdict.MAY_RUN_OUT:
        words = _("In busy weeks it runs out from %(early)s on, in quiet ones not within a year.")
    elif made.until:
        words = _("At this pace (%(week)s a week) it lasts until %(until)s, even in busy weeks.")
    else:
        words = _("At this pace (%(week)s a week) it lasts for a year at least.")
    return words % texts


def _short(day: date | None) -> str:
    return f"{day.month}/{day.day}" if day else ""


def _short_range(made: Forecast) -> str:
    early, late = _short(made.earliest_on), _short(made.latest_on)
    return early if early == late else f"{early}–{late}"
