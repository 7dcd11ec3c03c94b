"""A video as a learner watches it: what was played counts, what was skipped does not; it goes on where one left off.

The instructor sees the same. By the keyboard where one wishes.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from .campus import ROOT
from .conftest import OpenPage

FILES = ROOT / "campus" / "web" / "demo" / "materials"
TITLE = "학습률에 따라 달라지는 경사 하강"


def open_video(page: Page) -> None:
    page.goto("/courses/ml-foundations/")
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    until_ready(page)


def until_ready(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('video').readyState >= 1")


def at(page: Page) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def percent(page: Page) -> int:
    return int(page.locator("[data-percent]").inner_text())


def gaps(page: Page) -> list[str]:
    return page.locator("[data-gap-list] li").all_inner_texts()


def added(page: Page, title: str) -> str:
    """An instructor uploads a video with captions and chapters; returns where it is."""
    page.goto("/courses/ml-foundations/")
    page.get_by_role("link", name="Add a material").first.click()
    page.get_by_role("link", name="Video").click()
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label(re.compile(r"^File\b")).set_input_files(FILES / "gradient-descent.mp4")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/materials/\d+/edit/$"))
    page.get_by_role("combobox", name="Language").select_option("en")
    page.get_by_label("WebVTT file", exact=True).set_input_files(FILES / "gradient-descent.en.vtt")
    page.get_by_role("button", name="Add or replace").click()
    expect(page.get_by_text("9 captions")).to_be_visible()
    page.get_by_role("textbox", name="Chapters").fill("0:00 Small steps\n0:30 Too large")
    page.get_by_role("button", name="Save the chapters").click()
    expect(page.get_by_text("The chapters are saved.").first).to_be_visible()
    return page.url.split("edit/")[0]


def test_what_is_played_counts_and_what_is_skipped_does_not(open_page: OpenPage) -> None:
    address = added(open_page("instructor"), "Story of a video")
    page = open_page("learner")
    page.goto(address)
    until_ready(page)
    assert (percent(page), gaps(page)) == (0, ["0:00–0:45"])

    # Some seconds from the beginning, then on to the last chapter: those seconds count, and nothing between them.
    page.locator("video").focus()
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 4")
    page.get_by_role("link", name=re.compile("Too large")).first.click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 33")
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').paused")
    expect(page.locator("[data-gap-list] li")).to_have_count(2)
    assert re.fullmatch(r"0:0[3-9]–0:(29|30)", gaps(page)[0])
    assert 10 < percent(page) < 40

    # The part that is missing is one press away; it is played at double speed by the keyboard, and counts.
    page.locator("[data-gap-list] a").first.press("Enter")
    for _ in range(4):
        page.keyboard.press(">")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2
    page.wait_for_function("() => document.querySelector('video').currentTime > 14")
    page.keyboard.press("k")
    expect(page.locator("[data-gap-list] li").first).to_have_text(re.compile(r"0:1[4-9]–0:(29|30)"))

    # Going on where one left off.
    stopped = at(page)
    page.reload()
    until_ready(page)
    assert abs(at(page) - stopped) < 1
    expect(page.get_by_text("where you left off")).to_be_visible()
    assert re.fullmatch(r"0:1[4-9]–0:(29|30)", gaps(page)[0])


def test_the_transcript_is_searched_and_leads_into_the_video(open_page: OpenPage) -> None:
    page = open_page("learner")
    open_video(page)
    lines = page.locator("[data-line]")
    shown = lines.count()
    page.get_by_role("searchbox", name="Search the transcript").fill("diverges")
    expect(lines.locator("visible=true")).to_have_count(1)
    assert shown > 1
    lines.locator("visible=true").get_by_role("link").press("Enter")
    page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 35.5) < 3")
    page.keyboard.press("k")
    page.get_by_role("link", name="한국어").click()
    expect(page.locator(".transcript-lines")).to_contain_text("손실은 발산합니다")


def test_a_forged_report_gains_next_to_nothing(open_page: OpenPage) -> None:
    address = added(open_page("instructor"), "Story of a forger")
    page = open_page("learner")
    page.goto(address)
    until_ready(page)
    answers = page.evaluate(
        """async () => {
            const player = document.querySelector("[data-player]"), said = [];
            for (let number = 1000; number < 1010; number++) {
                const form = new FormData();
                form.set("csrfmiddlewaretoken", player.querySelector("[name=csrfmiddlewaretoken]").value);
                const tab = crypto.randomUUID();
                form.set("report", JSON.stringify({ tab, number, intervals: [[0, 45]], position: 45 }));
                const answer = await fetch(player.dataset.report, { method: "POST", body: form });
                said.push(await answer.json());
            }
            return said;
        }"""
    )
    assert all("refused" in answer for answer in answers[1:])
    assert answers[-1]["percent"] <= 3 * 100 / 45


@pytest.mark.parametrize("page_of", ["run", "video"])
def test_the_instructor_sees_who_watched_what(open_page: OpenPage, page_of: str) -> None:
    page = open_page("instructor")
    open_video(page)
    if page_of == "run":
        page.get_by_role("link", name="All materials").click()
        expect(page.get_by_role("columnheader", name=TITLE)).to_be_visible()
        page.locator("tbody a").first.click()
    else:
        page.get_by_role("table", name="What each learner watched").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Reports of the player")).to_be_visible()
    expect(page.get_by_text("What counted")).to_be_visible()
