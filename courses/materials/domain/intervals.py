"""Credit for watching: the union of what was played, never more than the time that passed allows.

Times are whole milliseconds of the video. A report claims pieces that were played; the clock between two reports of one
person and version, of whatever tab, says how much of them can be true. Pieces are half-open, [start, end).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Piece = tuple[int, int]

MAX_SPEED = 2
#: What a report may be early against the clock: timers and networks are not exact.
SLACK_MS = 3_000
#: Time that passed without a report counts up to this: a page that was offline reports late.
MOST_GAP_MS = 120_000
#: A claim that ends this much after the end is a forgery, not rounding.
END_SLACK_MS = 2_000
MOST_CLAIMS = 50
MOST_PIECES = 500


class BadClaim(ValueError):
    """A report that no player sends. `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Watched:
    """What one person watched of one version. `at_ms` is the clock at the last report, None before the first."""

    pieces: tuple[Piece, ...] = ()
    at_ms: int | None = None
    slack_ms: int = 0

    @property
    def total_ms(self) -> int:
        return length(self.pieces)


@dataclass(frozen=True, slots=True)
class Credited:
    """The state after a report, the pieces of it that counted, and how much did not because it came too fast."""

    watched: Watched
    counted: tuple[Piece, ...]
    refused_ms: int


def claims(said: object, duration_ms: int) -> tuple[Piece, ...]:
    """Read what a player reports, pairs of seconds, as pieces within the video. Raises BadClaim."""
    if not isinstance(said, list):
        raise BadClaim("not_a_list")
    if len(said) > MOST_CLAIMS:
        raise BadClaim("too_many")
    return merge(_piece(pair, duration_ms) for pair in said)


def place(said: object, duration_ms: int) -> int:
    """Read where a player stands, in seconds, as milliseconds within the video. Raises BadClaim."""
    return min(max(0, _ms(said)), duration_ms)


def merge(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Return the union, in order, without pieces that touch or overlap."""
    found: list[Piece] = []
    for start, end in sorted(piece for piece in pieces if piece[1] > piece[0]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def length(pieces: Iterable[Piece]) -> int:
    """Return the milliseconds that pieces without overlap hold."""
    return sum(end - start for start, end in pieces)


def gaps(pieces: Sequence[Piece], duration_ms: int) -> tuple[Piece, ...]:
    """Return what is missing from merged pieces up to the end."""
    edges = [0, *(edge for piece in pieces for edge in piece), duration_ms]
    return tuple((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start)


def first(pieces: Iterable[Piece], most_ms: int) -> tuple[Piece, ...]:
    """Return merged pieces from the front, cut where they hold `most_ms`."""
    found: list[Piece] = []
    for start, end in pieces:
        if most_ms <= 0:
            break
        found.append((start, min(end, start + most_ms)))
        most_ms -= end - start
    return tuple(found)


def credit(watched: Watched, claimed: Sequence[Piece], now_ms: int) -> Credited:
    """Count what a report claims as far as the clock allows: the time since the last report, at twice the speed.

    The first report only starts the clock. A clock that runs backwards allows nothing.
    """
    if watched.at_ms is None:
        slack, passed = SLACK_MS, 0
    else:
        slack, passed = watched.slack_ms, max(0, min(now_ms - watched.at_ms, MOST_GAP_MS))
    allowed = passed * MAX_SPEED + slack
    counted = first(claimed, allowed)
    pieces = merge((*watched.pieces, *counted))
    if len(pieces) > MOST_PIECES:  # nobody watches like that; what counted before stays
        pieces, counted = watched.pieces, ()
    after = replace(
        watched,
        pieces=pieces,
        at_ms=now_ms if watched.at_ms is None else max(now_ms, watched.at_ms),
        slack_ms=max(0, min(SLACK_MS, allowed - length(claimed))),
    )
    return Credited(after, counted, length(claimed) - length(counted))


def percent(watched_ms: int, duration_ms: int) -> int:
    """Return whole percent, rounded down, so that 100 means all of it. The last second may be missing.

    Players stop some frames before the end that the file names.
    """
    if duration_ms <= 0:
        return 0
    if duration_ms - watched_ms <= min(1_000, duration_ms // 20):
        return 100
    return watched_ms * 100 // duration_ms


def _piece(pair: object, duration_ms: int) -> Piece:
    if not isinstance(pair, list) or len(pair) != 2:
        raise BadClaim("not_a_pair")
    start, end = (_ms(edge) for edge in pair)
    if start < 0 or end <= start:
        raise BadClaim("no_interval")
    if end > duration_ms + END_SLACK_MS or start >= duration_ms + END_SLACK_MS:
        raise BadClaim("beyond_the_end")
    return min(start, duration_ms), min(end, duration_ms)


def _ms(edge: object) -> int:
    if isinstance(edge, bool) or not isinstance(edge, int | float) or not math.isfinite(edge):
        raise BadClaim("not_a_time")
    return round(edge * 1000)
