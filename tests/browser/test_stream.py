"""A stream (HLS) in a browser that is given it by hls.js: credit, resume, captions, speed and chapters as with a file.

Its host is answered for by the test, over https and with the headers of such hosts; the policy is the page's own.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from .campus import STREAM_HOST
from .conftest import OpenPage
from .test_materials import FILES, at, gaps, percent

STREAM = Path(__file__).parent / "stream"
TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}


class Host:
    """The host of the stream: what it was asked for, and whether it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_there = True

    def answer(self, route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[-1]
        self.asked.append(name)
        if not self.is_there:
            return route.abort("connectionrefused")
        file = STREAM / name
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": TYPES[file.suffix]}
        return route.fulfill(body=file.read_bytes(), headers=headers)


@pytest.fixture(scope="module")
def address() -> list[str]:
    return []


def stream(open_page: OpenPage, known: list[str]) -> str:
    """The page of a stream with captions and chapters; an instructor adds it once."""
    if not known:
        page = open_page("instructor")
        page.goto("/courses/ml-foundations/")
        page.get_by_role("link", name="Add a material").first.click()
        page.get_by_role("link", name="Video").click()
        page.get_by_label("Title", exact=True).fill("Story of a stream")
        page.get_by_label("HLS address").fill(f"{STREAM_HOST}/gradient/index.m3u8")
        page.get_by_label("Length").fill("0:45")
        page.get_by_role("button", name="Save").click()
        page.wait_for_url(re.compile(r"/materials/\d+/edit/$"))
        page.get_by_role("combobox", name="Language").select_option("en")
        page.get_by_label("WebVTT file").set_input_files(FILES / "gradient-descent.en.vtt")
        page.get_by_role("button", name="Add or replace").click()
        expect(page.get_by_text("9 captions")).to_be_visible()
        page.get_by_role("textbox", name="Chapters").fill("0:00 Small steps\n0:30 Too large")
        page.get_by_role("button", name="Save the chapters").click()
        expect(page.get_by_text("The chapters are saved.").first).to_be_visible()
        known.append(page.url.split("edit/")[0])
    return known[0]


def learner_at(open_page: OpenPage, host: Host) -> Page:
    page = open_page("learner")
    page.route(f"{STREAM_HOST}/**", host.answer)
    return page


def until_ready(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")


def test_a_stream_plays_counts_and_goes_on_where_one_left_off(open_page: OpenPage, address: list[str]) -> None:
    where, host = stream(open_page, address), Host()
    page = learner_at(open_page, host)
    page.goto(where)
    until_ready(page)
    assert page.evaluate("document.querySelector('video').currentSrc").startswith("blob:")
    assert abs(page.evaluate("document.querySelector('video').duration") - 45) < 0.5
    assert host.asked[:3] == ["index.m3u8", "low.m3u8", "part-0.ts"]
    assert (percent(page), gaps(page)) == (0, ["0:00–0:45"])

    # Some seconds from the beginning, then the last chapter: what lies between does not count.
    page.locator("video").focus()
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 4")
    page.get_by_role("link", name=re.compile("Too large")).first.click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 33")
    page.keyboard.press("k")
    expect(page.locator("[data-gap-list] li")).to_have_count(2)
    assert re.fullmatch(r"0:0[3-9]–0:(29|30)", gaps(page)[0])

    # Double speed by the keyboard; captions are ours, and on.
    for _ in range(4):
        page.keyboard.press(">")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2
    shown = "() => [...document.querySelector('video').textTracks].filter((one) => one.mode === 'showing')"
    assert page.evaluate(f"({shown})().map((one) => [one.language, one.cues.length])") == [["en", 9]]

    stopped = at(page)
    page.reload()
    until_ready(page)
    assert abs(at(page) - stopped) < 1
    expect(page.get_by_text("where you left off")).to_be_visible()


def test_a_stream_whose_host_is_away_says_so_and_goes_on_when_play_is_pressed(
    open_page: OpenPage, address: list[str]
) -> None:
    where, host = stream(open_page, address), Host()
    page = learner_at(open_page, host)
    host.is_there = False
    page.goto(where + "?t=12")
    expect(page.get_by_text("cannot be reached just now")).to_be_visible()
    host.is_there = True
    page.locator("video").focus()
    page.keyboard.press("k")
    page.wait_for_function("() => document.querySelector('video').currentTime > 13")
    expect(page.get_by_text("cannot be reached just now")).not_to_be_visible()


def test_only_the_page_of_a_stream_loads_its_player(open_page: OpenPage, address: list[str]) -> None:
    where, host = stream(open_page, address), Host()
    page = learner_at(open_page, host)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto("/courses/ml-foundations/")
    page.get_by_role("link", name="학습률에 따라 달라지는 경사 하강").click()
    page.wait_for_function("() => document.querySelector('video').readyState >= 1")
    assert not [url for url in loaded if "hls" in url]
    page.goto(where)
    until_ready(page)
    assert [url.rsplit("/", 1)[-1] for url in loaded if "/vendor/hls/" in url] == ["hls.js", "hls.worker.js"]
