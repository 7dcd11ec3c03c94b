"""A gradebook with two categories and some learners."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from campus.people.models import User
from courses.catalog import api as catalog
from courses.catalog.models import Cohort, CourseRun, Enrolment
from courses.gradebook import services
from courses.gradebook.models import GradeCategory, GradeItem
from tests.courses import build as courses


@dataclass
class Made:
    """Quizzes count 40 and drop the worst; reports count 60. Two items each, out of 10."""

    run: CourseRun
    cohort: Cohort
    teacher: User
    items: list[GradeItem]
    learners: list[Enrolment]

    @property
    def cohort_ids(self) -> set[int]:
        return {self.cohort.pk}

    def set(self, *edits: services.CellEdit, **wishes: Any) -> services.Outcome:
        wishes = {"actor": self.teacher} | wishes
        return services.set_cells(run=self.run, cohort_ids=self.cohort_ids, edits=edits, **wishes)

    def edit(self, item: int, learner: int, text: str, version: int | None = 0) -> services.CellEdit:
        """An edit by the places in `items` and `learners`."""
        return services.CellEdit(self.items[item].pk, self.learners[learner].pk, text, version)


def category(run: CourseRun, name: str, weight: int, **fields: Any) -> GradeCategory:
    fields = {"name": name, "weight": Decimal(weight)} | fields
    return services.save_category(run=run, fields=fields, category_id=None, actor=None)


def item(run: CourseRun, category: GradeCategory, title: str, out_of: int = 10, **fields: Any) -> GradeItem:
    fields = {"category": category, "title": title, "out_of": Decimal(out_of)} | fields
    return services.save_item(run=run, fields=fields, item_id=None, actor=None)


def gradebook(learners: int = 2, cohort: Cohort | None = None) -> Made:
    """Make it in a cohort of its own, or in `cohort`."""
    if cohort is None:
        courses.root()
        cohort = courses.cohort(seats=max(learners, 1) + 5)
    run = cohort.run
    quizzes = category(run, "퀴즈", 40, drop_lowest=1)
    reports = category(run, "보고서", 60)
    items = [item(run, quizzes, f"퀴즈 {number}") for number in (1, 2)]
    items += [item(run, reports, f"보고서 {number}") for number in (1, 2)]
    enrolled = [
        catalog.enrol(cohort_id=cohort.pk, user=courses.person(f"학생 {number:03}"), mode="ONSITE", actor=None)
        for number in range(learners)
    ]
    return Made(run, cohort, courses.person("이선생"), items, enrolled)
