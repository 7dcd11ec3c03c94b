"""A learner's story: from the lab that is due to its result, live; cancelling, comparing, running short; on phones."""

import re

import pytest
from playwright.sync_api import Page, expect

from .campus import Campus
from .chromium import PHONE, choose_language, sideways, sign_in, violations
from .conftest import OpenPage
from .parts import box, download, expect_state, job_id_of, log_lines, mark, was_never_reloaded, write_code

# A small real training on the lab's own data and packages: a line of metrics an epoch, a picture, a hostile line.
TRAINING = """\
import json, time
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import confusion_matrix

data = load_digits()
X, y = data.data / 16, data.target
model = SGDClassifier(loss="log_loss", random_state=1)
print("\\033[32mgreen\\033[0m <img src=x onerror=alert(1)> 학습을 시작합니다", flush=True)
for epoch in range(1, 7):
    model.partial_fit(X[:1200], y[:1200], classes=range(10))
    accuracy = round(model.score(X[1200:], y[1200:]), 4)
    print(json.dumps({"epoch": epoch, "accuracy": accuracy}), flush=True)
    time.sleep(0.4)
plt.imshow(confusion_matrix(y[1200:], model.predict(X[1200:])))
plt.savefig("confusion-matrix.png", dpi=60)
json.dump({"accuracy": accuracy}, open("metrics.json", "w"))
print("끝났습니다", flush=True)
"""
SLEEPER = "import time\nprint('sleeping', flush=True)\ntime.sleep(100)\n"
QUICK = "import json\nprint('quick')\njson.dump({'score': 1}, open('metrics.json', 'w'))\n"


def submit_job(page: Page, code: str, *, title: str = "", minutes: str = "1", gpus: str = "1") -> int:
    page.goto("/jobs/new/")
    write_code(page, code)
    page.locator("#id_title").fill(title)
    page.locator("#id_wall_minutes").fill(minutes)
    page.locator("#id_gpus").select_option(gpus)
    page.get_by_role("button", name="Submit the job").click()
    return job_id_of(page)


def test_signing_in_leads_to_today_with_what_is_due(campus: Campus, open_page: OpenPage) -> None:
    page = open_page()
    sign_in(page, *campus.accounts["learner"])
    choose_language(page, "en")
    expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
    expect(page.locator(".lab-row").first.get_by_role("link").last).to_be_visible()


