"""A class day on both campuses: one learner in Yongin, one in Jeonbuk (in Korean), one online; from the code on the
room's screen over video, lab, tests and the grading desk to the grade with its why, the mark with its evidence, and
the ledger that says who paid for which GPU second."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext, pgettext
from playwright.sync_api import Page, ViewportSize, expect

from .campus import Campus
from .chromium import DESK, PHONE, sideways, sign_in
from .classroom import PASSWORD, class_on, expect_mark, in_campus, open_station, read_picture
from .conftest import OpenPage
from .parts import expect_state, job_id_of, mark, was_never_reloaded, write_code
from .test_grading_evening import hears_keys
from .test_materials import added, percent, until_ready

COURSE = "/courses/ml-foundations/"
TITLE, LAB, WORK, VIDEO = "이야기 수업 날", "하이퍼파라미터 찾기", "이야기 과제: 정확도", "이야기 수업의 영상"
#: The instructor's assignment on the lab of the week: ten points by rubric, five by a visible test, five by a hidden.
ASSIGN = """
from decimal import Decimal
from courses.assignments.authoring import open_assignment, save_suite
from courses.assignments.domain.rubrics import as_json, parse
from courses.assignments.models import Assignment, Lab
from courses.gradebook.models import GradeCategory
from courses.gradebook.services import save_item
lab = Lab.objects.select_related("module__run").get(title=%(lab)r)
made = open_assignment(
    module_id=lab.module_id, actor=None, title=%(work)r, kind=Assignment.Kind.LAB, lab=lab, points=Decimal(20),
    brief="`accuracy(truth, guessed)`",
    rubric=as_json(parse("Code: unclear = 0; clear = 6\\nResult: none = 0; sound = 4")),
)
save_suite(
    assignment_id=made.pk, environment_id=None, seed=7, wall_s=60, gpus=1, actor=None,
    visible="def test_half():\\n    from main import accuracy\\n    assert accuracy([1, 0], [1, 1]) == 0.5\\n",
    hidden="def test_empty():\\n    from main import accuracy\\n    assert accuracy([], []) == 0.0\\n",
)
category = GradeCategory.objects.filter(run=lab.module.run).order_by("-weight").first()
fields = {"category": category, "title": %(work)r, "out_of": Decimal(20), "is_published": True, "kind": "ASSIGNMENT"}
save_item(run=lab.module.run, fields=fields | {"assignment": made}, item_id=None, actor=None)
print(made.pk)
"""
#: Fifty minutes pass.
END = """
from django.utils import timezone
from courses.timetable.models import ClassSession
print(ClassSession.objects.filter(pk=%d).update(ends_at=timezone.now()))
"""
SOUND = """\
import json

def accuracy(truth, guessed):
    if not truth:
        return 0.0
    return sum(a == b for a, b in zip(truth, guessed)) / len(truth)

if __name__ == "__main__":
    print("trained in class", flush=True)
    json.dump({"accuracy": accuracy([1, 0, 1], [1, 1, 1])}, open("metrics.json", "w"))
"""
FORGETFUL = SOUND.replace("    if not truth:\n        return 0.0\n", "")


@dataclass(eq=False)
class Person:
    """Somebody at their browser, and what their program should get."""

    page: Page
    name: str
    language: str = "en"
    code: str = SOUND
    hidden_passed: int = 1
    points: int = 20
    job_id: int = 0

    def reads(self, text: str, context: str = "") -> str:
        """The words of a page in this person's language."""
        with translation.override(self.language):
            return pgettext(context, text) if context else gettext(text)

    def presses(self, text: str) -> None:
        self.page.get_by_role("button", name=self.reads(text), exact=True).click()

    def follows(self, text: str) -> None:
        self.page.get_by_role("link", name=text, exact=True).first.click()

    def sees(self, text: str, within_s: float = 60) -> None:
        expect(self.page.get_by_text(text, exact=True).first).to_be_visible(timeout=within_s * 1000)


@pytest.fixture(scope="module")
def day(campus: Campus) -> dict[str, Any]:
    """A class that begins in a minute, as people come before it does; and what the instructor set for it."""
    in_campus(campus, ASSIGN % {"lab": LAB, "work": WORK})
    return class_on(campus, TITLE, in_s=60, nth=1, has_stream=True, languages={"jeonbuk": "ko"})


