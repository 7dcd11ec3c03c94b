"""The preparation of a term: holidays, a weekly series, a clash with its free times, a class moved by keys and by drag
while a learner looks on, a cancelled class with its make-up, office hours, and the calendar that follows."""

import re
from datetime import date, timedelta

from playwright.sync_api import Locator, Page, expect

from .conftest import OpenPage
from .parts import mark, was_never_reloaded

RUN = "/courses/ml-foundations"
TITLE = "이야기 수업"


def coming_monday(weeks: int) -> date:
    """Far enough that the demo's own plan and today do not matter."""
    today = date.today()  # noqa: DTZ011 - the days of a page, not an instant
    return today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)


def fill_plan(page: Page, title: str, starts: str, ends: str, room: str) -> None:
    """Fill what a class and a series share, for Yongin's cohort alone, in one room."""
    page.get_by_label("Title").fill(title)
    page.get_by_label("Begins").fill(starts)
    page.get_by_label("Ends").fill(ends)
    page.get_by_label("전북반", exact=True).uncheck()
    row = page.locator(".place-row").filter(has_text="용인반")
    option = row.get_by_label("Room").locator("option", has_text=room)
    row.get_by_label("Room").select_option(option.get_attribute("value"))


def week_of(page: Page, day: date) -> None:
    page.goto(f"/timetable/?day={day.isoformat()}")


def in_week(page: Page, title: str) -> Locator:
    return page.locator(".slot-link", has_text=title)


def test_a_term_is_prepared(open_page: OpenPage) -> None:
    monday = coming_monday(8)
    admin = open_page("platform-admin")
    admin.goto("/timetable/settings/")
    admin.get_by_role("link", name="Add a holiday").click()
    admin.get_by_label("day", exact=False).first.fill((monday + timedelta(days=8)).isoformat())
    admin.get_by_label("name in Korean").fill("캠퍼스의 날")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("cell", name="캠퍼스의 날", exact=True)).to_be_visible()

    page = open_page("instructor")
    page.goto(f"{RUN}/series/new/")
    page.get_by_label("Tuesday").check()
    fill_plan(page, TITLE, "10:00", "12:00", "Seminar B")
    page.get_by_label("First day").fill(monday.isoformat())
    page.get_by_label("Last day").fill((monday + timedelta(days=20)).isoformat())
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("2 classes are planned.")).to_be_visible()
    expect(page.get_by_text("None on holidays")).to_be_visible()

    page.goto(f"{RUN}/classes/new/")
    page.get_by_label("Date", exact=True).fill((monday + timedelta(days=1)).isoformat())
    fill_plan(page, "다른 수업", "11:00", "13:00", "Seminar B")
    page.get_by_role("button", name="Book it").click()
    clashes = page.locator(".clash-list")
    expect(clashes).to_contain_text("Seminar B")
    expect(clashes).to_contain_text(TITLE)
    free = page.locator("button[name=slot]").first
    expect(free).to_contain_text("12:00")
    free.click()
    expect(page.get_by_role("heading", name="다른 수업")).to_be_visible()
    expect(page.locator(".class-time")).to_contain_text("12:00")


