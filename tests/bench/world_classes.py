"""A week of classes for a world: the viewer's cohort's, and those of the small cohorts beside it."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone

from courses.catalog.models import Cohort
from courses.timetable.api import ClassWish, PlaceWish, save_session


def plan_classes(viewed: Cohort, others: list[Cohort], teacher_id: int) -> int:
    """Plan a class a day for the viewed cohort and one for each other; return the first one's id."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    first = 0
    for number, cohort in enumerate([*[viewed] * min(5, len(others)), *others]):
        start = timezone.make_aware(
            datetime.combine(monday + timedelta(days=number % 5), time(9 + 2 * (number // 5 % 6)))
        )
        own = (teacher_id,) if cohort == viewed else ()
        wish = ClassWish(title=f"수업 {number}", places=(PlaceWish(cohort.pk),), teacher_ids=own)
        made = save_session(
            run_id=cohort.run_id, wish=wish, starts_at=start, ends_at=start + timedelta(hours=2), actor=None
        )
        first = first or made.session.pk
    return first
