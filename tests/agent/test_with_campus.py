"""The whole way on the real campus: submit, cycle, nudge, sandbox, log, settle, ledger; and what outages leave."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import pytest
import redis
from django.db import transaction

from infra.pool import api as pool
from infra.pool.models import Gpu, Node, Site
from labs.jobs import api as jobs
from labs.jobs.models import Artifact, Attempt, GpuLease, Job, LogChunk, MetricPoint
from labs.quota import api as quota
from labs.quota.models import LedgerEntry
from tests.jobs import build, invariants

from . import stand as stands
from .conftest import AgentProcess
from .processes import until

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos]

TALKER = b"import time\nfor n in range(400):\n print(f'line {n:04}')\n time.sleep(0.01)\n"
TALK = b"".join(b"line %04d\n" % n for n in range(400))


@dataclass
class Scene:
    """The campus, one learner, one node with its agent."""

    stand: stands.Stand
    world: build.World
    token: str
    agent: AgentProcess
    start_agent: Callable[[], AgentProcess]

    def submit(self, script: bytes, **wishes: Any) -> Job:
        with transaction.atomic():
            return self.world.submit(files={"main.py": script}, **wishes)

    def until_over(self, job: Job, within_s: float = 60.0) -> Job:
        until(lambda: not Job.objects.get(pk=job.pk).is_open, within_s)
        return Job.objects.get(pk=job.pk)

    def until_talking(self, job: Job) -> Attempt:
        until(lambda: LogChunk.objects.filter(attempt__job=job, attempt__state="RUNNING").exists(), 60)
        return Attempt.objects.get(job=job, state="RUNNING")


@pytest.fixture(scope="module")
def scene(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Scene]:
    """Started once: the programs keep their database, so nothing is rolled back between these tests."""
    folder = stands.folder()
    with django_db_blocker.unblock(), stands.database():
        stand = stands.Stand(folder)
        agents: list[AgentProcess] = []
        try:
            world = build.world()
            site = Site.objects.create(slug="yongin", name_ko="용인", campus=world.campus)
            _node, token = pool.register_node(site_id=site.pk, name="test-01", actor=world.learner)

            def start_agent() -> AgentProcess:
                redis = {
                    "REDIS_URL": os.environ["REDIS_URL"],
                    "CAMPUS_KEY_PREFIX": os.environ.get("CAMPUS_KEY_PREFIX", "campus"),
                }
                agents.append(AgentProcess(folder / "node", stand.url, token=token, **redis))
                until(lambda: "nudges arrive" in agents[-1].said, 60)
                return agents[-1]

            stand.start_web()
            stand.start_worker()
            yield Scene(stand, world, token, start_agent(), start_agent)
        finally:
            for agent in agents:
                agent.stop()
                sys.stdout.write(f"--- agent {agent.process.pid}\n{agent.said}\n")
            stand.close()
            sys.stdout.write(stand.logs())
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _invariants_hold(scene: Scene, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield
        assert invariants.broken() == []


def log_of(attempt: Attempt) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in attempt.log_chunks.all())


def charges(job: Job) -> dict[int, int]:
    """What stayed charged, in GPU-seconds, by attempt; attempts that the platform lost are refunded."""
    stayed: dict[int, int] = {}
    lines = LedgerEntry.objects.filter(job_id=job.pk, kind__in=["CHARGE", "REFUND"])
    for attempt, kind, seconds in lines.values_list("attempt", "kind", "gpu_seconds"):
        stayed[attempt] = stayed.get(attempt, 0) + (seconds if kind == "CHARGE" else -seconds)
    return {attempt: seconds for attempt, seconds in stayed.items() if seconds}


def test_the_node_is_up_with_the_slots_it_declared(scene: Scene) -> None:
    node = Node.objects.get(name="test-01")
    assert (node.state, node.confinement) == ("UP", "FULL")
    slots = Gpu.objects.filter(node=node).order_by("index")
    assert [(gpu.kind, gpu.gpu_type) for gpu in slots] == [("CPU_SLOT", "cpu-slot")] * 2


def test_a_job_goes_from_submit_to_the_ledger(scene: Scene) -> None:
    job = scene.submit(
        "import json\n"
        "for epoch in range(3): print(json.dumps({'epoch': epoch, 'accuracy': 0.5 + epoch / 10}))\n"
        "json.dump({'accuracy': 0.7}, open('metrics.json', 'w'))\n"
        "open('결과.txt', 'w').write('끝')\n".encode()
    )
    job = scene.until_over(job)
    attempt = job.attempts.get()
    assert (job.state, job.end_reason, job.exit_code) == ("SUCCEEDED", "COMPLETED", 0)
    assert job.result == {"accuracy": 0.7}
    assert log_of(attempt).count(b"\n") == 3
    assert attempt.log_bytes == len(log_of(attempt))
    points = MetricPoint.objects.filter(attempt=attempt).order_by("seq")
    assert [point.values["epoch"] for point in points] == [0, 1, 2]
    published = Artifact.objects.filter(attempt=attempt, is_published=True)
    assert sorted(published.values_list("path", flat=True)) == ["metrics.json", "결과.txt"]
    assert charges(job) == {1: 1}


def test_a_job_starts_within_a_second_of_submit(scene: Scene) -> None:
    """Nudged all the way: the cycle's own beat and the agent's heartbeat alone would take seconds now and then."""
    delays = []
    for _ in range(5):
        job = scene.until_over(scene.submit(b"pass"))
        attempt = job.attempts.get()
        delays.append((attempt.started_at - job.submitted_at).total_seconds())
    assert sorted(delays)[2] < 1.0


def test_a_learner_cancels_a_running_job(scene: Scene) -> None:
    job = scene.submit(b"import time\nprint('here')\ntime.sleep(60)\n")
    scene.until_talking(job)
    jobs.cancel(job_id=job.pk, actor=scene.world.learner)
    job = scene.until_over(job)
    assert (job.state, job.end_reason) == ("CANCELLED", "CANCELLED")
    assert list(charges(job)) == [1]


@pytest.mark.parametrize("program", ["web", "worker"])
def test_a_program_of_the_campus_killed_in_mid_job_costs_nothing(scene: Scene, program: str) -> None:
    job = scene.submit(TALKER)
    scene.until_talking(job)
    scene.stand.kill(program)
    time.sleep(0.5)  # the outage's own length
    getattr(scene.stand, f"start_{program}")()
    job = scene.until_over(job)
    # A program that takes longer to start than a lease lasts costs an attempt, never the job.
    last = job.attempts.get(number=job.attempts_made)
    assert job.state == "SUCCEEDED"
    assert log_of(last) == TALK
    assert list(charges(job)) == [last.number]


def test_a_flushed_redis_costs_seconds_only(scene: Scene) -> None:
    job = scene.submit(TALKER)
    scene.until_talking(job)
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
    after = scene.submit(b"print('after')")
    assert scene.until_over(job).state == "SUCCEEDED"
    assert scene.until_over(after).state == "SUCCEEDED"
    assert list(charges(job)) == list(charges(after)) == [1]


def test_a_killed_agent_loses_the_attempt_but_not_the_job(scene: Scene) -> None:
    job = scene.submit(TALKER)
    first = scene.until_talking(job)
    scene.agent.signal(signal.SIGKILL)
    scene.agent.wait()
    scene.agent = scene.start_agent()
    job = scene.until_over(job)
    first.refresh_from_db()
    second = job.attempts.get(number=2)
    assert (job.state, first.outcome, second.outcome) == ("SUCCEEDED", "LOST", "SETTLED")
    assert log_of(second) == TALK
    assert list(charges(job)) == [2]


def test_a_stopped_agent_hands_its_job_back(scene: Scene) -> None:
    job = scene.submit(TALKER)
    first = scene.until_talking(job)
    scene.agent.signal(signal.SIGTERM)
    assert scene.agent.wait() == 0
    first.refresh_from_db()
    assert first.outcome == "LOST"
    scene.agent = scene.start_agent()
    job = scene.until_over(job)
    assert (job.state, job.attempts_made) == ("SUCCEEDED", 2)
    assert list(charges(job)) == [2]


def test_a_frozen_agent_is_fenced_off_when_it_wakes(scene: Scene) -> None:
    job = scene.submit(b"import time\nfor n in range(60):\n print(n)\n time.sleep(0.1)\n")
    first = scene.until_talking(job)
    scene.agent.signal(signal.SIGSTOP)
    until(lambda: Attempt.objects.get(pk=first.pk).outcome == "LOST", 4 * stands.LEASE_S + 10)
    length = len(log_of(first))
    scene.agent.signal(signal.SIGCONT)
    job = scene.until_over(job)
    assert (job.state, len(log_of(first))) == ("SUCCEEDED", length)
    assert list(charges(job)) == [2]


SPINNER = b"""
import os, time
end = time.monotonic() + 3
print(os.environ["CAMPUS_GPU_MILLI"], os.environ["CAMPUS_GPU_MEMORY_MIB"], flush=True)
while time.monotonic() < end:
    pass
