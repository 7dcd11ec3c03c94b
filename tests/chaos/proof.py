"""What must be true of every job when it is over, whatever was killed meanwhile."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from django.db import transaction

from labs.jobs.models import Artifact, Attempt, Job, JobEvent
from labs.quota import api as quota
from labs.quota.models import LedgerEntry
from tests.jobs import invariants

from .scene import Scene, times_of
from .stand import until

LAG_S = 3.0
"""On a busy machine the watch of a run may see its begin or its end so much later than the program."""


def log_of(attempt: Attempt) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in attempt.log_chunks.order_by("start"))


def said_by(attempt: Attempt, scene: Scene) -> bytes:
    """What the program itself kept of what it printed, as the campus published it."""
    artifact = Artifact.objects.get(attempt=attempt, path="said.txt", is_published=True)
    answer = scene.learners.ask("GET", f"jobs/{attempt.job_id}/artifacts/{artifact.pk}/")
    content: bytes = answer.body
    assert (answer.status, len(content)) == (200, artifact.size_bytes)
    assert hashlib.sha256(content).hexdigest() == artifact.digest
    return content


def ended_once(scene: Scene, job: Job, *, beats: int) -> Attempt:
    """The job succeeded, in one run that counts, whole to the byte and charged once. Returns that attempt."""
    job = scene.until_over(job)
    assert (job.state, job.end_reason, job.exit_code) == ("SUCCEEDED", "COMPLETED", 0), (job.state, job.end_reason)
    settled = job.attempts.get(outcome="SETTLED")
    assert settled.number == job.attempts_made
    said = said_by(settled, scene)
    assert log_of(settled) == said
    assert scene.learners.ask("GET", f"jobs/{job.pk}/log/").body == said
    lines = said.decode().splitlines()
    assert [line.rsplit(" ", 1)[0] for line in lines] == ["begins", *(f"박자 {n:04}" for n in range(beats)), "ends"]
    ended_at_most_once(scene, job)
    assert job.charged_s == quota.charge_s(run_s=settled.run_s, gpus=job.gpus, hold_s=job.hold_s)
    # By the program's own clock: this one run was charged, and no other.
    times = times_of(said)
    assert abs(settled.run_s - (times[-1] - times[0])) < LAG_S
    return settled


def ended_at_most_once(scene: Scene, job: Job) -> None:
    """The job is over, by one end; each attempt's hold went somewhere; only the settled one cost anything, and of those
    that made room what their checkpoints keep."""
    job.refresh_from_db()
    assert not job.is_open
    assert JobEvent.objects.filter(job=job, kind="ENDED").count() == 1
    settled = list(job.attempts.filter(outcome="SETTLED").values_list("number", flat=True))
    assert len(settled) <= 1
    lines: dict[int, dict[str, int]] = defaultdict(dict)
    entries = LedgerEntry.objects.filter(job_id=job.pk).order_by("id")
    for number, kind, seconds in entries.values_list("attempt", "kind", "gpu_seconds"):
        assert kind not in lines[number], f"{job}, attempt {number}: {kind} twice"
        lines[number][kind] = seconds
    net = {number: kinds.get("CHARGE", 0) - kinds.get("REFUND", 0) for number, kinds in lines.items()}
    assert sum(net.values()) == job.charged_s
    made_room = set(job.attempts.filter(outcome="PREEMPTED").values_list("number", flat=True))
    assert {number for number, seconds in net.items() if seconds} <= {*settled, *made_room}
    for number, kinds in lines.items():
        assert kinds["HOLD"] == kinds.get("CHARGE", 0) + kinds.get("RELEASE", 0), f"{job}, attempt {number}"


def all_is_well(scene: Scene) -> None:
    """Nothing is open, left behind, or other than the ledger says."""
    scene.until_quiet()
    assert invariants.broken() == []
    with transaction.atomic():
        assert quota.rebuild() == []
    assert not Artifact.objects.filter(is_published=False, attempt__state="ENDED").exists()
    for job in Job.objects.all():
        ended_at_most_once(scene, job)
    until(lambda: not scene.leftovers(), 60, what="processes and control groups to go")
