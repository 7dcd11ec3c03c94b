"""Handing work in: immutable versions with receipts, attempts, and a learner's own late days."""

from collections.abc import Mapping
from datetime import datetime

from django.core import signing
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotAllowed
from campus.core.formats import campus_time
from campus.core.notices.services import notify
from campus.people.models import User
from courses.catalog.api import RunAccess
from courses.catalog.models import Enrolment
from labs.jobs import api as jobs
from labs.jobs.models import Job, SourceBundle

from .access import get_assignment_for
from .deadlines import deadline_for
from .domain.attempts import Attempts
from .domain.deadlines import Deadline
from .domain.late import days_left, days_needed, lateness_s
from .domain.notebooks import BadNotebook, cells_of
from .grouping import group_of, members_of
from .models import Assignment, DeadlineChange, Group, LateDayBank, Submission, SubmissionMember
from .scheduler import follow_deadlines
from .testing.runs import have_tested

TEXT_FILE = "answer.md"
HANDED_IN_STATES = (Job.State.SUCCEEDED, Job.State.FAILED, Job.State.TIMED_OUT)


@transaction.atomic
def submit_work(
    *, assignment_id: int, user: User, files: Mapping[str, bytes] | None = None, job_id: int | None = None
) -> Submission:
    """Hand in a version: `files`, or for a lab the run `job_id` with what it ran. It counts as an attempt at once.

    Raises NotFound, NotAllowed (who is not enrolled now), InvalidInput (files, job), Conflict: not_open, closed,
    no_attempts_left, same_files.
    """
    assignment, access = get_assignment_for(user, assignment_id)
    enrolment = _locked(access)
    now = database_now()
    deadline = deadline_for(assignment, enrolment)
    _require_open(assignment, deadline, now)
    group = _locked_group(assignment, enrolment)
    if attempts_of(assignment, enrolment, group).is_used_up:
        raise Conflict(
            _("All %(n)d attempts are used.") % {"n": assignment.attempts_allowed or 0}, code="no_attempts_left"
        )
    source, job = _source(assignment, enrolment, files, job_id)
    newest = versions_of(assignment, enrolment, group).select_related("returned").order_by("-number").first()
    if newest is not None and newest.digest == source.digest and not hasattr(newest, "returned"):
        words = _("These are the files of version %(n)d, byte by byte. Nothing was handed in, no attempt was used.")
        raise Conflict(words % {"n": newest.number}, code="same_files")
    made = Submission.objects.create(
        assignment=assignment, enrolment=enrolment, group=group, number=newest.number + 1 if newest else 1,
        source=source, digest=source.digest, job=job, due_at=deadline.due_at, submitted_at=now, submitted_by=user,
    )  # fmt: skip
    _spend_late_days(made, deadline)
    if group is not None:
        _share(made, group)
    have_tested(made)
    return made


def versions_of(assignment: Assignment, enrolment: Enrolment, group: Group | None) -> QuerySet[Submission]:
    """Return what a group handed in, whoever of it did; without a group, what the learner did alone."""
    rows = Submission.objects.filter(assignment=assignment)
    return rows.filter(group=group) if group is not None else rows.filter(group=None, enrolment=enrolment)


def attempts_of(assignment: Assignment, enrolment: Enrolment, group: Group | None) -> Attempts:
    """Return how many attempts were made and are left, of a group together. One query."""
    counts = versions_of(assignment, enrolment, group).aggregate(made=Count("pk"), returned=Count("returned"))
    return Attempts(counts["made"], counts["returned"], assignment.attempts_allowed)


@transaction.atomic
def take_late_day(*, assignment_id: int, user: User) -> DeadlineChange:
    """Move one's own deadline by a day out of the run's bank. Raises NotFound, NotAllowed, Conflict (no_late_days)."""
    assignment, access = get_assignment_for(user, assignment_id)
    enrolment = _locked(access)
    deadline = deadline_for(assignment, enrolment)
    if not assignment.allows_late_days or deadline.due_at is None or not late_days_left(enrolment):
        raise Conflict(_("No late day may be used here, or none is left."), code="no_late_days")
    if deadline.is_closed(database_now()):
        raise Conflict(_("This assignment is closed."), code="closed")
    change = DeadlineChange.objects.create(
        kind=DeadlineChange.Kind.LATE_DAY, assignment=assignment, enrolment=enrolment, reason="late day"
    )
    follow_deadlines([assignment], [enrolment.pk])
    return change


