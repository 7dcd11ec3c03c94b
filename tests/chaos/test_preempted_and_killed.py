"""kill -9 while a run that makes room is saving: the job goes on from what was kept, queued once, paid for once."""

from __future__ import annotations

import pytest
from django.db import transaction

from labs.jobs import api as jobs
from labs.jobs.models import Artifact, Attempt, Job, JobEvent
from labs.quota.models import LedgerEntry

from . import proof
from .scene import Scene
from .stand import until

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos, pytest.mark.xdist_group("chaos")]

#: Counts to GOAL and goes on from its checkpoint; asked to make room it saves, and is slow to go.
SAVER = """\
import os, pathlib, signal, sys, time
place = pathlib.Path(os.environ["CAMPUS_CHECKPOINT_DIR"]) / "count.txt"
count = int(place.read_text()) if place.exists() else 0
def save(*_):
    place.write_text(str(count))
    print("saved", count, flush=True)
    time.sleep(SLOW_S)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("from", count, flush=True)
while count < 300:
    time.sleep(0.05)
    count += 1
print("done", count, flush=True)
"""


def submit(scene: Scene, slow_s: float) -> Job:
    return scene.run(f"SLOW_S = {slow_s}\n{SAVER}", preemptible=True, wall_s=180)


def ask(job: Job) -> None:
    with transaction.atomic():
        assert jobs.preempt_attempts([jobs.Preemption(job.pk, "for_class", for_reservation_id=1)]) == [job.pk]


def said(attempt: Attempt) -> list[str]:
    return proof.log_of(attempt).decode().splitlines()


def until_saving(attempt: Attempt) -> None:
    until(lambda: any(line.startswith("saved") for line in said(attempt)), 60, what=f"{attempt} to save")


def until_made_room(attempt: Attempt) -> Attempt:
    until(lambda: Attempt.objects.get(pk=attempt.pk).outcome, 60, what=f"{attempt} to end")
    return Attempt.objects.get(pk=attempt.pk)


def net(job: Job, number: int) -> int:
    """What an attempt cost in the end, in GPU-seconds."""
    lines = dict(LedgerEntry.objects.filter(job_id=job.pk, attempt=number).values_list("kind", "gpu_seconds"))
    return int(lines.get("CHARGE", 0)) - int(lines.get("REFUND", 0))


def counted_from(attempt: Attempt) -> int:
    return int(said(attempt)[0].removeprefix("from "))


def test_an_agent_killed_in_the_grace_time_costs_that_attempt_and_not_the_checkpoint_before(scene: Scene) -> None:
    job = submit(scene, slow_s=3)
    first = scene.until_talking(job)
    until(lambda: scene.processes_of(job), 60, what="the program to count")
    ask(job)
    first = until_made_room(first)
    assert (first.outcome, said(first)[-1].split()[0]) == ("PREEMPTED", "saved")
    kept = int(said(first)[-1].split()[1])
    assert kept > 0

    second = scene.until_talking(job)
    ask(job)
    until_saving(second)
    scene.kill_agent_of(second)
    job = scene.until_over(job, 90)

    outcomes = list(job.attempts.order_by("number").values_list("outcome", flat=True))
    assert (job.state, outcomes) == ("SUCCEEDED", ["PREEMPTED", "LOST", "SETTLED"])
    last = job.attempts.get(number=3)
    # What the killed agent had not handed in is gone; what was kept before is still what the job goes on from.
    assert counted_from(second) == counted_from(last) == kept
    assert said(last)[-1] == "done 300"
    assert (net(job, 1), net(job, 2)) == (first.kept_s, 0)
    assert job.charged_s == net(job, 1) + net(job, 3)
    assert JobEvent.objects.filter(job=job, kind="PREEMPTED").count() == 1
    assert not Artifact.objects.filter(attempt__job=job, is_checkpoint=True).exists()


def test_a_worker_killed_in_the_grace_time_is_not_missed_until_the_job_is_to_start_again(scene: Scene) -> None:
    job = submit(scene, slow_s=1)
    first = scene.until_talking(job)
    until(lambda: scene.processes_of(job), 60, what="the program to count")
    ask(job)
    until_saving(first)
    scene.campus.kill("worker")
    first = until_made_room(first)
    assert (first.outcome, Job.objects.get(pk=job.pk).state) == ("PREEMPTED", "QUEUED")
    scene.campus.start("worker")
    job = scene.until_over(job)
    outcomes = list(job.attempts.order_by("number").values_list("outcome", flat=True))
    assert (job.state, outcomes) == ("SUCCEEDED", ["PREEMPTED", "SETTLED"])
    assert counted_from(job.attempts.get(number=2)) == int(said(first)[-1].split()[1])
    assert net(job, 1) == first.kept_s
