"""Tables that people send: every encoding, delimiter and end of line; lines counted as an editor does."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campus.core.spreadsheets import csv_bytes
from campus.core.tables import BadTable, Record, read_table

MOST = {"max_bytes": 1_000_000, "max_records": 100}
TWO = "이메일,이름\nsora@example.kr,김소라\nminjun@example.kr,박민준\n"


def cells(raw: bytes) -> list[tuple[str, ...]]:
    return [record.cells for record in read_table(raw, **MOST)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_reads_the_same_in_every_encoding_delimiter_and_end(encoding: str, delimiter: str, end: str) -> None:
    raw = TWO.replace(",", delimiter).replace("\n", end).encode(encoding)
    assert read_table(raw, **MOST) == (
        Record(1, ("이메일", "이름")),
        Record(2, ("sora@example.kr", "김소라")),
        Record(3, ("minjun@example.kr", "박민준")),
    )


def test_lines_are_counted_as_an_editor_does_past_blank_ones_and_breaks_inside_quotes() -> None:
    raw = b'\n ,\t;\nemail,name\n\n"a@b.kr","Kim\nHaneul"\n,,\nc@d.kr,Lee\n'
    assert [(one.line, one.cells[0]) for one in read_table(raw, **MOST)] == [(3, "email"), (5, "a@b.kr"), (8, "c@d.kr")]


def test_the_delimiter_is_the_one_under_which_the_heading_is_known() -> None:
    raw = b"name, first;mail\nKim, Haneul;a@b.kr\n"
    known = read_table(raw, **MOST, is_known=lambda cell: cell == "mail")
    assert known[1].cells == ("Kim, Haneul", "a@b.kr")


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"x" * 1_000_001, "too_large", None),
        (b"\xff\xff\x00", "encoding", None),
        (b"\xff\xfe\x00", "encoding", None),
        (b"a\x00b", "binary", None),
        (b"", "empty", None),
        (b"\n \n,;\t\n", "empty", None),
        (b'a,b\n1,2\n3,"4\n5,6\n', "quotes", 3),
        (b"y" * 200_000, "quotes", 1),
        (b"a,b\n" * 101, "too_many", 101),
    ],
)
def test_what_is_no_table_is_refused_with_the_line(raw: bytes, code: str, line: int | None) -> None:
    with pytest.raises(BadTable) as refusal:
        read_table(raw, **MOST)
    assert (refusal.value.code, refusal.value.line) == (code, line)


@given(st.binary(max_size=400))
def test_whatever_the_bytes_are_they_are_a_table_or_refused(raw: bytes) -> None:
    try:
        records = read_table(raw, **MOST)
    except BadTable:
        return
    lines = [one.line for one in records]
    assert lines == sorted(set(lines))
    assert all(any(one.cells) for one in records)


_CELL = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12).map(
    lambda text: io.StringIO(text).read()
)


@given(st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=6))
def test_what_we_write_comes_back_formulas_and_all(rows: list[tuple[str, str]]) -> None:
    clean = [tuple(unicodedata.normalize("NFC", cell) for cell in row) for row in rows]
    written = [("heading", "other"), *(row for row in clean if any(row))]
    # An apostrophe of one's own before a formula is taken for a guard.
    guarded = [row for row in written if not any(cell.startswith("'") for cell in row)]
    assert cells(csv_bytes(guarded)) == guarded
