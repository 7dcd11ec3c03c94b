"""Telling the scheduler of deadlines that moved: runs that are still open get their learner's own."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from campus.core.clock import database_now
from courses.catalog.models import Enrolment
from labs.jobs.api import set_deadline
from labs.jobs.models import Job

from .deadlines import deadlines_of
from .models import Assignment, LabRun


def follow_deadlines(assignments: Sequence[Assignment], enrolment_ids: Iterable[int] | None = None) -> int:
    """Give open runs of these labs the deadline that counts now, of all learners or of these; returns how many differ.

    Inside the caller's transaction.
    """
    labs = {one.lab_id: one for one in assignments if one.lab_id is not None}
    rows = LabRun.objects.filter(lab__in=labs, job__state__in=Job.OPEN_STATES)
    if enrolment_ids is not None:
        rows = rows.filter(enrolment__in=list(enrolment_ids))
    jobs: dict[tuple[int, int], list[int]] = defaultdict(list)
    for lab_id, enrolment_id, job_id in rows.values_list("lab_id", "enrolment_id", "job_id"):
        jobs[labs[lab_id].pk, enrolment_id].append(job_id)
    if not jobs:
        return 0
    learners = Enrolment.objects.filter(pk__in={enrolment_id for _, enrolment_id in jobs})
    deadlines, now = deadlines_of(list(labs.values()), learners), database_now()
    told = 0
    for key, job_ids in jobs.items():
        due_at = deadlines[key].due_at
        told += set_deadline(job_ids=job_ids, deadline_at=due_at if due_at and due_at > now else None)
    return told
