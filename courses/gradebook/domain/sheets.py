"""A gradebook as a table of texts: written so that it can be read back, read with every error by its line.

Columns are found by their number in brackets (`Quiz 1 [#12]`), else by their title where only one has it; rows by the
e-mail.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from campus.core.tables import Record

from .marks import parse

MOST_ROWS = 2_000
_NUMBER = re.compile(r"\[#(\d{1,18})\]\s*$")
EMAIL = ("e-mail", "email", "이메일", "메일")


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts as a text editor does (1: the heading). `code` gets its words at the edge."""

    code: str
    line: int
    column: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A mark that the file gives."""

    line: int
    item_id: int
    enrolment_id: int
    text: str


@dataclass
class Sheet:
    given: list[Given] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Headings of columns that are no items, such as names and totals: read past, and said."""


def heading(title: str, item_id: int) -> str:
    """Name an item's column so that it is found again after it was renamed."""
    return f"{title} [#{item_id}]"


def read(
    table: Sequence[Record],
    items: Mapping[int, str],
    learners: Mapping[str, int],
    *,
    ambiguous: Iterable[str] = (),
) -> Sheet:
    """Read a table. `items`: titles by id; `learners`: enrolments by e-mail; `ambiguous`: those of two rows."""
    sheet = Sheet()
    if not table:
        sheet.problems.append(Problem("empty", 1))
        return sheet
    head = table[0].cells
    email_at = next((at for at, name in enumerate(head) if name.lower() in EMAIL), None)
    columns = _columns(head, items, sheet)
    if email_at is None:
        sheet.problems.append(Problem("no_email", 1))
    if not columns:
        sheet.problems.append(Problem("no_items", 1))
    if len(table) - 1 > MOST_ROWS:
        sheet.problems.append(Problem("too_long", MOST_ROWS + 2))
    if sheet.problems or email_at is None:
        return sheet
    twice = set(ambiguous)
    seen: dict[str, int] = {}
    for line, row in ((record.line, record.cells) for record in table[1:]):
        email = row[email_at].lower() if email_at < len(row) else ""
        if email in seen:
            sheet.problems.append(Problem("twice", line, text=email))
        elif email in twice:
            sheet.problems.append(Problem("ambiguous", line, text=email))
        elif email not in learners:
            sheet.problems.append(Problem("unknown", line, text=email))
        else:
            _read_row(sheet, line, row, columns, items, learners[email])
        seen[email] = line
    return sheet


def _read_row(
    sheet: Sheet, line: int, row: Sequence[str], columns: Mapping[int, int], items: Mapping[int, str], enrolment_id: int
) -> None:
    for at, item_id in columns.items():
        text = row[at] if at < len(row) else ""
        if parse(text) is None:
            sheet.problems.append(Problem("no_mark", line, items[item_id], text[:40]))
        else:
            sheet.given.append(Given(line, item_id, enrolment_id, text))


def is_heading(cell: str) -> bool:
    """Say whether this names the e-mail or an item by its number: by it the delimiter of a file is known."""
    return cell.strip().lower() in EMAIL or _NUMBER.search(cell) is not None


def _columns(head: Sequence[str], items: Mapping[int, str], sheet: Sheet) -> dict[int, int]:
    """Return item ids by their place in the heading."""
    by_title: dict[str, list[int]] = {}
    for item_id, title in items.items():
        by_title.setdefault(title.strip().lower(), []).append(item_id)
    columns: dict[int, int] = {}
    for at, name in enumerate(head):
        numbered = _NUMBER.search(name)
        same = by_title.get(name.lower(), [])
        found = int(numbered[1]) if numbered else (same[0] if len(same) == 1 else None)
        if found is None or found not in items:
            if name and name.lower() not in EMAIL:
                sheet.ignored.append(name)
        elif found in columns.values():
            sheet.problems.append(Problem("column_twice", 1, name))
        else:
            columns[at] = found
    return columns
