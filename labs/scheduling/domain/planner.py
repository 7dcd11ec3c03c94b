"""``plan(snapshot, policy, now)``: which jobs start where, and why and how long each of the others waits.

Pure: no clock, no I/O, and the order of the input never matters. The pass repeats until a walk down the queue starts
nothing more, so planning again on the state that a plan leads to changes nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from labs.scheduling.domain.decisions import Forecast, Plan, Preempt, Start, WaitFacts
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.effects import after
from labs.scheduling.domain.order import Priorities
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import PendingJob, Snapshot
from labs.scheduling.domain.standing import Standing
from labs.scheduling.domain.waits import Waits


def plan(snapshot: Snapshot, policy: Policy, now: float) -> Plan:
    """Decide for every pending job: a start, or a wait with its reason, place and expected start.

    ``now`` and all times are seconds since the epoch. Raises KeyError if a job names an account that is not in the
    snapshot.
    """
    with _collector_paused():
        return _plan(snapshot, policy, now)[0]


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


def plan_standing(snapshot: Snapshot, policy: Policy, now: float) -> tuple[Plan, Standing | None]:
    """As ``plan``, and what it leaves standing for ``Standing.step``; None where only full passes will do.

    The first step spends the plan's waits: read them before.
    """
    with _collector_paused():
        made, dispatch = _plan(snapshot, policy, now)
        return made, Standing.of(dispatch) if len(made.starts) < policy.max_decisions else None


def _plan(snapshot: Snapshot, policy: Policy, now: float) -> tuple[Plan, Dispatch]:
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
    made = Plan(
        starts=tuple(starts),
        waits=Waits(dispatch, lambda: priorities or dispatch.priorities()),
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
    return made, dispatch


def _walked(snapshot: Snapshot, policy: Policy, now: float) -> tuple[Dispatch, Priorities | None, int]:
    """Walk down the queue until a walk starts nothing more; the order that is left (None: not known
    yet), and how many walks it took."""
    dispatch = Dispatch(snapshot, policy, now)
    walks = 0
    while True:
        priorities = dispatch.priorities()
        walks += 1
        started = dispatch.walk(priorities)
        if not started or len(dispatch.starts) >= policy.max_decisions:
            break
    return dispatch, None if started else priorities, walks


def forecast(snapshot: Snapshot, policy: Policy, now: float, job: PendingJob) -> Forecast:
    """What ``job`` would meet if it joined the queue now: the page before submitting shows it."""
    joined = plan(replace(snapshot, pending=(*snapshot.pending, job)), policy, now)
    wait = joined.waits.get(job.id)
    if wait is None:
        return Forecast(start_p50_at=now, start_p90_at=now, place=1, reason=None, facts=WaitFacts(job.gpus))
    return Forecast(wait.start_p50_at, wait.start_p90_at, wait.place, wait.reason, wait.facts)
