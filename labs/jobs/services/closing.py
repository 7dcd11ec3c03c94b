"""When a quota account closes: what waits on it is cancelled, what runs on it finishes."""

from django.db import transaction

from labs.jobs.domain.states import JobEvent as Move
from labs.jobs.models import Job
from labs.jobs.nudges import nudge_scheduler
from labs.quota import api as quota

from .ending import end_job


@transaction.atomic
def cancel_waiting(*, account_id: int) -> int:
    """Cancel the account's queued jobs, release what they hold, and return how many there were.

    All jobs are locked before the accounts, in the order of docs/decisions/0001; so call it before accounts are.
    """
    queued = Job.objects.filter(account_id=account_id, state=Job.State.QUEUED).order_by("pk")
    jobs = list(queued.select_for_update(no_key=True, of=("self",)))
    for job in jobs:
        end_job(job, Move.CANCEL, reason=Job.EndReason.ACCOUNT_CLOSED, attempt=None)
    for job in jobs:
        quota.release(account_id=account_id, job_id=job.pk, attempt=job.attempts_made + 1, reason="account_closed")
    if jobs:
        nudge_scheduler()
    return len(jobs)
