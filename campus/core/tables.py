"""Reading a table that somebody sends as CSV: bytes in, records with their line numbers out.

Spreadsheets in Korea save CSV as UTF-8 with a mark, as CP949 or, as "Unicode text", as UTF-16 with tabs. As
pure as the rules in `domain` folders, which use it: the standard library only.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

DELIMITERS = (",", "\t", ";")
#: What begins so is run as a formula (OWASP, CSV injection): `spreadsheets` writes an apostrophe before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class BadTable(ValueError):
    """No table that we take. `code`: too_large, encoding, binary, empty, quotes and too_many (with `line`)."""

    def __init__(self, code: str, line: int | None = None) -> None:
        super().__init__(code if line is None else f"{code} at line {line}")
        self.code = code
        self.line = line


@dataclass(frozen=True, slots=True)
class Record:
    """Cells of a record that is not blank. `line` is where it begins, from 1, as a text editor counts."""

    line: int
    cells: tuple[str, ...]


def read_table(
    raw: bytes, *, max_bytes: int, max_records: int, is_known: Callable[[str], bool] = lambda cell: False
) -> tuple[Record, ...]:
    """Read all records; the first is the heading. Raises BadTable.

    Cells are stripped, in NFC, and without the apostrophe that guards a formula. The delimiter is the one under which
    the heading has the most cells that `is_known`, then the most cells. `max_records` counts the heading too.
    """
    if len(raw) > max_bytes:
        raise BadTable("too_large")
    lines = list(io.StringIO(_text(raw), newline=""))
    start = next((at for at, line in enumerate(lines) if line.strip(" \t,;\r\n")), None)
    if start is None:
        raise BadTable("empty")
    delimiter = max(DELIMITERS, key=lambda one: _fit(lines[start], one, is_known))
    found: list[Record] = []
    for record in _records(lines[start:], delimiter, start):
        if len(found) == max_records:
            raise BadTable("too_many", record.line)
        found.append(record)
    return tuple(found)


def decode(raw: bytes) -> str | None:
    """Return the text, or None when it is in no encoding that a spreadsheet here writes."""
    encodings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp949")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def bare(cell: str) -> str:
    """Take off the apostrophe that keeps a text from being run as a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _text(raw: bytes) -> str:
    text = decode(raw)
    if text is None:
        raise BadTable("encoding")
    if "\0" in text:
        raise BadTable("binary")
    return text


def _fit(head: str, delimiter: str, is_known: Callable[[str], bool]) -> tuple[int, int]:
    try:
        cells = next(csv.reader([head], delimiter=delimiter), [])
    except csv.Error:  # a cell beyond all measure; reading it will say so
        return 0, 0
    return sum(is_known(cell) for cell in cells), len(cells)


def _records(lines: list[str], delimiter: str, before: int) -> Iterator[Record]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = before + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise BadTable("quotes", line) from error
        if cells is None:
            return
        clean = tuple(bare(unicodedata.normalize("NFC", cell).strip()) for cell in cells)
        if any(clean):
            yield Record(line, clean)
