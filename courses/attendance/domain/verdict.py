"""The verdict on one learner in one class: drawn from evidence and policy, with every reason named.

A person's word outweighs what machines saw; a granted excuse lifts what would count against the learner; otherwise the
union of the times that evidence covers decides. Seeing somebody never makes anything worse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .rules import Rules

MINUTE = timedelta(minutes=1)
Span = tuple[datetime, datetime]


class Mark(StrEnum):
    NONE = "NONE"
    PRESENT = "PRESENT"
    LATE = "LATE"
    LEFT_EARLY = "LEFT_EARLY"
    EXCUSED = "EXCUSED"
    ABSENT = "ABSENT"


class Act(StrEnum):
    """What a sign says: came, went, was there from `at` to `until`, or a person's mark."""

    IN = "IN"
    OUT = "OUT"
    SPAN = "SPAN"
    MARK = "MARK"


class Why(StrEnum):
    """Reasons of a verdict, in the order in which they are told."""

    STAFF = "STAFF"
    EXCUSE = "EXCUSE"
    IN_TIME = "IN_TIME"
    CAME_LATE = "CAME_LATE"
    WENT_EARLY = "WENT_EARLY"
    NO_CHECK_OUT = "NO_CHECK_OUT"
    TOO_SHORT = "TOO_SHORT"
    NO_SIGN = "NO_SIGN"
    NOT_YET = "NOT_YET"


@dataclass(frozen=True, slots=True)
class Meeting:
    """A class: aware times, `starts_at` before `ends_at`."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece of evidence that still stands. `mark` only with MARK, `until` only with SPAN."""

    number: int  # grows with each that is written
    act: Act
    at: datetime
    until: datetime | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict. Minutes are whole and of the class's time; `late_min` and `early_min` are 0 where nothing is known."""

    mark: Mark
    minutes: int = 0
    late_min: int = 0
    early_min: int = 0
    why: tuple[Why, ...] = field(default=())
    arrived_at: datetime | None = None


def union(spans: Iterable[Span]) -> list[Span]:
    """Merge spans that touch or overlap; in order. Empty and inverted ones vanish."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def presence(meeting: Meeting, signs: Sequence[Sign], until: datetime, *, needs_check_out: bool) -> list[Span]:
    """When the evidence says that somebody was there, within the class and not after `until`.

    Who came and never checked out was there until the end, or, where a check-out is required and the class is over,
    until the last sign of them.
    """
    end = min(meeting.ends_at, until)
    spans = [(sign.at, sign.until) for sign in signs if sign.act is Act.SPAN and sign.until is not None]
    came: datetime | None = None
    for sign in sorted((sign for sign in signs if sign.act in (Act.IN, Act.OUT)), key=lambda one: (one.at, one.number)):
        if sign.act is Act.IN:
            came = came or sign.at
        elif came is not None:
            spans.append((came, sign.at))
            came = None
    if came is not None:
        is_over = until >= meeting.ends_at
        spans.append((came, _last_sign(signs) if needs_check_out and is_over else end))
    return union((max(start, meeting.starts_at), min(stop, end)) for start, stop in spans)


def judge(meeting: Meeting, signs: Sequence[Sign], rules: Rules, *, is_excused: bool, now: datetime) -> Judged:
    """Return the verdict as of `now`. Before the class is over it is what can be said so far, never an absence."""
    seen = _from_evidence(meeting, signs, rules, now)
    said = max((sign for sign in signs if sign.act is Act.MARK), key=lambda sign: sign.number, default=None)
    if said is not None and said.mark is not None:
        return Judged(said.mark, seen.minutes, seen.late_min, seen.early_min, (Why.STAFF,), seen.arrived_at)
    if is_excused and seen.mark is not Mark.PRESENT:
        return Judged(Mark.EXCUSED, seen.minutes, seen.late_min, seen.early_min, (Why.EXCUSE,), seen.arrived_at)
    return seen


def _from_evidence(meeting: Meeting, signs: Sequence[Sign], rules: Rules, now: datetime) -> Judged:
    is_over = now >= meeting.ends_at
    # A class that was moved takes no check-in of its old time with it.
    opens = meeting.starts_at - rules.opens_min * MINUTE
    signs = [sign for sign in signs if (sign.until or sign.at) >= opens]
    arrived = min((sign.at for sign in signs if sign.act in (Act.IN, Act.SPAN)), default=None)
    if arrived is None or arrived >= meeting.ends_at:
        return Judged(Mark.ABSENT, why=(Why.NO_SIGN,)) if is_over else Judged(Mark.NONE, why=(Why.NOT_YET,))
    spans = presence(meeting, signs, now, needs_check_out=rules.needs_check_out)
    there = sum((stop - start for start, stop in spans), timedelta())
    minutes = there // MINUTE
    late = max(timedelta(), arrived - meeting.starts_at)
    late_min = late // MINUTE
    is_late = late > rules.late_after_min * MINUTE
    if not is_over:
        why = Why.CAME_LATE if is_late else Why.IN_TIME
        return Judged(Mark.LATE if is_late else Mark.PRESENT, minutes, late_min, 0, (why,), arrived)
    left = meeting.ends_at - (spans[-1][1] if spans else meeting.starts_at)
    is_early = left > rules.leave_early_min * MINUTE
    why_left = Why.NO_CHECK_OUT if rules.needs_check_out and _is_open(signs) else Why.WENT_EARLY
    reasons = tuple(why for why, applies in ((Why.CAME_LATE, is_late), (why_left, is_early)) if applies)
    early_min = left // MINUTE
    if there * 100 < (meeting.ends_at - meeting.starts_at) * rules.least_present_pct:
        return Judged(Mark.ABSENT, minutes, late_min, early_min, (*reasons, Why.TOO_SHORT), arrived)
    if not reasons:
        return Judged(Mark.PRESENT, minutes, late_min, early_min, (Why.IN_TIME,), arrived)
    return Judged(Mark.LATE if is_late else Mark.LEFT_EARLY, minutes, late_min, early_min, reasons, arrived)


def _last_sign(signs: Sequence[Sign]) -> datetime:
    return max(sign.until or sign.at for sign in signs if sign.act is not Act.MARK)


def _is_open(signs: Sequence[Sign]) -> bool:
    """Whether the last coming was not followed by a going."""
    moves = sorted((sign for sign in signs if sign.act in (Act.IN, Act.OUT)), key=lambda one: (one.at, one.number))
    return bool(moves) and moves[-1].act is Act.IN
