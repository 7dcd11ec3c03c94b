"""Tables for spreadsheets: what Excel does with a cell, and what a program reads back."""

import csv
import io

import pytest
from openpyxl import load_workbook

from campus.core.spreadsheets import csv_bytes, csv_response, plain, xlsx_bytes


@pytest.mark.parametrize("text", ["=1+1", "+82", "-1+1", "@x", "\t=1", "\r", "\n=1", "-", "--1", "-1e-5x"])
def test_a_text_that_begins_like_a_formula_stays_a_text(text: str) -> None:
    assert plain(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["김하늘", "", "a=1", "-1", "-0.5", "-1e-05", 3, -3, -0.5, None])
def test_everything_else_is_left_as_it_is(cell: object) -> None:
    assert plain(cell) == cell


def test_a_csv_is_read_back_cell_by_cell_and_says_that_it_is_utf8() -> None:
    raw = csv_bytes([["이름", '쉼표, 따옴표" 줄\n바꿈'], ["=1+1", -2]])
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows == [["이름", '쉼표, 따옴표" 줄\n바꿈'], ["'=1+1", "-2"]]


def test_a_workbook_holds_texts_and_numbers_and_no_formula() -> None:
    raw = xlsx_bytes([["이름", "점"], ["=1+1", 2.5]], title="성적: 1/2 [가]" + "나" * 40, freeze="B2", widths=(18,))
    sheet = load_workbook(io.BytesIO(raw)).worksheets[0]
    assert sheet.title == "성적  1 2  가 " + "나" * 20
    assert [(cell.value, cell.data_type) for cell in sheet[2]] == [("=1+1", "s"), (2.5, "n")]
    assert sheet.freeze_panes == "B2"
    assert sheet["A1"].font.bold


def test_what_is_handed_out_is_kept_by_no_cache() -> None:
    response = csv_response([["a"]], "attendance-1")
    assert response["Content-Disposition"] == 'attachment; filename="attendance-1.csv"'
    assert response["Cache-Control"] == "private, no-store"
