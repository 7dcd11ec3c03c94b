"""A learner meets each named reason a job may wait for, in words, and it ends by the act that the words name.

Not met here, for want of the means on the demo's two nodes: a GPU type that is busy while another is free (there is one
type), a site's power limit and a closed account (no page sets them), a learner's own limit (above what there is), and
room made for one job (what runs is left alone for its first ten minutes). Their sentences are held by
`tests/scheduling/test_domain_words.py`, their planning by the planner's own tests.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.error import HTTPError
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from .campus import Campus
from .conftest import OpenPage
from .parts import expect_state, job_id_of, write_code
from .test_learner import QUICK, SLEEPER

# Takes its time when it is asked to make room, and keeps what it has.
SAVES = """\
import os, signal, sys, time
def save(*_said):
    os.makedirs("checkpoint", exist_ok=True)
    open("checkpoint/step.txt", "w").write("7")
    time.sleep(6)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("again" if os.path.exists("checkpoint/step.txt") else "first", flush=True)
time.sleep(100)
"""
SHORT = "import time\ntime.sleep(8)\n"
OPEN = ("QUEUED", "RUNNING")


@pytest.fixture(autouse=True)
def empty_pool(campus: Campus) -> Iterator[None]:
    """Nothing of the learner's waits or runs before and after."""
    end_all(campus)
    yield
    end_all(campus)


@pytest.fixture
def admin(open_page: OpenPage) -> Page:
    return open_page("platform-admin")


def end_all(campus: Campus) -> None:
    for job in campus.ask("GET", f"jobs/?state={','.join(OPEN)}")["results"]:
        with suppress(HTTPError):  # it has ended a moment ago
            campus.cancel(job["id"])


def accounts_of(campus: Campus) -> list[int]:
    """The learner's open accounts, the cohort's at Yongin first."""
    rows = campus.ask("GET", "quota/")["results"]
    return sorted(one["id"] for one in rows if one["kind"] == "LEARNER" and one["is_open"])


def submit(campus: Campus, code: str, **wishes: object) -> int:
    return campus.submit(code, **({"account": accounts_of(campus)[0]} | wishes))


def fill(campus: Campus, count: int = 4, **wishes: object) -> list[int]:
    """Sleepers on so many of the pool's four GPUs, running."""
    ids = [submit(campus, SLEEPER, **({"wall_s": 110} | wishes)) for _ in range(count)]
    until_running(campus, ids)
    return ids


