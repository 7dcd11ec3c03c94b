"""Testing submissions: a run is written with the submission, its job comes after the commit, its end by a signal.

Whatever is lost on the way is found again by `reconcile_runs`, which any number may run.
"""

import secrets
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from campus.core.errors import CampusError
from campus.people.models import User
from courses.assignments.domain import reports
from courses.assignments.domain.cases import Case
from courses.assignments.domain.rubrics import from_json, most_points
from courses.assignments.models import Assignment, AttemptReturn, GradingRun, RegradeBatch, Submission, TestSuite
from courses.assignments.scores import take_tested
from labs.jobs import api as jobs
from labs.jobs.models import Job

from .files import PROGRAM, job_files, written_report

logger = structlog.get_logger(__name__)

GRADER = "grading@campus.invalid"
BATCH = 100
MOST_OPEN = 32
"""Test runs that the sweep lets into the queue at once: a regrade's others wait without holding GPU time."""

# Endings for which neither the learner nor the tests can be blamed.
PLATFORM_ENDS = (
    Job.EndReason.PLATFORM, Job.EndReason.ENVIRONMENT, Job.EndReason.DEPENDENCY, Job.EndReason.ACCOUNT_CLOSED,
    Job.EndReason.CANCELLED,
)  # fmt: skip
# Of these, what may go well another time. Learners cannot hand in again once an assignment is closed.
TRIED_AGAIN = (Job.EndReason.PLATFORM, Job.EndReason.ENVIRONMENT)
MOST_TRIES = 3


def current_suite(assignment: Assignment) -> TestSuite | None:
    """Return the newest version of an assignment's tests that holds any. One query."""
    suite = TestSuite.objects.filter(assignment=assignment).order_by("-version").first()
    return suite if suite is not None and suite.cases else None


def points_for_tests(assignment: Assignment) -> Decimal:
    """The points that tests decide about: what the rubric leaves."""
    return max(assignment.points - most_points(from_json(assignment.rubric)), Decimal(0))


def have_tested(submission: Submission, *, suite: TestSuite | None = None, batch: RegradeBatch | None = None) -> None:
    """Have a submission tested, inside the caller's transaction. Nothing happens where there are no tests."""
    suite = suite or current_suite(submission.assignment)
    if suite is None:
        return
    run = GradingRun.objects.create(submission=submission, suite=suite, batch=batch, key=secrets.token_hex(32))
    if batch is None:
        transaction.on_commit(lambda: start_run(run_id=run.pk), robust=True)


def start_run(*, run_id: int) -> bool:
    """Queue the job of a waiting run on the cohort's account. False: it did not wait, or there is no GPU time now."""
    try:
        with transaction.atomic():
            run = (
                GradingRun.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related(
                    "suite", "submission__assignment", "submission__source", "submission__enrolment__cohort"
                )
                .filter(pk=run_id, state=GradingRun.State.WAITING)
                .first()
            )
            if run is None:
                return False
            job = _submit(run)
            GradingRun.objects.filter(pk=run.pk).update(state=GradingRun.State.QUEUED, job=job, why="")
    except CampusError as error:
        GradingRun.objects.filter(pk=run_id, state=GradingRun.State.WAITING).update(why=str(error.message)[:300])
        logger.warning("grading_waits", run=run_id, code=error.code)
        return False
    return True


def _submit(run: GradingRun) -> Job:
    submission, suite = run.submission, run.suite
    assignment, cohort = submission.assignment, submission.enrolment.cohort
    lab = assignment.lab
    job, _is_new = jobs.submit(
        owner=grader(),
        account_id=cohort.account_id,
        title=_("Tests: %(title)s") % {"title": assignment.title},
        environment_id=suite.environment_id,
        files=job_files(run),
        entrypoint=PROGRAM,
        gpus=suite.gpus,
        gpu_type=lab.gpu_type if lab else "",
        wall_s=suite.wall_s,
        data_set_ids=list(lab.data_sets.values_list("pk", flat=True)) if lab else [],
        preferred_campus_id=cohort.campus_id,
        work_key=f"grading:{assignment.pk}",
        work_url=reverse("assignments:desk", args=[assignment.pk, submission.enrolment_id]),
        purpose=Job.Purpose.GRADING,
        idempotency_key=f"grading-{run.pk}",
    )
    return job


