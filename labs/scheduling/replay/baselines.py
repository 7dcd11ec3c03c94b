"""What a campus would otherwise run: first come first served, greedy skip-ahead, and EASY backfill.

Jobs that ask for the same GPUs under the same limit are one kind. When one of them does not fit now, none does, for
room only shrinks while a pass starts jobs; so a pass looks at the oldest of each kind and never at a whole queue.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from labs.scheduling.replay.cluster import Cluster, Parts, Run, earliest
from labs.scheduling.replay.traces import TraceJob


class Kind(NamedTuple):
    """What decides whether a job fits now."""

    gpus: int
    nodes: int
    milli: int
    requested_s: float


class Kinds:
    """A queue in order of submission, kept kind by kind."""

    def __init__(self) -> None:
        self.waiting: dict[Kind, deque[TraceJob]] = {}

    def add(self, job: TraceJob) -> None:
        kind = Kind(job.gpus, job.nodes, job.gpu_milli, job.requested_s)
        self.waiting.setdefault(kind, deque()).append(job)

    def oldest_first(self) -> Iterator[tuple[TraceJob, list[bool]]]:
        """The jobs by submission. The list that comes with each is to be made non-empty by who starts the job, which
        takes it off the queue; otherwise its whole kind is passed over."""
        heap = [(line[0].number, kind) for kind, line in self.waiting.items()]
        heapq.heapify(heap)
        while heap:
            _, kind = heapq.heappop(heap)
            line, started = self.waiting[kind], list[bool]()
            yield line[0], started
            if started:
                line.popleft()
                if line:
                    heapq.heappush(heap, (line[0].number, kind))
                else:
                    del self.waiting[kind]


class FirstCome:
    """Strictly in order of submission: whoever does not fit holds up everybody behind."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.queue: deque[TraceJob] = deque()

    def submitted(self, job: TraceJob) -> None:
        self.queue.append(job)

    def ended(self, run: Run, at: float) -> None:
        """Nothing to learn."""

    def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
        while self.queue and (parts := self.cluster.fit(self.queue[0])) is not None:
            yield self.queue.popleft(), parts


class Greedy:
    """In order of submission, but whoever does not fit is passed over."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.queue = Kinds()

    def submitted(self, job: TraceJob) -> None:
        self.queue.add(job)

    def ended(self, run: Run, at: float) -> None:
        """Nothing to learn."""

    def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
        for job, started in self.queue.oldest_first():
            parts = self.cluster.fit(job)
            if parts is not None:
                started.append(True)
                yield job, parts


class Easy:
    """EASY backfill (Lifka, 1995) on first come, first served, with users' limits.

    The first job that does not fit is promised the nodes that are free first if everything runs to its limit. Others
    start now if they end by then, or leave on each promised node what the first one needs.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.queue = Kinds()

    def submitted(self, job: TraceJob) -> None:
        self.queue.add(job)

    def ended(self, run: Run, at: float) -> None:
        """Nothing to learn: a pass looks at what runs."""

    def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
        promised_s, is_promised = math.inf, False
        #: GPUs beyond what the first job needs, on each promised node.
        spare: dict[int, int] = {}
        for job, started in self.queue.oldest_first():
            if not is_promised:
                parts = self.cluster.fit(job)
                if parts is None:
                    if not self.cluster.free_gpus and not self.cluster.partly:
                        return
                    promised_s, spare = self._promise(job, now)
                    is_promised = True
                    continue
            else:
                in_time = now + job.requested_s <= promised_s
                parts = self.cluster.fit(job, None if in_time else lambda node: spare.get(node, math.inf) >= job.gpus)  # noqa: B023
                if parts is None:
                    continue
                if not in_time:
                    for node, indices in parts:
                        if node in spare and not self._is_shared(job, parts):
                            spare[node] -= len(indices)
            started.append(True)
            yield job, parts

    def _promise(self, job: TraceJob, now: float) -> tuple[float, dict[int, int]]:
        ends = self.cluster.free_at(now)
        at, nodes = earliest(ends, job)
        return at, {node: sum(end <= at for end in ends[node]) - job.gpus for node in nodes}

    def _is_shared(self, job: TraceJob, parts: Parts) -> bool:
        """True for a fraction that joins others on a GPU which is in use anyway."""
        return all((node, index) in self.cluster.partly for node, indices in parts for index in indices)
