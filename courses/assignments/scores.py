"""Scores: changed only by compare-and-swap on their version, each change with a line of history."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campus.core.errors import Conflict, InvalidInput
from campus.people.models import User
from courses.catalog.models import Enrolment

from .deadlines import deadline_for
from .domain import late, rubrics, scoring
from .models import Assignment, GradingRun, Score, ScoreChange, Submission, SubmissionMember

GIVEN = "given"


@dataclass(frozen=True)
class Grading:
    """What a grader decided: points by criterion, points by hand (None: rubric and tests decide), a comment."""

    picks: Mapping[str, Decimal]
    given: Decimal | None = None
    comment: str = ""


def newest_submission(assignment: Assignment, enrolment: Enrolment) -> Submission | None:
    """Return the version that counts: the newest. One query."""
    rows = Submission.objects.filter(assignment=assignment, owners__enrolment=enrolment)
    return rows.select_related("source", "job").order_by("-pk").first()


def sharers(submission: Submission | None, but: Enrolment | None = None) -> list[Enrolment]:
    """Return whose newest work a version is, in the order in which their scores are changed. Two queries."""
    if submission is None:
        return []
    owners = Enrolment.objects.filter(pk__in=submission.owners.values("enrolment"))
    newer = SubmissionMember.objects.filter(
        submission__assignment=submission.assignment_id, submission__gt=submission.pk
    ).values("enrolment")
    found = owners.exclude(pk__in=newer).exclude(state=Enrolment.State.WITHDRAWN)
    return [one for one in found.select_related("cohort", "user").order_by("pk") if one != but]


@transaction.atomic
def save_score(
    *,
    assignment: Assignment,
    enrolment: Enrolment,
    version: int,
    grading: Grading,
    actor: User | None,
    reason: str = "",
) -> Score:
    """Grade the newest submission. `version` is the score's as the grader saw it, 0 where there was none.

    A group's work is graded for all whose newest it is, each with an adjustment of their own; who is excused stays so.
    Raises InvalidInput (picks, given), Conflict (score_changed) with what the other grader saved in `facts`.
    """
    submission = newest_submission(assignment, enrolment)
    before = Score.objects.filter(assignment=assignment, enrolment=enrolment).first()
    if (before.version if before else 0) != version:
        raise changed_meanwhile(before)
    group = sharers(submission, but=enrolment) if submission and submission.group_id else []
    rows = Score.objects.filter(assignment=assignment, enrolment__in=group)
    scores = {score.enrolment_id: score for score in rows} | {enrolment.pk: before}
    saved: dict[int, Score] = {}
    for learner in sorted([enrolment, *group], key=lambda one: one.pk):  # one order, so that no two graders lock a ring
        theirs = scores.get(learner.pk)
        if learner != enrolment and theirs is not None and theirs.state == Score.State.EXCUSED:
            continue
        saved[learner.pk] = _grade(assignment, learner, submission, theirs, grading, actor, reason)
    return saved[enrolment.pk]


def _grade(
    assignment: Assignment, learner: Enrolment, submission: Submission | None, before: Score | None, grading: Grading,
    actor: User | None, reason: str,
) -> Score:  # fmt: skip
    """Write one learner's score over `before`. Raises InvalidInput (picks, given), Conflict (score_changed)."""
    tested = _tested(submission, before)
    scored = _scored(assignment, learner, submission, grading, tested, before)
    state = Score.State.PUBLISHED if before and before.state == Score.State.PUBLISHED else Score.State.DRAFT
    if state == Score.State.PUBLISHED and scored.raw is None:
        raise InvalidInput({GIVEN: _("This is published. Pick every criterion, or enter points.")})
    values = {
        "submission": submission, "state": state, "tested": tested,
        "picks": _stored(grading), "comment": grading.comment, "grader": actor, **_figures(scored),
    }  # fmt: skip
    return _swap(assignment, learner, before, values, actor, reason)


