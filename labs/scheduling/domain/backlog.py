"""Pending jobs and open attempts as structures of arrays; which jobs are alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count, pairwise
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from labs.scheduling.domain import predict
from labs.scheduling.domain.access import Access
from labs.scheduling.domain.growing import Growing
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, Part, PendingJob, RunningJob

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Spec(NamedTuple):
    """What a job asks of a GPU and its place, apart from how many: it decides which nodes compete for it."""

    gpu_type: str | None
    min_gpu_memory_mib: int | None
    site_id: Id | None
    #: Which sites, lendings and class reservations its account may use (``Access.rights``).
    access: int = 0
    #: It is content with a part of a GPU, which not every node gives.
    is_share: bool = False


class JobClass(NamedTuple):
    """Jobs for which the same nodes will do. What is proved of one as to room is proved of all."""

    spec: int
    #: On each node.
    gpus: int
    nodes: int = 1
    milli: int = WHOLE_GPU
    #: Seconds that a preemptible job is given to end; None if it is not preemptible.
    grace_s: float | None = None

    @property
    def units(self) -> float:
        """GPUs in all; a fraction is its share."""
        return self.gpus * self.nodes * self.milli / WHOLE_GPU


def id_key(value: Any) -> Any:
    """Order ids of one type; a UUID by its number, since comparing UUID objects is slow."""
    return value.int if isinstance(value, UUID) else value


def table(items: Sequence[Any], names: Mapping[str, str]) -> NDArray[np.void]:
    """Attributes of many values as an array with a field for each, of that type; None becomes NaN.

    Read in one go, and best in the order in which the values were made: what costs is fetching them from memory.
    """
    return np.fromiter(map(attrgetter(*names), items), dtype=list(names.items()), count=len(items))


def by_submission(jobs: Sequence[PendingJob], submitted_at: Floats) -> Ints:
    """The order of jobs by (submitted_at, id). Sorting numbers first and ids only where they tie is what makes it
    fast."""
    order = np.argsort(submitted_at)
    at = submitted_at[order]
    changes = np.flatnonzero(np.diff(at)) + 1
    if len(changes) + 1 < len(jobs):
        for begin, end in pairwise([0, *changes.tolist(), len(jobs)]):
            if end - begin > 1:
                order[begin:end] = sorted(order[begin:end].tolist(), key=lambda i: id_key(jobs[i].id))
    return order


#: What is read of each job as a number.
_NUMBERS = {
    "submitted_at": "f8",
    "eligible_at": "f8",
    "wall_s": "f8",
    "deadline_at": "f8",
    "not_before": "f8",
    "predicted_p50_s": "f8",
    "predicted_p90_s": "f8",
    "slack_spent_s": "f8",
    "attempt": "f8",
    "max_running_of_group": "f8",
    "is_trial": "?",
    "has_room_made": "?",
    "waits_for": "?",
}
_ASKED = attrgetter(
    "gpu_type", "min_gpu_memory_mib", "required_site_id", "gpus", "nodes", "gpu_milli", "is_preemptible", "grace_s"
)


class Backlog:
    """Pending jobs by (submitted_at, id). That index is what ties break by, so the input order never matters."""

    def __init__(self, pending: Sequence[PendingJob], leaves: Ints, access: Access) -> None:
        """``leaves`` are those of the account tree, one for each of the jobs as they are given."""
        read = table(pending, _NUMBERS)
        order = by_submission(pending, read["submitted_at"])
        self.jobs = list(map(pending.__getitem__, order.tolist()))
        self.size = len(self.jobs)
        self.leaves: Ints = leaves[order]
        self.submitted_at: Floats = read["submitted_at"][order]
        eligible_at = read["eligible_at"][order]
        self.eligible_at: Floats = np.where(np.isnan(eligible_at), self.submitted_at, eligible_at)
        self.wall_s: Floats = read["wall_s"][order]
        self.deadline_at: Floats = read["deadline_at"][order]
        self.not_before: Floats = read["not_before"][order]
        self.slack_spent_s: Floats = read["slack_spent_s"][order]
        self.is_retried: Bools = read["attempt"][order] > 1
        self.is_trial: Bools = read["is_trial"][order]
        #: Runs were asked to end for these: they go first when they have.
        self.has_room_made: Bools = read["has_room_made"][order]
        #: Jobs that they depend on are open.
        self.is_dependent: Bools = read["waits_for"][order]
        #: How many of its sweep may run at once; NaN is no cap.
        self.most_of_group: Floats = read["max_running_of_group"][order]
        self._growing = Growing()
        self._classify(pending, order, access)
        asked = self.classes
        #: GPUs on each node.
        self.gpus: Ints = np.array([one.gpus for one in asked], dtype=np.int64)[self.class_of]
        self.nodes: Ints = np.array([one.nodes for one in asked], dtype=np.int64)[self.class_of]
        self.milli: Ints = np.array([one.milli for one in asked], dtype=np.int64)[self.class_of]
        #: GPUs in all; a fraction is its share. This is what caps, charges and power go by.
        self.units: Floats = self.gpus * self.nodes * self.milli / WHOLE_GPU
        self.p50_s, self.p90_s = predict.filled(
            read["predicted_p50_s"][order], read["predicted_p90_s"][order], self.wall_s
        )
        self.mean_s, self.variance = predict.moments(self.p50_s, self.p90_s)
        #: Predicted GPU-seconds, whole numbers: sums of them are exact, so no order of summing changes a plan.
        self.cost_gpu_s: Floats = np.maximum(1.0, np.rint(self.units * self.p50_s))

    def _classify(self, pending: Sequence[PendingJob], order: Ints, access: Access) -> None:
        numbers: defaultdict[tuple[Any, ...], int] = defaultdict(count().__next__)
        asks = np.fromiter(map(numbers.__getitem__, map(_ASKED, pending)), dtype=np.int64, count=self.size)[order]
        rights = np.zeros(self.size, dtype=np.int64)
        if not access.is_plain:
            rights[:] = [access.number(job.account_id) for job in self.jobs]
        pairs = asks * max(1, len(access.rights)) + rights
        _, first, self.class_of = np.unique(pairs, return_index=True, return_inverse=True)
        specs: dict[Spec, int] = {}
        self.classes: list[JobClass] = []
        for i in first.tolist():
            job = self.jobs[i]
            is_share = job.gpu_milli < WHOLE_GPU
            spec = Spec(job.gpu_type, job.min_gpu_memory_mib, job.required_site_id, int(rights[i]), is_share)
            grace_s = job.grace_s if job.is_preemptible else None
            number = specs.setdefault(spec, len(specs))
            self.classes.append(JobClass(number, job.gpus, job.nodes, job.gpu_milli, grace_s))
        self.specs = list(specs)
        spec_of_class = np.array([entry.spec for entry in self.classes], dtype=np.int64)
        self.spec_of: Ints = spec_of_class[self.class_of] if self.classes else self.class_of

    def capped_sweeps(self) -> dict[int, tuple[Id, int]]:
        """The sweep of each job of one that has a cap, and the cap."""
        most: dict[Id, int] = {}
        capped = [
            (i, group_id, int(self.most_of_group[i]))
            for i in np.flatnonzero(~np.isnan(self.most_of_group)).tolist()
            if (group_id := self.jobs[i].group_id) is not None
        ]
        for _, group_id, cap in capped:
            most[group_id] = min(cap, most.get(group_id, cap))
        return {i: (group_id, most[group_id]) for i, group_id, _ in capped}

    def append(self, alone: Backlog) -> int:
        """Let the one job of a backlog of its own join the end of this one; return its index."""
        spec, one = alone.specs[0], alone.classes[0]
        if spec not in self.specs:
            self.specs.append(spec)
        one = one._replace(spec=self.specs.index(spec))
        if one not in self.classes:
            self.classes.append(one)
        for name, values in vars(alone).items():
            if isinstance(values, np.ndarray):
                setattr(self, name, self._growing.append(name, getattr(self, name), values[0]))
        self.class_of[-1], self.spec_of[-1] = self.classes.index(one), one.spec
        self.jobs.append(alone.jobs[0])
        self.size += 1
        return self.size - 1


#: A run that has outlived its wall limit is about to be ended, yet holds its GPUs: they are not free now.
OVERDUE_S = 1.0

_NUMBERS_OF_RUN = {
    "started_at": "f8",
    "wall_s": "f8",
    "predicted_p50_s": "f8",
    "predicted_p90_s": "f8",
    "ends_by_at": "f8",
    "gpu_milli": "i8",
    "is_ending": "?",
}


class Runs:
    """Open attempts as arrays: how many GPUs each holds, and until when by its wall limit and by prediction."""

    def __init__(self, running: Sequence[RunningJob], now: float) -> None:
        self.runs = running
        read = table(running, _NUMBERS_OF_RUN)
        self.milli: Ints = read["gpu_milli"].copy()
        self._hold()
        started_at, wall_s = read["started_at"].copy(), read["wall_s"].copy()
        planned_s, p90_s = predict.filled(read["predicted_p50_s"], read["predicted_p90_s"], wall_s)
        elapsed_s = now - started_at
        p50_s, p90_s = predict.corrected(planned_s, p90_s, elapsed_s, wall_s)
        # A run that was asked to end holds its GPUs no longer than its grace.
        asked_by = np.where(read["is_ending"], read["ends_by_at"], np.nan)
        self.wall_end_at: Floats = np.maximum(np.fmin(started_at + wall_s, asked_by), now + OVERDUE_S)
        self.p50_end_at: Floats = np.maximum(np.fmin(started_at + p50_s, asked_by), now + OVERDUE_S)
        _, self.variance = predict.moments(np.maximum(p50_s, 1.0), p90_s)
        #: GPU-seconds for fair share: what was charged at the start, or what it has used since if that is more.
        self.cost_gpu_s: Floats = np.maximum(1.0, np.rint(self.units * np.maximum(planned_s, elapsed_s)))

    def _hold(self) -> None:
        """GPUs in all (a fraction is its share), and how many on each node."""
        parts: Sequence[tuple[Part, ...]] = list(map(attrgetter("parts"), self.runs))
        here = np.fromiter(map(len, map(attrgetter("gpu_indices"), self.runs)), dtype=np.int64, count=len(self.runs))
        #: GPUs on the first node, which is all but for gangs.
        self.gpus: Ints = here
        #: Further parts of gangs: (run, part).
        self.further = [(i, part) for i, each in enumerate(parts) if len(each) > 1 for part in each[1:]]
        in_all = here.copy()
        for i, part in self.further:
            in_all[i] += len(part.gpu_indices)
        self.units: Floats = in_all * self.milli / WHOLE_GPU
