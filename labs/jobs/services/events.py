"""The timeline of a job, and telling those who watch."""

import json
from typing import Any

from django.db import connection

from labs.jobs.live import tell_job, tell_jobs
from labs.jobs.models import Job


def add_event(job: Job, kind: str, *, attempt: int | None = None, **facts: Any) -> None:
    """Append a line to the job's timeline and tell its watchers on commit. `facts` are plain JSON values."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jobs_jobevent (job_id, kind, attempt, facts) VALUES (%s, %s, %s, %s)",
            [job.pk, str(kind), attempt, json.dumps(facts)],
        )
    if Job.account.is_cached(job):
        tell_job(job.pk, owner_id=job.owner_id, scope_id=job.account.scope_id)
    else:
        tell_jobs(job.pk)
