"""Late days: spent exactly once under a race, by the learner's choice or by themselves, and said in the score."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from campus.core.errors import Conflict
from courses.assignments import authoring, scores, submitting
from courses.assignments.api import why_words
from courses.assignments.deadlines import deadline_for
from courses.assignments.domain.late import days_needed
from courses.assignments.models import Assignment, DeadlineChange, LateDayBank, OutagePolicy
from courses.assignments.scores import Grading
from tests import factories

from . import build
from .test_races import together

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("late_s", "grace_s", "left", "days"),
    [
        (0, 0, 3, 0),
        (1, 0, 3, 1),
        (86_400, 0, 3, 1),
        (86_401, 0, 3, 2),
        (86_401, 0, 1, 0),
        (600, 600, 3, 0),
        (5, 0, 0, 0),
    ],
)
def test_days_that_make_work_punctual(late_s: int, grace_s: int, left: int, days: int) -> None:
    assert days_needed(late_s, grace_s, left) == days


@pytest.mark.django_db
def test_an_automatic_bank_spends_what_the_work_needs_and_the_score_says_so() -> None:
    scene = build.scene(due_at=timezone.now() - timedelta(hours=30), opens_at=timezone.now() - 9 * DAY)
    authoring.set_late_days(run_id=scene.world.run.pk, days=3, is_automatic=True, actor=None)
    scene.hand_in()
    scene.hand_in(build.BAD)
    assert deadline_for(scene.assignment, scene.enrolment).late_days == 2, "the second version needs no more"
    score = scores.save_score(
        assignment=scene.assignment, enrolment=scene.enrolment, version=0, grading=Grading({}, Decimal(40)),
        actor=scene.instructor,
    )  # fmt: skip
    assert (score.adjusted, score.late_deduction) == (40, 0)
    with translation.override("en"):
        assert ("2 late days were used", "0") in why_words(score.why)


@pytest.mark.django_db
def test_a_bank_that_does_not_suffice_is_not_touched() -> None:
    scene = build.scene(due_at=timezone.now() - timedelta(hours=30), opens_at=timezone.now() - 9 * DAY)
    authoring.set_late_days(run_id=scene.world.run.pk, days=1, is_automatic=True, actor=None)
    scene.hand_in()
    assert submitting.late_days_left(scene.enrolment) == 1


@pytest.mark.django_db
def test_the_rules_of_a_run_are_set_on_one_page_and_learners_read_what_is_left() -> None:
    scene = build.scene()
    over = authoring.open_assignment(
        module_id=scene.world.module.pk, actor=None, title="지난 과제", due_at=timezone.now() - DAY
    )
    client, address = Client(), reverse("assignments:policy", args=[scene.world.run.slug])
    client.force_login(scene.instructor)
    late = {"late_grace_s": 10, "late_interval_s": 60, "late_deduct_pct": "5", "late_floor_pct": "40"}
    said: list[dict[str, Any]] = [
        {"what": "days", "days-days": 4},
        {"what": "outage", "outage-look_back_h": 48, "outage-least_wait_min": 30, "outage-most_h": 6},
        {"what": "late"} | {f"late-{name}": value for name, value in late.items()},
    ]
    assert [client.post(address, one).status_code for one in said] == [302, 302, 302]
    assert client.post(address, {"what": "days", "days-days": 99}).status_code == 400
    scene.assignment.refresh_from_db()
    assert (scene.assignment.late_grace_s, scene.assignment.late_floor_pct) == (600, 40)
    assert Assignment.objects.get(pk=over.pk).late_floor_pct == 0, "what is over keeps its rules"
    assert (LateDayBank.objects.get().days, OutagePolicy.objects.get().most_h) == (4, 6)
    learner = Client()
    learner.force_login(scene.learner)
    assert "late-bank" in learner.get(reverse("assignments:list", args=[scene.world.run.slug])).content.decode()


@pytest.mark.django_db(transaction=True)
def test_however_often_one_presses_no_more_days_are_spent_than_there_are() -> None:
    factories.platform_scope()
    scene = build.scene()
    authoring.set_late_days(run_id=scene.world.run.pk, days=2, actor=None)

    def press(_number: int) -> str:
        try:
            submitting.take_late_day(assignment_id=scene.assignment.pk, user=scene.learner)
        except Conflict as error:
            return error.code
        return "taken"

    assert sorted(together(6, press)) == [*["no_late_days"] * 4, "taken", "taken"]
    assert submitting.late_days_left(scene.enrolment) == 0


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_without_the_learners_lock() -> None:
    factories.platform_scope()
    scene = build.scene()
    authoring.set_late_days(run_id=scene.world.run.pk, days=1, actor=None)
    seen = threading.Barrier(3)

    def press(_number: int) -> None:
        left = submitting.late_days_left(scene.enrolment)
        seen.wait(timeout=30)
        if left:
            DeadlineChange.objects.create(
                kind=DeadlineChange.Kind.LATE_DAY, assignment=scene.assignment, enrolment=scene.enrolment, reason="x"
            )

    together(3, press)
    assert DeadlineChange.objects.filter(kind="LATE_DAY").count() == 3, "one day, spent three times"
