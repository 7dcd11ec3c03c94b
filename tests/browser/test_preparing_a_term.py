"""The preparation of a term in a browser: a run is copied, a module locked, looked at as a learner, a lesson drafted
and shown, the run published; and it is found by searching."""

import re
from datetime import date, timedelta

from playwright.sync_api import Page, expect

from .chromium import PHONE, sideways, violations
from .conftest import OpenPage

SLUG = "ml-foundations"
NEXT = "ml-foundations-next"


def test_a_run_is_copied_locked_previewed_and_published(open_page: OpenPage) -> None:
    page = open_page("platform-admin")
    _open_next_term(page)
    page.goto(f"/courses/{SLUG}/")
    titles = page.locator(".module h2").all_text_contents()
    page.get_by_role("link", name="Copy to another term").click()
    page.get_by_label("Term", exact=True).select_option(label="Next term (story)")
    page.get_by_label("Address").fill(NEXT)
    page.get_by_role("button", name="Show what will be made").click()
    expect(page.get_by_role("heading", name=re.compile("26 weeks later"))).to_be_visible()
    expect(page.locator(".copy-lines").first).to_contain_text(titles[0])
    assert violations(page) == []
    page.get_by_role("button", name="Make the copy").click()
    page.wait_for_url(f"**/courses/{NEXT}/")
    assert page.locator(".module h2").all_text_contents() == titles
    _lock_a_module(page, titles)
    _draft_and_show(page)
    _publish(page, is_published=True)
    _as_a_stranger_and_in_search(open_page, titles)
    _publish(page, is_published=False)  # the other stories find one course of this name


def _open_next_term(page: Page) -> None:
    page.goto(f"/courses/{SLUG}/")
    page.goto("/catalog/")
    start = date.today() - timedelta(days=date.today().weekday()) + timedelta(weeks=24)  # noqa: DTZ011 - the form's day
    page.goto("/catalog/terms/new/")
    page.get_by_label(re.compile("Korean")).fill("다음 학기 (이야기)")
    page.get_by_label(re.compile("English")).fill("Next term (story)")
    page.get_by_label("Address").fill("story-next")
    page.get_by_label("Starts on").fill(start.isoformat())
    page.get_by_label("Ends on").fill((start + timedelta(weeks=16)).isoformat())
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Next term (story)")).to_be_visible()


def _lock_a_module(page: Page, titles: list[str]) -> None:
    page.get_by_role("link", name=f"Edit the module {titles[1]}").click()
    page.get_by_label(titles[0]).check()
    page.get_by_role("button", name="Save").click()
    second = page.locator(".module").nth(1)
    expect(second).to_contain_text(f"Locked for learners until they finish “{titles[0]}”.")
    expect(second.locator(".outline-row").first).to_be_visible()
    page.get_by_role("link", name="View as a learner").click()
    second = page.locator(".module").nth(1)
    expect(second).to_contain_text(f"It opens once you finish “{titles[0]}”")
    expect(second.locator(".outline-row")).to_have_count(0)
    assert violations(page) == []
    page.get_by_role("link", name="Back to your own view").click()


def _draft_and_show(page: Page) -> None:
    page.locator(".outline-link").first.click()
    page.get_by_role("link", name="Edit").click()
    page.locator(".cm-content").first.click()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("\n\nA line of the new term.")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.locator(".prose")).not_to_contain_text("A line of the new term.")
    page.get_by_role("link", name="What it changes").click()
    expect(page.locator(".diff-new", has_text="A line of the new term.")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Show it to learners").click()
    expect(page.locator(".prose")).to_contain_text("A line of the new term.")
    page.get_by_role("link", name="Versions").click()
    expect(page.get_by_role("row")).to_have_count(3)


def _publish(page: Page, *, is_published: bool) -> None:
    page.goto("/catalog/")
    page.locator(".admin-run", has=page.locator(f'a[href="/courses/{NEXT}/"]')).get_by_role(
        "link", name=re.compile("Change the run")
    ).click()
    page.get_by_label("published", exact=False).set_checked(is_published)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/catalog/")


def _as_a_stranger_and_in_search(open_page: OpenPage, titles: list[str]) -> None:
    learner = open_page("learner")
    learner.goto(f"/courses/{NEXT}/")
    expect(learner.locator(".module").nth(1)).to_contain_text(f"It opens once you finish “{titles[0]}”")
    learner.goto("/")
    learner.keyboard.press("/")
    expect(learner.locator("[data-search-key]")).to_be_focused()
    learner.keyboard.type("데이터를")
    learner.keyboard.press("Enter")
    expect(learner.locator(".search-hit mark").first).to_be_visible()
    expect(learner.get_by_text("A line of the new term.")).to_have_count(0)
    assert violations(learner) == []
    learner.set_viewport_size(PHONE)
    assert not sideways(learner)
    learner.goto("/")
    learner.locator("[data-search-link]").click()
    expect(learner.get_by_role("searchbox").last).to_be_focused()
    assert not sideways(learner)
