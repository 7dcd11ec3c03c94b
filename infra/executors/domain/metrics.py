"""Live metrics: finds lines of JSON numbers in a stream of bytes that arrives in pieces."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

MAX_LINE = 8 * 1024
MAX_KEYS = 32
MAX_KEY_LENGTH = 64
MAX_POINTS = 20_000
# Past this an integer is no longer exact as a JSON number in a browser.
MAX_EXACT_INTEGER = 2**53

Point = dict[str, float]


def parse_point(line: bytes) -> Point | None:
    """The finite numbers of one line that is a JSON object; None when it is not one or holds none.

    Values that are no finite numbers (text, lists, booleans, NaN) and keys that are empty, too long or
    unprintable are left out; of more than `MAX_KEYS` the first ones stay.
    """
    line = line.strip()
    if len(line) > MAX_LINE or not (line.startswith(b"{") and line.endswith(b"}")):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    point: Point = {}
    for key, value in record.items():
        number = _finite(value)
        if number is not None and 0 < len(key) <= MAX_KEY_LENGTH and key.isprintable():
            point[key] = number
            if len(point) == MAX_KEYS:
                break
    return point or None


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) <= MAX_EXACT_INTEGER:
        return value
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


@dataclass(slots=True)
class LineSplitter:
    """Gives the whole lines of a stream, however it is cut; a line over `MAX_LINE` bytes is skipped."""

    _partial: bytes = b""
    _is_skipping: bool = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without their newline."""
        *complete, rest = chunk.split(b"\n")
        lines = []
        for piece in complete:
            if not self._is_skipping and len(self._partial) + len(piece) <= MAX_LINE:
                lines.append(self._partial + piece)
            self._partial, self._is_skipping = b"", False
        self._keep(rest)
        return lines

    def finish(self) -> list[bytes]:
        """The last line, when the stream ended without a newline."""
        last = [self._partial] if self._partial and not self._is_skipping else []
        self._partial, self._is_skipping = b"", False
        return last

    def _keep(self, rest: bytes) -> None:
        if self._is_skipping or len(self._partial) + len(rest) > MAX_LINE:
            self._partial, self._is_skipping = b"", True
        else:
            self._partial += rest


@dataclass(slots=True)
class PointBudget:
    """How many points a run may still give, over all its streams."""

    left: int = MAX_POINTS

    def take(self) -> bool:
        """Use up one; False when none is left."""
        self.left = max(self.left - 1, -1)
        return self.left >= 0


@dataclass(slots=True)
class MetricStream:
    """One stream of bytes in, points out, within a budget that several streams may share."""

    budget: PointBudget = field(default_factory=PointBudget)
    _lines: LineSplitter = field(default_factory=LineSplitter)

    def feed(self, chunk: bytes) -> list[Point]:
        """The points on the lines that this chunk completes."""
        return self._points(self._lines.feed(chunk))

    def finish(self) -> list[Point]:
        """The point on an unfinished last line, if any."""
        return self._points(self._lines.finish())

    def _points(self, lines: list[bytes]) -> list[Point]:
        points = (parse_point(line) for line in lines)
        return [point for point in points if point is not None and self.budget.take()]
