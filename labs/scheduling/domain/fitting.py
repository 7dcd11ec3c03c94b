"""Fitting start ranges to what became of the last promises, so that they hold as often as they say.

How much longer or shorter a wait turns out than planned hangs on the queue: newcomers that go ahead stretch it, filling
gaps shortens it, and no constant fits two campuses. So each range is multiplied by what would have held for the last
promises. Who still waits counts, too: for at least the time until now (Kaplan and Meier, 1958,
"Nonparametric estimation from incomplete observations"); left out, those who wait longest would be left out most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Promises that are looked back upon, the newest.
LAST = 1_000
#: With fewer that came true in a group its ranges stay as planned.
LEAST = 50
#: Short and long waits err differently, so each has factors of its own, found from waits planned to last up to an hour
#: and more. A wait planned in between the two times below gets something in between, so that later stays later.
SHORT_S = 3_600.0
ALL_SHORT_S, ALL_LONG_S = 600.0, 86_400.0
#: A wait is not told apart from one of a minute: decisions take their time.
FLOOR_S = 60.0
LEAST_FACTOR, MOST_FACTOR = 0.05, 4.0


class Outcome(NamedTuple):
    """A promise: the seconds that were planned before any fit, and those waited until the start, or until now."""

    p50_s: float
    p90_s: float
    waited_s: float
    has_started: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """What planned waits are multiplied by. As it is without outcomes, it changes nothing."""

    short_p50: float = 1.0
    short_p90: float = 1.0
    long_p50: float = 1.0
    long_p90: float = 1.0

    @classmethod
    def of(cls, stored: dict[str, float]) -> Self:
        """As ``as_json`` made it; an empty one changes nothing."""
        return cls(**stored)

    def as_json(self) -> dict[str, float]:
        """What can be stored."""
        return asdict(self)

    def fitted(self, p50_s: Floats, p90_s: Floats) -> tuple[Floats, Floats]:
        """Ranges of waits in seconds (NaN where nobody knows), fitted; a P90 is never before its P50."""
        with np.errstate(divide="ignore"):
            long = np.clip(np.log(p50_s / ALL_SHORT_S) / np.log(ALL_LONG_S / ALL_SHORT_S), 0.0, 1.0)
        p50 = p50_s * self.short_p50 ** (1.0 - long) * self.long_p50**long
        p90 = p90_s * self.short_p90 ** (1.0 - long) * self.long_p90**long
        return np.asarray(p50), np.asarray(np.maximum(p50, p90))


def fit(outcomes: Sequence[Outcome]) -> Fit:
    """Find the factors with which half, and nine tenths, of these promises would have held."""
    if not outcomes:
        return Fit()
    p50_s, p90_s, waited_s, started = (np.array(each, dtype=np.float64) for each in zip(*outcomes, strict=True))
    has_started = started > 0
    factors = []
    for group in (p50_s <= SHORT_S, p50_s > SHORT_S):
        for planned_s, share in ((p50_s, 0.5), (p90_s, 0.9)):
            ratio = waited_s[group] / np.maximum(planned_s[group], FLOOR_S)
            factors.append(_factor(ratio, has_started[group], share))
    return Fit(*factors)


def _factor(ratio: Floats, has_started: NDArray[np.bool_], share: float) -> float:
    if has_started.sum() < LEAST:
        return 1.0
    reached = quantile(ratio, has_started, share)
    return 1.0 if reached is None else min(max(reached, LEAST_FACTOR), MOST_FACTOR)


def quantile(values: Floats, is_known: NDArray[np.bool_], share: float) -> float | None:
    """The least value that such a share stay under (Kaplan-Meier); one that is not known is at least what it says.

    None where too many are unknown to say.
    """
    order = np.lexsort((~is_known, values))
    left = len(values) - np.arange(len(values))
    above = np.cumprod(np.where(is_known[order], 1.0 - 1.0 / left, 1.0))
    reached = np.flatnonzero(above <= 1.0 - share + 1e-9)
    return float(values[order[reached[0]]]) if len(reached) else None
