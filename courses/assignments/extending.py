"""Deadlines that differ, each with a reason and who approved it. Scores follow: lateness is judged anew."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput, NotFound
from campus.core.formats import campus_time
from campus.core.notices.services import notify
from campus.people.models import User
from courses.catalog.models import Cohort, Enrolment

from .deadlines import deadline_for
from .models import Assignment, DeadlineChange, Score
from .moving import due_times, tell_moved
from .scheduler import follow_deadlines
from .scores import rescore

Kind = DeadlineChange.Kind


@transaction.atomic
def set_cohort_deadline(
    *, assignment: Assignment, cohort: Cohort, due_at: datetime, closes_at: datetime | None, reason: str, actor: User
) -> DeadlineChange:
    """Give a cohort its own deadline, in place of one it had. Raises InvalidInput (reason, closes_at)."""
    _require_reason(reason)
    if closes_at is not None and closes_at < due_at:
        raise InvalidInput({"closes_at": _("It closes no sooner than its deadline.")})
    touched = _touched(assignment=assignment, cohort=cohort)
    was = due_times(*touched)
    before = DeadlineChange.objects.filter(kind=Kind.COHORT, assignment=assignment, cohort=cohort, revoked_at=None)
    before.update(revoked_at=Now())
    times = {"due_at": due_at, "closes_at": closes_at}
    made = _keep(actor, kind=Kind.COHORT, assignment=assignment, cohort=cohort, reason=reason, **times)
    tell_moved(*touched, was)
    return made


@transaction.atomic
def extend(
    *, assignment: Assignment, enrolments: Iterable[Enrolment], due_at: datetime, reason: str, actor: User,
    kind: str = Kind.EXTENSION,
) -> list[DeadlineChange]:  # fmt: skip
    """Give learners more time; each is told. Raises InvalidInput (reason; due_at that is no later for any of them)."""
    _require_reason(reason)
    learners = list(enrolments)
    for learner in learners:
        now_due_at = deadline_for(assignment, learner).due_at
        if now_due_at is None or due_at <= now_due_at:
            raise InvalidInput({"due_at": _("That is no later than the deadline as it stands.")})
    return [
        _keep(actor, kind=kind, assignment=assignment, enrolment=learner, due_at=due_at, reason=reason)
        for learner in learners
    ]


@transaction.atomic
def accommodate(
    *, enrolment: Enrolment, factor_pct: int, reason: str, actor: User, assignment: Assignment | None = None
) -> DeadlineChange:
    """Give a learner `factor_pct` percent of the time, in all assignments of the run or in one. Raises InvalidInput."""
    _require_reason(reason)
    if not 100 < factor_pct <= 400:
        raise InvalidInput({"factor_pct": _("Use 101 to 400 percent of the time.")})
    touched = _touched(assignment=assignment, enrolment=enrolment)
    was = due_times(*touched)
    made = _keep(
        actor, kind=Kind.ACCOMMODATION, assignment=assignment, enrolment=enrolment, factor_pct=factor_pct, reason=reason
    )
    tell_moved(*touched, was)
    return made


@transaction.atomic
def revoke(*, change_id: int, assignment: Assignment, cohorts: Iterable[Cohort], actor: User) -> DeadlineChange:
    """Take a change back, of one of `cohorts`; it stays in the history. Raises NotFound."""
    change = (
        DeadlineChange.objects.select_for_update(of=("self",))
        .select_related("enrolment", "cohort", "assignment")
        .filter(pk=change_id, revoked_at=None)
        .first()
    )
    allowed = {cohort.pk for cohort in cohorts}
    whose = (change.cohort_id or (change.enrolment.cohort_id if change.enrolment else None)) if change else None
    if change is None or whose not in allowed or change.assignment_id not in (None, assignment.pk):
        raise NotFound
    touched = _touched(assignment=change.assignment, cohort=change.cohort, enrolment=change.enrolment)
    was = due_times(*touched)
    DeadlineChange.objects.filter(pk=change.pk).update(revoked_at=Now())
    audit.record(actor=actor, verb="deadline_change.revoked", target=change, reason=change.reason)
    _let_follow(change, actor)
    tell_moved(*touched, was)
    return change


def extend_after_outage(
    *, assignment: Assignment, enrolment: Enrolment, due_at: datetime, facts: dict[str, Any], actor: User
) -> DeadlineChange:
    """Give a learner what an outage took, inside the caller's transaction. `facts` as `deadlines.outage_facts`."""
    begin, end = (campus_time(datetime.fromisoformat(facts[name])) for name in ("from_at", "until_at"))
    reason = _("GPU runs were lost or waited long between %(begin)s and %(end)s") % {"begin": begin, "end": end}
    times = {"due_at": due_at, "facts": facts}
    return _keep(actor, kind=Kind.OUTAGE, assignment=assignment, enrolment=enrolment, reason=reason, **times)


