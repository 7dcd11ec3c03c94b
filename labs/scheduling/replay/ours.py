"""The campus's own policy in a replay: the very ``plan`` of production, fed as the cycle feeds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from labs.scheduling.domain import predict
from labs.scheduling.domain.fair_share import decayed
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import (
    WHOLE_GPU,
    AccountState,
    NodeState,
    Part,
    PendingJob,
    RunningJob,
    SiteState,
    Snapshot,
)
from labs.scheduling.replay.cluster import Cluster, Parts, Run
from labs.scheduling.replay.metrics import Promise
from labs.scheduling.replay.traces import Trace, TraceJob

SITE, ROOT = "pool", "everybody"
GPU_MEMORY_MIB = 81_920
#: A new prediction is told to the planner when it differs by more than this share.
LEAST_CHANGE = 0.05


class Ours:
    """Builds snapshots as ``snapshot_loader`` does, asks ``plan``, and keeps what waiting jobs were told."""

    def __init__(self, cluster: Cluster, trace: Trace, policy: Policy, *, sample_every: int = 1) -> None:
        self.cluster, self.policy = cluster, policy
        self._names, self._types = [node.name for node in trace.nodes], [node.gpu_type for node in trace.nodes]
        self._sample_every = sample_every
        self._jobs: dict[int, TraceJob] = {}
        self._pending: dict[int, PendingJob] = {}
        self._of_work: dict[str, set[int]] = defaultdict(set)
        self._running: dict[int, RunningJob] = {}
        self._runs_s: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._use: dict[str, tuple[float, float]] = {}
        self._nodes = [self._node(number) for number in range(len(cluster.widths))]
        self._new: list[int] = []
        self._stale: set[tuple[str, str]] = set()
        self._told: dict[int, tuple[float, float, float]] = {}
        self.promises: list[Promise] = []

    def submitted(self, job: TraceJob) -> None:
        self._jobs[job.number] = job
        self._use.setdefault(job.owner, (0.0, job.submit_s))
        self._pending[job.number] = self._as_pending(job)
        self._of_work[job.work].add(job.number)
        self._new.append(job.number)

    def ended(self, run: Run, at: float) -> None:
        job = run.job
        del self._running[job.number]
        self._runs_s[job.owner, job.work].append(at - run.started_s)
        self._stale.add((job.owner, job.work))
        use, since = self._use[job.owner]
        charge = job.width * (at - run.started_s)
        self._use[job.owner] = (decayed(use, at - since, self.policy.half_life_s) + charge, at)
        self._renew(run.parts)

    def forget(self, number: int) -> None:
        """Take a job that waits off the queue."""
        self._pending.pop(number)
        self._of_work[self._jobs.pop(number).work].discard(number)

    def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
        self._predict_again()
        made = plan(self._snapshot(now), self.policy, now)
        starts = {start.job_id: start for start in made.starts}
        for number in self._new:
            if number not in starts and number % self._sample_every == 0:
                wait = made.waits[number]
                if wait.start_p50_at is not None and wait.start_p90_at is not None:
                    self._told[number] = (now, wait.start_p50_at, wait.start_p90_at)
        self._new.clear()
        for start in made.starts:
            number = int(start.job_id)
            job = self._jobs.pop(number)
            pending = self._pending.pop(number)
            self._of_work[job.work].discard(number)
            parts = tuple((int(part.node_id), part.gpu_indices) for part in start.places)
            yield job, parts
            self._running[number] = self._as_running(pending, parts, now)
            self._renew(parts)
            if number in self._told:
                self.promises.append(Promise(number, *self._told.pop(number), now))

    def _predict_again(self) -> None:
        for owner, work in self._stale:
            for number in self._of_work[work]:
                job = self._jobs[number]
                if job.owner != owner:
                    continue
                known, made = self._pending[number], self._predict(job)
                before = known.predicted_p50_s or 0.0, known.predicted_p90_s or 0.0
                if (
                    abs(made.p50_s - before[0]) > LEAST_CHANGE * before[0]
                    or abs(made.p90_s - before[1]) > LEAST_CHANGE * before[1]
                ):
                    self._pending[number] = self._as_pending(job)
        self._stale.clear()

    def _predict(self, job: TraceJob) -> predict.Prediction:
        own = self._runs_s[job.owner, job.work]
        return predict.predict(own[-predict.OWN_RUNS :], own[-predict.LAB_RUNS :], job.requested_s)

    def _as_pending(self, job: TraceJob) -> PendingJob:
        predicted = self._predict(job)
        return PendingJob(
            id=job.number,
            owner_id=job.owner,
            account_id=job.owner,
            submitted_at=job.submit_s,
            gpus=job.gpus,
            nodes=job.nodes,
            gpu_milli=job.gpu_milli,
            min_gpu_memory_mib=GPU_MEMORY_MIB * job.gpu_milli // WHOLE_GPU if job.gpu_milli < WHOLE_GPU else None,
            wall_s=job.requested_s,
            predicted_p50_s=predicted.p50_s,
            predicted_p90_s=predicted.p90_s,
            work_key=job.work,
        )

    def _as_running(self, job: PendingJob, parts: Parts, now: float) -> RunningJob:
        return RunningJob(
            job_id=job.id,
            owner_id=job.owner_id,
            account_id=job.account_id,
            node_id=parts[0][0],
            gpu_indices=parts[0][1],
            started_at=now,
            wall_s=job.wall_s,
            predicted_p50_s=job.predicted_p50_s,
            predicted_p90_s=job.predicted_p90_s,
            parts=tuple(Part(node, indices) for node, indices in parts),
            gpu_milli=job.gpu_milli,
            gpu_memory_mib=job.min_gpu_memory_mib or 0,
        )

    def _renew(self, parts: Parts) -> None:
        for node, _ in parts:
            self._nodes[node] = self._node(node)

    def _node(self, number: int) -> NodeState:
        free = self.cluster.free_milli[number]
        return NodeState(
            id=number,
            site_id=SITE,
            name=self._names[number],
            gpu_type=self._types[number],
            gpu_memory_mib=GPU_MEMORY_MIB,
            gpus_total=len(free),
            free_gpus=tuple([index for index, milli in enumerate(free) if milli == WHOLE_GPU]),
            partly_free=tuple(
                (index, milli, GPU_MEMORY_MIB * milli // WHOLE_GPU)
                for index, milli in enumerate(free)
                if 0 < milli < WHOLE_GPU
            ),
        )

    def _snapshot(self, now: float) -> Snapshot:
        half_life_s = self.policy.half_life_s
        accounts = [
            AccountState(owner, ROOT, decayed_use_gpu_s=decayed(use, now - since, half_life_s))
            for owner, (use, since) in self._use.items()
        ]
        return Snapshot(
            sites=(SiteState(SITE),),
            nodes=tuple(self._nodes),
            accounts=(AccountState(ROOT, None), *accounts),
            running=tuple(self._running.values()),
            pending=tuple(self._pending.values()),
        )
