"""What the platform's faults before a deadline are worth: hours that are offered, with their evidence."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Policy:
    """Look at `look_back_h` hours before the deadline. A wait counts from `least_wait_min` minutes on.

    Never more than `most_h` hours are offered; 0 offers nothing.
    """

    look_back_h: int = 24
    least_wait_min: int = 60
    most_h: int = 24


@dataclass(frozen=True, slots=True)
class Trouble:
    """A lost or a waiting run. `until_at` is None while it is not over.

    Of a wait `held_back_s` seconds were the learner's own cap or quota: they are taken off its beginning.
    """

    key: str
    is_loss: bool
    from_at: datetime
    until_at: datetime | None
    held_back_s: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """`lost_s` seconds were lost in all between the two times; `keys` are the evidence."""

    hours: int
    lost_s: int
    from_at: datetime
    until_at: datetime
    keys: tuple[str, ...]


def offer(
    troubles: Iterable[Trouble], due_at: datetime, now: datetime, policy: Policy, used: Collection[str] = ()
) -> Offer | None:
    """Offer a learner whose deadline is `due_at` the time that these troubles took before it, in begun hours.

    Troubles at the same time count once; what is `used` was answered before and never counts again. None: nothing.
    """
    window = (due_at - timedelta(hours=policy.look_back_h), min(due_at, now))
    spans: list[tuple[datetime, datetime]] = []
    keys = []
    for one in troubles:
        span = None if one.key in used else _clipped(one, window, now, policy)
        if span is not None:
            spans.append(span)
            keys.append(one.key)
    lost_s = math.ceil(_union_s(spans))
    hours = min(math.ceil(lost_s / HOUR_S), policy.most_h)
    if hours <= 0:
        return None
    return Offer(hours, lost_s, min(begin for begin, _ in spans), max(end for _, end in spans), tuple(sorted(keys)))


def _clipped(
    one: Trouble, window: tuple[datetime, datetime], now: datetime, policy: Policy
) -> tuple[datetime, datetime] | None:
    begin, end = one.from_at + timedelta(seconds=one.held_back_s), one.until_at or now
    if not one.is_loss and end - begin < timedelta(minutes=policy.least_wait_min):
        return None
    begin, end = max(begin, window[0]), min(end, window[1])
    return (begin, end) if begin < end else None


def _union_s(spans: Iterable[tuple[datetime, datetime]]) -> float:
    total, reached = 0.0, None
    for begin, end in sorted(spans):
        start = begin if reached is None else max(begin, reached)
        if end > start:
            total += (end - start).total_seconds()
        reached = end if reached is None else max(reached, end)
    return total
