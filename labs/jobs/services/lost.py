"""What the platform loses: the attempt is refunded, and its job tried again or given up."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Least, Now

from labs.jobs.domain.endings import Ending, LossLimits, ending_of_lost
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.domain.states import move_job
from labs.jobs.models import Attempt, Job, JobEvent
from labs.jobs.nudges import nudge_scheduler
from labs.quota import api as quota

from .artifacts import drop_unpublished
from .ending import end_job, let_go
from .events import add_event


def lose_attempt(*, attempt_id: int, cause: str, expired_only: bool = False) -> bool:
    """End an open attempt as lost. False if it is over, or with `expired_only` if its lease was renewed meanwhile.

    `cause` is a short word for the timeline (lease_expired, node_restarted …).
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True, of=("self",)).filter(attempts=attempt_id).first()
        attempt = _lock_open(attempt_id, expired_only=expired_only)
        if job is None or attempt is None:
            return False
        lose_locked(job, attempt, silent_from=attempt.silent_from, cause=cause)
        drop_unpublished(attempt)
    return True


def _lock_open(attempt_id: int, *, expired_only: bool) -> Any:
    rows = Attempt.objects.select_for_update(no_key=True, of=("self",)).filter(pk=attempt_id)
    rows = rows.exclude(state=Attempt.State.ENDED)
    if expired_only:
        rows = rows.filter(lease_expires_at__lt=Now())
    # Nothing ran for certain beyond the lease: the watchdog had killed it by then.
    return rows.annotate(silent_from=Least(Now(), "lease_expires_at")).first()


def lose_locked(job: Job, attempt: Attempt, *, silent_from: datetime, cause: str, **facts: Any) -> None:
    """Refund the attempt and queue its job again, or give up. Both rows are locked, the attempt is open.

    `silent_from` is when the platform knows for certain that nothing ran any more. `job.state` is the new one
    afterwards. `facts` are further fields of the attempt.
    """
    ran_s = (silent_from - attempt.started_at).total_seconds() if attempt.started_at else 0.0
    lost_s = quota.charge_s(run_s=max(0.0, ran_s), gpus=job.gpus_in_all, hold_s=job.hold_s, rate=job.rate)
    let_go(attempt, outcome=Attempt.Outcome.LOST, lost_s=lost_s, **facts)
    ending = _judge(job)
    add_event(job, JobEvent.Kind.LOST, attempt=attempt.number, cause=cause, lost_s=lost_s)
    if ending.event is Move.LOSE:
        job.state = move_job(job.state, Move.LOSE)
        Job.objects.filter(pk=job.pk).update(
            state=job.state, started_at=None, wait_reason="just_submitted", wait_facts={}
        )
    else:
        end_job(job, ending.event, reason=ending.reason, attempt=attempt.number)
    _give_back(job, attempt, lost_s)
    if ending.event is Move.LOSE:
        quota.hold(account_id=job.account_id, job_id=job.pk, attempt=attempt.number + 1, gpu_seconds=job.hold_s)
    nudge_scheduler()


def _judge(job: Job) -> Ending:
    lost = Attempt.objects.filter(job=job, outcome=Attempt.Outcome.LOST).aggregate(
        claimed=Count("pk", filter=Q(claimed_at__isnull=False)),
        unclaimed=Count("pk", filter=Q(claimed_at__isnull=True)),
    )
    return ending_of_lost(
        is_cancelling=job.cancel_requested_at is not None,
        lost_claimed=lost["claimed"],
        lost_unclaimed=lost["unclaimed"],
        limits=LossLimits(attempts=settings.LABS_MAX_ATTEMPTS),
    )


def _give_back(job: Job, attempt: Attempt, lost_s: int) -> None:
    """Post the loss: what ran is charged and refunded, so that the ledger shows what the platform cost the learner."""
    posting: dict[str, Any] = {"account_id": job.account_id, "job_id": job.pk, "attempt": attempt.number}
    if lost_s == 0:
        quota.release(**posting, reason="lost")
        return
    quota.settle(**posting, held_s=job.hold_s, charged_s=lost_s, reason="lost")
    quota.refund(**posting, gpu_seconds=lost_s, reason="lost")
