"""The pool in a replay: which GPUs are free, where a job would fit best, and until when runs may hold theirs."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labs.scheduling.domain.snapshot import WHOLE_GPU
from labs.scheduling.replay.traces import TraceJob

#: Nodes (by number) with the indices of the GPUs on each.
Parts = tuple[tuple[int, tuple[int, ...]], ...]
Allowed = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Run:
    """A job that runs, where and since when (seconds)."""

    job: TraceJob
    parts: Parts
    started_s: float

    @property
    def limit_s(self) -> float:
        """When its time limit would end it."""
        return self.started_s + self.job.requested_s


class Cluster:
    """GPUs by node, in thousandths. Raises ValueError if GPUs that are not free are taken."""

    def __init__(self, widths: Sequence[int]) -> None:
        self.widths = tuple(widths)
        self.gpus = sum(widths)
        self.free_milli = [[WHOLE_GPU] * width for width in widths]
        self.whole = list(widths)
        self.runs: dict[int, Run] = {}
        self.widest = max(widths, default=0)
        #: Nodes with exactly so many whole GPUs free, by number.
        self.buckets: list[list[int]] = [[] for _ in range(self.widest + 1)]
        for node, width in enumerate(widths):
            self.buckets[width].append(node)
        #: GPUs of which a part is taken, with the thousandths that are free.
        self.partly: dict[tuple[int, int], int] = {}

    @property
    def free_gpus(self) -> int:
        return sum(self.whole)

    @property
    def used_gpus(self) -> float:
        return self.gpus - self.free_gpus - sum(self.partly.values()) / WHOLE_GPU

    def fit(self, job: TraceJob, allowed: Allowed | None = None) -> Parts | None:
        """Best fit: the nodes with the fewest free GPUs that will do; None if there are none."""
        if job.gpu_milli < WHOLE_GPU:
            shared = self.fit_shared(job.gpu_milli)
            if shared is not None:
                return shared
        found: list[int] = []
        for bucket in self.buckets[job.gpus :]:
            for node in bucket:
                if allowed is None or allowed(node):
                    found.append(node)
                    if len(found) == job.nodes:
                        return tuple((each, self.lowest(each, job.gpus)) for each in found)
        return None

    def fit_shared(self, milli: int) -> Parts | None:
        """The GPU that is shared already and has the least room that will do."""
        best = min(((free, key) for key, free in self.partly.items() if free >= milli), default=None)
        return None if best is None else ((best[1][0], (best[1][1],)),)

    def lowest(self, node: int, count: int) -> tuple[int, ...]:
        """The lowest whole free GPUs of a node."""
        return tuple([index for index, free in enumerate(self.free_milli[node]) if free == WHOLE_GPU][:count])

    def take(self, job: TraceJob, parts: Parts, now: float) -> Run:
        """Start a job there. Raises ValueError if the parts are not what it asked for, or not free."""
        if sorted(len(indices) for _, indices in parts) != [job.gpus] * job.nodes:
            raise ValueError(f"Job {job.number} asked for {job.nodes} x {job.gpus} GPUs and was given {parts}.")
        for node, indices in parts:
            for index in indices:
                self._change(node, index, -job.gpu_milli)
        run = self.runs[job.number] = Run(job, parts, now)
        return run

    def give_back(self, number: int) -> Run:
        """End a job; return what it held."""
        run = self.runs.pop(number)
        for node, indices in run.parts:
            for index in indices:
                self._change(node, index, run.job.gpu_milli)
        return run

    def _change(self, node: int, index: int, milli: int) -> None:
        before = self.free_milli[node][index]
        after = self.free_milli[node][index] = before + milli
        if not 0 <= after <= WHOLE_GPU:
            raise ValueError(f"GPU {index} of node {node} has {before} thousandths free, not {-milli}.")
        if 0 < after < WHOLE_GPU:
            self.partly[node, index] = after
        else:
            self.partly.pop((node, index), None)
        step = (after == WHOLE_GPU) - (before == WHOLE_GPU)
        if step:
            count = self.whole[node]
            bucket = self.buckets[count]
            del bucket[bisect_left(bucket, node)]
            insort(self.buckets[count + step], node)
            self.whole[node] = count + step

    def free_at(self, now: float) -> list[list[float]]:
        """For each node when each of its GPUs is free by the limits of what runs, soonest first."""
        ends = [[now] * width for width in self.widths]
        for run in self.runs.values():
            until = max(run.limit_s, now + 1.0)
            for node, indices in run.parts:
                for index in indices:
                    ends[node][index] = max(ends[node][index], until)
        for row in ends:
            row.sort()
        return ends

    def could(self, job: TraceJob) -> bool:
        """True if the job would fit if nothing else ran."""
        return sum(width >= job.gpus for width in self.widths) >= job.nodes


def earliest(ends: Sequence[Sequence[float]], job: TraceJob) -> tuple[float, list[int]]:
    """When, and on which nodes, a job can start at the latest, given ``Cluster.free_at``."""
    ready = sorted((row[job.gpus - 1], node) for node, row in enumerate(ends) if len(row) >= job.gpus)
    if len(ready) < job.nodes:
        return math.inf, []
    chosen = ready[: job.nodes]
    return chosen[-1][0], [node for _, node in chosen]