def test_a_lab_is_edited_run_and_watched_to_its_result(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("learner")
    page.goto("/")
    labs = page.locator(".lab-row").filter(has=page.locator("a[href^='/labs/']"))
    labs.first.get_by_role("link").last.click()
    expect(page.get_by_text("Held while it waits and runs")).to_be_visible()
    write_code(page, TRAINING)
    page.get_by_role("button", name="Run", exact=True).click()
    job_id = job_id_of(page)
    mark(page)
    expect_state(page, "RUNNING")
    # The first run of an environment on a node builds it first, which takes a busy machine minutes.
    expect(page.get_by_role("heading", name=re.compile("Running on"))).to_be_visible(timeout=240_000)
    expect(page.locator("#job-log .log-text", has_text='"epoch": 1,')).to_be_visible(timeout=60_000)
    expect(page.locator("#job-metrics canvas").first).to_be_visible()
    expect(page.locator("#job-metrics p", has_text="accuracy")).to_be_visible()
    expect_state(page, "SUCCEEDED")
    picture = page.get_by_role("img", name="Picture confusion-matrix.png")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.artifact-picture').naturalWidth > 100")
    expect(page.locator(".job-now .stat", has_text="accuracy")).to_be_visible()
    expect(page.locator('[data-part="facts"]')).to_contain_text("Charge")
    lines = log_lines(page)
    assert "green <img src=x onerror=alert(1)> 학습을 시작합니다" in lines
    assert "끝났습니다" in lines
    assert page.locator("#job-log img").count() == 0
    expect(page.locator("#job-log .ansi-fg-2", has_text="green")).to_have_count(1)
    assert was_never_reloaded(page)
    content = download(page, page.locator("#job-log a[download]"))
    assert content.decode().splitlines()[0] == "\x1b[32mgreen\x1b[0m <img src=x onerror=alert(1)> 학습을 시작합니다"

    charged = campus.job(job_id)["charged_s"]
    assert charged > 0
    page.goto("/usage/")
    row = page.get_by_role("row", name=re.compile(f"#{job_id}"))
    expect(row).to_contain_text(f"{charged} GPU-s")


def test_a_waiting_job_says_why_and_moves_on_by_itself(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("learner")
    blockers = [campus.submit(SLEEPER, gpus=1, wall_s=110) for _slot in range(8)]
    try:
        job_id = submit_job(page, QUICK, title="Waits")
        mark(page)
        expect_state(page, "QUEUED")
        expect(page.locator(".job-now h2")).not_to_have_text("It has just been submitted.")
        expect(page.locator(".job-now .stat", has_text="Expected start")).to_be_visible()
        assert violations(page) == []
        for blocker in blockers:
            campus.cancel(blocker)
        expect_state(page, "SUCCEEDED")
        assert was_never_reloaded(page)
        assert campus.job(job_id)["state"] == "SUCCEEDED"
    finally:
        for blocker in blockers:
            campus.cancel(blocker)


def test_cancelling_asks_once_and_stops_the_run(open_page: OpenPage) -> None:
    page = open_page("learner")
    submit_job(page, SLEEPER, title="To be cancelled")
    expect(page.locator("#job-log .log-text", has_text="sleeping")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel the job").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Cancel this job?")
    dialog.get_by_role("button", name="Cancel the job").click()
    expect_state(page, "CANCELLED")
    expect(page.get_by_role("button", name="Cancel the job")).to_have_count(0)
    expect(page.locator("#job-log .log-text", has_text="sleeping")).to_be_visible()


def test_two_runs_are_ticked_in_the_live_list_and_compared(open_page: OpenPage) -> None:
    page = open_page("learner")
    first = submit_job(page, QUICK, title="A")
    expect_state(page, "SUCCEEDED")
    listed = open_page("learner")
    listed.goto("/jobs/")
    mark(listed)
    page.get_by_role("link", name="Edit and run").click()
    write_code(page, QUICK.replace("1}", "3}"))
    page.get_by_role("button", name="Submit the job").click()
    second = job_id_of(page)
    row = listed.locator(f"#job-{second}")
    expect(row.locator("[data-state]")).to_have_attribute("data-state", "SUCCEEDED", timeout=60_000)
    assert was_never_reloaded(listed)
    button = listed.get_by_role("button", name="Compare the two")
    expect(button).to_be_disabled()
    for number in (first, second):
        listed.locator(f"#job-{number} input[type=checkbox]").check()
    button.click()
    expect(listed.get_by_role("row", name=re.compile("score"))).to_contain_text("+2")
    expect(listed.locator(".diff-added")).to_contain_text("'score': 3")
    assert violations(listed) == []


def test_running_short_says_who_can_help_and_keeps_what_was_typed(open_page: OpenPage) -> None:
    page = open_page("learner")
    page.goto("/jobs/new/")
    write_code(page, "KEPT = 'this'\n")
    page.locator("#id_title").fill("Too long")
    page.locator("#id_wall_minutes").fill("1000")
    expect(page.locator(".forecast")).to_contain_text("Not enough GPU time is left")
    page.get_by_role("button", name="Submit the job").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was submitted")
    expect(alert.get_by_role("link").first).to_have_attribute("href", re.compile("^mailto:.+@"))
    expect(page.locator(".cm-content").first).to_contain_text("KEPT = 'this'")
    expect(page.locator("#id_title")).to_have_value("Too long")
    expect(page.locator("#id_wall_minutes")).to_have_value("1000")


def test_without_scripts_the_form_says_what_it_costs_and_submits(open_page: OpenPage) -> None:
    page = open_page("learner", java_script_enabled=False)
    page.goto("/jobs/new/")
    page.locator('textarea[name="files-0-text"]').fill("print('no scripts')\n")
    page.locator("#id_wall_minutes").fill("1")
    page.get_by_role("button", name="Show what is held and when it starts").click()
    expect(page.locator(".forecast")).to_contain_text("60 GPU-s")
    expect(page.locator('textarea[name="files-0-text"]')).to_have_value("print('no scripts')\n")
    page.get_by_role("button", name="Submit the job").click()
    job_id_of(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("main.py")


@pytest.mark.parametrize("address", ["/", "/jobs/", "/jobs/new/", "/usage/", "/courses/"])
def test_on_a_phone_nothing_scrolls_sideways_and_targets_fit_a_thumb(open_page: OpenPage, address: str) -> None:
    page = open_page("learner", language="ko", viewport=PHONE)
    page.goto(address)
    assert sideways(page) == []
    # In one step: `evaluate_all` takes two, and a live part that is swapped between them leaves buttons without height.
    heights = page.evaluate(
        "[...document.querySelectorAll('main .btn-primary')].map((one) => one.getBoundingClientRect().height)"
    )
    assert [height for height in heights if height < 44] == []


def test_on_a_phone_result_and_log_come_before_the_settings(open_page: OpenPage) -> None:
    page = open_page("learner", viewport=PHONE)
    submit_job(page, QUICK, title="On the phone")
    expect_state(page, "SUCCEEDED")
    expect(page.locator("#job-log .log-text", has_text="quick")).to_be_visible()
    assert sideways(page) == []
    now, log = box(page.locator(".job-now")), box(page.locator("#job-log"))
    settings = box(page.get_by_role("heading", name="Settings"))
    assert now["y"] < log["y"] < settings["y"]
    assert now["y"] < PHONE["height"]


def test_a_log_is_shown_to_its_end_however_many_lines_it_has(open_page: OpenPage) -> None:
    page = open_page("learner")
    submit_job(page, QUICK, title="A long log")
    expect_state(page, "SUCCEEDED")
    expect(page.locator(".log-status")).to_contain_text("Complete")
    # Chromium cuts an element off at 33,554,432 pixels, which are 1,677,721 lines.
    page.evaluate(
        "() => { const log = document.getElementById('job-log').campusLog;"
        " log.append(log.cursor, btoa('y\\n'.repeat(1_800_000))); }"
    )
    expect(page.locator("#job-log .log-line").last).to_be_in_viewport()
    expect(page.locator("#job-log .log-no").last).to_have_attribute("data-n", "1800001")
    page.locator("#job-log .log-search").fill("quick")
    expect(page.locator("#job-log .log-text", has_text="quick")).to_be_in_viewport()


def test_the_language_is_switched_and_remembered(open_page: OpenPage) -> None:
    page = open_page("learner", language="ko")
    page.goto("/jobs/")
    expect(page.get_by_role("heading", level=1)).to_have_text("작업")
    choose_language(page, "en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    again = page.context.new_page()
    again.goto("/usage/")
    expect(again.locator("html")).to_have_attribute("lang", "en")
