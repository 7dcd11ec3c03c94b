"""The timeline of a job, and telling those who watch."""

from typing import Any

from labs.jobs.live import tell_jobs
from labs.jobs.models import Job, JobEvent


def add_event(job: Job, kind: str, *, attempt: int | None = None, **facts: Any) -> None:
    """Append a line to the job's timeline and tell its watchers on commit. `facts` are plain JSON values."""
    JobEvent.objects.create(job=job, kind=kind, attempt=attempt, facts=facts)
    tell_jobs(job.pk)
