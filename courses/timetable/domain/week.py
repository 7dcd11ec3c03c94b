"""Where a class stands in a week's grid: day, quarter hours, and a lane beside those at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

QUARTER = 15
FIRST_HOUR, LAST_HOUR = 8, 22


@dataclass(frozen=True, slots=True)
class Span:
    """Something with a time; `key` finds it again."""

    key: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Box:
    """A span in a day's grid: its first row and how many, in quarter hours from the first hour; its lane of `lanes`."""

    key: int
    on: date
    row: int
    rows: int
    lane: int
    lanes: int


def hours_shown(spans: Sequence[Span], zone: tzinfo) -> tuple[int, int]:
    """The hours that a grid must show: 8 to 22, or earlier and later where something is."""
    first, last = FIRST_HOUR, LAST_HOUR
    for span in spans:
        start, end = span.starts_at.astimezone(zone), span.ends_at.astimezone(zone)
        first = min(first, start.hour)
        last = 24 if end.date() > start.date() else max(last, end.hour + (1 if end.minute else 0))
    return first, last


def boxes(spans: Sequence[Span], zone: tzinfo, first_hour: int = 0) -> list[Box]:
    """Lay out spans; those that overlap in a chain share the width in equal lanes. What goes past midnight is cut."""
    ordered = sorted(spans, key=lambda span: (span.starts_at, -span.ends_at.timestamp(), span.key))
    found: list[Box] = []
    chain: list[tuple[Span, int]] = []
    chain_end: datetime | None = None
    for span in ordered:
        if chain_end is not None and span.starts_at >= chain_end:
            found += _placed(chain, zone, first_hour)
            chain, chain_end = [], None
        busy = {lane for other, lane in chain if other.ends_at > span.starts_at}
        chain.append((span, next(lane for lane in range(len(chain) + 1) if lane not in busy)))
        chain_end = span.ends_at if chain_end is None else max(chain_end, span.ends_at)
    return found + _placed(chain, zone, first_hour)


def _placed(chain: Sequence[tuple[Span, int]], zone: tzinfo, first_hour: int) -> list[Box]:
    lanes = 1 + max((lane for _span, lane in chain), default=0)
    return [_box(span, lane, lanes, zone, first_hour) for span, lane in chain]


def _box(span: Span, lane: int, lanes: int, zone: tzinfo, first_hour: int) -> Box:
    start = span.starts_at.astimezone(zone)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    end = min(span.ends_at.astimezone(zone), midnight + timedelta(days=1))
    from_row = (start.hour * 60 + start.minute) // QUARTER
    minutes = (end - midnight) // timedelta(minutes=1)
    rows = max(1, -(-minutes // QUARTER) - from_row)
    return Box(span.key, start.date(), from_row - first_hour * 60 // QUARTER + 1, rows, lane + 1, lanes)
