"""How busy a running job's GPUs are, for its page."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils import timezone

from labs.jobs.models import Attempt, Job
from labs.usage.idleness import idle_of
from labs.usage.models import GpuActivity

register = template.Library()

# By then a measured run has a sample.
UNMEASURED_AFTER = timedelta(minutes=4)


@register.inclusion_tag("usage/_gpu_activity.html")
def gpu_activity(attempt: Attempt | None, job: Job) -> dict[str, Any]:
    """Say how busy the GPUs of a started attempt are, that they are idle, or that nothing is measured. One query.

    A share's GPU is measured as a whole: it is idle with it, and how busy the share is cannot be told.
    """
    if attempt is None or attempt.started_at is None:
        return {}
    row = GpuActivity.objects.filter(attempt=attempt).first()
    if job.is_share:
        found = idle_of(row.samples) if row is not None else None
        return {"is_share": True, "shared_idle": found, "gpus": job.gpus_in_all}
    if row is None or not row.samples:
        return {"is_unmeasured": timezone.now() - attempt.started_at > UNMEASURED_AFTER}
    return {"pct": row.samples[-1], "sampled_at": row.sampled_at, "idle": idle_of(row.samples), "gpus": job.gpus}
