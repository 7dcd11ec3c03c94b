"""Reading assignments: a learner's work with deadlines and results, and what graders have before them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.utils.crypto import salted_hmac

from campus.core.compiled import AnyOf, Compiled, Given
from courses.catalog.api import RunAccess
from courses.catalog.models import Enrolment
from courses.content.api import locked_for

from .access import graded_by
from .deadlines import deadlines_of
from .domain.deadlines import Deadline
from .domain.late import lateness_s
from .models import Assignment, GradingRun, GroupMember, Score, Submission, SubmissionMember


class WorkState(StrEnum):
    """Where somebody stands with an assignment, as badges show it."""

    TO_DO = "WORK_TO_DO"
    NOT_OPEN = "WORK_NOT_OPEN"
    HANDED_IN = "WORK_HANDED_IN"
    HANDED_IN_LATE = "WORK_HANDED_IN_LATE"
    GRADED = "WORK_GRADED"
    MISSING = "WORK_MISSING"
    EXCUSED = "WORK_EXCUSED"


@dataclass(frozen=True)
class Work:
    """An assignment as one learner has it, or as staff see it: without `enrolment` and `state`.

    `score` is set once it is published.
    """

    assignment: Assignment
    enrolment: Enrolment | None
    deadline: Deadline
    state: WorkState | None
    versions: int = 0
    handed_in_at: datetime | None = None
    score: Score | None = None
    slack: timedelta | None = None

    @property
    def is_open(self) -> bool:
        return self.state in (WorkState.TO_DO, WorkState.MISSING)


_ASSIGNMENTS = Compiled(
    lambda: (
        Assignment.objects.filter(
            module__run_id=Given("run_id"), is_published=AnyOf("shown"), module__is_published=AnyOf("shown")
        )
        .exclude(module_id=AnyOf("closed"))
        .select_related("module")
        .order_by("module__position", "position", "id")
    )
)
_VERSIONS = Compiled(
    lambda: (
        Submission.objects.filter(assignment_id=AnyOf("assignments"), owners__enrolment_id=AnyOf("learners"))
        .order_by()
        .values_list("assignment_id", "owners__enrolment_id")
        .annotate(versions=Count("pk"), last=Max("submitted_at"))
    )
)
_SCORES = Compiled(
    lambda: Score.objects.filter(
        assignment_id=AnyOf("assignments"), enrolment_id=AnyOf("learners"), published_at__isnull=False
    )
)


def assignments_of(access: RunAccess, closed: Collection[int] = ()) -> list[Assignment]:
    """Return a run's assignments in course order, hidden ones for staff only, none of `closed` modules. One query."""
    hidden = [] if access.is_staff else list(closed)
    return _ASSIGNMENTS.models(run_id=access.run.pk, shown=access.shown, closed=hidden)


def open_to(enrolments: Collection[Enrolment], now: datetime) -> QuerySet[Assignment]:
    """Return what one person, who has these enrolments, finds published and in an open module. One query more."""
    rows = Assignment.objects.filter(
        module__run_id__in=[one.run_id for one in enrolments], is_published=True, module__is_published=True
    )
    return rows.exclude(module_id__in=set().union(*locked_for(enrolments, now).values()))


def work_of(assignments: Sequence[Assignment], enrolments: Sequence[Enrolment], now: datetime) -> list[Work]:
    """Return the work of learners, each enrolment with the assignments of its run. Three queries."""
    if not assignments or not enrolments:
        return []
    theirs = {"assignments": [one.pk for one in assignments], "learners": [one.pk for one in enrolments]}
    handed_in = {
        (assignment_id, learner_id): (versions, last)
        for assignment_id, learner_id, versions, last in _VERSIONS.rows(**theirs)
    }
    scores = {(score.assignment_id, score.enrolment_id): score for score in _SCORES.models(**theirs)}
    deadlines = deadlines_of(assignments, enrolments)
    found = []
    for assignment in assignments:
        for learner in enrolments:
            if learner.run_id != assignment.module.run_id:
                continue
            key = (assignment.pk, learner.pk)
            versions, last = handed_in.get(key, (0, None))
            state = _state(assignment, deadlines[key], last, scores.get(key), now)
            slack = deadlines[key].slack(now)
            found.append(Work(assignment, learner, deadlines[key], state, versions, last, scores.get(key), slack))
    return found


def _state(
    assignment: Assignment, deadline: Deadline, handed_in_at: datetime | None, score: Score | None, now: datetime
) -> WorkState:
    if score is not None:
        return WorkState.EXCUSED if score.state == Score.State.EXCUSED else WorkState.GRADED
    if handed_in_at is not None:
        is_late = lateness_s(handed_in_at, deadline.due_at) > assignment.late_grace_s
        return WorkState.HANDED_IN_LATE if is_late else WorkState.HANDED_IN
    if assignment.opens_at is not None and now < assignment.opens_at:
        return WorkState.NOT_OPEN
    return WorkState.MISSING if deadline.is_past(now) else WorkState.TO_DO


@dataclass(frozen=True)
class Tally:
    """How far the grading of an assignment is among the learners that one teaches."""

    assignment: Assignment
    learners: int
    handed_in: int
    graded: int
    published: int

    @property
    def to_grade(self) -> int:
        return max(self.handed_in - self.graded, 0)


