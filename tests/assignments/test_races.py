"""Two graders on one row, and a learner who presses often: real threads and connections, with a negative control."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from campus.core.errors import Conflict
from courses.assignments.models import Score, ScoreChange, Submission
from courses.assignments.scores import Grading, save_score

from . import build

pytestmark = pytest.mark.django_db(transaction=True)

GRADERS, EACH = 4, 6


def together(people: int, work: Callable[[int], Any]) -> list[Any]:
    """Let `people` begin at the same moment, each on a connection of its own."""
    begin = threading.Barrier(people)

    def one(number: int) -> Any:
        try:
            begin.wait(timeout=30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(people) as pool:
        return list(pool.map(one, range(people)))


def test_of_graders_on_one_row_nobody_overwrites_what_they_have_not_seen() -> None:
    scene = build.scene(rubric=[])
    scene.hand_in()
    seen = threading.Barrier(GRADERS)
    codes: set[str] = set()

    def grade(number: int) -> int:
        """Raise the points by one, EACH times; after a conflict look at the row again, as a person would."""
        conflicts = done = looks = 0
        while done < EACH:
            now = Score.objects.filter(assignment=scene.assignment).first()
            if looks == 0:
                seen.wait(timeout=30)  # everybody has looked before anybody saves
            looks += 1
            given = (now.raw or Decimal(0)) + 1 if now else Decimal(1)
            try:
                save_score(
                    assignment=scene.assignment, enrolment=scene.enrolment, version=now.version if now else 0,
                    grading=Grading({}, given), actor=scene.instructor,
                )  # fmt: skip
            except Conflict as error:
                codes.add(error.code)
                conflicts += 1
            else:
                done += 1
        return conflicts

    conflicts = sum(together(GRADERS, grade))
    score = Score.objects.get()
    assert score.raw == GRADERS * EACH
    assert score.version == ScoreChange.objects.count() == GRADERS * EACH
    assert conflicts >= GRADERS - 1
    assert codes == {"score_changed"}


def test_the_race_is_real_without_the_comparison() -> None:
    scene = build.scene(rubric=[])
    score = Score.objects.create(assignment=scene.assignment, enrolment=scene.enrolment, raw=0, adjusted=0)
    seen = threading.Barrier(GRADERS)

    def grade(_number: int) -> None:
        now = Score.objects.get(pk=score.pk)
        seen.wait(timeout=30)
        Score.objects.filter(pk=score.pk).update(raw=(now.raw or 0) + 1)

    together(GRADERS, grade)
    score.refresh_from_db()
    assert score.raw == 1, "four graders added one each, and three of them were lost"


def test_however_often_one_presses_the_attempts_are_exact() -> None:
    scene = build.scene(attempts_allowed=3)

    def press(number: int) -> str:
        try:
            return str(scene.hand_in({"main.py": b"x = %d\n" % number}).number)
        except Conflict as error:
            return error.code

    said = together(8, press)
    assert sorted(said) == ["1", "2", "3", *["no_attempts_left"] * 5]
    assert Submission.objects.count() == 3
