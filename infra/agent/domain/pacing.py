"""When to send: how log bytes and metric points are gathered into posts, and how long to wait after a failure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """At most one post in `pause_s`, unless `enough` has gathered before. `most` is what one post may carry."""

    pause_s: float
    enough: int
    most: int


LOG = Pace(pause_s=0.05, enough=64 * 1024, most=256 * 1024)
"""Bytes. A line appears within a twentieth of a second, and a flood costs the campus 20 posts a second at most."""
METRICS = Pace(pause_s=0.25, enough=200, most=500)
"""Points."""


def due_in_s(pace: Pace, *, waiting: int, since_last_s: float | None, is_closing: bool) -> float | None:
    """Seconds until the next post; 0 is now, None is nothing to send.

    `since_last_s` is None when nothing was sent yet: the first bytes of a job go out at once.
    """
    if waiting <= 0:
        return None
    if is_closing or since_last_s is None or waiting >= pace.enough:
        return 0.0
    return max(pace.pause_s - since_last_s, 0.0)


def retry_delays_s(first_s: float = 0.1, most_s: float = 2.0) -> Iterator[float]:
    """Seconds to wait after each failure, doubling up to `most_s`, without end."""
    delay = first_s
    while True:
        yield delay
        delay = min(delay * 2, most_s)
