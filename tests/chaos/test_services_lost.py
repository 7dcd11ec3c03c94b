"""Redis emptied or killed, PostgreSQL restarted or killed, in mid-job: seconds are lost, never a job or its charge."""

from __future__ import annotations

import signal
from http.client import HTTPException

import pytest
import redis

from labs.jobs.models import Job

from . import proof
from .scene import Scene
from .stand import until

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos, pytest.mark.xdist_group("chaos")]


def test_redis_emptied_in_mid_job_loses_nothing(scene: Scene) -> None:
    running = scene.submit(beats=30)
    scene.until_talking(running)
    waiting = [scene.submit(beats=2) for _ in range(4)]
    with redis.Redis.from_url(scene.campus.redis.url) as client:
        client.flushall()
    proof.ended_once(scene, running, beats=30)
    for job in waiting:
        proof.ended_once(scene, job, beats=2)


def test_redis_killed_in_mid_job_neither_ends_it_nor_refuses_the_next(scene: Scene) -> None:
    running = scene.submit(beats=30)
    scene.until_talking(running)
    scene.campus.kill("redis")
    following = scene.submit(beats=2)
    proof.ended_once(scene, running, beats=30)
    scene.campus.start("redis")
    proof.ended_once(scene, following, beats=2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["fast_shutdown", "kill_9"])
def test_postgresql_restarted_in_mid_job_loses_nothing(scene: Scene, number: signal.Signals) -> None:
    running = scene.submit(beats=60)
    scene.until_talking(running)
    scene.campus.kill("postgres", number)
    wish = scene.request(beats=2)
    with pytest.raises((HTTPException, OSError, AssertionError)):
        assert scene.learners.ask("POST", "jobs/", wish, within_s=3).status == 201
    scene.campus.start("postgres")
    proof.ended_once(scene, running, beats=60)
    # Whatever became of the first try, the same key is the same job.
    until(lambda: scene.learners.is_answered("GET", "me/", 200), 60, what="the campus to answer again")
    answer = scene.learners.ask("POST", "jobs/", wish)
    assert answer.status in (200, 201)
    proof.ended_once(scene, Job.objects.get(pk=answer.body["id"]), beats=2)
    assert Job.objects.filter(idempotency_key=wish["idempotency_key"]).count() == 1