@pytest.fixture
def comes(open_page: OpenPage, day: dict[str, Any]) -> Callable[..., Person]:
    """Somebody of the class sits down at a browser of their own, or takes a phone, and signs in."""

    def come(who: str, *, viewport: ViewportSize = DESK, **fields: Any) -> Person:
        email, name, _number = day["people"][who]
        person = Person(open_page("", language=fields.get("language", "en"), viewport=viewport), name, **fields)
        sign_in(person.page, email, PASSWORD)
        return person

    return come


def test_a_class_day_on_both_campuses_and_online(
    campus: Campus, open_page: OpenPage, day: dict[str, Any], comes: Callable[..., Person]
) -> None:
    yongin = comes("yongin", viewport=PHONE)
    jeonbuk = comes("jeonbuk", language="ko", code=FORGETFUL, hidden_passed=0, points=15)
    online = comes("online")
    everybody = (yongin, jeonbuk, online)

    board = open_page("instructor")
    board.goto(f"/attendance/classes/{day['session']}/")
    screens = {yongin: in_the_room(board, open_page(""), day, "yongin")}
    screens[jeonbuk] = in_the_room(board, open_page(""), day, "jeonbuk")
    mark(board)
    for person, screen in screens.items():
        person.page.goto(read_picture(screen))
        person.presses("I am here")
        person.sees(person.reads("You are checked in"))
        expect_mark(board, person.name, "PRESENT")
    stream = joins_the_stream(online, day["session"])
    expect_mark(board, online.name, "NONE")

    watch_at_double_speed(everybody, added(open_page("instructor"), VIDEO))
    run_the_lab(everybody)
    expect_mark(board, online.name, "PRESENT", within_s=120)
    assert was_never_reloaded(board)
    hand_in_what_ran(everybody)
    graders = Person(open_page("instructor"), "윤서진"), comes("jeonbuk-instructor")
    unread = int(yongin.page.locator("[data-notices-count]").text_content() or 0)
    grade_by_keyboard(graders[0], (yongin, online))
    grade_by_keyboard(graders[1], (jeonbuk,))
    hears_of_it_by_the_bell(yongin, unread + 1)
    for person in everybody:
        reads_the_grade_and_why(person)

    in_campus(campus, END % day["session"])
    watcher = Person(stream, online.name)
    watcher.follows("Look at your mark")
    for person, screen in screens.items():
        expect(screen.get_by_text("The class is over. Scan to check out.")).to_be_visible()
        person.page.goto(read_picture(screen))
        person.presses("I am leaving")
        person.sees(person.reads("You are checked out"))
        person.follows(person.reads("Look at your mark"))
        finds_the_mark_with_its_evidence(person, "Code on the room's screen", signs=2)
    stream.reload()
    finds_the_mark_with_its_evidence(watcher, "Stream")
    who_paid_stands_in_the_ledger(graders[0], yongin)


def in_the_room(board: Page, screen: Page, day: dict[str, Any], campus_slug: str) -> Page:
    """The instructor opens the code on the screen of a room."""
    screen.goto(open_station(board, "Open the room's screen", day["rooms"][campus_slug]))
    return screen


def joins_the_stream(person: Person, session: int) -> Page:
    """In a page of its own, which stays open all day; the stream itself is somebody else's."""
    page = person.page.context.new_page()
    page.context.route("https://live.campus.example/**", lambda route: route.fulfill(body="on air"))
    page.goto(f"/timetable/classes/{session}/")
    page.get_by_role("link", name="Take part online").click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the stream").click()
    expect(opened.value.get_by_text("on air")).to_be_visible()
    expect(page.locator("[data-said]")).to_contain_text("Counting")
    return page


def watch_at_double_speed(people: Iterable[Person], address: str) -> None:
    """All at the same time, each at their own."""
    for person in people:
        person.page.goto(address)
        until_ready(person.page)
        assert percent(person.page) == 0
        person.page.locator("video").focus()
        for key in (*">>>>", "k"):
            person.page.keyboard.press(key)
    for person in people:
        expect(person.page.locator("[data-finished]")).to_be_visible(timeout=90_000)
        assert percent(person.page) >= 90
        assert sideways(person.page) == []


def run_the_lab(people: Iterable[Person]) -> None:
    """Each changes the starter code and runs it in the sandbox."""
    for person in people:
        person.page.goto(COURSE)
        person.follows(LAB)
        write_code(person.page, person.code)
        person.presses("Run")
        person.job_id = job_id_of(person.page)
    for person in people:
        # The first run of an environment on a node builds it first, which takes a busy machine minutes.
        expect_state(person.page, "SUCCEEDED", within_s=240)
        expect(person.page.locator("#job-log .log-text", has_text="trained in class")).to_be_visible()