time.sleep(6)  # so long it holds its half, whatever else this machine does
"""


def test_two_halves_of_a_slot_run_at_once_within_their_halves_and_cost_half_each(scene: Scene) -> None:
    """What a slot here is: 0.95 processors and 896 MiB. The processor's seconds are the kernel's own account."""
    halves = [scene.submit(SPINNER, gpu_milli=500) for _ in range(2)]
    until(lambda: all(LogChunk.objects.filter(attempt__job=job).exists() for job in halves), 60)
    assert len(set(GpuLease.objects.values_list("gpu_id", flat=True))) == 1
    both_slots = scene.submit(b"print('all of it')", gpus=2)
    until(lambda: Job.objects.get(pk=both_slots.pk).wait_reason != "just_submitted", 60)
    waiting = Job.objects.get(pk=both_slots.pk)
    assert (waiting.state, waiting.wait_reason) == ("QUEUED", "resources")
    first, second = (scene.until_over(job).attempts.get() for job in halves)
    last = scene.until_over(both_slots).attempts.get()
    assert first.started_at < second.ended_at
    assert second.started_at < first.ended_at
    assert last.assigned_at > max(first.ended_at, second.ended_at)
    for attempt in (first, second):
        assert log_of(attempt) == b"500 448\n"
        assert attempt.cpu_s <= 0.475 * 3 + 0.3  # a period of the quota may be begun on either side
        assert charges(attempt.job) == {1: ceil(attempt.run_s / 2)}
    with transaction.atomic():
        assert quota.rebuild() == []
