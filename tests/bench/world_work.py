"""Assignments of a run with work, grades and groups, and a gradebook of any size, filled by bulk inserts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from courses.assignments.models import Assignment, Group, GroupMember, GroupSet, Score, Submission
from courses.catalog.models import CourseRun, Enrolment
from courses.content.models import Module
from courses.gradebook.models import Cell, GradeCategory, GradeItem
from labs.jobs.api import store_bundle


def hand_out(run: CourseRun, module: Module, enrolments: Sequence[Enrolment], number: int) -> list[Assignment]:
    """Open so many assignments that were due a day ago: everybody handed in, everybody has a draft.

    The last is handed in by groups of three.
    """
    now = timezone.now()
    groups = GroupSet.objects.create(run=run, name="조")
    made = Assignment.objects.bulk_create(
        Assignment(
            module=module, position=n, title=f"과제 {n}", points=Decimal(20), due_at=now - timedelta(days=1),
            late_deduct_pct=Decimal(10), group_set=groups if n == number else None,
        )
        for n in range(1, number + 1)
    )  # fmt: skip
    source = store_bundle({"main.py": b"print('handed in')\n"})
    written = Submission.objects.bulk_create(
        Submission(
            assignment=assignment, enrolment=one, number=1, source=source, digest=source.digest,
            due_at=assignment.due_at, submitted_at=now - timedelta(days=2), submitted_by_id=one.user_id,
        )
        for assignment in made
        for one in enrolments
    )  # fmt: skip
    Score.objects.bulk_create(
        Score(
            assignment=one.assignment, enrolment=one.enrolment, submission=one, raw=Decimal(17), adjusted=Decimal(17),
            why=[["given", "17", ""]], picks={"given": "17"},
        )
        for one in written
    )  # fmt: skip
    _divide(groups, enrolments)
    return made


def _divide(groups: GroupSet, enrolments: Sequence[Enrolment]) -> None:
    made = Group.objects.bulk_create(
        Group(group_set=groups, name=f"{n + 1}조") for n in range(-(-len(enrolments) // 3))
    )
    GroupMember.objects.bulk_create(
        GroupMember(group_set=groups, group=made[n // 3], enrolment=one) for n, one in enumerate(enrolments)
    )


def open_book(
    run: CourseRun, assignments: Sequence[Assignment], enrolments: Sequence[Enrolment], by_hand: int
) -> list[GradeItem]:
    """A gradebook of these assignments and so many columns by hand, every cell of which is filled."""
    category = GradeCategory.objects.create(run=run, position=1, name="전체", weight=Decimal(100))
    sourced = [
        GradeItem(
            category=category, position=n, kind=GradeItem.Kind.ASSIGNMENT, title=one.title, out_of=one.points,
            assignment=one, is_published=True,
        )
        for n, one in enumerate(assignments, start=1)
    ]  # fmt: skip
    typed = [
        GradeItem(category=category, position=100 + n, title=f"퀴즈 {n}", out_of=Decimal(10), is_published=True)
        for n in range(1, by_hand + 1)
    ]
    items = GradeItem.objects.bulk_create([*sourced, *typed])
    Cell.objects.bulk_create(
        Cell(item=item, enrolment=one, state=Cell.State.GRADED, points=Decimal(8), version=1)
        for item in items[len(sourced) :]
        for one in enrolments
    )
    return items
