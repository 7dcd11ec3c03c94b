"""Pending jobs and open attempts as structures of arrays; which jobs are alike."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from labs.scheduling.domain import predict
from labs.scheduling.domain.snapshot import Id, PendingJob, RunningJob

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Spec(NamedTuple):
    """What a job asks of a GPU and its place, apart from how many: it decides which nodes compete for it."""

    gpu_type: str | None
    min_gpu_memory_mib: int | None
    site_id: Id | None


class JobClass(NamedTuple):
    """Jobs for which the same nodes will do. What is proved of one as to room is proved of all."""

    spec: int
    gpus: int


def id_key(value: Any) -> Any:
    """Order ids of one type; a UUID by its number, since comparing UUID objects is slow."""
    return value.int if isinstance(value, UUID) else value


def column(items: Iterable[Any], name: str) -> Floats:
    """One attribute of many values as an array; None becomes NaN."""
    return np.array(list(map(attrgetter(name), items)), dtype=np.float64)


class Backlog:
    """Pending jobs by (submitted_at, id). That index is what ties break by, so the input order never matters."""

    def __init__(self, pending: Iterable[PendingJob]) -> None:
        self.jobs = sorted(pending, key=lambda job: (job.submitted_at, id_key(job.id)))
        self.size = len(self.jobs)
        self.submitted_at = column(self.jobs, "submitted_at")
        eligible_at = column(self.jobs, "eligible_at")
        self.eligible_at: Floats = np.where(np.isnan(eligible_at), self.submitted_at, eligible_at)
        self.wall_s = column(self.jobs, "wall_s")
        self.deadline_at = column(self.jobs, "deadline_at")
        self.not_before = column(self.jobs, "not_before")
        self.attempt = column(self.jobs, "attempt")
        self.gpus: Ints = column(self.jobs, "gpus").astype(np.int64)
        self.p50_s, self.p90_s = predict.filled(
            column(self.jobs, "predicted_p50_s"),
            column(self.jobs, "predicted_p90_s"),
            self.wall_s,
        )
        self.mean_s, self.variance = predict.moments(self.p50_s, self.p90_s)
        #: Predicted GPU-seconds, whole numbers: sums of them are exact, so no order of summing changes a plan.
        self.cost_gpu_s: Floats = np.maximum(1.0, np.rint(self.gpus * self.p50_s))
        self._classify()

    def _classify(self) -> None:
        specs: dict[Spec, int] = {}
        classes: dict[JobClass, int] = {}
        class_of: list[int] = []
        for job in self.jobs:
            spec = Spec(job.gpu_type, job.min_gpu_memory_mib, job.required_site_id)
            number = specs.setdefault(spec, len(specs))
            class_of.append(classes.setdefault(JobClass(number, job.gpus), len(classes)))
        self.specs = list(specs)
        self.classes = list(classes)
        self.class_of: Ints = np.array(class_of, dtype=np.int64)
        spec_of_class = np.array([entry.spec for entry in self.classes], dtype=np.int64)
        self.spec_of: Ints = spec_of_class[self.class_of] if self.classes else self.class_of


#: A run that has outlived its wall limit is about to be ended, yet holds its GPUs: they are not free now.
OVERDUE_S = 1.0


class Runs:
    """Open attempts as arrays: how many GPUs each holds, and until when by its wall limit and by prediction."""

    def __init__(self, running: Iterable[RunningJob], now: float) -> None:
        self.runs = list(running)
        self.gpus: Ints = np.array([len(run.gpu_indices) for run in self.runs], dtype=np.int64)
        started_at = column(self.runs, "started_at")
        wall_s = column(self.runs, "wall_s")
        planned_s, p90_s = predict.filled(
            column(self.runs, "predicted_p50_s"),
            column(self.runs, "predicted_p90_s"),
            wall_s,
        )
        elapsed_s = now - started_at
        p50_s, p90_s = predict.corrected(planned_s, p90_s, elapsed_s, wall_s)
        self.wall_end_at: Floats = np.maximum(started_at + wall_s, now + OVERDUE_S)
        self.p50_end_at: Floats = np.maximum(started_at + p50_s, now + OVERDUE_S)
        _, self.variance = predict.moments(np.maximum(p50_s, 1.0), p90_s)
        #: GPU-seconds for fair share: what was charged at the start, or what it has used since if that is more.
        self.cost_gpu_s: Floats = np.maximum(1.0, np.rint(self.gpus * np.maximum(planned_s, elapsed_s)))
