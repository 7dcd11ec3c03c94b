"""The link drops in the middle of a run: the page says so, comes back by itself, and has missed nothing."""

from playwright.sync_api import expect

from .campus import Campus
from .conftest import OpenPage
from .parts import download, expect_state, log_cursor, log_lines, mark, was_never_reloaded
from .test_learner import submit_job

LINES = 400
PRINTER = f"""\
import json, time
for number in range({LINES}):
    print(f"\\033[1m줄 {{number:04}}\\033[0m <b>&amp;</b>", flush=True)
    if number % 20 == 0:
        print(json.dumps({{"step": number, "value": number / 7}}), flush=True)
    time.sleep(0.03)
"""


def test_a_killed_web_server_costs_the_reader_nothing(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("learner")
    submit_job(page, PRINTER, title="Dropped")
    expect(page.locator("#job-log .log-text", has_text="줄 0010")).to_be_attached(timeout=60_000)
    mark(page)
    bar = page.locator("#connection")
    expect(bar).to_be_hidden()
    campus.kill_web()
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("Connection lost")
    expect(bar).to_be_hidden(timeout=60_000)
    expect_state(page, "SUCCEEDED", within_s=90)
    expect(page.locator(".log-status")).to_contain_text("Complete")
    assert was_never_reloaded(page)
    stored = download(page, page.locator("#job-log a[download]"))
    assert log_cursor(page) == len(stored)
    shown = [line for line in log_lines(page) if line.startswith("줄")]
    assert shown == [f"줄 {number:04} <b>&amp;</b>" for number in range(LINES)]
    written = [line for line in stored.decode().splitlines() if line.startswith("\x1b[1m줄")]
    assert written == [f"\x1b[1m줄 {number:04}\x1b[0m <b>&amp;</b>" for number in range(LINES)]
