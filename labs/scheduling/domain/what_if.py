"""What a change would do to the waits: the real queue run forward through the same planner, with and without it.

The future is the planner's own expectation: each run takes what is predicted of it (or what it took, in a replay of the
past), and nobody submits anything that is not given. Passes are made at most every ``least_step_s`` seconds, and the
step grows with the time that has gone by, so that a wait is exact to ``STEP_SHARE`` of itself and a long queue costs
hundreds of passes rather than thousands.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from labs.scheduling.domain import predict
from labs.scheduling.domain.backlog import Runs
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.simulate import Arrival, after, ended
from labs.scheduling.domain.snapshot import (
    Id,
    NodeState,
    PendingJob,
    ReservationState,
    RunningJob,
    Snapshot,
)

STEP_SHARE = 0.05
#: A queue that has not started after so many passes is left as it is: those jobs are told as not starting.
MOST_PASSES = 1_500


@dataclass(frozen=True, slots=True)
class AccountCap:
    """An account (with all below it) may run so many GPUs at once; None is no cap."""

    account_id: Id
    max_running_gpus: int | None


@dataclass(frozen=True, slots=True)
class AccountWeight:
    """An account's fair-share weight among its siblings."""

    account_id: Id
    weight: float


@dataclass(frozen=True, slots=True)
class LearnerCap:
    """Each learner may run so many GPUs at once; None is no cap."""

    max_running_gpus: int | None


@dataclass(frozen=True, slots=True)
class SitePower:
    """A site may draw so many watts."""

    site_id: Id
    power_cap_w: float


@dataclass(frozen=True, slots=True)
class NodeSchedulable:
    """A node drains (False), or takes jobs again (True)."""

    node_id: Id
    is_schedulable: bool


@dataclass(frozen=True, slots=True)
class NodesAdded:
    """So many more nodes like ``like``, all of whose GPUs are free."""

    like: NodeState
    count: int


@dataclass(frozen=True, slots=True)
class ClassHeld:
    """GPUs kept for a class."""

    reservation: ReservationState


@dataclass(frozen=True, slots=True)
class ClassGivenUp:
    """A class reservation that is given up."""

    reservation_id: Id


@dataclass(frozen=True, slots=True)
class MoreWork:
    """Jobs that somebody would submit at once, had they the GPU time for them."""

    jobs: tuple[PendingJob, ...]


Change: TypeAlias = (
    AccountCap
    | AccountWeight
    | LearnerCap
    | SitePower
    | NodeSchedulable
    | NodesAdded
    | ClassHeld
    | ClassGivenUp
    | MoreWork
)


def changed(snapshot: Snapshot, policy: Policy, changes: Iterable[Change]) -> tuple[Snapshot, Policy]:
    """The snapshot and the policy with these changes made, in their order."""
    for change in changes:
        match change:
            case AccountCap(account_id, cap):
                snapshot = _with_account(snapshot, account_id, max_running_gpus=cap)
            case AccountWeight(account_id, weight):
                snapshot = _with_account(snapshot, account_id, weight=weight)
            case LearnerCap(cap):
                policy = replace(policy, max_running_gpus_per_learner=cap)
            case SitePower(site_id, power_cap_w):
                sites = (replace(s, power_cap_w=power_cap_w) if s.id == site_id else s for s in snapshot.sites)
                snapshot = replace(snapshot, sites=tuple(sites))
            case NodeSchedulable(node_id, is_schedulable):
                nodes = (replace(n, is_schedulable=is_schedulable) if n.id == node_id else n for n in snapshot.nodes)
                snapshot = replace(snapshot, nodes=tuple(nodes))
            case NodesAdded(like, count):
                snapshot = replace(snapshot, nodes=(*snapshot.nodes, *_copies(like, count)))
            case ClassHeld(reservation):
                snapshot = replace(snapshot, reservations=(*snapshot.reservations, reservation))
            case ClassGivenUp(reservation_id):
                kept = tuple(one for one in snapshot.reservations if one.id != reservation_id)
                snapshot = replace(snapshot, reservations=kept)
            case MoreWork(jobs):
                snapshot = replace(snapshot, pending=(*snapshot.pending, *jobs))
    return snapshot, policy


