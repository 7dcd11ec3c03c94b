"""Slurm as its documentation describes it: multifactor priority with Fair Tree, and its own backfill.

Priority is 1000 x age + 10000 x fair share + 1000 x size, the weights of the example in Slurm's documentation of the
plugin. Age grows to 1 within PriorityMaxAge (7 days). Size is the job's share of the pool (PriorityFavorSmall=NO). Fair
share is Fair Tree's rank ÷ number of users, by use that halves in 7 days, charged as it is used; all shares are equal.

Backfill plans every waiting job in order of priority, each at the first time at which nothing before it is delayed as
limits have it, within bf_window (a day). Times are in steps of bf_resolution (600 s, as its documentation advises for
long queues). bf_max_job_test is not applied: it would only look at fewer jobs.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labs.scheduling.domain.fair_share import decayed
from labs.scheduling.domain.policy import DAY_S
from labs.scheduling.replay.cluster import Cluster, Parts, Run
from labs.scheduling.replay.traces import TraceJob

WEIGHT_AGE, WEIGHT_FAIR_SHARE, WEIGHT_SIZE = 1_000.0, 10_000.0, 1_000.0
MAX_AGE_S = 7 * DAY_S
HALF_LIFE_S = 7 * DAY_S
WINDOW_S = DAY_S
STEP_S = 600.0
STEPS = int(WINDOW_S / STEP_S)

Free = NDArray[np.int16]


class Line(NamedTuple):
    """Jobs that differ in nothing but their age."""

    owner: str
    gpus: int
    nodes: int
    milli: int
    requested_s: float


class Multifactor:
    """Slurm's order and backfill."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.waiting: dict[Line, deque[TraceJob]] = {}
        self._use: dict[str, float] = {}
        self._used_at = 0.0

    def submitted(self, job: TraceJob) -> None:
        line = Line(job.owner, job.gpus, job.nodes, job.gpu_milli, job.requested_s)
        self.waiting.setdefault(line, deque()).append(job)
        self._use.setdefault(job.owner, 0.0)

    def ended(self, run: Run, at: float) -> None:
        """Charge what it used since the last pass."""
        since = max(self._used_at, run.started_s)
        self._use[run.job.owner] += run.job.width * max(0.0, at - since)

    def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
        self._charge(now)
        if not self.cluster.free_gpus and not self.cluster.partly:
            return
        shares = self._fair_shares()
        heap = [(-self._priority(line[0], shares, now), line[0].number, 0, key) for key, line in self.waiting.items()]
        heapq.heapify(heap)
        plan: _Plan | None = None
        while heap:
            _, _, place, key = heapq.heappop(heap)
            line = self.waiting[key]
            job = line[place]
            parts = self.cluster.fit(job) if plan is None else plan.start(self.cluster, job)
            if parts is not None:
                # Those before it in its line ask for the same and would have started: it is the first.
                yield job, parts
                line.popleft()
                if not line:
                    del self.waiting[key]
            else:
                plan = plan or _Plan(self.cluster, now)
                if not plan.promise(job):
                    continue
                place += 1
            if place < len(line):
                after = line[place]
                heapq.heappush(heap, (-self._priority(after, shares, now), after.number, place, key))

    def _priority(self, job: TraceJob, shares: dict[str, float], now: float) -> float:
        age = min(1.0, max(0.0, now - job.submit_s) / MAX_AGE_S)
        return WEIGHT_AGE * age + WEIGHT_FAIR_SHARE * shares[job.owner] + WEIGHT_SIZE * job.width / self.cluster.gpus

    def _charge(self, now: float) -> None:
        age_s = now - self._used_at
        for owner, use in self._use.items():
            self._use[owner] = decayed(use, age_s, HALF_LIFE_S)
        for run in self.cluster.runs.values():
            self._use[run.job.owner] += run.job.width * (now - max(self._used_at, run.started_s))
        self._used_at = now

    def _fair_shares(self) -> dict[str, float]:
        """Fair Tree of one level: 1 for who has used least, 1/n for who has used most; equals share a rank."""
        most_first = sorted(set(self._use.values()), reverse=True)
        above = {}
        counted = 0
        for use in most_first:
            counted += sum(1 for other in self._use.values() if other == use)
            above[use] = counted / len(self._use)
        return {owner: above[use] for owner, use in self._use.items()}


class _Plan:
    """Free GPUs of each node for each step of the window, less what has been promised."""

    def __init__(self, cluster: Cluster, now: float) -> None:
        self.now = now
        ends = cluster.free_at(now)
        self.free: Free = np.zeros((len(ends), STEPS), dtype=np.int16)
        for node, row in enumerate(ends):
            for end in row:
                begin = math.ceil((end - now) / STEP_S)
                if begin < STEPS:
                    self.free[node, begin:] += 1
        #: The shortest run (in steps) of each width that could not be started, and that could not be planned.
        self._no_start: dict[tuple[int, int], int] = {}
        self._no_plan: dict[tuple[int, int], int] = {}

    def start(self, cluster: Cluster, job: TraceJob) -> Parts | None:
        """Where the job may start now without delaying what has been promised."""
        steps = self._steps(job)
        if job.gpu_milli < 1_000 and (shared := cluster.fit_shared(job.gpu_milli)) is not None:
            return shared
        key = (job.gpus, job.nodes)
        if steps >= self._no_start.get(key, STEPS + 1):
            return None
        room = self.free[:, :steps].min(axis=1)
        parts = cluster.fit(job, lambda node: bool(room[node] >= job.gpus))
        if parts is None:
            self._no_start[key] = steps
            return None
        for node, indices in parts:
            self.free[node, :steps] -= len(indices)
        return parts

    def promise(self, job: TraceJob) -> bool:
        """Keep GPUs for the job from the first time on at which they are free; False if there is none in the window."""
        steps, key = self._steps(job), (job.gpus, job.nodes)
        if steps >= self._no_plan.get(key, STEPS + 1):
            return False
        fits = self.free >= job.gpus
        # The number of steps in a row, from each step on, during which a node has room; the end of the window is open.
        busy_at = np.where(fits, STEPS, np.arange(STEPS))
        until = np.minimum.accumulate(busy_at[:, ::-1], axis=1)[:, ::-1]
        lasts = fits & ((until - np.arange(STEPS) >= steps) | (until == STEPS))
        enough = np.flatnonzero(lasts.sum(axis=0) >= job.nodes)
        if not len(enough):
            self._no_plan[key] = steps
            return False
        at = int(enough[0])
        for node in np.flatnonzero(lasts[:, at])[: job.nodes].tolist():
            self.free[node, at : at + steps] -= job.gpus
        return True

    @staticmethod
    def _steps(job: TraceJob) -> int:
        return min(STEPS, max(1, math.ceil(job.requested_s / STEP_S)))
