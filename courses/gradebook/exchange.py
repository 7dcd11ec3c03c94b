"""A gradebook as CSV and XLSX, both ways. An import is previewed first; what was previewed is exactly what is done."""

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from campus.core.errors import Conflict, InvalidInput
from campus.core.tables import BadTable, Record, bare, read_table
from campus.people.models import User

from .access import BookAccess
from .books import Book, book_of
from .domain import sheets
from .domain.marks import parse, text_of
from .grid import percent_text
from .models import Entry, GradeItem
from .services import CellEdit, Outcome, set_cells

MOST_BYTES = 4 * 1024 * 1024
MOST_CELLS_READ = 400_000
SALT = "gradebook.import"
KEPT_S = 3600


@dataclass(frozen=True)
class Change:
    """A cell that an import would change."""

    line: int
    learner: str
    item: str
    before: str
    after: str


@dataclass(frozen=True)
class ImportPreview:
    """`token` carries the edits with the versions they were compared with; empty when there are problems."""

    changes: tuple[Change, ...]
    problems: tuple[str, ...]
    ignored: tuple[str, ...]
    token: str
    needs_reason: bool


def table_of(book: Book) -> list[list[str]]:
    """Return a gradebook as texts: heading, then a row a learner."""
    head = [_("Name"), "e-mail", _("Cohort"), *(sheets.heading(item.title, item.pk) for item in book.items)]
    table = [[*head, _("Total (%)"), pgettext("letter", "Grade")]]
    for row in book.rows:
        percent, band = book.final(row.pk, book.grade(row.pk))
        marks = [text_of(book.shown(item, row.pk).mark) for item in book.items]
        table.append([row.user.name, row.user.email, row.cohort.name, *marks, percent_text(percent), band])
    return table


def cells_of(table: list[list[str]]) -> list[list[Any]]:
    """Return the table with its marks as numbers, for a workbook."""
    return [
        [_cell(cell) if at and place > 2 else cell for place, cell in enumerate(row)] for at, row in enumerate(table)
    ]


def read_file(name: str, raw: bytes) -> list[Record]:
    """Return the records of a CSV or an XLSX. Raises InvalidInput for what is neither, or too big."""
    if len(raw) > MOST_BYTES:
        raise InvalidInput({"file": _("The file is larger than %(mib)d MiB.") % {"mib": MOST_BYTES >> 20}})
    if raw[:4] == b"PK\x03\x04" or name.lower().endswith(".xlsx"):
        return _read_xlsx(raw)
    most = sheets.MOST_ROWS + 2  # the heading, and one more than may be, which is said with all the rest
    try:
        table = read_table(raw, max_bytes=MOST_BYTES, max_records=most, is_known=sheets.is_heading)
    except BadTable as bad:
        if bad.code == "empty":
            return []
        words = {
            "quotes": _("From line %(line)d on, a quotation mark is opened and never closed."),
            "too_many": _("The file has more than %(most)d rows."),
        }.get(bad.code, _("This is neither a CSV nor an XLSX file."))
        facts = {"line": bad.line, "most": sheets.MOST_ROWS}
        raise InvalidInput({"file": words % facts if "%(" in words else words}) from bad
    if sum(len(record.cells) for record in table) > MOST_CELLS_READ:
        raise InvalidInput({"file": _("The file has too many cells.")})
    return list(table)


