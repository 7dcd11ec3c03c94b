"""The campus's own policy in a replay: the very ``plan`` of production, fed as the cycle feeds it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import replace

from labs.scheduling.domain import fitting, predict
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
#: Ranges are fitted to the last promises as often as in production, seconds.
FIT_EVERY_S = 600.0


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
        self._burst_runs_s: dict[predict.Burst, list[float]] = defaultdict(list)
        self._burst: dict[int, predict.Burst] = {}
        #: Jobs of each burst that wait, first submitted first.
        self._of_burst: dict[predict.Burst, list[int]] = defaultdict(list)
        self._tried: set[predict.Burst] = set()
        self._use: dict[str, tuple[float, float]] = {}
        self._nodes = [self._node(number) for number in range(len(cluster.widths))]
        self._new: list[int] = []
        self._stale: set[tuple[str, str]] = set()
        self._told: dict[int, tuple[float, float, float]] = {}
        #: The newest promises: job, when it was told, and the wait that was planned then (P50, P90).
        self._planned: deque[tuple[int, float, float, float]] = deque(maxlen=fitting.LAST)
        self._started_s: dict[int, float] = {}
        self._fitted_at = -FIT_EVERY_S
        self.promises: list[Promise] = []

    def submitted(self, job: TraceJob) -> None:
        self._jobs[job.number] = job
        self._use.setdefault(job.owner, (0.0, job.submit_s))
        burst = self._burst[job.number] = predict.burst_of(job.owner, job.work, job.submit_s)
        self._of_burst[burst].append(job.number)
        self._pending[job.number] = self._as_pending(job)
        self._of_work[job.work].add(job.number)
        self._new.append(job.number)

    def ended(self, run: Run, at: float) -> None:
        job = run.job
        del self._running[job.number]
        self._runs_s[job.owner, job.work].append(at - run.started_s)
        self._burst_runs_s[self._burst.pop(job.number)].append(at - run.started_s)
        self._stale.add((job.owner, job.work))
        use, since = self._use[job.owner]
        charge = job.width * (at - run.started_s)
        self._use[job.owner] = (decayed(use, at - since, self.policy.half_life_s) + charge, at)
        self._renew(run.parts)

    def forget(self, number: int) -> None:
        """Take a job that waits off the queue."""
        self._pending.pop(number)
        self._of_work[self._jobs.pop(number).work].discard(number)
        self._of_burst[self._burst.pop(number)].remove(number)

    def decide(self, now: float) -> Iterator[tuple[TraceJob, Parts]]:
        if not self.cluster.free_gpus and not self.cluster.partly and not any(map(self._is_sampled, self._new)):
            # Nothing can start, and nobody asks when something will: what the plan would say does not matter.
            return
        self._predict_again()
        self._try_first()
        self._fit(now)
        made = plan(self._snapshot(now), self.policy, now)
        starts = {start.job_id: start for start in made.starts}
        for number in self._new:
            if number not in starts and self._is_sampled(number):
                wait = made.waits[number]
                if wait.start_p50_at is not None and wait.start_p90_at is not None:
                    self._told[number] = (now, wait.start_p50_at, wait.start_p90_at)
                    if wait.planned_p50_s is not None and wait.planned_p90_s is not None:
                        self._planned.append((number, now, wait.planned_p50_s, wait.planned_p90_s))
        self._new.clear()
        for start in made.starts:
            number = int(start.job_id)
            job = self._jobs.pop(number)
            pending = self._pending.pop(number)
            self._of_work[job.work].discard(number)
            self._is_tried(number)
            parts = tuple((int(part.node_id), part.gpu_indices) for part in start.places)
            yield job, parts
            self._running[number] = self._as_running(pending, parts, now)
            self._renew(parts)
            if number in self._told:
                self.promises.append(Promise(number, *self._told.pop(number), now))
                self._started_s[number] = now

    def _fit(self, now: float) -> None:
        """Fit the ranges to what became of the newest promises, or has so far."""
        if now - self._fitted_at >= FIT_EVERY_S:
            outcomes = [
                fitting.Outcome(p50_s, p90_s, self._started_s.get(number, now) - told_at, number in self._started_s)
                for number, told_at, p50_s, p90_s in self._planned
            ]
            self.policy = replace(self.policy, fit=fitting.fit(outcomes))
            self._fitted_at = now

    def _is_tried(self, number: int) -> None:
        """A run of its burst goes on: nobody need go first for it any more."""
        burst = self._burst[number]
        self._tried.add(burst)
        waiting = self._of_burst[burst]
        waiting.remove(number)
        if waiting and self._pending[waiting[0]].is_trial:
            self._pending[waiting[0]] = replace(self._pending[waiting[0]], is_trial=False)

    def _try_first(self) -> None:
        """Mark who goes first for the bursts that have grown since the last pass."""
        bursts = {self._burst[number] for number in self._new if number in self._pending}
        waiting = [(number, burst) for burst in bursts for number in self._of_burst[burst]]
        for number in predict.trials(waiting, self._tried):
            self._pending[int(number)] = replace(self._pending[int(number)], is_trial=True)

    def _is_sampled(self, number: int) -> bool:
        return number % self._sample_every == 0

    def _predict_again(self) -> None:
        """Predict anew what is of the work of runs that have ended."""
        for owner, work in self._stale:
            known: dict[tuple[predict.Burst, float], predict.Prediction] = {}
            for number in self._of_work[work]:
                job, before = self._jobs[number], self._pending[number]
                if job.owner != owner:
                    continue
                alike = self._burst[number], job.requested_s
                made = known.get(alike) or known.setdefault(alike, self._predict(job))
                if _differs(made.p50_s, before.predicted_p50_s) or _differs(made.p90_s, before.predicted_p90_s):
                    self._pending[number] = replace(before, predicted_p50_s=made.p50_s, predicted_p90_s=made.p90_s)
        self._stale.clear()

    def _predict(self, job: TraceJob) -> predict.Prediction:
        runs_s = self._runs_s[job.owner, job.work][-predict.OWN_RUNS :]
        burst_s = self._burst_runs_s[self._burst[job.number]] if self._burst[job.number] in self._tried else ()
        return predict.predict(runs_s, runs_s, job.requested_s, burst_s[-predict.OWN_RUNS :])

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


def _differs(made: float, known: float | None) -> bool:
    return known is None or abs(made - known) > LEAST_CHANGE * known
