"""Reading a roster: bytes of a CSV in, rows and errors with their line numbers out.

Columns are named in Korean or English. Nothing here knows the database: an error is a code and facts, its words come
later.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from campus.core.tables import FORMULA, BadTable, Record, read_table

MAX_ROWS = 2_000
MAX_BYTES = 2 * 1024 * 1024
MAX_NAME = 80
MAX_EMAIL = 254
MAX_NUMBER = 30

ONSITE, ONLINE = "ONSITE", "ONLINE"

COLUMNS: dict[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress", "mail", "이메일", "이메일주소", "전자우편", "메일", "메일주소"),
    "name": ("name", "fullname", "studentname", "이름", "성명", "학생명", "학생이름", "교육생명", "수강생명"),
    "mode": ("mode", "attendance", "수강방식", "참여방식", "참여형태", "수강형태", "방식", "구분"),
    "number": ("membernumber", "number", "studentid", "studentnumber", "학번", "회원번호", "교육생번호", "수험번호"),
}
REQUIRED = ("email", "name")
_COLUMN_OF = {alias: column for column, aliases in COLUMNS.items() for alias in aliases}

MODES: dict[str, str] = dict.fromkeys(
    ("onsite", "inperson", "offline", "campus", "현장", "대면", "오프라인", "오프", "출석", "집합"), ONSITE
) | dict.fromkeys(("online", "remote", "온라인", "비대면", "원격", "실시간", "온"), ONLINE)

# How a roster is written: the heads, and the words for the modes, all of which are read too.
_WRITTEN: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "ko": (("이메일", "이름", "수강 방식", "학번"), {ONSITE: "대면", ONLINE: "온라인"}),
    "en": (("Email", "Name", "Mode", "Member number"), {ONSITE: "on site", ONLINE: "online"}),
}

_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]*")
_SQUEEZE = re.compile(r"[\s_\-()/·.]+")


@dataclass(frozen=True)
class RosterError:
    """What is wrong: `line` counts from 1 as a text editor does, and is None when the whole file is meant."""

    code: str
    line: int | None = None
    column: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RosterRow:
    """One person of the file. `mode` is None where the file does not say."""

    line: int
    email: str
    name: str
    mode: str | None
    number: str = ""


@dataclass(frozen=True)
class Roster:
    """What was read. `rows` are those without an error of their own."""

    rows: tuple[RosterRow, ...] = ()
    errors: tuple[RosterError, ...] = ()
    ignored_columns: tuple[str, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether the file as a whole could be read; its rows may have errors."""
        return not any(error.line is None for error in self.errors)


def parse_roster(raw: bytes) -> Roster:
    """Read a roster. Never raises: whatever is wrong is in `errors`."""
    try:
        table = read_table(raw, max_bytes=MAX_BYTES, max_records=MAX_ROWS + 1, is_known=_is_known)
    except BadTable as bad:
        return _unreadable(bad)
    head = table[0].cells
    columns, ignored, problem = _columns(head)
    if problem:
        return Roster(errors=(problem,), ignored_columns=ignored)
    return _rows(table[1:], columns, ignored, width=len(head))


def roster_csv(rows: Iterable[Sequence[str]], language: str) -> str:
    """Write (e-mail, name, mode, number) rows as a CSV that `parse_roster` reads back, in Korean or in English."""
    heads, modes = _WRITTEN["ko" if language.startswith("ko") else "en"]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(heads)
    for email, name, mode, number in rows:
        writer.writerow([_harmless(email), _harmless(name), modes[mode], _harmless(number)])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula; reading takes it off again."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _unreadable(bad: BadTable) -> Roster:
    code = "too_many_rows" if bad.code == "too_many" else bad.code
    facts: dict[str, dict[str, Any]] = {
        "too_large": {"most": MAX_BYTES},
        "too_many_rows": {"most": MAX_ROWS},
        "quotes": {"line": bad.line},
    }
    return Roster(errors=(RosterError(code, facts=facts.get(code, {})),))


def _is_known(cell: str) -> bool:
    return _squeeze(cell) in _COLUMN_OF


def _squeeze(text: str) -> str:
    return _SQUEEZE.sub("", unicodedata.normalize("NFC", text).strip().lower().lstrip("\ufeff"))


def _columns(head: Sequence[str]) -> tuple[dict[str, int], tuple[str, ...], RosterError | None]:
    columns: dict[str, int] = {}
    ignored: list[str] = []
    for index, cell in enumerate(head):
        column = _COLUMN_OF.get(_squeeze(cell))
        if column is None:
            if cell:
                ignored.append(cell)
        elif column in columns:
            return columns, tuple(ignored), RosterError("column_twice", column=column)
        else:
            columns[column] = index
    missing = [column for column in REQUIRED if column not in columns]
    problem = RosterError("columns_missing", facts={"columns": missing}) if missing else None
    return columns, tuple(ignored), problem


def _rows(table: Sequence[Record], columns: dict[str, int], ignored: tuple[str, ...], width: int) -> Roster:
    rows: list[RosterRow] = []
    errors: list[RosterError] = []
    first_seen: dict[tuple[str, str], int] = {}
    for record in table:
        row, problems = _row(record.line, record.cells, columns, width)
        problems += _doubles(row, first_seen)
        errors += problems
        if not problems:
            rows.append(row)
    if not rows and not errors:
        errors.append(RosterError("no_rows"))
    return Roster(tuple(rows), tuple(errors), ignored)


def _row(line: int, cells: Sequence[str], columns: dict[str, int], width: int) -> tuple[RosterRow, list[RosterError]]:
    def cell(column: str) -> str:
        index = columns.get(column)
        return cells[index] if index is not None and index < len(cells) else ""

    email, name, number, mode_text = cell("email").lower(), cell("name"), cell("number"), cell("mode")
    mode = MODES.get(_squeeze(mode_text)) if mode_text else None
    found = [
        _email_problem(email),
        _name_problem(name),
        None if not number or (len(number) <= MAX_NUMBER and _NUMBER.fullmatch(number)) else "number_invalid",
        "mode_unknown" if mode_text and mode is None else None,
        "cells_extra" if any(cells[width:]) else None,
    ]
    about = zip(
        found, ("email", "name", "number", "mode", ""), (cell("email"), name, number, mode_text, ""), strict=True
    )
    errors = [RosterError(code, line, column, {"value": value[:60]}) for code, column, value in about if code]
    return RosterRow(line, email, name, mode, number), errors


def _email_problem(email: str) -> str | None:
    if not email:
        return "email_missing"
    local = email.partition("@")[0]
    doubtful = ".." in email or local.startswith(".") or local.endswith(".")
    if len(email) > MAX_EMAIL or doubtful or not _EMAIL.fullmatch(email):
        return "email_invalid"
    return None


def _name_problem(name: str) -> str | None:
    if not name:
        return "name_missing"
    if len(name) > MAX_NAME:
        return "name_too_long"
    # A leading sign would be run as a formula by the next spreadsheet that opens an export of ours.
    bad_start = name[0] in "=+-@"
    odd = any(unicodedata.category(letter)[0] == "C" or letter in '<>@"\\' for letter in name)
    if bad_start or odd or not any(letter.isalpha() for letter in name):
        return "name_invalid"
    return None


def _doubles(row: RosterRow, first_seen: dict[tuple[str, str], int]) -> list[RosterError]:
    errors = []
    for column, value in (("email", row.email), ("number", row.number)):
        if not value:
            continue
        first = first_seen.setdefault((column, value), row.line)
        if first != row.line:
            errors.append(RosterError(f"{column}_twice", row.line, column, {"value": value, "first": first}))
    return errors
