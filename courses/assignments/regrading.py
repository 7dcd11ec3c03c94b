"""Regrading a cohort or a whole run: test all that counts anew, look at what would change, publish or discard it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.catalog.models import Enrolment

from .domain.regrades import Diff, Tested, diff
from .models import Assignment, GradingRun, RegradeBatch, Score, Submission, SubmissionMember
from .publishing import tell_graded
from .scores import take_tested
from .testing.runs import current_suite, have_tested

State = GradingRun.State


@dataclass(frozen=True)
class Progress:
    """How far a batch is: counts of runs. It `is_ready` once none is open."""

    total: int
    done: int
    failed: int

    @property
    def is_ready(self) -> bool:
        return self.done + self.failed == self.total


@transaction.atomic
def start_regrade(
    *, assignment: Assignment, cohort_id: int | None = None, reason: str, actor: User | None
) -> RegradeBatch:
    """Queue the newest version of every learner's work for the newest tests: of a cohort, or of everybody.

    A group's work is one: where a member is of the cohort, the others get its grade as well.

    Raises InvalidInput (reason), Conflict: no_tests, nothing_to_regrade, regrade_is_open.
    """
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why: the history of every changed score shows it.")})
    Assignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    suite = current_suite(assignment)
    if suite is None:
        raise Conflict(_("There are no tests to run. Write some first."), code="no_tests")
    if RegradeBatch.objects.filter(assignment=assignment, state=RegradeBatch.State.RUNNING).exists():
        raise Conflict(_("A regrade is on already. Publish or discard that one first."), code="regrade_is_open")
    submissions = newest_submissions(assignment, cohort_id)
    if not submissions:
        raise Conflict(_("Nobody has handed anything in yet."), code="nothing_to_regrade")
    batch = RegradeBatch.objects.create(
        assignment=assignment, cohort_id=cohort_id, suite=suite, reason=reason.strip()[:300], actor=actor
    )
    for submission in submissions:
        have_tested(submission, suite=suite, batch=batch)
    audit.record(actor=actor, verb="regrade.started", target=batch, reason=batch.reason)
    return batch


def newest_submissions(assignment: Assignment, cohort_id: int | None = None) -> list[Submission]:
    """Return the version that counts of every learner, or of those of a cohort. Two queries."""
    newest = newest_by_learner(assignment.pk, cohort_id).values()
    return list(Submission.objects.select_related("assignment").filter(pk__in=set(newest)).order_by("pk"))


def newest_by_learner(assignment_id: int, cohort_id: int | None = None) -> dict[int, int]:
    """Return the id of each learner's newest version, a group's for all of it. One query."""
    rows = SubmissionMember.objects.filter(submission__assignment=assignment_id)
    if cohort_id is not None:
        rows = rows.filter(enrolment__cohort=cohort_id)
    rows = rows.exclude(enrolment__state=Enrolment.State.WITHDRAWN).order_by()
    return dict(rows.values_list("enrolment_id").annotate(newest=Max("submission_id")))


def progress_of(batch: RegradeBatch) -> Progress:
    """Return how far a batch is. One query."""
    counts = batch.runs.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=State.DONE)),
        failed=Count("pk", filter=Q(state=State.PLATFORM)),
    )
    return Progress(**counts)


def diff_of(batch: RegradeBatch) -> Diff:
    """Return what publishing would change, from the runs that are done. Three queries."""
    runs = batch.runs.exclude(state__in=[State.WAITING, State.QUEUED])
    tested = dict(runs.values_list("submission_id", "raw"))
    scores = dict(Score.objects.filter(assignment_id=batch.assignment_id).values_list("enrolment_id", "tested"))
    newest = sorted(newest_by_learner(batch.assignment_id).items())
    return diff(Tested(pk, scores.get(pk), tested[version]) for pk, version in newest if version in tested)


@transaction.atomic
def publish_regrade(*, batch_id: int, actor: User | None) -> int:
    """Put every changed result into its score at once; returns how many changed.

    Learners whose published score changed are told. Raises Conflict: regrade_is_over, regrade_is_running.
    """
    batch = _locked(batch_id)
    if not progress_of(batch).is_ready:
        raise Conflict(_("Tests are still running. Wait until the last one is done."), code="regrade_is_running")
    changed = {row.enrolment_id for row in diff_of(batch).changed}
    runs: Sequence[GradingRun] = list(
        batch.runs.select_related("submission__assignment__module__run__course", "submission__enrolment")
        .filter(state=State.DONE, submission__owners__enrolment__in=changed)
        .distinct()
        .order_by("submission_id")
    )
    taken = [pk for run in runs for pk in take_tested(run, actor=actor, reason=batch.reason, is_regrade=True)]
    told = Score.objects.filter(
        assignment_id=batch.assignment_id, state=Score.State.PUBLISHED,
        enrolment_id__in=taken,
    )  # fmt: skip
    _end(batch, RegradeBatch.State.PUBLISHED, actor)
    if taken:
        tell_graded(runs[0].submission.assignment, list(told.values_list("enrolment__user_id", flat=True)))
    return len(taken)


@transaction.atomic
def discard_regrade(*, batch_id: int, actor: User | None) -> RegradeBatch:
    """End a batch and change nothing. Runs that wait are never queued. Raises Conflict (regrade_is_over)."""
    batch = _locked(batch_id)
    batch.runs.filter(state=State.WAITING).delete()
    _end(batch, RegradeBatch.State.DISCARDED, actor)
    return batch


def _locked(batch_id: int) -> RegradeBatch:
    batch = RegradeBatch.objects.select_for_update(of=("self",)).select_related("assignment").get(pk=batch_id)
    if batch.state != RegradeBatch.State.RUNNING:
        raise Conflict(_("This regrade was published or discarded already."), code="regrade_is_over")
    return batch


def _end(batch: RegradeBatch, state: str, actor: User | None) -> None:
    RegradeBatch.objects.filter(pk=batch.pk).update(state=state, ended_at=Now())
    audit.record(actor=actor, verb=f"regrade.{state.lower()}", target=batch, reason=batch.reason)
