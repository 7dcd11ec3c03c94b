"""Codes that prove a phone number: how long one works, how often it may be tried, how often one is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

DIGITS = 6
LIFE = timedelta(minutes=10)
MOST_TRIES = 5
#: Between two codes for one person, and how many a person asks for and a number gets within a day.
PAUSE = timedelta(minutes=1)
DAY = timedelta(days=1)
MOST_ASKED = 5
MOST_TO_NUMBER = 5


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    SPENT = "spent"  # tried too often: only a new code helps


@dataclass(frozen=True, slots=True)
class Sent:
    """A code that left: when, how often it was tried, and whether it was used up."""

    at: datetime
    tries: int = 0
    is_used: bool = False


def wait_until(asked: Sequence[datetime], to_number: Sequence[datetime], now: datetime) -> datetime | None:
    """Return from when on another code may be sent; None for now.

    `asked` are the times of this person's codes, `to_number` those of codes to this number, whoever asked.
    """
    ends = [max(asked) + PAUSE] if asked else []
    for times, most in ((asked, MOST_ASKED), (to_number, MOST_TO_NUMBER)):
        today = sorted(at for at in times if at > now - DAY)
        if len(today) >= most:
            ends.append(today[-most] + DAY)
    until = max(ends, default=now)
    return until if until > now else None


def is_open(sent: Sent | None, now: datetime) -> bool:
    """Say whether a code can still be typed in."""
    return sent is not None and not sent.is_used and sent.tries < MOST_TRIES and now < sent.at + LIFE


def judge(sent: Sent | None, is_same: bool, now: datetime) -> Verdict:
    """Judge a try at the newest code. What is right too late, or after too many tries, is not right."""
    if sent is None or sent.is_used or now >= sent.at + LIFE:
        return Verdict.EXPIRED
    if sent.tries >= MOST_TRIES:
        return Verdict.SPENT
    if is_same:
        return Verdict.RIGHT
    return Verdict.SPENT if sent.tries + 1 >= MOST_TRIES else Verdict.WRONG