def preview_import(*, access: BookAccess, table: list[Record]) -> ImportPreview:
    """Say what importing a table would change. Empty cells in the file clear marks that were entered by hand."""
    book = book_of(access.run, cohort_ids=access.cohort_ids)
    emails = Counter(row.user.email.lower() for row in book.rows)
    learners = {row.user.email.lower(): row.pk for row in book.rows}
    items = {item.pk: item for item in book.items}
    titles = {item.pk: item.title for item in book.items}
    twice = [email for email, count in emails.items() if count > 1]
    sheet = sheets.read(table, titles, learners, ambiguous=twice)
    names = {row.pk: row.user.name for row in book.rows}
    changes, edits, needs_reason = [], [], False
    for given in sheet.given:
        item = items[given.item_id]
        shown = book.shown(item, given.enrolment_id)
        if parse(given.text) == shown.mark:
            continue
        needs_reason = needs_reason or item.kind != GradeItem.Kind.MANUAL
        changes.append(Change(given.line, names[given.enrolment_id], item.title, text_of(shown.mark), given.text))
        edits.append([given.item_id, given.enrolment_id, given.text, shown.version])
    problems = tuple(_words(problem) for problem in sheet.problems)
    token = "" if problems or not edits else signing.dumps([access.run.pk, edits], salt=SALT, compress=True)
    return ImportPreview(tuple(changes), problems, tuple(sheet.ignored), token, needs_reason)


@transaction.atomic
def apply_import(*, access: BookAccess, token: str, reason: str, actor: User) -> Outcome:
    """Do what was previewed, all or nothing. Raises InvalidInput (old token, no reason), Conflict (marks changed)."""
    try:
        run_id, edits = signing.loads(token, salt=SALT, max_age=KEPT_S)
    except signing.BadSignature as error:
        raise InvalidInput({"file": _("This preview is too old. Choose the file again.")}) from error
    if run_id != access.run.pk:
        raise InvalidInput({"file": _("This preview is of another course.")})
    outcome = set_cells(
        run=access.run, cohort_ids=access.cohort_ids, edits=[CellEdit(*edit) for edit in edits],
        reason=reason, actor=actor, kind=Entry.Kind.IMPORTED,
    )  # fmt: skip
    conflicts = sum(1 for one in outcome.refused if one.is_conflict)
    if conflicts:
        words = _("%(count)d of these marks changed since the preview. Nothing was imported; look at it again.")
        raise Conflict(words % {"count": conflicts})
    if outcome.refused:
        raise InvalidInput({"reason": outcome.refused[0].message})
    return outcome


def _words(problem: sheets.Problem) -> str:
    words = {
        "empty": _("The file is empty."),
        "no_email": _("Line 1: there is no column named “e-mail”. Export the gradebook to see how it is made."),
        "no_items": _("Line 1: no column is named like an item of this gradebook."),
        "too_long": _("The file has more than %(most)d rows."),
        "twice": _("Line %(line)d: %(text)s is there a second time."),
        "ambiguous": _("Line %(line)d: %(text)s is in two of your cohorts; change that row in the grid."),
        "unknown": _("Line %(line)d: nobody with the e-mail “%(text)s” is in your cohorts."),
        "no_mark": _("Line %(line)d, %(column)s: “%(text)s” is no mark. Use a number, EX, MISS or nothing."),
        "column_twice": _("Line 1: the item of “%(column)s” has two columns."),
    }
    facts = {"line": problem.line, "text": problem.text, "column": problem.column, "most": sheets.MOST_ROWS}
    return words[problem.code] % facts


def _cell(text: str) -> Any:
    mark = parse(text)
    return float(mark.points) if mark is not None and mark.points is not None else text


def _read_xlsx(raw: bytes) -> list[Record]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        return _bounded([_text(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True))
    except (BadZipFile, KeyError, ValueError, IndexError, OSError) as error:
        raise InvalidInput({"file": _("This is no XLSX file that can be read.")}) from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return bare(str(value).strip())


def _bounded(rows: Iterable[list[str]]) -> list[Record]:
    """Take rows until there are too many cells; a workbook may claim a million empty ones. Blank rows are passed."""
    found: list[Record] = []
    count = 0
    for line, row in enumerate(rows, start=1):
        cells = tuple(row)
        while cells and not cells[-1]:
            cells = cells[:-1]
        count += len(cells) + 1
        if count > MOST_CELLS_READ:
            raise InvalidInput({"file": _("The file has too many cells.")})
        if cells:
            found.append(Record(line, cells))
    return found
