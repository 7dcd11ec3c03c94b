"""How long a run will take, as a range, from runs that have finished. A prediction plans; it never kills.

Tsafrir, Etsion and Feitelson (2007, "Backfilling using system-generated predictions rather than user runtime
estimates") predict from a user's own runs, apart from the limit, and correct upward when a run outlives it. Run times
spread over orders of magnitude, so the P50 is the geometric mean of many runs rather than the mean of the last two (on
Philly their logarithms miss by 1.40 and 1.57), drawn to the runs of the same burst as soon as there are any.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from labs.scheduling.domain.snapshot import Id

Floats = NDArray[np.float64]

#: Standard deviations between the P50 and the P90 of a normal distribution.
P90_SIGMAS = 1.2816

#: Without any finished run: users ask for about four times what they use (accuracy 0.23 on the Philly trace).
UNKNOWN_P50_OF_WALL = 0.25
OWN_RUNS = LAB_RUNS = 50
#: A P90 follows what changes, so it goes by the last few.
RECENT_RUNS = 10
#: What one owner submits of one work within so many seconds is taken to be alike (Zakay and Feitelson's batches).
BURST_S = 300.0
#: With fewer samples than this no order statistic is a P90, and the longest run is stretched instead.
ENOUGH_SAMPLES = 9
LEAST_SPREAD = 1.3


@dataclass(frozen=True, slots=True)
class Prediction:
    """Run seconds that half, and nine tenths, of such runs stay under."""

    p50_s: float
    p90_s: float


def predict(own_s: Sequence[float], lab_s: Sequence[float], wall_s: float, burst_s: Sequence[float] = ()) -> Prediction:
    """Predict a run from finished runs, each list in seconds and oldest first; all may be empty.

    ``own_s`` are the owner's runs of the same lab, ``lab_s`` everyone's, ``burst_s`` the owner's of the same burst,
    before which the rest count as one run. The wall limit bounds the answer.
    """
    own, lab = list(own_s[-OWN_RUNS:]), list(lab_s[-LAB_RUNS:])
    if not own and not lab:
        return Prediction(p50_s=max(1.0, wall_s * UNKNOWN_P50_OF_WALL), p90_s=max(1.0, wall_s))
    if len(own) == 1 and lab:
        p50 = _geometric_mean([own[0], median(lab)])
    else:
        p50 = _geometric_mean(own) if own else median(lab)
    if burst_s:
        p50 = _geometric_mean([*burst_s, p50])
    recent = own[-RECENT_RUNS:]
    p90 = max(_upper_decile(recent if len(recent) >= ENOUGH_SAMPLES else recent + lab), p50 * LEAST_SPREAD)
    p50 = min(max(p50, 1.0), wall_s)
    return Prediction(p50_s=p50, p90_s=min(max(p90, p50), wall_s))


def _geometric_mean(runs_s: Sequence[float]) -> float:
    return math.exp(sum(math.log(max(run_s, 1.0)) for run_s in runs_s) / len(runs_s))


def _upper_decile(sample: Sequence[float]) -> float:
    ordered = sorted(sample)
    n = len(ordered)
    if n < ENOUGH_SAMPLES:
        return ordered[-1] * (1 + 1 / n)
    return ordered[min(n, math.ceil((n + 1) * 0.9)) - 1]


#: Owner, work and number of a burst.
Burst = tuple[Id, str, int]


def burst_of(owner_id: Id, work_key: str, submitted_at: float) -> Burst:
    """The burst that a job belongs to; ``submitted_at`` in seconds since the epoch."""
    return owner_id, work_key, int(submitted_at // BURST_S)


def trials(waiting: Iterable[tuple[Id, Burst]], tried: Collection[Burst]) -> set[Id]:
    """The jobs that go first for their burst, so that the length of the rest becomes known.

    ``waiting`` are jobs with their bursts, first submitted first; ``tried`` the bursts of which a run goes on or has
    ended. A job that waits alone has nobody to try for.
    """
    first: dict[Burst, Id] = {}
    found = set()
    for job_id, burst in waiting:
        if burst in first:
            found.add(first[burst])
        elif burst not in tried:
            first[burst] = job_id
    return found


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
