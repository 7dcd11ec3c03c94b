"""An instructor tries a change on the real queue, asks for the GPU time, and hears of the answer."""

import re
from datetime import date, timedelta

from playwright.sync_api import expect

from .campus import Campus
from .chromium import PHONE, sideways, violations
from .conftest import OpenPage
from .test_learner import SLEEPER


def test_what_if_then_asked_for_then_given_with_notices_on_both_sides(campus: Campus, open_page: OpenPage) -> None:
    # A sweep is work of its own: what the learner ran before says nothing of how long its runs take.
    wish = {"title": "In the way", "files": {"main.py": SLEEPER}, "gpus": 1, "wall_s": 300, "grid": {"n": [*range(7)]}}
    queue = campus.ask("POST", "sweeps/", wish)
    try:
        page = open_page("instructor")
        page.goto("/scheduling/what-if/")
        expect(page.locator("#id_account option:checked")).to_contain_text("용인반")
        page.get_by_text("Nodes", exact=True).click()
        page.get_by_label(re.compile("^Nodes more")).fill("2")
        page.get_by_label(re.compile("^Like this node")).select_option(label="yongin-01")
        page.get_by_role("button", name="Show what would happen").click()
        expect(page.locator(".what-if h2").first).to_contain_text("sooner")
        expect(page.get_by_text("2 nodes more like yongin-01")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("link", name="Start anew").click()
        page.get_by_label(re.compile("^GPU-hours more")).fill("3")
        page.get_by_role("button", name="Show what would happen").click()
        expect(page.get_by_text("What the GPU time would be used for")).to_be_visible()
        expect(page.get_by_text("용인반: 3 GPU-hours more")).to_be_visible()
    finally:
        campus.ask("POST", f"sweeps/{queue['id']}/cancel/")

    page.get_by_role("link", name="Ask for this GPU time").click()
    expect(page.get_by_label("GPU-hours more")).to_have_value("3")
    page.get_by_label("Needed until").fill(f"{date.today() + timedelta(days=30)}")  # noqa: DTZ011  the form's own day
    page.get_by_label("What for").fill("The vision project, as tried in what-if")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("You are told as soon as it is answered.")).to_be_visible()
    asked_at = page.url

    # The stories share a campus, and another may have granted all that it had.
    accounts = campus.ask("GET", "quota/?kind=CAMPUS", role="platform-admin")["results"]
    (home,) = [account["id"] for account in accounts if "용인" in account["name"]]
    wish = {"gpu_seconds": 10 * 3600, "reason": "Room for a request"}
    campus.ask("POST", f"quota/{home}/allocate/", wish, role="platform-admin")
    admin = open_page("campus-admin")
    admin.goto("/notices/?show=unread")
    admin.get_by_role("link", name=re.compile("윤서진 asks for 3 GPU-h for “용인반”")).click()
    expect(admin).to_have_url(asked_at)
    admin.get_by_role("button", name=re.compile("^Approve")).first.click()
    expect(admin.get_by_text("Approved").first).to_be_visible()

    page.goto("/notices/?show=unread")
    page.get_by_role("link", name=re.compile("용인반.*was given 3 GPU-h")).first.click()
    expect(page).to_have_url(asked_at)
    expect(page.get_by_text("Approved").first).to_be_visible()


def test_what_if_reads_on_a_phone_in_korean(open_page: OpenPage) -> None:
    page = open_page("instructor", language="ko", viewport=PHONE)
    page.goto("/scheduling/what-if/?basis=week&nodes_added=1&like=1")
    expect(page.locator(".what-if h2").first).to_be_visible()
    assert sideways(page) == []
    assert violations(page) == []
