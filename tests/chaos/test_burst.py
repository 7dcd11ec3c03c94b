"""Sixty short jobs under a schedule of kills: each ends once, whole, and is charged once."""

from __future__ import annotations

import time
from http.client import HTTPException
from random import Random
from typing import Any

import pytest

from labs.jobs.models import Artifact, Job

from . import proof
from .scene import Scene
from .stand import AGENTS, APPLICATION

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos, pytest.mark.xdist_group("chaos")]

JOBS = 60
BEATS = 6
KILLS = 10
SEED = 633_20
WITHIN_S = 150.0
VICTIMS = (*APPLICATION, *AGENTS, *AGENTS, "redis", "postgres")


def test_sixty_jobs_under_a_schedule_of_kills_each_end_once(scene: Scene) -> None:
    """What is killed, and when, is drawn from a seed; what that hits differs from run to run, and may not matter."""
    chance = Random(SEED)
    wishes = [scene.request(beats=BEATS, gpus=chance.choice((1, 1, 1, 2))) for _ in range(JOBS)]
    kills = [(chance.uniform(0.3, 2.5), chance.choice(VICTIMS)) for _ in range(KILLS)]
    waiting = list(wishes)
    next_kill_at = time.monotonic() + kills[0][0]
    deadline = time.monotonic() + WITHIN_S
    while waiting or kills:
        assert time.monotonic() < deadline, f"{len(waiting)} jobs to submit, {len(kills)} kills to come"
        scene.campus.launch_whatever_is_down(is_awaited=False)
        if waiting and is_submitted(scene, waiting[0]):
            waiting.pop(0)
        if kills and time.monotonic() >= next_kill_at:
            scene.campus.kill(kills.pop(0)[1])
            next_kill_at = time.monotonic() + (kills[0][0] if kills else 0)
    scene.campus.launch_whatever_is_down()
    scene.until_quiet(WITHIN_S)
    jobs = Job.objects.filter(idempotency_key__in=[wish["idempotency_key"] for wish in wishes])
    assert jobs.count() == JOBS
    given_up = [job for job in jobs if not is_whole(scene, job)]
    assert len(given_up) <= JOBS // 10, "the platform gives up on a job that it lost three times, which is rare"


def is_submitted(scene: Scene, wish: dict[str, Any]) -> bool:
    """Whether the campus was there and took it. Tried again with the same key it stays one job."""
    try:
        answer = scene.learners.ask("POST", "jobs/", wish, within_s=5)
    except (OSError, HTTPException):
        return False
    assert answer.status in (200, 201, 503), answer
    return answer.status != 503


def is_whole(scene: Scene, job: Job) -> bool:
    """True for a job that succeeded, whole and paid; False for one that the platform lost three times and refunded."""
    if job.end_reason == "PLATFORM":
        assert (job.state, job.charged_s) == ("FAILED", 0)
        assert list(job.attempts.values_list("outcome", flat=True)) == ["LOST"] * job.attempts_made
        assert not Artifact.objects.filter(attempt__job=job).exists()
        return False
    proof.ended_once(scene, job, beats=BEATS)
    return True
