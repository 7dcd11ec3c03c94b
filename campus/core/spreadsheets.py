"""Tables for spreadsheets, as CSV and XLSX: Korean opens rightly, and no text is ever run as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

from .tables import FORMULA

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NUMBER = re.compile(r"-\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,3})?")
_MOST_OF_TITLE = 31

Row = Sequence[object]


def plain(cell: object) -> object:
    """Return a cell of a CSV that stays what it is: a text that begins like a formula gets an apostrophe before it.

    What is no more than a number is left; `tables.read_table` takes the apostrophe off again.
    """
    if isinstance(cell, str) and cell.startswith(FORMULA) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def csv_bytes(rows: Iterable[Row]) -> bytes:
    """Return rows as CSV in UTF-8 with a mark, without which Excel takes Korean for something else."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def xlsx_bytes(rows: Iterable[Row], *, title: str, freeze: str = "A2", widths: Sequence[float] = ()) -> bytes:
    """Return rows as a workbook of one sheet, its first row bold.

    `freeze`: the first cell that scrolls. `widths`: of the first columns, in characters. A text is written as a text.
    """
    from openpyxl import Workbook  # a tenth of a second, and few ask for it
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:_MOST_OF_TITLE])
    sheet.freeze_panes = freeze
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    bold = Font(bold=True)
    for number, row in enumerate(rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"
            if number == 0:
                cell.font = bold
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_response(rows: Iterable[Row], name: str) -> HttpResponse:
    """Answer with `name`.csv; it is somebody's data, so no cache keeps it."""
    return attachment(csv_bytes(rows), CSV, f"{name}.csv")


def xlsx_response(rows: Iterable[Row], name: str, **layout: Any) -> HttpResponse:
    """Answer with `name`.xlsx; `layout` as for `xlsx_bytes`."""
    return attachment(xlsx_bytes(rows, **layout), XLSX, f"{name}.xlsx")


def attachment(content: bytes, media_type: str, name: str) -> HttpResponse:
    """Answer with a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type=media_type, headers=headers)
