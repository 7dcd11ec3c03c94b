"""A cohort's term as CSV and XLSX: a row a learner, a column a class, then what it comes to."""

import csv
import io
from collections.abc import Callable, Iterator

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from .domain.sheets import plain
from .models import Mark
from .selectors import Grid
from .states import GRADE_WORDS

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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


def as_csv(grid: Grid, name: str) -> HttpResponse:
    """UTF-8 with a byte order mark, which spreadsheets need to read Korean."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in _rows(grid):
        writer.writerow([plain(cell) if isinstance(cell, str) else cell for cell in row])
    return _attachment(("\ufeff" + out.getvalue()).encode(), "text/csv; charset=utf-8", f"{name}.csv")


def as_xlsx(grid: Grid, name: str) -> HttpResponse:
    """One sheet, its head and names fixed. Every text is written as a text, never as a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Attendance of the term")[:31])
    sheet.freeze_panes = "B2"
    sheet.column_dimensions["A"].width = 18
    sheet.column_dimensions["B"].width = 30
    for number, row in enumerate(_rows(grid)):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"
            if number == 0:
                cell.font = Font(bold=True)
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return _attachment(out.getvalue(), XLSX, f"{name}.xlsx")


def _attachment(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


KINDS: dict[str, Callable[[Grid, str], HttpResponse]] = {"csv": as_csv, "xlsx": as_xlsx}
