"""The one place where a deadline is decided: for pages, calendars, reminders, graders and the scheduler alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DAY = timedelta(days=1)


class Rule(StrEnum):
    """What moved a deadline; COURSE where nothing did."""

    COURSE = "COURSE"
    COHORT = "COHORT"
    ACCOMMODATION = "ACCOMMODATION"
    EXTENSION = "EXTENSION"
    OUTAGE = "OUTAGE"
    LATE_DAY = "LATE_DAY"


@dataclass(frozen=True, slots=True)
class Times:
    """What the course says. `opens_at` is when the time to work begins: an accommodation stretches from there."""

    opens_at: datetime
    due_at: datetime | None
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """What the platform cost a learner: `hours` were given for what happened between the two times."""

    hours: int
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One reason for another deadline that concerns this learner and assignment. `factor_pct` is 150 for half again."""

    rule: Rule
    due_at: datetime | None = None
    closes_at: datetime | None = None
    factor_pct: int = 100
    reason: str = ""
    approver: str = ""
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What counts. `rule` is what moved it last and furthest, with its reason and who approved it.

    `course_due_at` is what the course alone says; `late_days` how many were taken; `outage` is set where one won.
    """

    due_at: datetime | None
    closes_at: datetime | None
    rule: Rule = Rule.COURSE
    reason: str = ""
    approver: str = ""
    course_due_at: datetime | None = None
    late_days: int = 0
    outage: Outage | None = None

    def is_past(self, now: datetime) -> bool:
        return self.due_at is not None and now > self.due_at

    def is_closed(self, now: datetime) -> bool:
        return self.closes_at is not None and now > self.closes_at

    def slack(self, now: datetime) -> timedelta | None:
        """Time that is left; negative once it is over, None without a deadline."""
        return None if self.due_at is None else self.due_at - now


def resolve(times: Times, changes: Iterable[Change]) -> Deadline:
    """Decide a learner's deadline: course, then cohort, then the most generous of what was given to the learner.

    A cohort's deadline replaces the course's, earlier or later. Accommodations stretch the time from `opens_at`; of
    several the longest counts. Extensions never shorten. Late days come on top of all. The day of closing moves along
    by as much as the deadline did, unless the cohort names its own. Without a deadline nothing can move it.
    """
    given = list(changes)
    if times.due_at is None and not any(one.rule is Rule.COHORT for one in given):
        return Deadline(None, times.closes_at)
    due_at, closes_at, won = times.due_at, times.closes_at, Change(Rule.COURSE)
    for one in given:
        if one.rule is Rule.COHORT and one.due_at is not None:
            closes_at = one.closes_at or _along(closes_at, due_at, one.due_at)
            due_at, won = one.due_at, one
    assert due_at is not None  # noqa: S101  (the course's or the cohort's)
    base_at = due_at
    for one in given:
        wanted_at = _wanted(one, times.opens_at, base_at)
        if wanted_at is not None and wanted_at > due_at:
            due_at, won = wanted_at, one
    days = [one for one in given if one.rule is Rule.LATE_DAY]
    if days:
        due_at, won = due_at + DAY * len(days), days[-1]
    closes_at = _along(closes_at, base_at, due_at)
    return Deadline(due_at, closes_at, won.rule, won.reason, won.approver, times.due_at, len(days), won.outage)


def _wanted(one: Change, opens_at: datetime, base_at: datetime) -> datetime | None:
    if one.rule is Rule.ACCOMMODATION:
        return opens_at + (base_at - opens_at) * one.factor_pct / 100 if opens_at < base_at else None
    return one.due_at if one.rule in (Rule.EXTENSION, Rule.OUTAGE) else None


def _along(closes_at: datetime | None, before_at: datetime | None, after_at: datetime) -> datetime | None:
    """Move the closing by as much as the deadline moved, never before the deadline itself."""
    if closes_at is None:
        return None
    moved = closes_at + (after_at - before_at if before_at is not None else timedelta(0))
    return max(moved, after_at)
