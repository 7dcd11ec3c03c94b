"""Watching a stream, told by heartbeats: spans of the server's time, so that no client gains more than passed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A page beats every 30 s; so long after the last one, nobody is counted as watching.
GAP = timedelta(seconds=75)
#: A running watch becomes evidence in parts of about this length; the first, by which one is seen at all, comes sooner.
FIRST_PART = timedelta(seconds=55)
PART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Watch:
    """A page that watches: since when is not written down yet, when it was last heard of, parts written so far."""

    since: datetime
    seen_at: datetime
    parts: int = 0


@dataclass(frozen=True, slots=True)
class Beaten:
    """What a beat makes of a watch, and the span that is evidence now, if any."""

    watch: Watch | None
    span: tuple[datetime, datetime] | None = None


def beat(watch: Watch | None, now: datetime, *, is_leaving: bool = False) -> Beaten:
    """Take a heartbeat, or the word that somebody leaves, which is the last of a watch."""
    if watch is None or now < watch.seen_at:
        return Beaten(watch if watch is not None or is_leaving else Watch(now, now))
    if now - watch.seen_at > GAP:  # away in between: only what was heard counts
        return Beaten(None if is_leaving else Watch(now, now), _span(watch.since, watch.seen_at))
    if is_leaving:
        return Beaten(None, _span(watch.since, now))
    if now - watch.since >= (PART if watch.parts else FIRST_PART):
        return Beaten(Watch(now, now, watch.parts + 1), _span(watch.since, now))
    return Beaten(Watch(watch.since, now, watch.parts))


def lapsed(watch: Watch, now: datetime) -> tuple[datetime, datetime] | None:
    """The span of a watch of which nothing was heard for GAP, else None; also None where it was a moment only."""
    return _span(watch.since, watch.seen_at) if now - watch.seen_at > GAP else None


def _span(start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    return (start, end) if start < end else None
