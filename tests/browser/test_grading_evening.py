"""A grading evening: work is handed in and tested on the pool; two graders meet on one row, by keyboard alone."""

import re

from playwright.sync_api import Page, expect

from .conftest import OpenPage

TITLE = "정확도 계산하기"
METRICS = b"""def accuracy(truth, guessed):
    if not truth:
        return 0.0
    return sum(a == b for a, b in zip(truth, guessed)) / len(truth)
"""


def open_assignment(page: Page) -> None:
    page.goto("/courses/ml-foundations/assignments/")
    page.get_by_role("link", name=TITLE).click()


def hears_keys(page: Page) -> None:
    """The desk's module is at work."""
    expect(page.locator("[data-desk-page][data-ready]")).to_be_visible()


def type_points(page: Page, points: str) -> None:
    """`g` reaches the field, Escape leaves it, `s` saves."""
    hears_keys(page)
    page.keyboard.press("g")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(points)
    page.keyboard.press("Escape")
    page.keyboard.press("s")


def test_work_is_tested_graded_by_two_published_and_read(open_page: OpenPage) -> None:
    learner = open_page("learner")
    open_assignment(learner)
    learner.locator("input[type=file]").set_input_files(
        {"name": "metrics.py", "mimeType": "text/x-python", "buffer": METRICS}
    )
    learner.get_by_role("button", name="Hand in").click()
    expect(learner.get_by_role("heading", name="Receipt")).to_be_visible()
    # The results come to the page by themselves.
    expect(learner.get_by_text("Of 1 hidden tests 1 passed.")).to_be_visible(timeout=120_000)
    expect(learner.get_by_text("Passed", exact=True)).to_have_count(2)
    expect(learner.get_by_text("test_empty")).to_have_count(0)

    first, second = open_page("instructor"), open_page("assistant")
    for grader in (first, second):
        open_assignment(grader)
        grader.get_by_role("link", name="김하늘").click()
        expect(grader.get_by_text("Tests: 30 points")).to_be_visible()
    type_points(first, "28")
    expect(first.get_by_text("Saved.")).to_be_visible()
    type_points(second, "26")
    expect(second.get_by_text("윤서진 changed this score while you had it open")).to_be_visible()
    expect(second.locator(".conflict")).to_contain_text("28")
    expect(second.get_by_label("Points by hand")).to_have_value("26")
    hears_keys(second)
    second.keyboard.press("s")
    expect(second.get_by_text("Saved.")).to_be_visible()

    open_assignment(first)
    first.get_by_role("button", name="Publish").click()
    expect(first.get_by_text("1 grade is published.")).to_be_visible()

    learner.goto("/courses/ml-foundations/assignments/")
    expect(learner.get_by_role("row", name=re.compile(TITLE))).to_contain_text("26 / 30")
    open_assignment(learner)
    expect(learner.get_by_role("table", name="How the points came about")).to_contain_text("Points by hand")


def test_a_rubric_is_picked_by_its_digits_without_a_name_in_sight(open_page: OpenPage) -> None:
    page = open_page("instructor")
    page.goto("/courses/ml-foundations/assignments/")
    page.get_by_role("link", name="데이터 다듬기").click()
    page.get_by_role("link", name="Open the desk").click()
    heading = page.get_by_role("heading", level=1)
    before = heading.inner_text()
    assert re.fullmatch(r"#[0-9A-F]{5}", before)
    hears_keys(page)
    for key in ("1", "1", "1", "2", "2", "3", "3"):
        page.keyboard.press(key)
    expect(page.get_by_role("radio", name=re.compile("모두"))).to_be_checked()
    page.keyboard.press("s")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert heading.inner_text() != before
    now = page.url
    hears_keys(page)
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != now)
    hears_keys(page)
    page.keyboard.press("k")
    page.wait_for_url(now)
