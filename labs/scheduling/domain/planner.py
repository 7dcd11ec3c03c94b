"""``plan(snapshot, policy, now)``: which jobs start where, and why and how long each of the others waits.

Pure: no clock, no I/O, and the order of the input never matters. The pass repeats until a walk down the queue starts
nothing more, so planning again on the state that a plan leads to changes nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from labs.scheduling.domain.decisions import Forecast, Plan, Preempt, Start, WaitFacts
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.effects import after
from labs.scheduling.domain.order import Priorities, prioritise
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import PendingJob, Snapshot
from labs.scheduling.domain.waits import Waits


def plan(snapshot: Snapshot, policy: Policy, now: float) -> Plan:
    """Decide for every pending job: a start, or a wait with its reason, place and expected start.

    ``now`` and all times are seconds since the epoch. Raises KeyError if a job names an account that is not in the
    snapshot.
    """
    with _collector_paused():
        return _plan(snapshot, policy, now)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the cyclic garbage collector from walking the snapshot several times, which costs a third of a pass.

    A plan makes no cycles, so there is nothing for it to find.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _plan(snapshot: Snapshot, policy: Policy, now: float) -> Plan:
    """Plan until nothing more starts and nothing more is asked to end.

    What is asked to end comes free sooner than thought, which may let others start: so the plan is made again with it.
    """
    starts: list[Start] = []
    preempts: list[Preempt] = []
    left, walks = snapshot, 0
    while True:
        allowed = replace(policy, max_decisions=policy.max_decisions - len(starts))
        dispatch, priorities, walked = _walked(left, allowed, now)
        walks += walked
        starts += dispatch.starts.values()
        asked = dispatch.preemption.preempts()
        preempts += asked
        if not asked:
            break
        left = after(left, dispatch.starts.values(), now, asked)
    return Plan(
        starts=tuple(starts),
        waits=Waits(dispatch, lambda: priorities or _priorities(dispatch)),
        reservations=tuple(dispatch.blocks.reservations.values()),
        preempts=tuple(preempts),
        stats={
            "pending": len(snapshot.pending),
            "running": len(snapshot.running),
            "nodes": len(snapshot.nodes),
            "classes": len(dispatch.backlog.classes),
            "walks": walks,
            "started": len(starts),
            "preempted": len(preempts),
        },
    )


def _walked(snapshot: Snapshot, policy: Policy, now: float) -> tuple[Dispatch, Priorities | None, int]:
    """Walk down the queue until a walk starts nothing more; the order that is left (None: not known
    yet), and how many walks it took."""
    dispatch = Dispatch(snapshot, policy, now)
    walks = 0
    while True:
        priorities = _priorities(dispatch)
        walks += 1
        started = dispatch.walk(priorities)
        if not started or len(dispatch.starts) >= policy.max_decisions:
            break
    return dispatch, None if started else priorities, walks


def _priorities(dispatch: Dispatch) -> Priorities:
    """The order of the jobs that have not been started."""
    backlog = dispatch.backlog
    is_waiting = np.ones(backlog.size, dtype=np.bool_)
    is_waiting[list(dispatch.starts)] = False
    chosen = np.flatnonzero(is_waiting)
    fair_place = dispatch.tree.fair_order(backlog, dispatch.leaves, chosen)
    return prioritise(backlog, dispatch.policy, dispatch.now, chosen, fair_place, dispatch.leaves)


def forecast(snapshot: Snapshot, policy: Policy, now: float, job: PendingJob) -> Forecast:
    """What ``job`` would meet if it joined the queue now: the page before submitting shows it."""
    joined = plan(replace(snapshot, pending=(*snapshot.pending, job)), policy, now)
    wait = joined.waits.get(job.id)
    if wait is None:
        return Forecast(start_p50_at=now, start_p90_at=now, place=1, reason=None, facts=WaitFacts(job.gpus))
    return Forecast(wait.start_p50_at, wait.start_p90_at, wait.place, wait.reason, wait.facts)
