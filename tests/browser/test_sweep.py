"""A learner sweeps over parameters, for real: what it holds before submitting, its runs as they end, the best."""

import re

from playwright.sync_api import expect

from .chromium import PHONE, sideways, violations
from .conftest import OpenPage
from .parts import mark, was_never_reloaded, write_code

PROGRAM = """\
import json, os, time
params = json.load(open("params.json"))
assert os.environ["PARAM_DEPTH"] == str(params["depth"])
time.sleep(1)
if params["rate"] == 9:
    raise SystemExit("this rate never works")
score = params["depth"] / (1 + abs(params["rate"] - 0.5))
json.dump({"score": round(score, 4)}, open("metrics.json", "w"))
"""


def test_a_sweep_is_seen_before_it_is_submitted_and_followed_to_its_best_run(open_page: OpenPage) -> None:
    page = open_page("learner")
    page.goto("/jobs/new/")
    write_code(page, PROGRAM)
    page.locator("#id_title").fill("Rates and depths")
    page.locator("#id_wall_minutes").fill("1")
    page.get_by_text("Sweep over parameters: many runs at once").click()
    page.get_by_label("Name of parameter 1").fill("rate")
    page.get_by_label("Values of parameter 1").fill("0.5, 9")
    page.get_by_label("Name of parameter 2").fill("depth")
    page.get_by_label("Values of parameter 2").fill("1..3")
    page.get_by_label(re.compile("Compare by")).fill("score")
    expect(page.locator("[data-forecast]")).to_contain_text("6 runs")
    assert violations(page) == []
    page.get_by_role("button", name="Submit the sweep").click()
    expect(page).to_have_url(re.compile(r"/jobs/sweeps/\d+/$"))
    mark(page)
    expect(page.get_by_role("heading", name="Run 3 did best: score 3")).to_be_visible(timeout=120_000)
    assert was_never_reloaded(page)
    expect(page.locator("tr.is-best")).to_contain_text("Run 3")
    expect(page.locator("polyline.run-line")).to_have_count(3)
    expect(page.get_by_text("Run 3 failed runs again").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("link", name="depth").click()
    expect(page.locator("thead th[aria-sort=ascending]")).to_contain_text("depth")
    page.get_by_label(re.compile("Choose #")).nth(0).check()
    page.get_by_label(re.compile("Choose #")).nth(5).check()
    page.get_by_role("button", name="Compare the two").click()
    expect(page.get_by_role("row", name=re.compile("^depth")).first).to_contain_text("3")

    phone = open_page("learner", viewport=PHONE)
    phone.goto("/jobs/sweeps/")
    phone.get_by_role("link", name="Rates and depths").first.click()
    expect(phone.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    assert not sideways(phone)
