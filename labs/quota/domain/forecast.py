"""When an account runs out at the pace of its last weeks. The rule is told on the page in these same steps.

1. Look at the last four whole weeks before today, or as many as there are since the account's first day.
2. The pace is what these weeks used: slow is their lower quartile, fast their upper one, and each at least a fifth
   away from the middle one. One odd week does not move it.
3. A coming week is spread over its weekdays as these weeks were.
4. Free now is allocated less used less held: what a running job holds counts as used.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

WEEKS = 4
WEEK = 7
ASIDE = 0.2  # a fifth: how far the slow and the fast pace are from the middle one, at least
HORIZON_DAYS = 365  # beyond a year nothing is said


class Verdict(StrEnum):
    """What the forecast comes to."""

    UNUSED = "unused"
    TOO_EARLY = "too_early"
    EMPTY = "empty"
    RUNS_OUT = "runs_out"
    MAY_RUN_OUT = "may_run_out"
    LASTS = "lasts"


@dataclass(frozen=True)
class Forecast:
    """When it runs out, at the earliest and at the latest; None where not within a year. `week_s` is the middle week.

    Where an `until` was given, RUNS_OUT means even at the slow pace before it, LASTS not even at the fast one.
    """

    verdict: Verdict
    earliest_on: date | None = None
    latest_on: date | None = None
    week_s: int = 0
    weeks: int = 0
    until: date | None = None


def forecast(*, used: Mapping[date, int], first: date, today: date, free_s: int, until: date | None = None) -> Forecast:
    """Say when `free_s` GPU-seconds run out. `used` maps days to GPU-seconds, `first` is the account's first day.

    `until` is the last day that matters (the end of the term); without it a year is looked ahead.
    """
    weeks = min(WEEKS, max((today - first).days, 0) // WEEK)
    if free_s <= 0:
        return Forecast(Verdict.EMPTY, today, today, weeks=weeks, until=until)
    if not weeks:
        return Forecast(Verdict.TOO_EARLY, until=until)
    totals, shares = _pattern(used, today, weeks)
    if not any(totals):
        return Forecast(Verdict.UNUSED, weeks=weeks, until=until)
    slow, middle, fast = _paces(totals)
    earliest, latest = (_ends_on(free_s, pace, shares, today) for pace in (fast, slow))
    last = until or today + timedelta(days=HORIZON_DAYS)
    if earliest is None or earliest > last:
        verdict = Verdict.LASTS
    else:
        verdict = Verdict.RUNS_OUT if latest is not None and latest <= last else Verdict.MAY_RUN_OUT
    return Forecast(verdict, earliest, latest, round(middle), weeks, until)


def _pattern(used: Mapping[date, int], today: date, weeks: int) -> tuple[list[int], list[float]]:
    """The use of each of the last whole weeks, and each weekday's share of it all, Monday first."""
    totals, by_weekday = [0] * weeks, [0] * WEEK
    for ago in range(1, weeks * WEEK + 1):
        day = today - timedelta(days=ago)
        seconds = max(used.get(day, 0), 0)  # a day may refund more than it charged
        totals[(ago - 1) // WEEK] += seconds
        by_weekday[day.weekday()] += seconds
    whole = sum(by_weekday)
    return totals, [seconds / whole if whole else 0.0 for seconds in by_weekday]


def _paces(totals: Sequence[int]) -> tuple[float, float, float]:
    """GPU-seconds of a slow, a middle and a fast week."""
    ordered, middle = sorted(totals), float(median(totals))
    slow, fast = (_quantile(ordered, share) for share in (0.25, 0.75))
    return min(slow, middle * (1 - ASIDE)), middle, max(fast, middle * (1 + ASIDE))


def _quantile(ordered: Sequence[int], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _ends_on(free_s: int, week_s: float, shares: Sequence[float], today: date) -> date | None:
    """The day on which the last free second goes, at `week_s` a week from today on; None if not within a year."""
    if week_s <= 0 or free_s / week_s > HORIZON_DAYS / WEEK:
        return None
    whole = max(math.ceil(free_s / week_s) - 1, 0)
    left, day = free_s - whole * week_s, today + timedelta(weeks=whole)
    for _ in range(WEEK):
        left -= week_s * shares[day.weekday()]
        if left <= free_s * 1e-9:  # rounding must not add a day
            return day
        day += timedelta(days=1)
    return day
