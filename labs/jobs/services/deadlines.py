"""A deadline that moved: jobs that are still open are told, so that the scheduler goes by the new one."""

from collections.abc import Collection
from datetime import datetime

from labs.jobs.models import Job
from labs.jobs.nudges import nudge_scheduler


def set_deadline(*, job_ids: Collection[int], deadline_at: datetime | None) -> int:
    """Give open jobs another deadline, inside the caller's transaction; returns how many had a different one."""
    open_jobs = Job.objects.filter(pk__in=job_ids, state__in=Job.OPEN_STATES)
    if deadline_at is None:
        changed = open_jobs.exclude(deadline_at=None).update(deadline_at=None)
    else:
        changed = open_jobs.exclude(deadline_at=deadline_at).update(deadline_at=deadline_at)
    if changed:
        nudge_scheduler()
    return changed