def tallies(assignments: Sequence[Assignment], access: RunAccess) -> list[Tally]:
    """Return how far grading is, for each assignment. Three queries."""
    mine = Q(enrolment__cohort__in=access.taught) & ~Q(enrolment__state=Enrolment.State.WITHDRAWN)
    owned = SubmissionMember.objects.filter(mine, submission__assignment__in=assignments)
    learners = graded_by(access).count()
    ids = [one.pk for one in assignments]
    handed_in = dict(
        owned.order_by().values_list("submission__assignment_id").annotate(n=Count("enrolment_id", distinct=True))
    )
    scored = {
        pk: (graded, published)
        for pk, graded, published in Score.objects.filter(mine, assignment_id__in=ids)
        .order_by()
        .values_list("assignment_id")
        .annotate(
            graded=Count("pk", filter=Q(raw__isnull=False) | Q(state=Score.State.EXCUSED)),
            published=Count("pk", filter=Q(published_at__isnull=False)),
        )
    }
    return [Tally(one, learners, handed_in.get(one.pk, 0), *scored.get(one.pk, (0, 0))) for one in assignments]


@dataclass(frozen=True)
class Row:
    """One learner's work before its grader. `name` is an alias where grading is without names.

    There are hundreds, so submission, score and run are loaded as far as a list shows them.
    """

    enrolment: Enrolment
    name: str
    submission: Submission | None
    versions: int
    score: Score | None
    run: GradingRun | None
    late_s: int
    state: WorkState
    group: str = ""

    @property
    def is_scored(self) -> bool:
        """Whether the score says where the work stands, and no longer the work itself."""
        return self.score is not None and (self.score.state != Score.State.DRAFT or self.score.adjusted is not None)

    @property
    def is_ungraded(self) -> bool:
        return self.submission is not None and (self.score is None or self.score.raw is None)


def rows_to_grade(assignment: Assignment, access: RunAccess, now: datetime) -> list[Row]:
    """Return the learners of the grader's cohorts with their newest work, in the desk's order. Seven queries."""
    learners = _learners(access)
    # By cohort: PostgreSQL and Django take longer over a list of 300 learners than over a join.
    theirs = {"enrolment__cohort__in": access.taught}
    runs = Prefetch(
        "submission__grading_runs",
        GradingRun.objects.filter(batch=None).only("submission_id", "state", "raw").order_by("-pk"),
        to_attr="own_runs",
    )
    newest: dict[int, Submission] = {}
    owned = SubmissionMember.objects.filter(submission__assignment=assignment, **theirs)
    shown = owned.select_related("submission").only("enrolment_id", "submission__number", "submission__submitted_at")
    for one in shown.order_by("submission_id").prefetch_related(runs):
        newest[one.enrolment_id] = one.submission
    groups = group_names(assignment, access)
    scored = Score.objects.filter(assignment=assignment, **theirs)
    scores = {
        score.enrolment_id: score for score in scored.only("enrolment_id", "state", "raw", "adjusted", "published_at")
    }
    deadlines = deadlines_of([assignment], learners)
    rows = []
    for learner in learners:
        found, score = newest.get(learner.pk), scores.get(learner.pk)
        deadline = deadlines[assignment.pk, learner.pk]
        at = found.submitted_at if found else None
        published = score if score and score.published_at else None
        own_runs: list[GradingRun] = getattr(found, "own_runs", [])
        rows.append(
            Row(
                learner, name_of(assignment, learner), found, found.number if found else 0, score,
                own_runs[0] if own_runs else None, lateness_s(at, deadline.due_at) if at else 0,
                _state(assignment, deadline, at, published, now), groups.get(learner.pk, ""),
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: row.name) if assignment.is_anonymous else rows


def _learners(access: RunAccess) -> list[Enrolment]:
    """Those of `graded_by`, with the cohorts that are at hand already."""
    rows = graded_by(access).select_related(None).select_related("user").only("cohort_id", "run_id", "user__name")
    cohorts = {cohort.pk: cohort for cohort in access.taught}
    learners = list(rows)
    for learner in learners:
        learner.cohort = cohorts[learner.cohort_id]
    return learners


def group_names(assignment: Assignment, access: RunAccess) -> dict[int, str]:
    """Return the names of the groups in which one's learners hand in now. One query, none without groups."""
    if assignment.group_set_id is None:
        return {}
    rows = GroupMember.objects.filter(
        group_set=assignment.group_set_id, enrolment__cohort__in=access.taught, left_at=None
    )
    return dict(rows.values_list("enrolment_id", "group__name"))


def name_of(assignment: Assignment, learner: Enrolment) -> str:
    """A learner's name, or the alias by which an assignment without names knows them."""
    if not assignment.is_anonymous:
        return learner.user.name
    return "#" + salted_hmac("assignments.alias", f"{assignment.pk}:{learner.pk}").hexdigest()[:5].upper()


def run_counts(assignment_ids: Collection[int]) -> dict[int, int]:
    """Return how many tests are still on, by assignment. One query."""
    rows = GradingRun.objects.filter(
        submission__assignment_id__in=assignment_ids, state__in=[GradingRun.State.WAITING, GradingRun.State.QUEUED]
    )
    return dict(rows.order_by().values_list("submission__assignment_id").annotate(n=Count("pk")))
