"""What is said of a replay: waits, slowdown, use, fairness, and how often promised starts held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labs.scheduling.replay.simulator import Replayed

#: Runs shorter than this count as this long in the slowdown (Feitelson et al., 1997).
SLOWDOWN_FLOOR_S = 10.0
WIDE_GPUS = 8


@dataclass(frozen=True, slots=True)
class Promise:
    """What a job was told when it came, and when it began: seconds since the epoch."""

    number: int
    told_at: float
    p50_at: float
    p90_at: float
    started_at: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many promises were made, and the share of them that began by their P50 and by their P90."""

    promises: int
    p50: float | None
    p90: float | None
    #: Median length of what was promised as P90, as a multiple of the wait that came (1 would be an oracle).
    p90_over_wait: float | None


@dataclass(frozen=True, slots=True)
class Measures:
    """One row of the table. Waits in seconds; utilisation and fairness between 0 and 1."""

    jobs: int
    mean_wait_s: float
    p95_wait_s: float
    mean_slowdown: float
    median_slowdown: float
    utilisation: float
    wide_jobs: int
    wide_p95_wait_s: float | None
    wide_mean_wait_s: float | None
    fairness: float


def measure(done: Replayed) -> Measures:
    """Measure a whole replay."""
    jobs = done.trace.jobs
    waits = np.array([done.started_s[job.number] - job.submit_s for job in jobs])
    runs = np.array([job.run_s for job in jobs])
    wide = np.array([job.width >= WIDE_GPUS for job in jobs])
    slowdowns = bounded_slowdown(waits, runs)
    return Measures(
        jobs=len(jobs),
        mean_wait_s=float(waits.mean()),
        p95_wait_s=float(np.percentile(waits, 95)),
        mean_slowdown=float(slowdowns.mean()),
        median_slowdown=float(np.median(slowdowns)),
        utilisation=done.used_gpu_s / (done.trace.gpus * done.window_s) if done.window_s else 0.0,
        wide_jobs=int(wide.sum()),
        wide_p95_wait_s=float(np.percentile(waits[wide], 95)) if wide.any() else None,
        wide_mean_wait_s=float(waits[wide].mean()) if wide.any() else None,
        fairness=jain(service(done).values()),
    )


def bounded_slowdown(
    waits_s: np.ndarray[tuple[int], np.dtype[np.float64]], runs_s: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(wait + run) ÷ max(run, 10 s), and never below 1."""
    return np.maximum(1.0, (waits_s + runs_s) / np.maximum(runs_s, SLOWDOWN_FLOOR_S))


def service(done: Replayed) -> Mapping[str, float]:
    """For each owner the share of the time that their GPU work spent in the system in which it ran.

    GPU-seconds run ÷ GPU-seconds of run and wait: 1 for who never waited, 0.5 for who waited as long as they ran.
    """
    ran: dict[str, float] = defaultdict(float)
    stayed: dict[str, float] = defaultdict(float)
    for job in done.trace.jobs:
        wait_s = done.started_s[job.number] - job.submit_s
        ran[job.owner] += job.width * job.run_s
        stayed[job.owner] += job.width * (job.run_s + wait_s)
    return {owner: ran[owner] / stayed[owner] for owner in ran}


def jain(values: Iterable[float]) -> float:
    """Jain's index (Jain, Chiu and Hawe, 1984): 1 if all values are equal, 1/n if one has everything."""
    given = np.array(list(values), dtype=np.float64)
    squares = float((given**2).sum())
    return float(given.sum() ** 2 / (len(given) * squares)) if squares else 1.0


def coverage(promises: Sequence[Promise], slack_s: float) -> Coverage:
    """How often starts came within what was promised; ``slack_s`` is the interval of decisions, which is no delay."""
    if not promises:
        return Coverage(0, None, None, None)
    held50 = sum(p.started_at <= p.p50_at + slack_s for p in promises)
    held90 = sum(p.started_at <= p.p90_at + slack_s for p in promises)
    ratios = [(p.p90_at - p.told_at) / max(slack_s, p.started_at - p.told_at) for p in promises]
    return Coverage(len(promises), held50 / len(promises), held90 / len(promises), float(np.median(ratios)))
