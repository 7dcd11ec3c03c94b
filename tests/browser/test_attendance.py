"""A class at both campuses: a learner in Yongin by the screen's code, one in Jeonbuk at the kiosk, one over the stream;
the instructor's roll follows without a reload, a flag is judged, a mark disputed and decided."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .campus import Campus
from .chromium import PHONE, sideways, violations
from .classroom import PASSWORD, class_on, expect_mark, open_station, read_picture, row_of
from .conftest import OpenPage
from .parts import mark, was_never_reloaded

#: Hashing a password takes its time where others work, too.
SIGN_IN_MS = 60_000
TITLE = "이야기 출석 수업"


@pytest.fixture(scope="module")
def story(campus: Campus) -> dict[str, Any]:
    return class_on(campus, TITLE)


def sign_in_here(page: Page, email: str) -> None:
    """On the sign-in page to which a scan led."""
    page.locator('input[name="login"]').fill(email)
    page.locator('input[name="password"]').fill(PASSWORD)
    page.locator('form:has(input[name="password"]) button[type="submit"]').first.click()
    page.wait_for_url(lambda url: "/accounts/" not in url, timeout=SIGN_IN_MS)


def test_a_class_is_followed_live_a_flag_judged_and_a_mark_disputed(open_page: OpenPage, story: dict[str, Any]) -> None:
    board = open_page("instructor")
    board.goto(f"/attendance/classes/{story['session']}/")
    screen_url = open_station(board, "Open the room's screen", story["rooms"]["yongin"])
    kiosk_url = open_station(board, "Open a kiosk", story["rooms"]["jeonbuk"])
    friend, far, watcher = (story["people"][who] for who in ("yongin", "jeonbuk", "online"))
    mark(board)
    assert violations(board) == []

    # Yongin: the screen's code in a second browser. The phone is not signed in when it scans.
    screen = open_page("")
    screen.goto(screen_url)
    assert violations(screen) == []
    phone = open_page("", viewport=PHONE)
    phone.goto(read_picture(screen))
    sign_in_here(phone, friend[0])
    phone.get_by_role("button", name="I am here").click()
    expect(phone.get_by_text("You are checked in", exact=True)).to_be_visible()
    assert not sideways(phone)
    expect_mark(board, friend[1], "PRESENT")

    # The demo's learner borrows that phone, which is flagged and counts until somebody judges it.
    learner = open_page("learner", viewport=PHONE)
    learner.context.add_cookies([c for c in phone.context.cookies() if c["name"] == "campus_device"])
    learner.goto(read_picture(screen))
    learner.get_by_role("button", name="I am here").click()
    expect(learner.get_by_text("You are checked in", exact=True)).to_be_visible()
    expect_mark(board, "김하늘", "PRESENT")
    expect(row_of(board, "김하늘").locator("[data-part=flags]")).to_be_visible()

    # Jeonbuk: a card at the kiosk.
    kiosk = open_page("")
    kiosk.goto(kiosk_url)
    kiosk.locator("#kiosk-number").fill(far[2])
    kiosk.get_by_role("button", name="I am here").click()
    expect(kiosk.locator(".kiosk-name")).to_have_text(far[1])
    assert violations(kiosk) == []
    expect_mark(board, far[1], "PRESENT")

    # Online: opening the page is no presence; what is watched is.
    online = open_page("")
    online.goto(f"/attendance/classes/{story['session']}/watch/")
    sign_in_here(online, watcher[0])
    online.wait_for_url(re.compile("/watch/"))
    expect_mark(board, watcher[1], "NONE")
    expect(online.locator("[data-said]")).to_contain_text("Counting")
    expect_mark(board, watcher[1], "PRESENT", within_s=120)
    assert was_never_reloaded(board)

    # The instructor judges the flag; the learner disputes; the instructor decides.
    desk = open_page("instructor")
    desk.goto("/attendance/")
    card = desk.locator(".asked").filter(has_text=TITLE).filter(has_text="One device for two people")
    card.get_by_label("Reason").fill("자리에 없었습니다")
    card.get_by_role("button", name="Check-in does not count").click()
    expect_mark(board, "김하늘", "NONE")
    row_of(board, "김하늘").get_by_role("checkbox").check()
    board.locator("#bulk-mark").select_option("ABSENT")
    board.locator("#bulk-reason").fill("자리에 없었습니다")
    board.get_by_role("button", name="Mark", exact=True).click()
    expect(board.get_by_text("You marked 1 learner.")).to_be_visible()
    learner.goto("/attendance/mine/")
    learner.get_by_role("link", name=TITLE).first.click()
    expect(learner.locator(".reasons")).to_have_text("Staff decided it.")
    assert not sideways(learner)
    learner.get_by_text("Dispute this mark").click()
    learner.locator('form[action$="/contest/"] textarea').fill("뒷줄에 있었습니다")
    learner.locator('form[action$="/contest/"] button').click()
    expect(learner.locator(".said")).to_have_text("뒷줄에 있었습니다")
    desk.goto("/attendance/")
    card = desk.locator(".asked").filter(has_text=TITLE).filter(has_text="뒷줄에 있었습니다")
    card.get_by_label("Answer").fill("사진에서 확인했습니다")
    card.get_by_label("Mark").select_option("PRESENT")
    card.get_by_role("button", name="Answer").click()
    expect_mark(board, "김하늘", "PRESENT")
    learner.reload()
    expect(learner.get_by_text("사진에서 확인했습니다").first).to_be_visible()


def test_the_terms_grid_is_marked_by_keys_and_taken_back(open_page: OpenPage, story: dict[str, Any]) -> None:
    page = open_page("instructor")
    page.goto("/cohorts/")
    page.get_by_role("link", name="용인반").first.click()
    cohort = page.url.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"/attendance/cohorts/{cohort}/")
    assert violations(page) == []
    cell = page.locator("[data-cell]").first
    before = cell.text_content() or ""
    cell.focus()
    page.keyboard.press("a")
    expect(page.locator("[data-said]")).to_contain_text("Enter a reason")
    page.locator("#term-reason").fill("출석부를 보고 고침")
    cell.focus()
    page.keyboard.press("a")
    expect(cell).to_have_text("A")
    page.keyboard.press("u")
    expect(cell).to_have_text(before)
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-cell]").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/attendance/learners/\d+/classes/\d+/"))
