"""An administrator's story: allocates GPU time, opens a campus, drains a node, appoints, reads who did it."""

import re

from playwright.sync_api import Page, expect

from .campus import Campus
from .conftest import OpenPage
from .test_learner import QUICK


def test_gpu_time_is_allocated_down_the_tree_with_a_reason(open_page: OpenPage) -> None:
    page = open_page("platform-admin")
    page.goto("/quota/")
    for hours, name in (("2", "용인"), ("2", "AI 엔지니어 양성 과정"), ("1", "용인반")):
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True)).first
        row.get_by_role("link", name=f"Allocate to {name}", exact=True).click()
        form = page.get_by_role("region", name=f"Allocate to {name}", exact=True).first
        form.get_by_label("Reason").fill(f"Story of {name}")
        # Typed, not filled: htmx takes up what it swapped in a moment after it is drawn.
        form.get_by_label("GPU-hours to add").press_sequentially(hours + ".0")
        expect(form.locator(".quota-preview")).to_contain_text("GPU-h")
        form.get_by_role("button", name="Allocate").click()
        expect(row).to_contain_text(f"Story of {name}")
    page.get_by_role("link", name="용인반", exact=True).click()
    page.get_by_role("link", name=re.compile("History")).click()
    row = page.get_by_role("row", name=re.compile("Story of 용인반"))
    expect(row).to_contain_text("+1 GPU-h")
    expect(row).to_contain_text("서지안")


def test_a_third_campus_opens_with_a_building_and_a_room(open_page: OpenPage) -> None:
    page = open_page("platform-admin")
    page.goto("/campuses/")
    page.get_by_role("link", name="Open a campus").click()
    fill(page, slug="jeju", name_ko="제주", name_en="Jeju", address="제주시 첨단로 1")
    save(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Jeju")
    page.get_by_role("link", name="Add a building").click()
    fill(page, name_ko="본관", name_en="Main hall")
    save(page)
    page.get_by_role("link", name="Add a room").click()
    fill(page, name_ko="101호", name_en="Room 101", floor="1", capacity="24")
    save(page)
    row = page.get_by_role("row", name=re.compile("Room 101"))
    expect(row).to_contain_text("24")
    page.goto("/quota/")
    expect(page.get_by_role("link", name=re.compile("제주|Jeju")).first).to_be_visible()


def test_a_drained_node_gets_no_jobs_and_they_go_elsewhere(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("platform-admin")
    page.goto("/pool/")
    page.get_by_role("link", name="yongin-01", exact=True).click()
    page.get_by_label("Reason").fill("New cooling")
    page.get_by_role("button", name="Drain").click()
    expect(page.locator("main [data-state=DRAINING]").first).to_be_visible()
    try:
        job_id = campus.submit(QUICK)
        learner = open_page("learner")
        learner.goto(f"/jobs/{job_id}/")
        expect(learner.locator('[data-part="badge"] [data-state]')).to_have_attribute(
            "data-state", "SUCCEEDED", timeout=60_000
        )
        expect(learner.locator('[data-part="facts"]')).to_contain_text("jeonbuk-01")
    finally:
        page.get_by_role("button", name="Take jobs again").click()
    expect(page.get_by_role("button", name="Drain")).to_be_visible()


def test_an_instructor_is_appointed_and_the_audit_trail_says_by_whom(open_page: OpenPage) -> None:
    page = open_page("platform-admin")
    page.goto("/people/?q=seojun.lee")
    page.get_by_role("link", name="이서준").click()
    page.get_by_label("Role", exact=True).select_option("INSTRUCTOR")
    page.get_by_label("Where", exact=True).select_option(label=re_option(page, "전북반"))
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_role("table", name="Roles")).to_contain_text("전북반")
    page.goto("/audit/?q=이서준")
    entry = page.get_by_role("row").filter(has_text="이서준").first
    expect(entry).to_contain_text("서지안")
    expect(entry).to_contain_text("Role given")
    expect(entry).to_contain_text("전북반")


def re_option(page: Page, words: str) -> str:
    """The whole label of the first choice that has these words."""
    return page.locator("option", has_text=words).first.inner_text().strip()


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"main #id_{name}").fill(value)


def save(page: Page) -> None:
    page.locator("main form button.btn-primary").click()
