"""A group hands in one work and is graded as one; an outage before a deadline is made up for with one click."""

import re

from playwright.sync_api import Page, expect

from .conftest import OpenPage

TEAM, LAB = "팀 보고서", "첫 작업 제출하기"


def open_assignment(page: Page, title: str) -> None:
    page.goto("/courses/ml-foundations/assignments/")
    page.get_by_role("link", name=title).click()


def test_a_groups_work_is_handed_in_once_graded_for_all_and_adjusted_for_one(open_page: OpenPage) -> None:
    learner = open_page("learner")
    open_assignment(learner, TEAM)
    group = learner.get_by_text(re.compile(r"^\d+조$"))
    expect(group).to_be_visible()
    name = group.inner_text()
    learner.locator(".cm-content").click()
    learner.keyboard.insert_text("정확도는 0.97입니다.")
    learner.get_by_role("button", name="Hand in").click()
    expect(learner.get_by_role("heading", name="Receipt")).to_be_visible()

    grader = open_page("instructor")
    open_assignment(grader, TEAM)
    rows = grader.get_by_role("row").filter(has=grader.get_by_role("cell", name=name, exact=True))
    rows.nth(0).get_by_role("link").first.click()
    expect(grader.get_by_text("A group's work: the grade goes to all of them")).to_be_visible()
    grader.get_by_label("Points by hand").fill("24")
    grader.get_by_role("button", name=re.compile("Save")).first.click()
    expect(grader.get_by_text("Saved.")).to_be_visible()
    open_assignment(grader, TEAM)
    for n in range(rows.count()):
        expect(rows.nth(n)).to_contain_text("24")
    rows.nth(0).get_by_role("link").first.click()
    grader.get_by_text("Adjust for this member alone").click()
    grader.get_by_label("Points more, or fewer with -").fill("-4")
    grader.get_by_role("group").get_by_label("Reason").first.fill("발표에 참여하지 않음")
    grader.get_by_role("button", name="Adjust", exact=True).click()
    expect(grader.get_by_text("Saved: 20 points")).to_be_visible()


def test_whom_an_outage_touched_gets_the_time_with_one_click(open_page: OpenPage) -> None:
    page = open_page("instructor")
    open_assignment(page, LAB)
    page.get_by_role("link", name=re.compile("can be given more time")).click()
    expect(page.get_by_text(re.compile(r"Run #\d+ on (yongin|jeonbuk)-01"))).not_to_have_count(0)
    page.get_by_role("button", name=re.compile("^Grant .*to all")).click()
    expect(page.get_by_text(re.compile("more time now"))).to_be_visible()
    expect(page.get_by_role("heading", name="Decided")).to_be_visible()
    expect(page.get_by_text("Granted").first).to_be_visible()
