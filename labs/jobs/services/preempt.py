"""Preempting: asking runs to save their work and make room, and queueing them again (docs/decisions/0002)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F

from campus.places.models import Campus
from labs.jobs.domain.checkpoints import kept_run_s, refund_s
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.domain.states import move_job
from labs.jobs.live import tell_jobs
from labs.jobs.models import Attempt, Job, JobEvent
from labs.jobs.nudges import nudge_nodes, nudge_scheduler
from labs.quota import api as quota

from .ending import let_go
from .events import add_event


@dataclass(frozen=True)
class Preemption:
    """Ask the open attempt of this job to make room. `reason` is a short word for the timeline (for_class …)."""

    job_id: int
    reason: str
    for_job_id: int | None = None
    for_reservation_id: int | None = None


# Rows that somebody holds are passed over: that run is just ending or being renewed, and the next cycle asks again.
_ASK = """
WITH asked AS (
    UPDATE jobs_attempt SET preempt_requested_at = clock_timestamp(), preempt_grace_s = %(grace_s)s,
           preempt_reason = said.reason, preempt_for_job_id = said.for_job_id
    FROM unnest(%(ids)s::bigint[], %(reasons)s::text[], %(for_jobs)s::bigint[]) AS said (job_id, reason, for_job_id)
    WHERE jobs_attempt.job_id = said.job_id AND jobs_attempt.id IN (
        SELECT attempt.id FROM jobs_attempt AS attempt JOIN jobs_job AS job ON job.id = attempt.job_id
        WHERE attempt.job_id = ANY(%(ids)s) AND attempt.state <> 'ENDED' AND attempt.preempt_requested_at IS NULL
          AND job.is_preemptible AND job.cancel_requested_at IS NULL
        ORDER BY attempt.id FOR NO KEY UPDATE OF attempt SKIP LOCKED)
    RETURNING jobs_attempt.job_id, jobs_attempt.number, jobs_attempt.node_id
)
SELECT asked.job_id, asked.number, pool_node.name FROM asked JOIN pool_node ON pool_node.id = asked.node_id
"""


def preempt_attempts(preemptions: Iterable[Preemption]) -> list[int]:
    """Ask open attempts to save their work and end within LABS_PREEMPT_GRACE_S. Returns the ids of the jobs asked.

    In a fixed number of queries, inside the caller's transaction. Who was asked before, is being cancelled, has ended
    or is not preemptible is passed over, so asking twice changes nothing.
    """
    wanted = {one.job_id: one for one in preemptions}
    if not wanted:
        return []
    facts = {
        "ids": list(wanted),
        "reasons": [one.reason for one in wanted.values()],
        "for_jobs": [one.for_job_id for one in wanted.values()],
        "grace_s": settings.LABS_PREEMPT_GRACE_S,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASK, facts)
        asked = sorted(cursor.fetchall())
    JobEvent.objects.bulk_create(
        [
            JobEvent(job_id=job_id, attempt=number, kind=JobEvent.Kind.PREEMPT_REQUESTED, facts=_facts(wanted[job_id]))
            for job_id, number, _node in asked
        ]
    )
    if asked:
        nudge_nodes(f"node.{node}" for _job, _number, node in asked)
        tell_jobs(*(job_id for job_id, _number, _node in asked))
    return [job_id for job_id, _number, _node in asked]


def _facts(one: Preemption) -> dict[str, Any]:
    named = {
        "reason": one.reason,
        "for_job_id": one.for_job_id,
        "for_reservation_id": one.for_reservation_id,
        "grace_s": settings.LABS_PREEMPT_GRACE_S,
    }
    return {name: value for name, value in named.items() if value is not None}


def requeue_preempted(job: Job, attempt: Attempt, *, run_s: float, saved_at_s: float | None, **facts: Any) -> None:
    """End an attempt that made room and queue its job again, in its old place. Both rows are locked.

    `saved_at_s` is the second of the run in which the checkpoint that was kept was saved; None where none was. What ran
    until then stays charged and counts towards the time limit, the rest is refunded. `facts` are further fields.
    """
    held_s = job.hold_s
    kept_s = kept_run_s(saved_at_s=saved_at_s, run_s=run_s, wall_left_s=job.wall_left_s)
    charged_s = 0
    if attempt.started_at is not None:
        charged_s = quota.charge_s(run_s=run_s, gpus=job.gpus_in_all, hold_s=held_s, rate=job.rate)
    job.kept_s += kept_s
    lost_s = refund_s(charged_s=charged_s, held_s=held_s, next_hold_s=job.hold_s)
    let_go(attempt, outcome=Attempt.Outcome.PREEMPTED, lost_s=lost_s, kept_s=kept_s, run_s=run_s, **facts)
    job.state = move_job(job.state, Move.PREEMPT)
    Job.objects.filter(pk=job.pk).update(
        state=job.state,
        started_at=None,
        kept_s=job.kept_s,
        charged_s=F("charged_s") + charged_s - lost_s,
        preempted_count=F("preempted_count") + 1,
        wait_reason="just_submitted",
        wait_facts={},
    )
    said = {"reason": attempt.preempt_reason, "lost_s": lost_s, "kept_s": kept_s, "is_saved": saved_at_s is not None}
    add_event(job, JobEvent.Kind.PREEMPTED, attempt=attempt.number, **said)
    _post(job, attempt.number, held_s, charged_s, lost_s)
    quota.hold(account_id=job.account_id, job_id=job.pk, attempt=attempt.number + 1, gpu_seconds=job.hold_s)
    nudge_scheduler()


def _post(job: Job, number: int, held_s: int, charged_s: int, lost_s: int) -> None:
    """All that ran is charged, and what was lost refunded, so that the ledger shows both."""
    posting: dict[str, Any] = {"account_id": job.account_id, "job_id": job.pk, "attempt": number}
    if not charged_s:
        quota.release(**posting, reason="preempted")
        return
    zone = Campus.objects.filter(scope_id__in=job.account.scope.path).values_list("timezone", flat=True).first() or ""
    quota.settle(**posting, held_s=held_s, charged_s=charged_s, reason="preempted", day_zone=zone)
    if lost_s:
        quota.refund(**posting, gpu_seconds=lost_s, reason="preempted")
