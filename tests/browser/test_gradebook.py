"""An instructor edits the grid by keyboard, two of them meet, a learner reads why; as people do it, in a browser."""

import re

from playwright.sync_api import Page, expect

from .chromium import PHONE, sideways, violations
from .conftest import OpenPage


def gradebook(page: Page) -> Page:
    page.goto("/courses/")
    page.get_by_role("link", name=re.compile("기계 학습|machine learning", re.IGNORECASE)).first.click()
    page.get_by_role("link", name="Gradebook").click()
    expect(page.get_by_role("grid")).to_be_visible()
    return page


def cell(page: Page, row: int, column: int):  # type: ignore[no-untyped-def]
    return page.locator("tr[data-row]").nth(row).locator("td").nth(column)


def quiz(page: Page) -> int:
    """The column of the first quiz, which is entered by hand."""
    titles = page.locator("[data-item] .grade-title").all_text_contents()
    return next(at for at, title in enumerate(titles) if "퀴즈" in title)


def test_the_grid_is_edited_by_keyboard_and_two_who_meet_are_told(open_page: OpenPage) -> None:
    first, second = gradebook(open_page("instructor")), gradebook(open_page("assistant"))
    column = quiz(first)
    status = first.locator("[data-grade-status]")
    before = [cell(first, row, column).inner_text() for row in (0, 1)]
    cell(first, 0, column).click()
    first.keyboard.type("4.5")
    first.keyboard.press("Enter")
    expect(status).to_have_text("Saved")
    expect(cell(first, 0, column)).to_have_text("4.5")
    expect(cell(first, 1, column)).to_be_focused()
    first.keyboard.type("EX")
    first.keyboard.press("Enter")
    expect(cell(first, 1, column)).to_have_class(re.compile("is-excused"))
    expect(status).to_have_text("Saved")

    cell(second, 0, column).click()
    second.keyboard.type("3.5")
    second.keyboard.press("Enter")
    expect(second.locator("[data-grade-conflicts]")).to_contain_text("4.5")
    expect(cell(second, 0, column)).to_have_text("4.5")
    second.get_by_role("button", name="Use mine: 3.5").click()
    expect(second.locator("[data-grade-status]")).to_have_text("Saved")
    expect(cell(second, 0, column)).to_have_text("3.5")

    first.reload()
    expect(cell(first, 0, column)).to_have_text("3.5")
    assert violations(first) == []
    for row, text in enumerate(before):
        cell(first, row, column).click()
        first.keyboard.type(text) if text else first.keyboard.press("Delete")
        first.keyboard.press("Enter")
        expect(status).to_have_text("Saved")
    cell(first, 2, column).click()
    kept = cell(first, 2, column).inner_text()
    first.keyboard.type("1")
    first.keyboard.press("Enter")
    expect(status).to_have_text("Saved")
    first.keyboard.press("Control+z")
    expect(status).to_have_text("Undone")
    expect(cell(first, 2, column)).to_have_text(kept)


def test_a_graded_mark_is_overridden_with_a_reason_that_the_learner_reads(open_page: OpenPage) -> None:
    staff = gradebook(open_page("instructor"))
    learner = open_page("learner", viewport=PHONE)
    learner.goto("/courses/")
    learner.get_by_role("link", name=re.compile("기계 학습|machine learning", re.IGNORECASE)).first.click()
    learner.get_by_role("link", name="My grades").click()
    expect(learner.get_by_role("heading", name="Your grade so far")).to_be_visible()
    assert not sideways(learner)
    assert violations(learner) == []

    name = "김하늘"
    row = staff.locator("tr[data-row]", has=staff.get_by_role("link", name=name, exact=True))
    mark = row.locator("td").first
    mark.click()
    staff.keyboard.type("19")
    staff.keyboard.press("Enter")
    staff.get_by_label("Reason").fill("발표를 더해 다시 평가했습니다")
    staff.get_by_role("button", name="Override").click()
    expect(mark).to_have_class(re.compile("is-override"))
    learner.reload()
    expect(learner.get_by_text("발표를 더해 다시 평가했습니다")).to_be_visible()
    mark.click()
    staff.keyboard.press("Delete")
    staff.get_by_label("Reason").fill("되돌림")
    staff.get_by_role("button", name="Override").click()
    expect(staff.locator("[data-grade-status]")).to_have_text("Saved")
    staff.reload()
    expect(mark).not_to_have_class(re.compile("is-override"))
