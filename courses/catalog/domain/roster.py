"""Reading a roster: bytes of a CSV in, rows and errors with their line numbers out.

Spreadsheets in Korea save CSV as UTF-8 with a mark, as CP949 or, as "Unicode text", as UTF-16 with tabs; columns are
named in Korean or English. Nothing here knows the database: an error is a code and facts, its words come later.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_ROWS = 2_000
MAX_BYTES = 2 * 1024 * 1024
MAX_NAME = 80
MAX_EMAIL = 254
MAX_NUMBER = 30

ONSITE, ONLINE = "ONSITE", "ONLINE"
DELIMITERS = (",", "\t", ";")

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
_FORMULA = ("=", "+", "-", "@")

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
    if len(raw) > MAX_BYTES:
        return _unreadable("too_large", most=MAX_BYTES)
    text = decode(raw)
    if text is None:
        return _unreadable("encoding")
    if "\x00" in text:
        return _unreadable("binary")
    lines = list(io.StringIO(text, newline=""))
    start = next((index for index, line in enumerate(lines) if line.strip(" \t,;\r\n")), None)
    if start is None:
        return _unreadable("empty")
    delimiter = _delimiter(lines[start])
    table = _records(lines[start:], delimiter, first_line=start + 1)
    try:
        _, head = next(table)
        columns, ignored, problem = _columns(head)
        if problem:
            return Roster(errors=(problem,), ignored_columns=ignored)
        return _rows(table, columns, ignored, width=len(head))
    except _BrokenCsv as broken:
        return Roster(errors=(RosterError("quotes", None, facts={"line": broken.line}),))


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
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def decode(raw: bytes) -> str | None:
    """Return the text, or None when it is in no encoding that a spreadsheet here writes."""
    encodings = ["utf-16"] if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


class _BrokenCsv(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _unreadable(code: str, **facts: Any) -> Roster:
    return Roster(errors=(RosterError(code, facts=facts),))


def _delimiter(head: str) -> str:
    """Take the delimiter under which the most columns of the head are known."""

    def known(delimiter: str) -> int:
        cells = next(csv.reader([head], delimiter=delimiter), [])
        return sum(_squeeze(cell) in _COLUMN_OF for cell in cells)

    return max(DELIMITERS, key=lambda delimiter: (known(delimiter), head.count(delimiter)))


def _records(lines: list[str], delimiter: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of each record that is not blank."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = first_line + reader.line_num
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _BrokenCsv(line) from error
        if cells is None:
            return
        cells = [_bare(unicodedata.normalize("NFC", cell).strip()) for cell in cells]
        if any(cells):
            yield line, cells


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _squeeze(text: str) -> str:
    return _SQUEEZE.sub("", unicodedata.normalize("NFC", text).strip().lower().lstrip("\ufeff"))


def _columns(head: list[str]) -> tuple[dict[str, int], tuple[str, ...], RosterError | None]:
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


def _rows(
    table: Iterator[tuple[int, list[str]]], columns: dict[str, int], ignored: tuple[str, ...], width: int
) -> Roster:
    rows: list[RosterRow] = []
    errors: list[RosterError] = []
    first_seen: dict[tuple[str, str], int] = {}
    for count, (line, cells) in enumerate(table, start=1):
        if count > MAX_ROWS:
            return Roster(errors=(RosterError("too_many_rows", facts={"most": MAX_ROWS}),), ignored_columns=ignored)
        row, problems = _row(line, cells, columns, width)
        problems += _doubles(row, first_seen)
        errors += problems
        if not problems:
            rows.append(row)
    if not rows and not errors:
        errors.append(RosterError("no_rows"))
    return Roster(tuple(rows), tuple(errors), ignored)


def _row(line: int, cells: list[str], columns: dict[str, int], width: int) -> tuple[RosterRow, list[RosterError]]:
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
