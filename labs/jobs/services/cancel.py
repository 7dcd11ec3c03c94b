"""Cancelling: at once while no node has taken the job up, else by asking the node to stop it."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, NotFound
from labs.jobs.domain.states import OVER
from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.models import Attempt, Job, JobEvent
from labs.jobs.nudges import nudge_node, nudge_scheduler
from labs.quota import api as quota

from .ending import OPEN, end_job, let_go
from .events import add_event


def cancel(*, job_id: int, actor: Any) -> Job:
    """Cancel a queued job, or ask the node that runs it to stop. Asking twice changes nothing.

    What ran until the stop is charged, what never started is not. Raises NotFound, and Conflict (already_over).
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True, of=("self",)).filter(pk=job_id).first()
        if job is None:
            raise NotFound
        if job.state in OVER:
            raise Conflict(_("This job is over already."), code="already_over", facts={"state": job.state})
        if job.cancel_requested_at is not None:
            return job
        Job.objects.filter(pk=job.pk).update(cancel_requested_at=Now())
        if actor.pk != job.owner_id:
            audit.record(
                actor=actor,
                verb="job.cancelled",
                target=job,
                subject=job.owner,
                scope_path=job.account.scope.path,
            )
        add_event(job, JobEvent.Kind.CANCEL_REQUESTED, by=str(actor))
        _stop(job)
    job.refresh_from_db()
    return job


def _stop(job: Job) -> None:
    number = job.attempts_made + 1
    if job.state == Job.State.RUNNING:
        attempt = Attempt.objects.select_related("node").get(job=job, state__in=OPEN)
        number = attempt.number
        # By compare-and-swap: the node may be claiming it this very moment.
        if not let_go(attempt, only_in=(Attempt.State.ASSIGNED,), outcome=Attempt.Outcome.SETTLED):
            nudge_node(attempt.node.name)
            return
    end_job(job, Move.CANCEL, reason=Job.EndReason.CANCELLED, attempt=None)
    quota.release(account_id=job.account_id, job_id=job.pk, attempt=number, reason="cancelled")
    nudge_scheduler()