@transaction.atomic
def adjust(
    *, assignment: Assignment, enrolment: Enrolment, version: int, points: Decimal, reason: str, actor: User | None
) -> Score:
    """Add to (or take from) what a member got of the group's work; 0 ends it.

    Raises InvalidInput (points, reason), Conflict: score_changed, not_graded.
    """
    if abs(points) > assignment.points:
        raise InvalidInput({"points": _("That is more than the assignment has.")})
    if points and not 0 < len(reason.strip()) <= 300:
        raise InvalidInput({"reason": _("Say why: the learner reads it.")})
    before = Score.objects.select_related("submission").filter(assignment=assignment, enrolment=enrolment).first()
    if (before.version if before else 0) != version:
        raise changed_meanwhile(before)
    if before is None or before.raw is None:
        raise Conflict(_("Grade the group's work first."), code="not_graded")
    before.adjustment, before.adjustment_reason = points, reason.strip() if points else ""
    scored = _rejudged(assignment, enrolment, before, before.raw)
    kept = {"adjustment": before.adjustment, "adjustment_reason": before.adjustment_reason}
    return _swap(assignment, enrolment, before, kept | _figures(scored), actor, reason.strip())


def changed_meanwhile(current: Score | None) -> Conflict:
    """The error of the slower of two graders, with what the faster one saved."""
    name = current.grader.name if current and current.grader else "–"
    facts: dict[str, Any] = {"version": current.version if current else 0, "grader": name}
    if current is not None:
        facts |= {
            "raw": str(current.raw) if current.raw is not None else None, "picks": current.picks,
            "comment": current.comment,
        }  # fmt: skip
    words = _("%(name)s changed this score while you had it open. Nothing of yours was saved yet: compare both below.")
    return Conflict(words % {"name": name}, code="score_changed", facts=facts)


@transaction.atomic
def excuse(*, assignment: Assignment, enrolment: Enrolment, version: int, reason: str, actor: User | None) -> Score:
    """Leave this assignment out for a learner. Raises InvalidInput (reason), Conflict (score_changed)."""
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why: the learner reads it.")})
    before = Score.objects.filter(assignment=assignment, enrolment=enrolment).first()
    values: dict[str, Any] = {
        "state": Score.State.EXCUSED, "comment": reason.strip(), "grader": actor, "raw": None, "adjusted": None,
        "late_deduction": Decimal(0), "why": [], "published_at": Now(),
    }  # fmt: skip
    if (before.version if before else 0) != version:
        raise changed_meanwhile(before)
    return _swap(assignment, enrolment, before, values, actor, "excused")


def take_tested(
    run: GradingRun, *, actor: User | None = None, reason: str = "tested", is_regrade: bool = False
) -> list[int]:
    """Put a run's points into the scores of all whose newest work it tested, in the caller's transaction.

    A score that is published or excused is left alone, unless this is a regrade that somebody publishes. Returns the
    ids of the enrolments whose score changed.
    """
    owners = sharers(run.submission)
    return [one.pk for one in owners if _take_tested(run, one, actor, reason, is_regrade=is_regrade)]


def _take_tested(run: GradingRun, enrolment: Enrolment, actor: User | None, reason: str, *, is_regrade: bool) -> bool:
    submission = run.submission
    assignment = submission.assignment
    before = Score.objects.select_for_update(of=("self",)).filter(assignment=assignment, enrolment=enrolment).first()
    if before is not None and before.state == Score.State.EXCUSED:
        return False
    if before is not None and before.state == Score.State.PUBLISHED and not is_regrade:
        return False
    scored = _scored(assignment, enrolment, submission, _grading_of(before, assignment), run.raw, before)
    values: dict[str, Any] = {"submission": submission, "tested": run.raw, **_figures(scored)}
    if before is None:
        values["state"] = Score.State.DRAFT
    elif before.state == Score.State.PUBLISHED and scored.raw is None:
        return False
    _swap(assignment, enrolment, before, values, actor, reason)
    return True


def rescore(*, assignment: Assignment, enrolment: Enrolment, actor: User | None, reason: str) -> bool:
    """Judge lateness anew after a deadline changed, in the caller's transaction. False: nothing differs.

    What was graded stays as it was, whatever became of rubric and tests since.
    """
    before = (
        Score.objects.select_for_update(of=("self",))
        .select_related("submission")
        .filter(assignment=assignment, enrolment=enrolment, raw__isnull=False)
        .first()
    )
    if before is None or before.raw is None:
        return False
    scored = _rejudged(assignment, enrolment, before, before.raw)
    if scored.adjusted == before.adjusted:
        return False
    _swap(assignment, enrolment, before, _figures(scored), actor, reason)
    return True


def _tested(submission: Submission | None, before: Score | None) -> Decimal | None:
    """The tests' points of this version: those of a published regrade, else of its own run."""
    if submission is None:
        return None
    if before is not None and before.submission_id == submission.pk and before.tested is not None:
        return before.tested
    own = GradingRun.objects.filter(submission=submission, state=GradingRun.State.DONE, batch=None).first()
    return own.raw if own else None


