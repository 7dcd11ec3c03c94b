"""Staff announce something and look after somebody; learners read it, and choose how they are told; in a browser."""

import re

from playwright.sync_api import Page, expect

from .chromium import PHONE, sideways, violations
from .conftest import OpenPage


def main(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_role("main")


def test_an_announcement_from_the_draft_to_the_reader_and_back_as_a_count(open_page: OpenPage) -> None:
    teacher, learner = open_page("instructor"), open_page("learner", viewport=PHONE)
    teacher.goto("/announcements/")
    teacher.get_by_role("link", name="New announcement").click()
    teacher.get_by_label("Title").fill("실습실 안내")
    teacher.locator(".cm-content").click()
    teacher.keyboard.type("**3층** 실습실로 오세요.")
    teacher.get_by_label("To whom").select_option(label="Learners only")
    teacher.get_by_role("button", name="Save and look").click()
    expect(main(teacher)).to_contain_text(re.compile(r"\d+ people"))
    expect(main(teacher).locator("strong", has_text="3층")).to_be_visible()
    assert violations(teacher) == []
    teacher.get_by_role("button", name="Publish now").click()
    expect(main(teacher)).to_contain_text("Read by 0 of")

    learner.goto("/")
    learner.get_by_role("link", name="실습실 안내").click()
    expect(learner.get_by_role("heading", name="실습실 안내")).to_be_visible()
    assert violations(learner) == []
    assert sideways(learner) == []
    teacher.reload()
    expect(main(teacher)).to_contain_text("Read by 1 of")

    teacher.get_by_role("button", name="Withdraw").click()
    teacher.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(main(teacher)).to_contain_text("Withdrawn")
    learner.reload()
    expect(learner.get_by_role("heading", name="실습실 안내")).not_to_be_visible()


def test_who_may_need_help_is_written_to_and_noted(open_page: OpenPage) -> None:
    teacher = open_page("instructor")
    teacher.goto("/cohorts/")
    main(teacher).get_by_role("link", name=re.compile("1기|Yongin|용인")).first.click()
    teacher.get_by_role("link", name="Who may need help").click()
    expect(main(teacher)).to_contain_text("Signals, not verdicts")
    assert violations(teacher) == []
    first = main(teacher).locator("tbody tr").first
    name = first.get_by_role("rowheader").inner_text()
    first.get_by_role("rowheader").get_by_role("link").click()
    expect(teacher.get_by_role("heading", level=1, name=name)).to_be_visible()
    notes = main(teacher).get_by_role("button", name="No help needed")
    expect(notes.first).to_be_visible()
    before = notes.count()
    notes.first.click()
    expect(main(teacher).get_by_role("button", name="No help needed")).to_have_count(before - 1)
    main(teacher).get_by_role("link", name="Write").or_(teacher.get_by_role("link", name="Write")).first.click()
    expect(teacher.get_by_label("Message")).to_have_value(re.compile(name))
    assert violations(teacher) == []
    teacher.get_by_label("Subject").fill("잠깐 이야기해요")
    teacher.get_by_role("button", name="Send").click()
    expect(main(teacher).get_by_role("link", name="잠깐 이야기해요")).to_be_visible()


def test_a_learner_chooses_how_to_be_told_on_a_phone(open_page: OpenPage) -> None:
    learner = open_page("learner", viewport=PHONE)
    learner.goto("/me/")
    learner.get_by_role("link", name="How I am told").click()
    expect(learner.get_by_role("heading", level=1, name="How I am told")).to_be_visible()
    assert sideways(learner) == []
    assert violations(learner) == []
    grades = learner.get_by_label("Grades, and answers about them")
    expect(grades).to_have_value("DIGEST")
    grades.select_option("SITE")
    learner.get_by_role("button", name="Save").click()
    expect(learner.get_by_label("Grades, and answers about them")).to_have_value("SITE")
    learner.get_by_label("Grades, and answers about them").select_option("DIGEST")
    learner.get_by_role("button", name="Save").click()
    expect(learner.get_by_label("Grades, and answers about them")).to_have_value("DIGEST")