def until_running(campus: Campus, ids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(campus.job(job_id)["state"] == "QUEUED" for job_id in ids):
        assert time.monotonic() < deadline, [campus.job(job_id) for job_id in ids]


def show(page: Page, job_id: int) -> Page:
    page.goto(f"/jobs/{job_id}/")
    return page


def expect_wait(page: Page, because: str, ends: str) -> None:
    """The page says so by itself, within a few cycles."""
    expect(page.locator(".job-now h2")).to_contain_text(because, timeout=60_000)
    expect(page.locator(".job-now-card p").first).to_contain_text(ends)


def cancel_on_page(page: Page) -> None:
    page.get_by_role("button", name="Cancel the job").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect_state(page, "CANCELLED")


def save(page: Page) -> None:
    page.locator("main form[method=post] .btn-primary").first.click()
    expect(page.locator(".field-errors")).to_have_count(0)


def local(minutes: float) -> str:
    """So many minutes from now, on the campus's clock, as a form takes it."""
    return f"{datetime.now(ZoneInfo('Asia/Seoul')) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}"


def keep(admin: Page, *, title: str, account: str, site: int, gpus: int) -> None:
    admin.goto("/scheduling/classes/new/")
    admin.locator("#id_title").fill(title)
    admin.locator("#id_account").select_option(label=account)
    admin.locator("#id_site").select_option(index=site)
    admin.locator("#id_gpus").fill(str(gpus))
    admin.locator("#id_start_at").fill(local(0))
    admin.locator("#id_end_at").fill(local(60))
    save(admin)


def give_up(admin: Page, title: str) -> None:
    admin.goto("/scheduling/classes/")
    admin.get_by_role("link", name=f"Give up {title}").first.click()
    admin.get_by_role("button", name="Give it up").click()
    expect(admin.get_by_text("are everybody's again")).to_be_visible()


def change_settings(admin: Page, account: str, **fields: str) -> None:
    admin.goto("/quota/")
    admin.get_by_role("link", name=account, exact=True).first.click()
    admin.goto(f"{admin.url.split('?')[0]}settings/")
    for name, value in fields.items():
        admin.locator(f"#id_{name}").fill(value)
    admin.locator("#id_reason").fill("A story")
    save(admin)


def test_no_gpu_is_free_and_others_are_before_it(campus: Campus, open_page: OpenPage) -> None:
    busy = fill(campus)
    first = show(open_page("learner"), submit(campus, SHORT, title="First"))
    expect_wait(first, "It is first in line and waits for a GPU to come free.", "It starts when")
    second = show(open_page("learner"), submit(campus, SHORT, title="Second"))
    expect_wait(second, "1 job that can use the same GPUs goes before it.", "It moves up")
    cancel_on_page(first)
    expect_wait(second, "It is first in line", "It starts when")
    campus.cancel(busy[0])
    expect_state(second, "SUCCEEDED")


def test_the_free_gpu_is_kept_for_a_wider_job(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("learner")
    page.goto("/jobs/new/")
    options = page.locator("#id_preferred_campus option")
    yongin, jeonbuk = (options.filter(has_text=name).get_attribute("value") for name in ("Yongin", "Jeonbuk"))
    fill(campus, 2, wall_s=600, preferred_campus=int(jeonbuk or 0))
    fill(campus, 1, wall_s=240, preferred_campus=int(yongin or 0))
    wide = show(page, submit(campus, SHORT, gpus=2, title="Wide"))
    expect_wait(wide, "waits for 2 GPUs on one node; the most free on one node is 1.", "It starts when")
    narrow = show(open_page("learner"), submit(campus, QUICK, wall_s=900, title="Long"))
    expect_wait(narrow, "What is free is kept for a job before it", "With a shorter time limit it may fit in before.")
    cancel_on_page(narrow)
    narrow.get_by_role("link", name="Edit and run").click()
    narrow.locator("#id_wall_minutes").fill("1")
    narrow.get_by_role("button", name="Submit the job").click()
    job_id_of(narrow)
    expect_state(narrow, "SUCCEEDED")
    expect_state(wide, "QUEUED")


def test_what_no_node_has_is_refused_before_it_waits(open_page: OpenPage) -> None:
    page = open_page("learner")
    page.goto("/jobs/new/")
    write_code(page, QUICK)
    page.locator("#id_gpus").select_option("3")
    page.locator("#id_wall_minutes").fill("1")
    page.get_by_role("button", name="Submit the job").click()
    expect(page.get_by_role("alert")).to_contain_text("The largest node that could run it has 2 GPUs")
    page.locator("#id_gpus").select_option("2")
    page.get_by_role("button", name="Submit the job").click()
    job_id_of(page)
    expect_state(page, "SUCCEEDED")


def test_every_node_is_out_of_service_until_one_is_back(campus: Campus, open_page: OpenPage, admin: Page) -> None:
    for node in ("yongin-01", "jeonbuk-01"):
        admin.goto(f"/pool/nodes/{node}/")
        admin.get_by_label("Reason").fill("New cooling")
        admin.get_by_role("button", name="Drain").click()
    try:
        page = show(open_page("learner"), submit(campus, QUICK))
        expect_wait(page, "out of service", "It starts when one of them is back in service.")
        admin.get_by_role("button", name="Take jobs again").click()
        expect_state(page, "SUCCEEDED")
    finally:
        admin.goto("/pool/nodes/yongin-01/")
        admin.get_by_role("button", name="Take jobs again").click()


def test_every_site_is_closed_until_it_opens(campus: Campus, open_page: OpenPage, admin: Page) -> None:
    def set_open(slug: str, *, is_open: bool) -> None:
        admin.goto(f"/campuses/{slug}/edit/")
        admin.locator("#id_is_open").set_checked(is_open)
        save(admin)

    try:
        for slug in ("yongin", "jeonbuk"):
            set_open(slug, is_open=False)
        page = show(open_page("learner"), submit(campus, QUICK))
        expect_wait(page, "closed", "It goes on when the site opens.")
        set_open("jeonbuk", is_open=True)
        expect_state(page, "SUCCEEDED")
    finally:
        for slug in ("yongin", "jeonbuk"):
            set_open(slug, is_open=True)


def test_the_cohort_runs_as_much_as_it_may(campus: Campus, open_page: OpenPage, admin: Page) -> None:
    change_settings(admin, "용인반", max_running_gpus="1")
    try:
        (busy,) = fill(campus, 1)
        page = show(open_page("learner"), submit(campus, QUICK))
        expect_wait(page, "may run 1 GPUs at once, and 1 run now.", "It goes on when one of those runs ends.")
        campus.cancel(busy)
        expect_state(page, "SUCCEEDED")
    finally:
        change_settings(admin, "용인반", max_running_gpus="")


def test_a_days_cap_refuses_in_words_until_it_is_raised(campus: Campus, open_page: OpenPage, admin: Page) -> None:
    change_settings(admin, "용인반", day_cap_hours="0.01")
    try:
        page = open_page("learner")
        page.goto("/jobs/new/")
        write_code(page, QUICK)
        page.locator("#id_wall_minutes").fill("10")
        page.evaluate("id => { document.querySelector('[name=account]').value = id; }", str(accounts_of(campus)[0]))
        page.get_by_role("button", name="Submit the job").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("lets one learner use 36 GPU-s a day")
        expect(alert).to_contain_text("It renews on")
        expect(alert.get_by_role("link").first).to_have_attribute("href", re.compile("^mailto:.+@"))
    finally:
        change_settings(admin, "용인반", day_cap_hours="")
    page.get_by_role("button", name="Submit the job").click()
    job_id_of(page)
    expect_state(page, "SUCCEEDED")


def test_the_gpus_are_kept_for_a_class_until_it_is_given_up(campus: Campus, open_page: OpenPage, admin: Page) -> None:
    for site in (0, 1):
        keep(admin, title=f"Reading week {site}", account="전북반 (AI 엔지니어 양성 과정)", site=site, gpus=2)
    given_up = 0
    try:
        page = show(open_page("learner"), submit(campus, QUICK))
        expect_wait(page, "The free GPUs are kept for a class.", "It starts when “Reading week")
        give_up(admin, "Reading week 0")
        given_up = 1
        expect_state(page, "SUCCEEDED")
    finally:
        for site in range(given_up, 2):
            give_up(admin, f"Reading week {site}")


@pytest.fixture
def own(admin: Page) -> Iterator[Callable[[str], None]]:
    """Say whose the GPUs of both sites are; everybody's again afterwards, and no lending left."""

    def to(account: str) -> None:
        for site in (1, 2):
            admin.goto(f"/scheduling/sites/{site}/owner/")
            admin.locator("#id_account").select_option(label=account)
            save(admin)

    yield to
    while True:
        admin.goto("/scheduling/classes/")
        lent = admin.get_by_role("link", name="End it")
        if not lent.count():
            break
        lent.first.click()
        admin.get_by_role("button", name="End it").click()
    to("everybody")


def lend(admin: Page, *, site: int, gpus: int) -> None:
    admin.goto(f"/scheduling/sites/{site}/lendings/")
    yesterday = datetime.now(ZoneInfo("Asia/Seoul")) - timedelta(days=1)
    for name, value in (
        ("max_gpus", str(gpus)),
        ("first_day", f"{yesterday:%Y-%m-%d}"),
        ("opens_at", "00:00"),
        ("closes_at", "00:00"),
    ):
        admin.locator(f"#id_{name}").fill(value)
    save(admin)


def test_another_campus_lends_nothing_and_then_one(
    campus: Campus, open_page: OpenPage, admin: Page, own: Callable[[str], None]
) -> None:
    own("전북 (AI 캠퍼스)")
    first = show(open_page("learner"), submit(campus, SLEEPER))
    expect_wait(first, "The free GPUs belong to another campus, which does not lend", "GPUs of its own campus")
    lend(admin, site=1, gpus=1)
    expect_state(first, "RUNNING")
    second = show(open_page("learner"), submit(campus, QUICK))
    expect_wait(second, "The other campus lends 1 GPUs at most, and 1 of them run now.", "when one of those runs ends")
    cancel_on_page(first)
    expect_state(second, "SUCCEEDED")


def test_it_comes_after_another_job(campus: Campus, open_page: OpenPage) -> None:
    before = submit(campus, SHORT, title="Prepares the data")
    page = open_page("learner")
    page.goto("/jobs/new/")
    write_code(page, QUICK)
    page.locator("#id_wall_minutes").fill("1")
    page.get_by_text("Wait for another job").click()
    page.get_by_label(re.compile("Start after")).select_option(label=f"#{before} Prepares the data")
    page.get_by_role("button", name="Submit the job").click()
    job_id_of(page)
    expect_wait(page, f"It comes after job #{before}", "It goes on when they have ended.")
    expect_state(page, "SUCCEEDED")


def test_a_sweep_runs_one_at_a_time(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("learner")
    page.goto("/jobs/new/")
    write_code(page, SHORT)
    page.locator("#id_wall_minutes").fill("1")
    page.get_by_text("Sweep over parameters: many runs at once").click()
    page.get_by_label("Name of parameter 1").fill("depth")
    page.get_by_label("Values of parameter 1").fill("1, 2")
    page.get_by_label(re.compile("At most at once")).fill("1")
    page.get_by_role("button", name="Submit the sweep").click()
    expect(page).to_have_url(re.compile(r"/jobs/sweeps/\d+/$"))
    waiting = campus.ask("GET", f"jobs/?state={','.join(OPEN)}")["results"]
    show(page, max(job["id"] for job in waiting))
    expect_wait(page, "Its sweep may run 1 jobs at once, and 1 run now.", "It goes on when one of them ends.")
    expect_state(page, "SUCCEEDED")


@pytest.fixture
def accounts(campus: Campus, open_page: OpenPage) -> tuple[int, int]:
    """The learner's account in the cohort at Yongin, and that of the other campus's open course, which they join."""

    if len(accounts_of(campus)) == 1:
        page = open_page("learner")
        page.goto("/courses/python-and-data/")
        page.locator(".offer", has_text="전북 열린반").get_by_role("button", name="Enrol").click()
        expect(page.locator(".offer")).to_have_count(0)
    first, second = accounts_of(campus)
    return first, second


def test_room_is_made_and_who_made_it_goes_on_where_it_saved(
    campus: Campus, open_page: OpenPage, admin: Page, accounts: tuple[int, int]
) -> None:
    own, other = accounts
    ids = [submit(campus, SAVES, wall_s=110, account=own, preemptible=True) for _ in range(4)]
    until_running(campus, ids)
    keep(admin, title="Open lab", account="전북 열린반 (AI 엔지니어 양성 과정)", site=0, gpus=1)
    try:
        page = show(open_page("learner"), submit(campus, QUICK, account=other))
        # Room was asked for by the class, before any job of it came: its first job is told so.
        room = "Room is being made for it: runs that may be interrupted save their work."
        expect_wait(page, room, "It starts when they have")
        expect_state(page, "SUCCEEDED")
        (made_room,) = [one for one in ids if campus.job(one)["attempts"][0]["outcome"] == "PREEMPTED"]
        show(page, made_room)
        expect(page.get_by_text("It made room for others, and goes on by itself")).to_be_visible()
    finally:
        give_up(admin, "Open lab")
    expect(page.locator("#job-log .log-text", has_text="again")).to_be_visible(timeout=60_000)


def test_its_own_campus_lent_the_gpus_until_they_are_given_back(
    campus: Campus, open_page: OpenPage, admin: Page, accounts: tuple[int, int], own: Callable[[str], None]
) -> None:
    at_home, guest = accounts
    own("용인 (AI 캠퍼스)")
    lend(admin, site=1, gpus=2)
    borrowed = [submit(campus, SLEEPER, wall_s=110, account=guest) for _ in range(2)]
    until_running(campus, borrowed)
    fill(campus, 2, account=at_home)
    page = show(open_page("learner"), submit(campus, QUICK, account=at_home))
    expect_wait(page, "GPUs of its campus are lent to another one.", "It starts when they are given back")
    campus.cancel(borrowed[0])
    expect_state(page, "SUCCEEDED")
