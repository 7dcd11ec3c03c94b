"""The demo run's gradebook: labs, homework and attendance, two quizzes entered by hand, a question that waits."""

import random
from decimal import Decimal

from courses.assignments.models import Assignment
from courses.catalog.models import Enrolment
from courses.gradebook import services as gradebook
from courses.gradebook.domain.schemes import LETTERS
from courses.gradebook.models import GradeCategory, GradeItem

from . import people
from .course import Taught

QUIZZES = ("1주차 퀴즈", "2주차 퀴즈")
QUESTION = "3번 문항에서 배치 정규화도 맞는 답이라고 배웠습니다. 다시 확인해 주실 수 있을까요?"


def open_gradebook(taught: Taught, enrolments: list[Enrolment]) -> None:
    """Set the gradebook up and fill it: deterministic, in a few dozen statements."""
    run = taught.run
    bands = [(band.name, band.least) for band in LETTERS]
    gradebook.set_scheme(run=run, fields={"bands": bands}, actor=None)
    categories = {
        name: gradebook.save_category(
            run=run, fields={"name": name, "weight": Decimal(weight), "drop_lowest": drop}, category_id=None, actor=None
        )
        for name, weight, drop in (("과제와 실습", 60, 0), ("퀴즈", 25, 1), ("출석", 15, 0))
    }
    for assignment in Assignment.objects.filter(module__run=run).order_by("module__position", "position"):
        _item(categories["과제와 실습"], assignment.title, assignment.points, kind="ASSIGNMENT", assignment=assignment)
    _item(categories["출석"], "출석", Decimal(100), kind="ATTENDANCE")
    quizzes = [_item(categories["퀴즈"], title, Decimal(10)) for title in QUIZZES]
    chance = random.Random(20)  # noqa: S311
    edits = [gradebook.CellEdit(quiz.pk, row.pk, _mark(chance), 0) for quiz in quizzes for row in enrolments]
    gradebook.set_cells(run=run, cohort_ids={row.cohort_id for row in enrolments}, edits=edits, actor=None)
    learner = next(row for row in enrolments if row.user.email == people.DEMO_LEARNER.email)
    gradebook.ask_regrade(enrolment=learner, item_id=quizzes[0].pk, text=QUESTION)


def _mark(chance: random.Random) -> str:
    """Mostly good, some missing, a few excused, as a class is."""
    drawn = chance.random()
    if drawn < 0.04:
        return "EX"
    if drawn < 0.1:
        return "MISS"
    return str(min(max(round(chance.gauss(7.8, 1.6) * 2), 0), 20) / Decimal(2))


def _item(category: GradeCategory, title: str, out_of: Decimal, **fields: object) -> GradeItem:
    fields = {"category": category, "title": title, "out_of": out_of, "is_published": True} | fields
    return gradebook.save_item(run=category.run, fields=fields, item_id=None, actor=None)
