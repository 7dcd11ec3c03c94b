"""What a measurement says: figures with median and p99, their aims, and whether they meet them. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MET, MISSED, NO_AIM, MISSING = "met", "missed", "no aim", "missing"
OF = ("median", "p99", "value")


@dataclass(frozen=True)
class Aim:
    """What a figure should reach: at most, or at least, `bound` for its median, its p99 or its single value."""

    bound: float
    of: str = "median"
    at_least: bool = False

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{self.of} {sign} {self.bound:g}"

    def is_met(self, figure: Figure) -> bool:
        """Say whether the figure reaches it; a figure that has no such number does not."""
        number = getattr(figure, self.of)
        if number is None:
            return False
        return bool(number >= self.bound if self.at_least else number <= self.bound)


@dataclass(frozen=True)
class Figure:
    """One figure. `n` samples give `median` and `p99`; `value` is what was counted or timed once.

    `p99` is the bad end: the slowest hundredth of times, and for rates the rate of the slowest hundredth.
    `why_missing` says what kept it from being measured.
    """

    topic: str
    name: str
    unit: str
    n: int = 0
    median: float | None = None
    p99: float | None = None
    value: float | None = None
    aim: Aim | None = None
    note: str = ""
    why_missing: str = ""

    @property
    def verdict(self) -> str:
        """met, missed, no aim, or missing."""
        if self.why_missing:
            return MISSING
        if self.aim is None:
            return NO_AIM
        return MET if self.aim.is_met(self) else MISSED

    def as_json(self) -> dict[str, Any]:
        """Everything of it, as the results file keeps it."""
        return asdict(self) | {"aim": str(self.aim) if self.aim else None, "verdict": self.verdict}


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all samples do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def times(
    topic: str, name: str, samples: Sequence[float], *, unit: str = "ms", aim: Aim | None = None, note: str = ""
) -> Figure:
    """A figure of durations: the less the better."""
    if not samples:
        return missing(topic, name, unit, "nothing was measured", aim=aim)
    return Figure(
        topic, name, unit, n=len(samples), median=statistics.median(samples), p99=percentile(samples, 0.99),
        aim=aim, note=note,
    )  # fmt: skip


def rates(
    topic: str, name: str, samples: Sequence[float], *, unit: str, overall: float | None = None,
    aim: Aim | None = None, note: str = "",
) -> Figure:  # fmt: skip
    """A figure of rates: the more the better, so that its p99 is the rate which 99 of 100 samples reach."""
    if not samples:
        return missing(topic, name, unit, "nothing was measured", aim=aim)
    slow = -percentile([-sample for sample in samples], 0.99)
    return Figure(
        topic,
        name,
        unit,
        n=len(samples),
        median=statistics.median(samples),
        p99=slow,
        value=overall,
        aim=aim,
        note=note,
    )


def count(topic: str, name: str, value: float, *, unit: str = "", aim: Aim | None = None, note: str = "") -> Figure:
    """A figure that is counted or timed once."""
    return Figure(topic, name, unit, n=1, value=value, aim=aim, note=note)


def missing(topic: str, name: str, unit: str, why: str, *, aim: Aim | None = None) -> Figure:
    """A figure that could not be measured, and why: it stays in the table."""
    return Figure(topic, name, unit, aim=aim, why_missing=why or "no reason was given")


def window_rates(finished_at: Sequence[float], size: int) -> list[float]:
    """Rates a second of each `size` consecutive ends, from their times in seconds."""
    ordered = sorted(finished_at)
    found = []
    for first in range(0, len(ordered) - size, size):
        took = ordered[first + size] - ordered[first]
        if took > 0:
            found.append(size / took)
    return found