def _touched(
    *, assignment: Assignment | None, cohort: Cohort | None = None, enrolment: Enrolment | None = None
) -> tuple[list[Assignment], list[Enrolment]]:
    """The assignments (None: all of the run) and the learners whom a change concerns. Two queries."""
    pk, run_id = (enrolment.pk, enrolment.run_id) if enrolment else (0, 0)
    learners = Enrolment.objects.filter(cohort=cohort) if cohort else Enrolment.objects.filter(pk=pk)
    rows = Assignment.objects.select_related("module__run__course").order_by("pk")
    rows = rows.filter(pk=assignment.pk) if assignment else rows.filter(module__run=run_id)
    return list(rows), list(learners.order_by("pk"))


def _require_reason(reason: str) -> None:
    if not 0 < len(reason.strip()) <= 300:
        raise InvalidInput({"reason": _("Say why, in a few words: the learner and your colleagues read it.")})


def _keep(actor: User, **fields: Any) -> DeadlineChange:
    change = DeadlineChange.objects.create(approver=actor, **fields)
    learner = change.enrolment.user if change.enrolment else None
    cohort = change.enrolment.cohort if change.enrolment else change.cohort
    audit.record(
        actor=actor, verb="deadline_change.opened", target=change, subject=learner, reason=change.reason,
        scope_path=cohort.scope.path if cohort else (),
        changes={"due_at": (None, change.due_at), "factor_pct": (None, change.factor_pct)},
    )  # fmt: skip
    _let_follow(change, actor)
    if change.enrolment is not None and change.assignment is not None and change.due_at is not None:
        notify(
            recipient_ids=[change.enrolment.user_id],
            kind="assignments.extended",
            url=reverse("assignments:assignment", args=[change.assignment.pk]),
            facts={"title": change.assignment.title, "due_at": change.due_at.isoformat(), "reason": change.reason},
        )
    return change


def _let_follow(change: DeadlineChange, actor: User) -> None:
    """Judge the lateness of graded work anew, and tell the scheduler of runs that are open."""
    if change.assignment is not None:
        assignments = [change.assignment]
    else:
        run_id = change.enrolment.run_id if change.enrolment else 0
        assignments = list(Assignment.objects.filter(module__run=run_id, lab__isnull=False))
    learners = Enrolment.objects.filter(cohort=change.cohort_id) if change.cohort_id else None
    follow_deadlines(
        assignments, [change.enrolment_id or 0] if learners is None else learners.values_list("pk", flat=True)
    )
    scores = Score.objects.select_related("assignment", "enrolment__cohort").filter(raw__isnull=False)
    if change.assignment_id is not None:
        scores = scores.filter(assignment_id=change.assignment_id)
    whose = {"enrolment__cohort": change.cohort_id} if change.cohort_id else {"enrolment": change.enrolment_id}
    for score in scores.filter(**whose).order_by("pk"):
        rescore(assignment=score.assignment, enrolment=score.enrolment, actor=actor, reason="deadline")
