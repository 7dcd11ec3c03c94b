"""What may be asked to end: preemptible runs, and shared GPUs with all that runs on them; and which of them suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from labs.scheduling.domain.backlog import Runs, id_key
from labs.scheduling.domain.pool import Pool
from labs.scheduling.domain.reservations import Reservations
from labs.scheduling.domain.shared import Shared
from labs.scheduling.domain.snapshot import WHOLE_GPU, RunningJob


@dataclass(frozen=True, slots=True)
class Victim:
    """What comes free together: the GPUs of one run, or one shared GPU with all that runs on it."""

    #: Those that have not been asked yet.
    runs: tuple[RunningJob, ...]
    #: GPUs by row of the pool.
    gpus: dict[int, int]
    #: When they come free otherwise, by wall limit and by prediction.
    ends: tuple[float, float]
    #: GPU-seconds used so far.
    lost: float
    grace_s: float
    started_at: float
    shared: Shared | None = None

    @property
    def comes_free(self) -> bool:
        """True if the GPUs come free when the runs end: nothing has joined them in this pass."""
        return self.shared is None or not self.shared.is_joined

    @property
    def key(self) -> tuple[float, object]:
        """Least lost first."""
        return self.lost, id_key(self.runs[0].job_id)

    @property
    def is_borrowed(self) -> bool:
        return self.runs[0].is_borrowed


def victims(runs: Runs, pool: Pool, reservations: Reservations, now: float) -> list[Victim]:
    """All that may be asked to end, the least lost work first. Who runs upon a class never is."""
    return sorted(_find(runs, pool, reservations, now), key=lambda victim: victim.key)


def _find(runs: Runs, pool: Pool, reservations: Reservations, now: float) -> Iterator[Victim]:
    shared: dict[tuple[int, int], list[int]] = {}
    for i, run in enumerate(runs.runs):
        if not run.is_preemptible or reservations.is_upon(run):
            continue
        gpus = {pool.row_of[part.node_id]: part for part in run.places if part.node_id in pool.row_of}
        if run.gpu_milli < WHOLE_GPU:
            for row, part in gpus.items():
                shared.setdefault((row, part.gpu_indices[0]), []).append(i)
        elif gpus and not run.is_ending:
            yield _victim(runs, [i], {row: len(part.gpu_indices) for row, part in gpus.items()}, now)
    for at, together in shared.items():
        if pool.shared.at[at].tenant.is_preemptible and not all(runs.runs[i].is_ending for i in together):
            yield _victim(runs, together, {at[0]: 1}, now, pool.shared.at[at])


def _victim(
    runs: Runs, numbers: Sequence[int], gpus: dict[int, int], now: float, shared: Shared | None = None
) -> Victim:
    chosen = [runs.runs[i] for i in numbers if not runs.runs[i].is_ending]
    return Victim(
        runs=tuple(sorted(chosen, key=lambda run: id_key(run.job_id))),
        gpus=gpus,
        ends=(max(float(runs.wall_end_at[i]) for i in numbers), max(float(runs.p50_end_at[i]) for i in numbers)),
        lost=round(sum(float(runs.units[i]) * (now - runs.runs[i].started_at) for i in sorted(numbers)), 3),
        grace_s=max(run.grace_s for run in chosen),
        started_at=max(run.started_at for run in chosen),
        shared=shared,
    )


def enough(able: Iterable[Victim], lacking: int, gpus: Callable[[Victim], int]) -> list[Victim] | None:
    """The first of these (least lost first) that give enough, without those that are not needed; None if too few."""
    chosen: list[Victim] = []
    missing = lacking
    for victim in able:
        if missing <= 0:
            break
        chosen.append(victim)
        missing -= gpus(victim)
    if missing > 0:
        return None
    for victim in reversed(chosen.copy()):
        if missing + gpus(victim) <= 0:
            chosen.remove(victim)
            missing += gpus(victim)
    return chosen