def _spend_late_days(made: Submission, deadline: Deadline) -> None:
    """Where the run's bank is automatic, take as many days as make this version punctual, if as many are left."""
    assignment, enrolment = made.assignment, made.enrolment
    late_s = lateness_s(made.submitted_at, deadline.due_at)
    if not late_s or not assignment.allows_late_days or not assignment.late_deduct_pct:
        return
    if not LateDayBank.objects.filter(run=enrolment.run_id, is_automatic=True).exists():
        return
    days = days_needed(late_s, assignment.late_grace_s, late_days_left(enrolment))
    kind = DeadlineChange.Kind.LATE_DAY
    DeadlineChange.objects.bulk_create(
        DeadlineChange(kind=kind, assignment=assignment, enrolment=enrolment, reason="late day") for _ in range(days)
    )


def late_days_left(enrolment: Enrolment) -> int:
    """Return how many late days a learner still has in this run. Two queries."""
    bank = LateDayBank.objects.filter(run_id=enrolment.run_id).aggregate(days=Max("days"))["days"] or 0
    taken = DeadlineChange.objects.filter(
        enrolment=enrolment, kind=DeadlineChange.Kind.LATE_DAY, revoked_at=None
    ).count()
    return days_left(bank, taken)


def _locked_group(assignment: Assignment, enrolment: Enrolment) -> Group | None:
    """The learner's group, locked: versions of its members are counted one at a time, in the order they come."""
    group = group_of(assignment, enrolment)
    return Group.objects.select_for_update(no_key=True).get(pk=group.pk) if group is not None else None


def _share(made: Submission, group: Group) -> None:
    """Make a version the work of everybody who is in the group now, and tell the others."""
    others = [one for one in members_of(group) if one.pk != made.enrolment_id]
    SubmissionMember.objects.bulk_create(SubmissionMember(submission=made, enrolment=one) for one in others)
    notify(
        recipient_ids=[one.user_id for one in others],
        kind="assignments.group_handed_in",
        url=reverse("assignments:submission", args=[made.pk]),
        facts={"name": made.submitted_by.name, "title": made.assignment.title, "number": made.number},
    )


def receipt_of(submission: Submission) -> str:
    """Return the code that proves which bytes were handed in when: an HMAC over both by this platform's key."""
    return signing.Signer(salt="assignments.receipt").signature(
        f"{submission.pk}:{submission.digest}:{submission.submitted_at.isoformat()}"
    )


def _locked(access: RunAccess) -> Enrolment:
    """The learner's own row, locked: versions, attempts and late days are counted one at a time."""
    if access.enrolment is None or access.enrolment.state != Enrolment.State.ACTIVE:
        raise NotAllowed(_("Only learners who are enrolled now hand work in."))
    return (
        Enrolment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("cohort")
        .get(pk=access.enrolment.pk)
    )


def _require_open(assignment: Assignment, deadline: Deadline, now: datetime) -> None:
    if assignment.opens_at is not None and now < assignment.opens_at:
        raise Conflict(_("This opens %(when)s.") % {"when": campus_time(assignment.opens_at)}, code="not_open")
    if deadline.is_closed(now) and deadline.closes_at is not None:
        words = _("This closed %(when)s. Ask your instructor for an extension.")
        raise Conflict(words % {"when": campus_time(deadline.closes_at)}, code="closed")


def _source(
    assignment: Assignment, enrolment: Enrolment, files: Mapping[str, bytes] | None, job_id: int | None
) -> tuple[SourceBundle, Job | None]:
    if assignment.kind == Assignment.Kind.LAB:
        job = Job.objects.select_related("source").filter(
            pk=job_id or 0, lab_run__lab=assignment.lab_id, lab_run__enrolment=enrolment, state__in=HANDED_IN_STATES
        ).first()  # fmt: skip
        if job is None:
            raise InvalidInput({"job": _("Choose a run of this lab of yours that has ended.")})
        return job.source, job
    checked = jobs.checked_files(files or {})
    if assignment.kind == Assignment.Kind.TEXT and not checked.get(TEXT_FILE, b"").strip():
        raise InvalidInput({"text": _("Write something first.")})
    if assignment.kind == Assignment.Kind.NOTEBOOK:
        _require_notebook(checked)
    return jobs.store_bundle(checked), None


def _require_notebook(files: Mapping[str, bytes]) -> None:
    notebooks = [body for path, body in files.items() if path.endswith(".ipynb")]
    if not notebooks:
        raise InvalidInput({"upload": _("There is no notebook (.ipynb) among these files.")})
    try:
        for body in notebooks:
            cells_of(body)
    except BadNotebook:
        raise InvalidInput({"upload": _("This notebook cannot be read. Save it again in Jupyter.")}) from None