def _with_account(snapshot: Snapshot, account_id: Id, **fields: float | None) -> Snapshot:
    accounts = (replace(a, **fields) if a.id == account_id else a for a in snapshot.accounts)  # type: ignore[arg-type]
    return replace(snapshot, accounts=tuple(accounts))


def _copies(like: NodeState, count: int) -> list[NodeState]:
    every = tuple(range(like.gpus_total))
    return [
        replace(like, id=f"new-{n}", name=f"~{n}", free_gpus=every, partly_free=(), is_schedulable=True)
        for n in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds that each job waits from when it began to (or from now, if it waits already); None: it did not start."""

    of: Mapping[Id, float | None]
    passes: int


class _Forward:
    """Events in order: runs end, jobs arrive, classes begin and end; a pass of the planner after each batch."""

    def __init__(self, snapshot: Snapshot, policy: Policy, now: float, arrivals: Sequence[Arrival]) -> None:
        self.state, self.policy, self.began = snapshot, policy, now
        self.arrivals = sorted(arrivals, key=lambda a: (a.job.submitted_at, str(a.job.id)), reverse=True)
        self.run_s = {arrival.job.id: min(arrival.run_s, arrival.job.wall_s) for arrival in arrivals}
        self.jobs = {job.id: job for job in snapshot.pending} | {a.job.id: a.job for a in arrivals}
        self.ends: list[tuple[float, int, Id]] = []
        self.end_of: dict[Id, float] = {}
        for end, run in zip(Runs(snapshot.running, now).p50_end_at.tolist(), snapshot.running, strict=True):
            self._end_at(end, run.job_id)
        self.turns = sorted(
            {at for r in snapshot.reservations for at in (r.start_at, r.release_at, r.end_at)}
            | {at for lending in snapshot.lendings for at in (lending.from_at, lending.until_at)}
            | {job.not_before for job in snapshot.pending if job.not_before is not None},
            reverse=True,
        )
        self.waits: dict[Id, float | None] = dict.fromkeys(self.jobs)
        self.charged_at = now

    def run(self, least_step_s: float) -> Waits:
        now, passes = self.began, 0
        while passes < MOST_PASSES:
            self._arrive_and_end(now)
            passes += 1
            self._start(now)
            if not self.state.pending and not self.arrivals:
                break
            coming = self._next(now)
            if coming == math.inf:
                break
            now = max(coming, now + max(least_step_s, STEP_SHARE * (now - self.began) if not self.run_s else 0.0))
        return Waits(self.waits, passes)

    def _next(self, now: float) -> float:
        while self.turns and self.turns[-1] <= now:
            self.turns.pop()
        return min(
            self.ends[0][0] if self.ends else math.inf,
            self.arrivals[-1].job.submitted_at if self.arrivals else math.inf,
            self.turns[-1] if self.turns else math.inf,
        )

    def _arrive_and_end(self, now: float) -> None:
        arrived = []
        while self.ends and self.ends[0][0] <= now:
            at, _n, job_id = heapq.heappop(self.ends)
            if self.end_of.get(job_id) != at:
                continue  # it was asked to end sooner
            run = next(run for run in self.state.running if run.job_id == job_id)
            self.state = ended(self.state, job_id, now, self.policy, self.charged_at)
            self.charged_at = now
            if run.is_ending:
                arrived.append(self._again(run))
        while self.arrivals and self.arrivals[-1].job.submitted_at <= now:
            arrived.append(self.arrivals.pop().job)
        if arrived:
            self.state = replace(self.state, pending=(*self.state.pending, *arrived))

    def _start(self, now: float) -> None:
        made = plan(self.state, self.policy, now)
        self.state = after(self.state, made.starts, now)
        for start in made.starts:
            job = self.jobs[start.job_id]
            if self.waits.get(job.id, 0.0) is None:  # the first start counts; what ran already did not wait
                self.waits[job.id] = now - max(self.began, job.submitted_at)
            run_s = self.run_s.get(job.id)
            self._end_at(now + (_p50_s(job) if run_s is None else run_s), job.id)
        for preempt in made.preempts:
            self._ask_to_end(preempt.job_id, now)

    def _end_at(self, at: float, job_id: Id) -> None:
        self.end_of[job_id] = at
        heapq.heappush(self.ends, (at, len(self.ends), job_id))

    def _ask_to_end(self, job_id: Id, now: float) -> None:
        def asked(run: RunningJob) -> RunningJob:
            return replace(run, is_ending=True, ends_by_at=now + run.grace_s)

        running = tuple(asked(run) if run.job_id == job_id else run for run in self.state.running)
        self.state = replace(self.state, running=running)
        grace_s = next(run.grace_s for run in running if run.job_id == job_id)
        self._end_at(min(self.end_of[job_id], now + grace_s), job_id)

    def _again(self, run: RunningJob) -> PendingJob:
        """What was preempted queues once more, with its whole run before it: a checkpoint's worth is not known."""
        known = self.jobs.get(run.job_id)
        if known is not None:
            return known
        job = PendingJob(
            id=run.job_id, owner_id=run.owner_id, account_id=run.account_id, submitted_at=run.started_at,
            gpus=len(run.gpu_indices), gpu_milli=run.gpu_milli, min_gpu_memory_mib=run.gpu_memory_mib or None,
            nodes=len(run.places), wall_s=run.wall_s, predicted_p50_s=run.predicted_p50_s,
            predicted_p90_s=run.predicted_p90_s, is_preemptible=True, grace_s=run.grace_s, group_id=run.group_id,
        )  # fmt: skip
        self.jobs[job.id] = job
        return job


def _p50_s(job: PendingJob) -> float:
    def one(value: float | None) -> predict.Floats:
        return np.array([math.nan if value is None else value])

    p50_s, _p90_s = predict.filled(one(job.predicted_p50_s), one(job.predicted_p90_s), one(job.wall_s))
    return float(p50_s[0])


def run_forward(
    snapshot: Snapshot, policy: Policy, now: float, arrivals: Sequence[Arrival] = (), *, least_step_s: float = 1.0
) -> Waits:
    """Let the queue run down, with ``arrivals`` (jobs whose run time is known, in a replay) coming in on their way."""
    return _Forward(snapshot, policy, now, arrivals).run(least_step_s)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to a group of jobs. Seconds; None where no job of the group starts at all."""

    jobs: int
    mean_before_s: float | None
    mean_after_s: float | None
    longest_before_s: float | None
    longest_after_s: float | None
    sooner: int
    later: int
    not_started_before: int
    not_started_after: int


#: A wait that moves by less than this, or than a twentieth of itself, has not moved: steps are no finer.
LEAST_MOVE_S = 5.0


def effect(job_ids: Iterable[Id], before: Waits, after: Waits) -> Effect:
    """Compare the waits of some jobs, all of which both futures know."""
    pairs = [(before.of[job_id], after.of[job_id]) for job_id in job_ids]
    first = [wait for wait, _ in pairs if wait is not None]
    second = [wait for _, wait in pairs if wait is not None]
    moves = [_move(a, b) for a, b in pairs]
    return Effect(
        jobs=len(pairs),
        mean_before_s=_mean(first),
        mean_after_s=_mean(second),
        longest_before_s=max(first, default=None),
        longest_after_s=max(second, default=None),
        sooner=sum(move < 0 for move in moves),
        later=sum(move > 0 for move in moves),
        not_started_before=len(pairs) - len(first),
        not_started_after=len(pairs) - len(second),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _move(before_s: float | None, after_s: float | None) -> int:
    """-1 for sooner, 1 for later, 0 for the same. A job that does not start waits longest of all."""
    if before_s is None or after_s is None:
        return (after_s is None) - (before_s is None)
    shift_s = after_s - before_s
    if abs(shift_s) <= max(LEAST_MOVE_S, STEP_SHARE * before_s):
        return 0
    return -1 if shift_s < 0 else 1
