"""What a copied run takes over of its timetable: weekly series as proposals, which book nothing until planned."""

from collections.abc import Collection
from datetime import date, timedelta

from django.utils.translation import gettext_lazy as _

from campus.people.models import User
from courses.catalog.api import Copied, Copier, Line, Shift
from courses.catalog.models import CourseRun

from .models import ClassSeries, Holiday, SeriesProposal


def lines(run: CourseRun, shift: Shift) -> list[Line]:
    """Return the series. One query."""
    found = []
    for one in ClassSeries.objects.filter(run=run):
        dates = (
            (_("First day"), one.from_on, shift.day(one.from_on)),
            (_("Last day"), one.until_on, shift.day(one.until_on)),
        )
        found.append(Line(one.title, dates, note=_("rooms, teachers and GPUs are chosen when it is planned")))
    return found


def copy(source: CourseRun, target: CourseRun, shift: Shift, copied: Copied, actor: User | None) -> None:
    """Keep each series as a proposal. Two queries."""
    weeks = timedelta(weeks=shift.weeks)
    names = ("title", "kind", "weekdays", "starts", "ends", "slot_minutes")
    SeriesProposal.objects.bulk_create(
        SeriesProposal(
            run=target, from_on=one.from_on + weeks, until_on=one.until_on + weeks,
            **{name: getattr(one, name) for name in names},
        )
        for one in ClassSeries.objects.filter(run=source)
    )  # fmt: skip


def holidays(days: Collection[date]) -> dict[date, str]:
    """Return which of these days are without classes somewhere. One query."""
    return {one.on: one.name for one in Holiday.objects.filter(on__in=days)}


COPIER = Copier("timetable", _("Weekly classes, as proposals"), lines, copy, order=45)
