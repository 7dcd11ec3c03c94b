"""What every learner of a run got for every assignment: what a gradebook reads."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet
from django.utils import timezone

from campus.core.compiled import AnyOf, Compiled, Given
from courses.catalog.models import Enrolment

from .deadlines import Deadlines, deadlines_of
from .models import Assignment, GroupMember, Score, Submission

PENDING, GRADED, MISSING, EXCUSED = "PENDING", "GRADED", "MISSING", "EXCUSED"


class Result(NamedTuple):
    """One learner and assignment; a tuple, as a course has thousands of them.

    `points` are set exactly when GRADED, after `late_deduction`.
    `why` are (code, points as text, note) lines that `words.why_words` says. Learners may know of it only once it
    `is_published`; PENDING and MISSING always are. `submitted_at` is the newest version's,
    `group` the name of the group in which the learner hands in now.
    """

    assignment_id: int
    enrolment_id: int
    state: str
    points: Decimal | None
    out_of: Decimal
    late_deduction: Decimal = Decimal(0)
    why: tuple[tuple[str, str, str], ...] = ()
    comment: str = ""
    is_published: bool = True
    submitted_at: datetime | None = None
    group: str = ""


def results_of(
    run_id: int,
    *,
    enrolments: Sequence[Enrolment] | None = None,
    assignments: Sequence[Assignment] | None = None,
    is_explained: bool = True,
) -> list[Result]:
    """Return results of all learners of a run, or of these, by assignment. Six queries at most.

    For all of a run's assignments in course order, or for these, which come with their modules. Work that is not there
    once its deadline is over is MISSING where learners could see the assignment; before, and until it is graded,
    PENDING. Without `is_explained`, `why`, `comment`, `group` and `submitted_at` stay empty: a table of 300 learners
    shows none of them, and reading them takes longest.
    """
    if assignments is None:
        rows = Assignment.objects.select_related("module").filter(module__run_id=run_id)
        assignments = list(rows.order_by("module__position", "position", "id"))
    if enrolments is None:
        learners = Enrolment.objects.filter(run_id=run_id).exclude(state=Enrolment.State.WITHDRAWN)
        enrolments = list(learners.order_by("pk"))
    ids = [one.pk for one in enrolments]
    scores = _scores(run_id, ids, is_explained=is_explained)
    deadlines, now = deadlines_of(assignments, enrolments), timezone.now()
    if not is_explained:
        handed_in = set(_HANDED_IN.rows(run_id=run_id, ids=ids))
        return [
            _result(one, pk, scores.get((one.pk, pk)), (one.pk, pk) in handed_in, deadlines, now)
            for one in assignments
            for pk in ids
        ]
    newest = {(assignment_id, pk): at for assignment_id, pk, at in _HANDED_IN_AT.rows(run_id=run_id, ids=ids)}
    groups = _groups(assignments, ids)
    found = []
    for one in assignments:
        for pk in ids:
            at = newest.get((one.pk, pk))
            result = _result(one, pk, scores.get((one.pk, pk)), at is not None, deadlines, now)
            found.append(result._replace(submitted_at=at, group=groups.get((one.group_set_id, pk), "")))
    return found


def _handed_in() -> QuerySet[Submission, Any]:
    rows = Submission.objects.filter(
        assignment__module__run_id=Given("run_id"), owners__enrolment_id=AnyOf("ids")
    ).order_by()
    return rows.values_list("assignment_id", "owners__enrolment_id")


_HANDED_IN = Compiled(lambda: _handed_in().distinct())
_HANDED_IN_AT = Compiled(lambda: _handed_in().annotate(at=Max("submitted_at")))


class _Scored(NamedTuple):
    """What is read of a score: a row, because thousands of model instances take longer than all else."""

    state: str
    adjusted: Decimal | None
    late_deduction: Decimal
    is_published: bool
    why: Sequence[Sequence[str]] = ()
    comment: str = ""


def _scored(read: Sequence[str]) -> QuerySet[Score, Any]:
    rows = Score.objects.filter(assignment__module__run_id=Given("run_id"), enrolment_id=AnyOf("ids")).order_by()
    rows = rows.annotate(is_published=ExpressionWrapper(Q(published_at__isnull=False), BooleanField()))
    return rows.values_list("assignment_id", "enrolment_id", *read)


_EXPLAINED_SCORES = Compiled(lambda: _scored(_Scored._fields))
_SCORES = Compiled(lambda: _scored(_Scored._fields[:-2]))


def _scores(run_id: int, ids: Collection[int], *, is_explained: bool) -> dict[tuple[int, int], _Scored]:
    """Return scores by assignment and learner. One query."""
    rows = (_EXPLAINED_SCORES if is_explained else _SCORES).rows(run_id=run_id, ids=list(ids))
    return {(assignment_id, enrolment_id): _Scored(*rest) for assignment_id, enrolment_id, *rest in rows}


def _groups(assignments: Collection[Assignment], ids: Collection[int]) -> dict[tuple[int | None, int], str]:
    """Return group names by group set and learner. One query, none without groups."""
    sets = {one.group_set_id for one in assignments} - {None}
    if not sets:
        return {}
    rows = GroupMember.objects.filter(group_set__in=sets, enrolment__in=ids, left_at=None)
    return {(in_set, pk): name for in_set, pk, name in rows.values_list("group_set_id", "enrolment_id", "group__name")}


def is_shown(assignment: Assignment) -> bool:
    """Say whether learners find it at all, once its module is open: nobody missed what nobody could see."""
    return assignment.is_published and assignment.module.is_published


def _result(
    assignment: Assignment,
    enrolment_id: int,
    score: _Scored | None,
    is_handed_in: bool,
    deadlines: Deadlines,
    now: datetime,
) -> Result:
    state, points, out_of = PENDING, None, assignment.points
    if score is not None and score.state == EXCUSED:
        state = EXCUSED
    elif score is not None and score.adjusted is not None:
        state, points = GRADED, score.adjusted
    elif not is_handed_in and is_shown(assignment) and deadlines[assignment.pk, enrolment_id].is_past(now):
        state = MISSING
    if score is None:
        return Result(assignment.pk, enrolment_id, state, points, out_of)
    return Result(
        assignment.pk, enrolment_id, state, points, out_of, score.late_deduction,
        tuple((code, text, note) for code, text, note in score.why) if score.why else (), score.comment,
        state in (PENDING, MISSING) or score.is_published,
    )  # fmt: skip
