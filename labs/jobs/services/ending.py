"""The steps that every end of an attempt and of a job shares. The job's row is locked by the caller."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from labs.jobs.domain.states import AttemptEvent, move_attempt, move_job
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.models import Attempt, GpuLease, Job, JobEvent
from labs.jobs.signals import job_settled

from .events import add_event

OPEN = (Attempt.State.ASSIGNED, Attempt.State.CLAIMED, Attempt.State.RUNNING)


def let_go(attempt: Attempt, *, outcome: str, only_in: Sequence[str] = OPEN, **facts: Any) -> bool:
    """End the attempt if it still stands in one of `only_in` under its fence, and free its GPUs.

    False: somebody else ended it or moved it on, and nothing was changed. `facts` are further fields to set.
    """
    for state in only_in:
        move_attempt(state, AttemptEvent.END)
    changed = Attempt.objects.filter(pk=attempt.pk, fence=attempt.fence, state__in=only_in).update(
        state=Attempt.State.ENDED, outcome=outcome, ended_at=Now(), lease_expires_at=None, **facts
    )
    if changed:
        GpuLease.objects.filter(attempt=attempt).delete()
    return bool(changed)


def end_job(job: Job, move: Move, *, reason: str, attempt: int | None, **fields: Any) -> None:
    """Set the job's final state and tell the house on commit. `fields` are further fields to set."""
    job.state = move_job(job.state, move)
    Job.objects.filter(pk=job.pk).update(
        state=job.state,
        end_reason=reason,
        ended_at=Now(),
        wait_reason="",
        wait_facts={},
        queue_place=None,
        start_p50_at=None,
        start_p90_at=None,
        **fields,
    )
    add_event(job, JobEvent.Kind.ENDED, attempt=attempt, state=job.state, reason=reason)
    transaction.on_commit(lambda: job_settled.send_robust(sender=Job, job_id=job.pk), robust=True)