def _scored(
    assignment: Assignment,
    enrolment: Enrolment,
    submission: Submission | None,
    grading: Grading,
    tested: Decimal | None,
    before: Score | None,
) -> scoring.Scored:
    if grading.given is not None and not 0 <= grading.given < 1_000_000:
        raise InvalidInput({GIVEN: _("Enter points from 0 up.")})
    deadline = deadline_for(assignment, enrolment)
    try:
        return scoring.score(
            out_of=assignment.points,
            criteria=rubrics.from_json(assignment.rubric),
            picks=grading.picks,
            tested=tested,
            given=grading.given,
            late_s=late.lateness_s(submission.submitted_at, deadline.due_at) if submission else 0,
            policy=late_policy(assignment),
            adjustment=before.adjustment if before else Decimal(0),
            late_days=deadline.late_days,
            adjusted_because=before.adjustment_reason if before else "",
        )
    except ValueError:
        raise InvalidInput({"picks": _("The rubric changed while you had it open. Pick again.")}) from None


def _rejudged(assignment: Assignment, enrolment: Enrolment, before: Score, raw: Decimal) -> scoring.Scored:
    """A score of these raw points with lateness and the member's own part judged anew."""
    deadline, submission = deadline_for(assignment, enrolment), before.submission
    return scoring.rejudge(
        raw,
        before.why,
        out_of=assignment.points,
        late_s=late.lateness_s(submission.submitted_at, deadline.due_at) if submission else 0,
        policy=late_policy(assignment),
        adjustment=before.adjustment,
        adjusted_because=before.adjustment_reason,
        late_days=deadline.late_days,
    )


def late_policy(assignment: Assignment) -> late.LatePolicy:
    """What lateness costs in this assignment."""
    return late.LatePolicy(
        assignment.late_interval_s, assignment.late_deduct_pct, assignment.late_floor_pct, assignment.late_grace_s
    )


def _figures(scored: scoring.Scored) -> dict[str, Any]:
    return {
        "raw": scored.raw, "late_deduction": scored.late_deduction, "adjusted": scored.adjusted,
        "why": [list(line) for line in scored.why],
    }  # fmt: skip


def _stored(grading: Grading) -> dict[str, str]:
    picks = {key: str(points) for key, points in grading.picks.items()}
    return picks | ({GIVEN: str(grading.given)} if grading.given is not None else {})


def _grading_of(score: Score | None, assignment: Assignment) -> Grading:
    """What stands of a score's grading. What was picked of an older rubric, and does not fit this one, falls away."""
    if score is None:
        return Grading({})
    picks = {key: Decimal(points) for key, points in score.picks.items()}
    given = picks.pop(GIVEN, None)
    return Grading(rubrics.fitting(rubrics.from_json(assignment.rubric), picks), given, score.comment)


def _swap(
    assignment: Assignment,
    enrolment: Enrolment,
    before: Score | None,
    values: Mapping[str, Any],
    actor: User | None,
    reason: str,
) -> Score:
    """Write `values` over `before`, if nobody wrote meanwhile. Raises Conflict (score_changed)."""
    if before is None:
        try:
            with transaction.atomic():
                score = Score.objects.create(assignment=assignment, enrolment=enrolment, **values)
        except IntegrityError:
            raise changed_meanwhile(_current(assignment, enrolment)) from None
    else:
        changed = Score.objects.filter(pk=before.pk, version=before.version).update(
            version=before.version + 1, changed_at=Now(), **values
        )
        if not changed:
            raise changed_meanwhile(_current(assignment, enrolment))
    score = Score.objects.get(assignment=assignment, enrolment=enrolment)
    keep_history(score, actor, reason)
    return score


def keep_history(score: Score, actor: User | None, reason: str) -> None:
    """Add what a score now is to its history, in the transaction that changed it."""
    ScoreChange.objects.create(
        score=score, version=score.version, state=score.state, raw=score.raw, adjusted=score.adjusted,
        picks=score.picks, comment=score.comment, reason=reason[:300], actor=actor,
    )  # fmt: skip


def _current(assignment: Assignment, enrolment: Enrolment) -> Score | None:
    return Score.objects.select_related("grader").filter(assignment=assignment, enrolment=enrolment).first()
