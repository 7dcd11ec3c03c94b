"""A rubric that changes after grading: what was picked stays with its criterion, and no other criterion gets it."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from courses.assignments.models import Assignment, GradingRun, Score
from courses.assignments.scores import Grading, save_score
from courses.assignments.testing.runs import finish_run

from . import build
from .test_pages import signed_in

METHOD = "Method: missing = 0; partly = 5; sound = 10"
REPORT = "Report: none = 0; clear = 10"
STYLE = "Style: none = 0; clear = 10"


@pytest.fixture
def scene(db: Any) -> build.Scene:
    found = build.scene()
    build.suite_for(found)
    return found


def grade(scene: build.Scene, method: str, report: str) -> None:
    """Grade what the learner hands in: 5 for the method, 10 for the report, by these keys."""
    save_score(
        assignment=scene.assignment, enrolment=scene.enrolment, version=0, actor=scene.instructor,
        grading=Grading({method: Decimal(5), report: Decimal(10)}),
    )  # fmt: skip


def edit(client: Client, scene: build.Scene, *lines: str) -> None:
    """Change the rubric as the editor's form does."""
    address = reverse("assignments:edit-assignment", args=[scene.assignment.pk])
    form = client.get(address).context["form"]
    said = {name: form[name].value() for name in form.fields}
    said = {name: value for name, value in said.items() if value is not None and value is not False}
    answer = client.post(address, said | {"sent": "1", "rubric_text": "\n".join(lines)})
    assert answer.status_code == 302, answer.context["form"].errors


def retested(scene: build.Scene) -> Score:
    """The score once the newest work's tests gave 20 points."""
    run = GradingRun.objects.order_by("-pk")[0]
    passed = [{"name": name, "passed": True} for name in ("test_adds", "test_secret_of_zero")]
    assert finish_run(run_id=build.end_job(run, passed, scene.world.node).pk)
    return Score.objects.get(enrolment=scene.enrolment)


def rubric_lines(score: Score) -> list[list[str]]:
    return [line for line in score.why if line[0] == "rubric"]


def before_keys(scene: build.Scene) -> None:
    """Turn the scene's rubric into one that was written before criteria had keys."""
    stored = [{"title": one["title"], "levels": one["levels"]} for one in scene.assignment.rubric]
    Assignment.objects.filter(pk=scene.assignment.pk).update(rubric=stored)
    scene.assignment.refresh_from_db()


def hand_in_and_grade(scene: build.Scene, committing: Any, *, is_old: bool) -> None:
    """Work that is tested as it comes in, and graded under the rubric of today or one of before keys."""
    if is_old:
        before_keys(scene)
    with committing(execute=True):
        scene.hand_in()
    grade(scene, *(("1", "2") if is_old else (build.METHOD, build.REPORT)))


@pytest.mark.parametrize("is_old", [False, True])
def test_picks_follow_criteria_that_change_places(
    scene: build.Scene, django_capture_on_commit_callbacks: Any, is_old: bool
) -> None:
    hand_in_and_grade(scene, django_capture_on_commit_callbacks, is_old=is_old)
    client = signed_in(scene.instructor)
    edit(client, scene, REPORT, METHOD)
    score = retested(scene)
    assert rubric_lines(score) == [["rubric", "10", "Report"], ["rubric", "5", "Method"]]
    assert score.raw == 35
    page = client.get(reverse("assignments:desk", args=[scene.assignment.pk, scene.enrolment.pk]))
    shown = page.context["criteria"]
    picked = [(one.criterion.title, level.label) for one in shown for level, is_picked in one.levels if is_picked]
    assert picked == [("Report", "clear"), ("Method", "partly")]


@pytest.mark.parametrize("is_old", [False, True])
def test_a_criterion_in_anothers_place_is_not_graded_until_somebody_picks(
    scene: build.Scene, django_capture_on_commit_callbacks: Any, is_old: bool
) -> None:
    hand_in_and_grade(scene, django_capture_on_commit_callbacks, is_old=is_old)
    client = signed_in(scene.instructor)
    edit(client, scene, METHOD)
    edit(client, scene, METHOD, STYLE)
    score = retested(scene)
    assert rubric_lines(score) == [["rubric", "5", "Method"]]
    assert score.raw is None


def test_a_desk_that_was_open_while_the_rubric_changed_is_told_so(scene: build.Scene) -> None:
    scene.hand_in()
    client = signed_in(scene.instructor)
    desk = reverse("assignments:desk", args=[scene.assignment.pk, scene.enrolment.pk])
    edit(client, scene, STYLE, METHOD)
    said = {"version": "0", f"pick-{build.METHOD}": "5", f"pick-{build.REPORT}": "10"}
    answer = client.post(desk, said)
    assert answer.status_code == 400
    assert not Score.objects.filter(raw__isnull=False).exists()