def hand_in_what_ran(people: Iterable[Person]) -> None:
    """The visible test is read with its outcome, of the hidden one only whether it passed; both without a reload."""
    for person in people:
        person.page.goto(f"{COURSE}assignments/")
        person.follows(WORK)
        expect(person.page.get_by_role("radio", name=f"#{person.job_id}")).to_be_checked()
        person.presses("Hand in")
        expect(person.page.get_by_role("heading", name=person.reads("Receipt"))).to_be_visible()
    for person in people:
        said = person.reads("Of %(all)s hidden tests %(passed)s passed.")
        person.sees(said % {"all": 1, "passed": person.hidden_passed}, within_s=120)
        expect(person.page.locator(".test-list li")).to_have_count(1)
        person.sees(person.reads("Passed"))
        expect(person.page.get_by_text("test_empty")).to_have_count(0)


def grade_by_keyboard(grader: Person, people: Sequence[Person]) -> None:
    """Of one's own cohort: the second level of both criteria, save; then all at once."""
    for person in people:
        open_the_work(grader)
        grader.follows(person.name)
        hears_keys(grader.page)
        expect(grader.page.get_by_text(f"Tests: {person.points - 10} points")).to_be_visible()
        for key in "1122s":
            grader.page.keyboard.press(key)
        expect(grader.page.get_by_text("Saved.")).to_be_visible()
    open_the_work(grader)
    grader.presses("Publish")
    expect(grader.page.get_by_text(re.compile(rf"^{len(people)} grades? (is|are) published\."))).to_be_visible()


def open_the_work(grader: Person) -> None:
    grader.page.goto(f"{COURSE}assignments/")
    grader.follows(WORK)


def hears_of_it_by_the_bell(person: Person, unread: int) -> None:
    """Without a reload the bell counts; behind it stands what is new, and leads there."""
    expect(person.page.locator("[data-notices-count]")).to_have_text(str(unread))
    person.page.locator("[data-notices]").click()
    expect(person.page.get_by_text(re.compile("New grades in"))).to_be_visible()


def reads_the_grade_and_why(person: Person) -> None:
    page = person.page
    page.goto(f"{COURSE}assignments/")
    person.follows(WORK)
    expect(page.locator(".work-score")).to_have_text(f"{person.points} / 20")
    why = page.get_by_role("table", name=person.reads("How the points came about"))
    for line in ("Code", "Result"):
        expect(why.get_by_role("row", name=re.compile(line))).to_be_visible()
    assert sideways(page) == []
    page.goto(f"{COURSE}grades/")
    expect(page.get_by_role("row", name=re.compile(WORK))).to_contain_text(f"{person.points}")
    assert sideways(page) == []


def finds_the_mark_with_its_evidence(person: Person, kind: str, signs: int = 0) -> None:
    """Every sign of them is of this kind; where `signs` is given, there are so many."""
    page = person.page
    expect(page.locator('[data-state="PRESENT"]').first).to_have_text(person.reads("Present", "attendance"))
    evidence = page.locator("section", has=page.get_by_role("heading", name=person.reads("Evidence"), exact=True))
    seen = evidence.get_by_role("listitem")
    expect(seen.filter(has_text=person.reads(kind)).first).to_be_visible()
    expect(seen.filter(has_not_text=person.reads(kind))).to_have_count(0)
    if signs:
        expect(seen).to_have_count(signs)
    expect(page.locator(".reasons")).to_contain_text("10")
    assert sideways(page) == []


def who_paid_stands_in_the_ledger(grader: Person, learner: Person) -> None:
    """The lab's GPU seconds with the learner, the tests' with the course."""
    learner.page.goto("/usage/")
    spent = learner.page.get_by_role("row", name=re.compile(f"#{learner.job_id} "))
    expect(spent).to_contain_text(re.compile(r"[1-9]\d* GPU-s"))

    page = grader.page
    page.goto("/usage/")
    grader.follows("Account")
    page.get_by_role("link", name="Ledger").click()
    table = page.get_by_role("table", name="Ledger")
    charges = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Charge"))
    of_lab = charges.filter(has_text=f"#{learner.job_id}")
    expect(of_lab).to_contain_text(learner.name)
    of_tests = charges.filter(has=page.get_by_role("cell", name="용인반", exact=True)).first
    job = re.search(r"#(\d+)", of_tests.inner_text())
    assert job is not None
    assert int(job[1]) > learner.job_id  # it was tested after it had run
    expect(of_tests.get_by_role("cell").nth(2)).to_have_text(re.compile(r"^[1-9]\d*$"))