def test_a_class_is_moved_by_keys_while_a_learner_looks_on(open_page: OpenPage) -> None:
    monday = coming_monday(9)
    page, learner = open_page("instructor"), open_page("learner")
    page.goto(f"{RUN}/classes/new/")
    page.get_by_label("Date", exact=True).fill(monday.isoformat())
    fill_plan(page, "옮길 수업", "13:00", "14:00", "Seminar B")
    page.get_by_role("button", name="Book it").click()
    page.wait_for_url(re.compile(r"/timetable/classes/\d+/$"))
    week_of(learner, monday)
    expect(in_week(learner, "옮길 수업")).to_contain_text("13:00")
    mark(learner)

    week_of(page, monday)
    slot = in_week(page, "옮길 수업")
    slot.focus()
    for key in ("m", "ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name="Move this class?")
    expect(dialog).to_contain_text("13:30")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(in_week(page, "옮길 수업")).to_contain_text("13:30")
    expect(in_week(learner, "옮길 수업")).to_contain_text("13:30")
    assert was_never_reloaded(learner)
    learner.goto("/notices/")
    expect(learner.get_by_text("Moved: 옮길 수업").first).to_be_visible()


def test_a_drag_onto_a_taken_time_names_the_clash_and_offers_free_ones(open_page: OpenPage) -> None:
    monday = coming_monday(10)
    page = open_page("instructor")
    for title, starts, ends in (("가 수업", "13:00", "14:00"), ("나 수업", "15:00", "16:00")):
        page.goto(f"{RUN}/classes/new/")
        page.get_by_label("Date", exact=True).fill((monday + timedelta(days=1)).isoformat())
        fill_plan(page, title, starts, ends, "Seminar B")
        page.get_by_role("button", name="Book it").click()
        page.wait_for_url(re.compile(r"/timetable/classes/\d+/$"))
    week_of(page, monday)
    first, second = in_week(page, "가 수업"), in_week(page, "나 수업")
    second.scroll_into_view_if_needed()
    start, goal = first.bounding_box(), second.bounding_box()
    assert start is not None
    assert goal is not None
    page.mouse.move(start["x"] + 20, start["y"] + 6)
    page.mouse.down()
    page.mouse.move(goal["x"] + 20, goal["y"] - 10, steps=4)
    page.mouse.move(goal["x"] + 20, goal["y"] + 6, steps=4)
    page.mouse.up()
    dialog = page.get_by_role("dialog", name="Move this class?")
    dialog.get_by_role("button", name="Move it").click()
    expect(dialog.locator("[data-move-clashes]")).to_contain_text("나 수업")
    offered = dialog.locator("[data-move-slots] button").first
    expect(offered).to_be_visible()
    offered.click()
    expect(dialog).to_be_hidden()
    expect(in_week(page, "나 수업")).to_contain_text("15:00")


def test_a_cancelled_class_frees_its_room_and_leads_to_a_make_up(open_page: OpenPage) -> None:
    monday = coming_monday(11)
    page = open_page("instructor")
    page.goto(f"{RUN}/classes/new/")
    page.get_by_label("Date", exact=True).fill(monday.isoformat())
    fill_plan(page, "취소할 수업", "15:00", "16:00", "Seminar B")
    page.get_by_role("button", name="Book it").click()
    page.get_by_role("link", name="Cancel the class").click()
    page.get_by_label("Reason").fill("강사 병가")
    page.get_by_role("button", name="Cancel the class").click()
    expect(page.get_by_text("강사 병가")).to_be_visible()
    page.get_by_role("link", name="Plan a make-up class").click()
    page.get_by_label("Date", exact=True).fill((monday + timedelta(days=3)).isoformat())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A make-up class")).to_be_visible()


def test_a_learner_takes_an_office_hour_and_a_calendar_address(open_page: OpenPage) -> None:
    page = open_page("learner", viewport={"width": 360, "height": 740})
    page.goto("/timetable/office-hours/")
    page.get_by_role("link", name="Choose a slot").last.click()
    page.get_by_label("What is it about?").fill("첫 과제")
    page.locator("button[name=starts_at]").first.click()
    expect(page.get_by_text("Your slot")).to_be_visible()
    page.get_by_role("button", name="Give it up").click()
    expect(page.get_by_text("Your slot")).to_have_count(0)
    page.goto("/timetable/calendar/")
    page.get_by_role("button", name="Give me an address").click()
    address = page.locator(".codeblock code").first.inner_text()
    path = re.sub(r"^https?://[^/]+", "", address)
    feed = page.request.get(path)
    assert feed.ok
    assert "BEGIN:VTIMEZONE" in feed.text()
    assert "SEQUENCE:" in feed.text()
