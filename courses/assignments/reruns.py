"""A lab's run that is run again counts for the lab as well."""

from typing import Any

from labs.jobs.api import job_rerun
from labs.jobs.models import Job

from .lab_deadlines import assignment_of
from .models import LabRun
from .scheduler import follow_deadlines


def count_reruns() -> None:
    """Listen for jobs that are submitted again; called once when the app is ready."""
    job_rerun.connect(keep_beside_lab, dispatch_uid="courses.assignments.reruns")


def keep_beside_lab(*, job: Job, original: Job, **_kwargs: Any) -> None:
    """Make the new job a run of the original's lab, in the transaction that submits it.

    Its deadline is the learner's as it is now: the original's may have moved since.
    """
    run = LabRun.objects.select_related("lab__assignment").filter(job=original).first()
    if run is None:
        return
    LabRun.objects.get_or_create(job=job, defaults={"lab_id": run.lab_id, "enrolment_id": run.enrolment_id})
    assignment = assignment_of(run.lab)
    if assignment is not None:
        follow_deadlines([assignment], [run.enrolment_id])
