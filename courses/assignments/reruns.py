"""A lab's run that is run again counts for the lab as well."""

from collections.abc import Sequence
from typing import Any

from labs.jobs.api import job_rerun
from labs.jobs.models import Job

from .lab_deadlines import assignment_of
from .models import LabRun
from .scheduler import follow_deadlines


def count_reruns() -> None:
    """Listen for jobs that are submitted again; called once when the app is ready."""
    job_rerun.connect(keep_beside_lab, dispatch_uid="courses.assignments.reruns")


def keep_beside_lab(*, pairs: Sequence[tuple[Job, Job]], **_kwargs: Any) -> None:
    """Make new jobs runs of their originals' lab, in the transaction that submits them.

    Their deadline is the learner's as it is now: the originals' may have moved since.
    """
    rows = LabRun.objects.select_related("lab__assignment").filter(job__in=[original for _fresh, original in pairs])
    runs = {run.job_id: run for run in rows}
    LabRun.objects.bulk_create(
        LabRun(job=fresh, lab_id=runs[original.pk].lab_id, enrolment_id=runs[original.pk].enrolment_id)
        for fresh, original in pairs
        if original.pk in runs
    )
    handed_in = {one.pk: one for run in runs.values() if (one := assignment_of(run.lab)) is not None}
    if handed_in:
        follow_deadlines(list(handed_in.values()), {run.enrolment_id for run in runs.values()})
