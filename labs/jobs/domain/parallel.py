"""Parallel coordinates: where the axes of a sweep stand, and the line of each run through them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .sweeps import as_text

WIDTH, HEIGHT = 1000, 300
TOP, BOTTOM, SIDE = 44, 14, 70
LOG_FROM = 20.0
"""Positive values whose largest is so many times the smallest are spread by powers: learning rates, mostly."""
MOST_WORDS = 12
BANDS = 5
MOST_MARKS = 5
"""So many different numbers are all marked; of more the ends and the middle."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: what it says and how far down it stands."""

    text: str
    y: float


@dataclass(frozen=True)
class Axis:
    name: str
    x: float
    ticks: tuple[Tick, ...]
    is_log: bool = False


@dataclass(frozen=True)
class Line:
    """A run: the points of its polyline in SVG's words, and its band by the last axis, 0 the best."""

    key: int
    points: str
    band: int
    is_best: bool


@dataclass(frozen=True)
class Picture:
    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def draw(
    names: Sequence[str], rows: Sequence[tuple[int, Sequence[Any]]], *, is_higher_better: bool, best: int | None
) -> Picture:
    """Lay out (key, a value for each name) rows; the last name is what the runs are ranked by.

    Lines come worst first, so that the best is drawn over the others. A row without a value on some axis is left out.
    """
    whole = [row for row in rows if all(_is_shown(value) for value in row[1])]
    columns = list(zip(*(row[1] for row in whole), strict=True)) if whole else [() for _name in names]
    scales = [_Scale(column) for column in columns]
    step = (WIDTH - 2 * SIDE) / max(1, len(names) - 1)
    xs = [round(SIDE + place * step, 1) for place in range(len(names))]
    axes = tuple(Axis(name, x, scale.ticks(), scale.is_log) for name, x, scale in zip(names, xs, scales, strict=True))
    bands = _bands({key: values[-1] for key, values in whole}, is_higher_better)
    lines = [
        Line(
            key,
            " ".join(f"{x},{scale.y(value)}" for x, scale, value in zip(xs, scales, values, strict=True)),
            bands[key],
            key == best,
        )
        for key, values in whole
    ]
    return Picture(axes, tuple(sorted(lines, key=lambda line: (line.is_best, -line.band, line.key))))


def _is_shown(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _bands(scores: dict[int, Any], is_higher_better: bool) -> dict[int, int]:
    """Fifths by rank; equal scores share the better band."""
    ranked = sorted(set(scores.values()), reverse=is_higher_better) if _are_numbers(list(scores.values())) else []
    if len(ranked) < 2:
        return dict.fromkeys(scores, 0)
    place = {score: index * BANDS // len(ranked) for index, score in enumerate(ranked)}
    return {key: place[score] for key, score in scores.items()}


def _are_numbers(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


class _Scale:
    """From the values of one axis to heights: numbers low to high, words in the order in which they came."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._is_numeric = _are_numbers(values)
        self._words = list(dict.fromkeys(map(as_text, values)))
        self._marks = sorted(set(values)) if self._is_numeric else []
        self._low: float = min(values) if self._is_numeric else 0
        self._high: float = max(values) if self._is_numeric else 0
        self.is_log = self._is_numeric and self._low > 0 and self._high / self._low >= LOG_FROM

    def y(self, value: Any) -> float:
        share = self._share(value)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def _share(self, value: Any) -> float:
        if not self._is_numeric:
            return (self._words.index(as_text(value)) + 0.5) / len(self._words)
        if self._high == self._low:
            return 0.5
        if self.is_log:
            return math.log(value / self._low) / math.log(self._high / self._low)
        return float((value - self._low) / (self._high - self._low))

    def ticks(self) -> tuple[Tick, ...]:
        if not self._is_numeric:
            step = max(1, math.ceil(len(self._words) / MOST_WORDS))
            return tuple(Tick(word, self.y(word)) for word in self._words[::step])
        if len(self._marks) <= MOST_MARKS:
            return tuple(Tick(_short(value), self.y(value)) for value in self._marks)
        middle = math.sqrt(self._low * self._high) if self.is_log else (self._low + self._high) / 2
        return tuple(Tick(_short(value), self.y(value)) for value in (self._low, middle, self._high))


def _short(value: float) -> str:
    return f"{value:.3g}" if not isinstance(value, int) or abs(value) >= 10**6 else str(value)