def grader() -> User:
    """Return the platform's own account, in whose name tests run: nobody signs in with it."""
    found = User.objects.filter(email=GRADER).first()
    if found is None:
        found, _made = User.objects.get_or_create(
            email=GRADER, defaults={"name": "채점 Grading", "is_active": False, "password": "!"}
        )
    return found


def on_job_settled(*, job_id: int, purpose: str, **_kwargs: Any) -> None:
    """A job is over: if it tested something, take its report."""
    if purpose != Job.Purpose.GRADING:
        return
    run_id = GradingRun.objects.filter(job_id=job_id).values_list("pk", flat=True).first()
    if run_id is not None:
        finish_run(run_id=run_id)


@transaction.atomic
def finish_run(*, run_id: int) -> bool:
    """Take the report of a run whose job is over. False: it is not, or this was done before.

    What the platform failed gives the attempt back, leaves every score as it was, and is tested again a few times.
    """
    run = (
        GradingRun.objects.select_for_update(of=("self",))
        .select_related("job", "suite", "submission__assignment", "submission__enrolment")
        .filter(pk=run_id, state=GradingRun.State.QUEUED)
        .first()
    )
    if run is None or run.job is None or run.job.is_open:
        return False
    if run.job.end_reason in PLATFORM_ENDS:
        _platform_failed(run, run.job)
        return True
    cases = [Case(*row) for row in run.suite.cases]
    folded = reports.fold(written_report(run.job), run.key, cases, points_for_tests(run.submission.assignment))
    run.state, run.raw, run.report = GradingRun.State.DONE, folded.points, reports.as_json(folded)
    run.why = "" if folded.is_signed else run.job.end_reason
    GradingRun.objects.filter(pk=run.pk).update(
        state=run.state, raw=run.raw, report=run.report, why=run.why, ended_at=Now()
    )
    if run.batch_id is None:
        take_tested(run)
    return True


def _platform_failed(run: GradingRun, job: Job) -> None:
    GradingRun.objects.filter(pk=run.pk).update(state=GradingRun.State.PLATFORM, why=job.end_reason, ended_at=Now())
    if run.batch_id is None:
        AttemptReturn.objects.get_or_create(
            submission=run.submission, defaults={"reason": f"platform: {job.end_reason}", "actor": None}
        )
        if job.end_reason in TRIED_AGAIN:
            _test_again(run)


def _test_again(run: GradingRun) -> None:
    """Let the sweep queue the same tests once more, unless that was done often enough."""
    failed = GradingRun.objects.filter(submission=run.submission, batch=None, state=GradingRun.State.PLATFORM)
    if failed.count() < MOST_TRIES:
        GradingRun.objects.create(submission=run.submission, suite=run.suite, key=secrets.token_hex(32))


def reconcile_runs() -> int:
    """Finish runs whose job's end was not heard of, and queue those that wait; returns how many moved."""
    over = GradingRun.objects.filter(state=GradingRun.State.QUEUED).exclude(job__state__in=Job.OPEN_STATES)
    moved = sum(finish_run(run_id=pk) for pk in list(over.order_by("pk").values_list("pk", flat=True)[:BATCH]))
    waiting = GradingRun.objects.filter(state=GradingRun.State.WAITING).order_by("pk")
    room = MOST_OPEN - GradingRun.objects.filter(state=GradingRun.State.QUEUED).count()
    moved += sum(start_run(run_id=pk) for pk in list(waiting.values_list("pk", flat=True)[: max(room, 0)]))
    return moved
