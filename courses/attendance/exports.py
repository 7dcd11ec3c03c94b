"""A cohort's term as CSV and XLSX: a row a learner, a column a class, then what it comes to."""

from collections.abc import Iterator

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core.spreadsheets import csv_response, xlsx_response

from .models import Mark
from .selectors import Grid
from .states import GRADE_WORDS

Row = list[str | int]


def _rows(grid: Grid) -> Iterator[Row]:
    days = [f"{timezone.localtime(session.starts_at):%Y-%m-%d %H:%M} {session.title}" for session in grid.sessions]
    counted = [mark for mark in Mark if mark is not Mark.NONE]
    yield [
        _("Name"), _("E-mail"), _("Member number"), *days, *(str(mark.label) for mark in counted),
        _("Absences that count"), _("Allowed"), _("Standing"),
    ]  # fmt: skip
    for row in grid.rows:
        user, stands = row.enrolment.user, row.standing
        marks = ["" if mark == Mark.NONE else str(Mark(mark).label) for mark in row.marks]
        yield [
            user.name, user.email, user.member_number, *marks, *(row.marks.count(mark.value) for mark in counted),
            stands.absences, stands.allowed, str(GRADE_WORDS[stands.grade]),
        ]  # fmt: skip


def export(grid: Grid, name: str, form: str) -> HttpResponse:
    """Answer with the term; `form` is one of FORMS."""
    if form == "csv":
        return csv_response(_rows(grid), name)
    return xlsx_response(_rows(grid), name, title=_("Attendance of the term"), freeze="B2", widths=(18, 30))


FORMS = ("csv", "xlsx")
