"""A deadline that moves: scores are judged anew and stay what they were made of, and whose it is are told, once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from campus.core.models import Notice
from courses.assignments import extending
from courses.assignments.authoring import change_assignment
from courses.assignments.domain.rubrics import as_json, parse
from courses.assignments.models import Assignment, GradingRun, Score, Submission
from courses.assignments.publishing import publish_scores
from courses.assignments.scores import Grading, adjust, save_score
from courses.assignments.testing.runs import finish_run, reconcile_runs
from courses.content.models import Module

from . import build

PICKS = {build.METHOD: Decimal(10), build.REPORT: Decimal(10)}


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return build.scene()


def told(kind: str = "assignments.moved") -> list[int]:
    return sorted(Notice.objects.filter(kind=kind).values_list("recipient_id", flat=True))


def later(days: float) -> Any:
    return timezone.now() + timedelta(days=days)


def late_and_graded(scene: build.Scene) -> Score:
    """Work that came a day and a half late, with 20 points, of which 8 were taken."""
    made = scene.hand_in()
    scene.change(due_at=made.submitted_at - timedelta(hours=36))
    return save_score(
        assignment=scene.assignment,
        enrolment=scene.enrolment,
        version=0,
        grading=Grading(PICKS),
        actor=scene.instructor,
    )


def move(scene: build.Scene, days: float) -> None:
    change_assignment(assignment_id=scene.assignment.pk, fields={"due_at": later(days)}, actor=scene.instructor)


def test_the_courses_own_date_moves_and_everybody_whose_it_is_hears_once(scene: build.Scene) -> None:
    extended = scene.another()
    extending.extend(
        assignment=scene.assignment, enrolments=[extended], due_at=later(9), reason="출장", actor=scene.instructor
    )
    move(scene, 5)
    assert told() == sorted([scene.learner.pk, scene.world.people["classmate"].pk])
    notice = Notice.objects.filter(kind="assignments.moved", recipient=scene.learner).get()
    scene.assignment.refresh_from_db()
    assert notice.facts["due_at"] == scene.assignment.due_at.isoformat()
    move(scene, 10)
    assert extended.user_id in told()


def test_nobody_hears_of_what_is_hidden_or_over(scene: build.Scene) -> None:
    Module.objects.filter(pk=scene.assignment.module_id).update(is_published=False)
    move(scene, 5)
    Module.objects.filter(pk=scene.assignment.module_id).update(is_published=True)
    Assignment.objects.filter(pk=scene.assignment.pk).update(is_published=False)
    move(scene, 6)
    Assignment.objects.filter(pk=scene.assignment.pk).update(is_published=True, due_at=later(-9))
    move(scene, -8)
    assert told() == []


def test_a_cohorts_date_and_what_is_taken_back_are_told_too(scene: build.Scene) -> None:
    given: dict[str, Any] = {"assignment": scene.assignment, "cohort": scene.world.cohort, "closes_at": None}
    extending.set_cohort_deadline(due_at=later(6), reason="축제", actor=scene.instructor, **given)
    assert told() == [scene.learner.pk]
    (change,) = extending.extend(
        assignment=scene.assignment,
        enrolments=[scene.enrolment],
        due_at=later(9),
        reason="출장",
        actor=scene.instructor,
    )
    assert told("assignments.extended") == [scene.learner.pk]
    extending.revoke(
        change_id=change.pk, assignment=scene.assignment, cohorts=[scene.world.cohort], actor=scene.instructor
    )
    assert told() == [scene.learner.pk] * 2


def test_more_time_in_everything_is_one_notice(scene: build.Scene) -> None:
    more = Assignment.objects.get(pk=scene.assignment.pk)
    more.pk, more.position = None, more.position + 1
    more.save(force_insert=True)
    extending.accommodate(enrolment=scene.enrolment, factor_pct=150, reason="합의", actor=scene.instructor)
    assert (told("assignments.many_moved"), told()) == ([scene.learner.pk], [])


def test_lateness_is_judged_anew_when_the_courses_own_date_moves(scene: build.Scene) -> None:
    score = late_and_graded(scene)
    assert (score.raw, score.late_deduction, score.adjusted) == (20, 8, 12)
    move(scene, 1)
    score.refresh_from_db()
    assert (score.raw, score.late_deduction, score.adjusted) == (20, 0, 20)
    assert [line[0] for line in score.why] == ["rubric", "rubric"]
    assert score.history.order_by("-version").values_list("reason", flat=True)[0] == "deadline"


def test_a_rubric_that_changed_since_stops_no_extension_and_changes_no_grade(scene: build.Scene) -> None:
    score = late_and_graded(scene)
    scene.change(rubric=as_json(parse("Method: missing = 0; sound = 5")))
    extending.extend(
        assignment=scene.assignment,
        enrolments=[scene.enrolment],
        due_at=later(1),
        reason="병원",
        actor=scene.instructor,
    )
    score.refresh_from_db()
    assert (score.raw, score.adjusted) == (20, 20)
    adjust(
        assignment=scene.assignment, enrolment=scene.enrolment, version=score.version, points=Decimal(-3), reason="몫",
        actor=scene.instructor,
    )  # fmt: skip
    score.refresh_from_db()
    assert (score.raw, score.adjusted) == (20, 17)


def test_a_rubric_that_changed_since_stops_no_test_run(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    build.suite_for(scene)
    late_and_graded(scene)
    scene.change(rubric=as_json(parse("Method: missing = 0; sound = 5")))
    with django_capture_on_commit_callbacks(execute=True):
        second = scene.hand_in({"main.py": b"def add(a, b):\n    return b + a\n"})
    run = GradingRun.objects.get(submission=second)
    build.end_job(run, [{"name": "test_adds", "passed": True}], scene.world.node)
    assert finish_run(run_id=run.pk)
    score = Score.objects.get(enrolment=scene.enrolment)
    assert (score.raw, score.picks[build.METHOD]) == (None, "10")
    assert reconcile_runs() >= 0
    assert publish_scores(assignment=scene.assignment, enrolment_ids=[scene.enrolment.pk], actor=None) == 0
    assert Submission.objects.filter(enrolment=scene.enrolment).count() == 2
