"""What decisions do to a snapshot: the state after starts, preemptions and the end of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labs.scheduling.domain.decisions import Preempt, Start
from labs.scheduling.domain.fair_share import decayed
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, NodeState, PendingJob, RunningJob, Snapshot


def after(state: Snapshot, starts: Iterable[Start], now: float, preempts: Iterable[Preempt] = ()) -> Snapshot:
    """The state that these starts and preemptions lead to: GPUs taken, jobs running, others asked to end within their
    grace; nothing else changed."""
    by_job = {start.job_id: start for start in starts}
    asked = {preempt.job_id: preempt for preempt in preempts}
    taken: dict[Id, list[Start]] = {}
    for start in by_job.values():
        for part in start.places:
            taken.setdefault(part.node_id, []).append(start)
    nodes = tuple(_with_starts(node, taken[node.id]) if node.id in taken else node for node in state.nodes)
    running = tuple(_asked_to_end(run, asked[run.job_id], now) if run.job_id in asked else run for run in state.running)
    begun = tuple(running_of(job, by_job[job.id], now) for job in state.pending if job.id in by_job)
    waiting = tuple(job for job in state.pending if job.id not in by_job)
    return replace(state, nodes=nodes, running=(*running, *begun), pending=waiting)


def running_of(job: PendingJob, start: Start, now: float) -> RunningJob:
    """The run that a start makes of a job."""
    return RunningJob(
        job_id=job.id,
        owner_id=job.owner_id,
        account_id=job.account_id,
        node_id=start.node_id,
        gpu_indices=start.gpu_indices,
        started_at=now,
        wall_s=job.wall_s,
        predicted_p50_s=job.predicted_p50_s,
        predicted_p90_s=job.predicted_p90_s,
        parts=start.parts,
        gpu_milli=start.gpu_milli,
        gpu_memory_mib=start.gpu_memory_mib,
        is_preemptible=job.is_preemptible,
        grace_s=job.grace_s,
        reservation_id=start.reservation_id,
        is_borrowed=start.is_borrowed,
        group_id=job.group_id,
    )


def _asked_to_end(run: RunningJob, preempt: Preempt, now: float) -> RunningJob:
    return replace(run, is_ending=True, ends_by_at=now + run.grace_s, ending_for_job_id=preempt.for_job_id)


def _with_starts(node: NodeState, starts: Iterable[Start]) -> NodeState:
    """The node once these starts hold their GPUs, or shares of them."""
    free, shared = set(node.free_gpus), {index: (milli, memory) for index, milli, memory in node.partly_free}
    for start in starts:
        mine = next(part.gpu_indices for part in start.places if part.node_id == node.id)
        free -= set(mine)
        if start.gpu_milli < WHOLE_GPU:
            milli, memory = shared.get(mine[0], (WHOLE_GPU, node.gpu_memory_mib))
            shared[mine[0]] = milli - start.gpu_milli, memory - start.gpu_memory_mib
    return _with_gpus(node, free, shared)


def _without_run(node: NodeState, run: RunningJob) -> NodeState:
    """The node once a run has given back what it held there."""
    free, shared = set(node.free_gpus), {index: (milli, memory) for index, milli, memory in node.partly_free}
    mine = next(part.gpu_indices for part in run.places if part.node_id == node.id)
    if run.gpu_milli < WHOLE_GPU:
        milli, memory = shared.pop(mine[0])
        if milli + run.gpu_milli < WHOLE_GPU:
            shared[mine[0]] = milli + run.gpu_milli, memory + run.gpu_memory_mib
            return _with_gpus(node, free, shared)
    return _with_gpus(node, free | set(mine), shared)


def _with_gpus(node: NodeState, free: set[int], shared: dict[int, tuple[int, int]]) -> NodeState:
    partly_free = tuple((index, *shared[index]) for index in sorted(shared))
    return replace(node, free_gpus=tuple(sorted(free)), partly_free=partly_free)


def ended(state: Snapshot, job_id: Id, now: float, policy: Policy, since: float) -> Snapshot:
    """The state once a run has ended: GPUs free, its account charged, all use decayed from ``since`` to ``now``."""
    run = next(run for run in state.running if run.job_id == job_id)
    held = {part.node_id for part in run.places}
    nodes = tuple(_without_run(node, run) if node.id in held else node for node in state.nodes)
    charge = run.gpus_held * (now - run.started_at)
    accounts = tuple(
        replace(
            account,
            decayed_use_gpu_s=decayed(account.decayed_use_gpu_s, now - since, policy.half_life_s)
            + (charge if account.id == run.account_id else 0.0),
        )
        for account in state.accounts
    )
    running = tuple(other for other in state.running if other.job_id != job_id)
    return replace(state, nodes=nodes, accounts=accounts, running=running)
