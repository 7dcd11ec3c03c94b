"""An instructor's story: sees what the cohort runs as it happens, imports a class list, edits a lesson."""

import re

from playwright.sync_api import Page, expect

from .campus import Campus
from .conftest import OpenPage
from .parts import mark, was_never_reloaded
from .test_learner import QUICK

# Line 1 names the columns; lines 3, 4 and 6 are wrong.
CLASS_LIST = """이메일,이름,수강방식
new.one@people.example,새하나,현장
broken,틀린이,온라인
new.two@people.example,,온라인
new.three@people.example,새세나,온라인
NEW.ONE@people.example,새하나,현장
"""


def open_cohort(page: Page) -> None:
    page.goto("/cohorts/")
    page.get_by_role("row").filter(has_text="용인반").get_by_role("link").first.click()
    page.wait_for_url(re.compile(r"/cohorts/\d+/$"))


def test_a_learners_run_is_on_the_cohort_board_at_once(campus: Campus, open_page: OpenPage) -> None:
    page = open_page("instructor")
    open_cohort(page)
    mark(page)
    job_id = campus.submit(QUICK, title="Seen at once")
    row = page.locator(".job-row", has_text=f"#{job_id}")
    expect(row).to_contain_text("Seen at once")
    expect(row.locator("[data-state]")).to_have_attribute("data-state", "SUCCEEDED", timeout=60_000)
    assert was_never_reloaded(page)
    row.get_by_role("link").click()
    expect(page.locator("#job-log .log-text", has_text="quick")).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_have_count(0)


def test_a_class_list_is_previewed_with_its_errors_and_imported(open_page: OpenPage) -> None:
    page = open_page("instructor")
    open_cohort(page)
    page.get_by_role("link", name="Roster").click()
    page.get_by_role("link", name=re.compile("Import")).first.click()
    page.locator("#id_file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": CLASS_LIST.encode("cp949")}
    )
    page.get_by_role("button", name="Show what would happen").click()
    errors = page.get_by_role("table", name="Rows with errors")
    for line in ("3", "4", "6"):
        expect(errors.get_by_role("rowheader", name=line)).to_be_visible()
    page.get_by_role("button", name="Import only the 2 valid rows").click()
    page.wait_for_url(re.compile(r"/roster/"))
    page.goto(re.sub(r"(/roster/).*", r"\1", page.url) + "?q=new.three")
    expect(page.get_by_text("new.three@people.example").first).to_be_visible()
    page.goto(re.sub(r"\?.*", "", page.url) + "?q=new.two")
    expect(page.get_by_text("new.two@people.example")).to_have_count(0)


def test_a_lesson_is_edited_with_its_preview_beside_it(open_page: OpenPage) -> None:
    page = open_page("instructor")
    page.goto("/courses/ml-foundations/")
    page.locator('a[href^="/lessons/"]', has_text="경사 하강법").first.click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.locator(".cm-content").first.click()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.type("Added by the story. ")
    expect(page.locator(".write-preview")).to_contain_text("Added by the story.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".prose")).to_contain_text("Added by the story.")
