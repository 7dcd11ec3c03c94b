"""Jobs of a world: ended, running and queued ones, with attempts, events, ledger lines, days of use and balances."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from courses.assignments.models import Lab, LabRun
from courses.catalog.models import Enrolment
from infra.pool.models import Gpu, Node
from labs.environments.models import Environment
from labs.jobs.models import Attempt, GpuLease, Job, JobEvent
from labs.quota.models import LedgerEntry, UsageDay

WALL_S = 600
#: How many ended jobs went which way.
_ENDINGS = (
    (Job.State.SUCCEEDED, Job.EndReason.COMPLETED, 0),
    (Job.State.SUCCEEDED, Job.EndReason.COMPLETED, 0),
    (Job.State.SUCCEEDED, Job.EndReason.COMPLETED, 0),
    (Job.State.FAILED, Job.EndReason.EXIT_CODE, 1),
)
_BALANCES = """
UPDATE quota_account SET used_s = sums.used_s, held_s = sums.held_s
FROM (
    SELECT unnest(path) AS id,
           sum(CASE kind WHEN 'CHARGE' THEN gpu_seconds WHEN 'REFUND' THEN -gpu_seconds ELSE 0 END) AS used_s,
           sum(CASE kind WHEN 'HOLD' THEN gpu_seconds WHEN 'REFUND' THEN 0 ELSE -gpu_seconds END) AS held_s
    FROM quota_ledgerentry GROUP BY 1
) AS sums
WHERE quota_account.id = sums.id
"""


class JobMaker:
    """Gathers jobs, then `write` inserts them all."""

    def __init__(self, rng: random.Random, now: datetime, environment: Environment, labs: Sequence[Lab]) -> None:
        self._rng, self._now = rng, now
        self._environment, self._labs = environment, labs
        self._zone = ZoneInfo(settings.TIME_ZONE)
        self._node = Node.objects.order_by("pk").first()
        self._fence = 0
        self._jobs: list[Job] = []
        self._enrolments: list[Enrolment] = []
        self._attempts: list[Attempt] = []
        self._leases: list[GpuLease] = []

    def ended(self, enrolments: Sequence[Enrolment], each: int) -> None:
        """So many jobs of each learner that are over and charged, of the last weeks."""
        for enrolment in enrolments:
            for _ in range(each):
                state, reason, exit_code = self._rng.choice(_ENDINGS)
                at = self._now - timedelta(minutes=self._rng.randrange(30, 30_000))
                run_s = self._rng.randrange(20, WALL_S)
                job = self._job(enrolment, state, at, end_reason=reason, exit_code=exit_code, charged_s=run_s)
                job.started_at, job.ended_at = at + timedelta(seconds=2), at + timedelta(seconds=2 + run_s)
                job.result = {"accuracy": round(self._rng.random(), 4)}
                self._attempt(
                    job,
                    self._node,
                    Attempt.State.ENDED,
                    outcome=Attempt.Outcome.SETTLED,
                    ended_at=job.ended_at,
                    run_s=run_s,
                )

    def running(self, enrolments: Sequence[Enrolment], gpus: Sequence[Gpu]) -> None:
        """A running job of one GPU on each of `gpus`."""
        for number, gpu in enumerate(gpus):
            at = self._now - timedelta(seconds=self._rng.randrange(10, WALL_S))
            job = self._job(enrolments[number % len(enrolments)], Job.State.RUNNING, at)
            job.started_at = at + timedelta(seconds=1)
            lease_end = self._now + timedelta(days=1)
            attempt = self._attempt(
                job, gpu.node, Attempt.State.RUNNING, boot_id=gpu.node.boot_id, lease_expires_at=lease_end
            )
            self._leases.append(GpuLease(gpu=gpu, attempt=attempt))

    def queued(self, enrolments: Sequence[Enrolment], number: int) -> None:
        """So many jobs that wait, with what the last cycle said of them."""
        for place in range(1, number + 1):
            job = self._job(enrolments[place % len(enrolments)], Job.State.QUEUED, self._now)
            job.wait_reason, job.queue_place = "no_free_gpu", place
            job.start_p50_at = self._now + timedelta(minutes=place)
            job.start_p90_at = self._now + timedelta(minutes=3 * place)

    def _job(self, enrolment: Enrolment, state: str, at: datetime, **fields: object) -> Job:
        lab = self._labs[len(self._jobs) % len(self._labs)]
        job = Job(
            owner=enrolment.user, account=enrolment.account, title=lab.title, environment=self._environment,
            source_id=lab.starter_id, wall_s=WALL_S, state=state, submitted_at=at, work_key=f"lab:{lab.pk}",
            work_url=f"/labs/{lab.pk}/", attempts_made=0 if state == Job.State.QUEUED else 1, **fields,
        )  # fmt: skip
        self._jobs.append(job)
        self._enrolments.append(enrolment)
        return job

    def _attempt(self, job: Job, node: Node, state: str, **fields: object) -> Attempt:
        self._fence += 1
        attempt = Attempt(
            job=job, number=1, node=node, fence=self._fence, state=state, assigned_at=job.submitted_at,
            claimed_at=job.submitted_at, started_at=job.started_at, gpu_labels=[f"{node.name}/0"], **fields,
        )  # fmt: skip
        self._attempts.append(attempt)
        return attempt

    def write(self) -> None:
        """Insert everything, and set the balances to what the ledger says."""
        Job.objects.bulk_create(self._jobs)
        Attempt.objects.bulk_create(self._attempts)
        GpuLease.objects.bulk_create(self._leases)
        JobEvent.objects.bulk_create(event for job in self._jobs for event in _events(job))
        lab_of = {f"lab:{lab.pk}": lab for lab in self._labs}
        LabRun.objects.bulk_create(
            LabRun(lab=lab_of[job.work_key], enrolment=enrolment, job=job)
            for job, enrolment in zip(self._jobs, self._enrolments, strict=True)
        )
        LedgerEntry.objects.bulk_create(entry for job in self._jobs for entry in self._entries(job))
        UsageDay.objects.bulk_create(self._days())
        with connection.cursor() as cursor:
            cursor.execute(_BALANCES)
            cursor.execute("SELECT setval('jobs_fence_seq', %s)", [self._fence + 1])

    def _entries(self, job: Job) -> list[LedgerEntry]:
        postings = [(LedgerEntry.Kind.HOLD, job.hold_s, job.submitted_at)]
        if job.ended_at is not None:
            postings.append((LedgerEntry.Kind.CHARGE, job.charged_s, job.ended_at))
            postings.append((LedgerEntry.Kind.RELEASE, job.hold_s - job.charged_s, job.ended_at))
        return [
            LedgerEntry(
                account=job.account, path=job.account.path, job_id=job.pk, attempt=1, kind=kind, gpu_seconds=seconds,
                at=at, day=at.astimezone(self._zone).date() if kind == LedgerEntry.Kind.CHARGE else None,
            )
            for kind, seconds, at in postings
        ]  # fmt: skip

    def _days(self) -> list[UsageDay]:
        days: dict[tuple[int, object], UsageDay] = {}
        for job in self._jobs:
            if job.ended_at is None:
                continue
            day = job.ended_at.astimezone(self._zone).date()
            kept = days.setdefault(
                (job.account_id, day),
                UsageDay(account=job.account, path=job.account.path, day=day, charged_s=0, jobs=0),
            )
            kept.charged_s += job.charged_s
            kept.jobs += 1
        return list(days.values())

    def first_of(self, user_id: int) -> int:
        """An ended job of that person."""
        return self._first(lambda job: job.owner_id == user_id and job.ended_at is not None)

    def first_running(self) -> int:
        """A running job."""
        return self._first(lambda job: job.state == Job.State.RUNNING)

    def first_queued(self) -> int:
        """A job that waits."""
        return self._first(lambda job: job.state == Job.State.QUEUED)

    def _first(self, fits) -> int:
        return next((job.pk for job in self._jobs if fits(job)), 0)


def _events(job: Job) -> list[JobEvent]:
    moments = [(JobEvent.Kind.SUBMITTED, job.submitted_at), (JobEvent.Kind.STARTED, job.started_at)]
    moments.append((JobEvent.Kind.ENDED, job.ended_at))
    return [JobEvent(job=job, kind=kind, at=at, attempt=1) for kind, at in moments if at is not None]
