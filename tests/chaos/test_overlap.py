"""A node that falls silent without dying: its run is over before another begins, by the programs' own clocks."""

from __future__ import annotations

import signal

import pytest

from labs.jobs.models import Attempt, GpuLease, Job, LogChunk

from . import proof
from .scene import Scene, times_of
from .stand import LEASE_S, until

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos, pytest.mark.xdist_group("chaos")]

BEATS = 200  # of 0.05 s: longer than the lease, so that a run nobody stops would still be there


def is_talking(job: Job, number: int) -> bool:
    return LogChunk.objects.filter(attempt__job=job, attempt__number=number).exists()


def test_a_frozen_agents_run_ends_before_another_begins_and_cannot_settle(scene: Scene) -> None:
    job = scene.submit(beats=BEATS)
    first = scene.until_talking(job)
    frozen = f"agent-{first.node.name}"
    # Held open: what it said stays readable when its sandbox is gone.
    with open(f"/proc/{scene.processes_of(job)[0].pid}/cwd/said.txt", "rb") as said:
        scene.campus.signal(frozen, signal.SIGSTOP)
        try:
            until(lambda: is_talking(job, 2), 4 * LEASE_S + 20, what="the other node to run it")
            stored = Attempt.objects.get(pk=first.pk).log_bytes
        finally:
            scene.campus.signal(frozen, signal.SIGCONT)
        last = proof.ended_once(scene, job, beats=BEATS)
        first_said = times_of(said.read())
    second_said = times_of(proof.said_by(last, scene))
    assert 1 < len(first_said) < BEATS + 2, "it was ended in mid-run"
    assert first_said[-1] < second_said[0], "two runs of the job overlapped"
    assert last.node_id != first.node_id
    # Awake again, it spoke in vain: nothing was added to the attempt that had been given up.
    first.refresh_from_db()
    assert (first.outcome, first.log_bytes) == ("LOST", stored)
    assert not GpuLease.objects.filter(attempt=first).exists()
