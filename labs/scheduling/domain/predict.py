"""How long a run will take, as a range, from runs that have finished. A prediction plans; it never kills.

Tsafrir, Etsion and Feitelson (2007, "Backfilling using system-generated predictions rather than user runtime
estimates") predict the mean of a user's last two runs and correct it upward when a run outlives it. On our traces
that mean is too low half of the time, so it serves as the P50 and a P90 is given beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Standard deviations between the P50 and the P90 of a normal distribution.
P90_SIGMAS = 1.2816

#: Without any finished run: users ask for about four times what they use (accuracy 0.23 on the Philly trace).
UNKNOWN_P50_OF_WALL = 0.25
OWN_RUNS = 10
LAB_RUNS = 50
#: With fewer samples than this no order statistic is a P90, and the longest run is stretched instead.
ENOUGH_SAMPLES = 9
LEAST_SPREAD = 1.3


@dataclass(frozen=True, slots=True)
class Prediction:
    """Run seconds that half, and nine tenths, of such runs stay under."""

    p50_s: float
    p90_s: float


def predict(own_s: Sequence[float], lab_s: Sequence[float], wall_s: float) -> Prediction:
    """Predict a run from finished runs, each list in seconds and oldest first; both may be empty.

    ``own_s`` are the owner's runs of the same lab, ``lab_s`` everyone's. The wall limit bounds the answer.
    """
    own, lab = list(own_s[-OWN_RUNS:]), list(lab_s[-LAB_RUNS:])
    if not own and not lab:
        return Prediction(p50_s=max(1.0, wall_s * UNKNOWN_P50_OF_WALL), p90_s=max(1.0, wall_s))
    if len(own) >= 2:
        p50 = (own[-1] + own[-2]) / 2
    elif own and lab:
        p50 = (own[-1] + median(lab)) / 2
    else:
        p50 = own[-1] if own else median(lab)
    sample = own if len(own) >= ENOUGH_SAMPLES else own + lab
    p90 = max(_upper_decile(sample), p50 * LEAST_SPREAD)
    p50 = min(max(p50, 1.0), wall_s)
    return Prediction(p50_s=p50, p90_s=min(max(p90, p50), wall_s))


def _upper_decile(sample: Sequence[float]) -> float:
    ordered = sorted(sample)
    n = len(ordered)
    if n < ENOUGH_SAMPLES:
        return ordered[-1] * (1 + 1 / n)
    return ordered[min(n, math.ceil((n + 1) * 0.9)) - 1]


def filled(p50_s: Floats, p90_s: Floats, wall_s: Floats) -> tuple[Floats, Floats]:
    """Fill in what is unknown (NaN) from the wall limit and keep ``1 <= p50 <= p90 <= wall`` (arrays of seconds)."""
    p50 = np.where(np.isnan(p50_s), wall_s * UNKNOWN_P50_OF_WALL, p50_s)
    p90 = np.where(np.isnan(p90_s), wall_s, p90_s)
    p50 = np.minimum(np.maximum(p50, 1.0), wall_s)
    return p50, np.minimum(np.maximum(p90, p50), wall_s)


def corrected(p50_s: Floats, p90_s: Floats, elapsed_s: Floats, wall_s: Floats) -> tuple[Floats, Floats]:
    """Correct predictions of whole runs upward once they are exceeded (arrays of seconds; the wall limit bounds).

    Past its P50 a run is expected half-way to its P90. Past its P90 it is expected to take half as long again as it
    has taken: run times are heavy-tailed, so what has lasted long lasts longer.
    """
    past_p50, past_p90 = elapsed_s >= p50_s, elapsed_s >= p90_s
    p50 = np.where(past_p90, elapsed_s * 1.5, np.where(past_p50, (elapsed_s + p90_s) / 2, p50_s))
    p90 = np.where(past_p90, elapsed_s * 3.0, p90_s)
    p50 = np.minimum(p50, wall_s)
    return p50, np.minimum(np.maximum(p90, p50), wall_s)


def moments(p50_s: Floats, p90_s: Floats) -> tuple[Floats, Floats]:
    """Mean and variance (seconds, seconds squared) of runs, taken as lognormal with these quantiles.

    Run times are skewed, so the mean, which is what adds up along a chain of runs, lies above the P50. It is bounded
    by the P90.
    """
    sigma = np.log(np.maximum(p90_s, p50_s) / p50_s) / P90_SIGMAS
    mean = np.minimum(p50_s * np.exp(np.minimum(sigma, 3.0) ** 2 / 2), p90_s)
    return mean, ((p90_s - p50_s) / P90_SIGMAS) ** 2
