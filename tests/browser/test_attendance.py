"""A class at both campuses: a learner in Yongin by the screen's code, one in Jeonbuk at the kiosk, one over the stream;
the instructor's roll follows without a reload, a flag is judged, a mark disputed and decided."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import segno
from django.utils.crypto import salted_hmac
from playwright.sync_api import Locator, Page, expect

from courses.attendance.domain.rolling import code_of, step_of

from .campus import ROOT, Campus
from .chromium import PHONE, sideways, violations
from .conftest import OpenPage
from .parts import mark, was_never_reloaded

PASSWORD = "for-one-story-7"
#: Hashing a password takes its time where others work, too.
SIGN_IN_MS = 60_000
TITLE = "이야기 출석 수업"
#: What an operator does before: a class that is on now, and passwords for two learners who have none.
PREPARE = """
import json
from datetime import timedelta
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from campus.people.models import User
from courses.catalog.models import Cohort, Enrolment
from courses.timetable.models import ClassSession, SessionCohort, SessionTeacher, Stream
with transaction.atomic():
    now = timezone.now()
    cohorts = {c.campus.slug: c for c in Cohort.objects.filter(run__slug="ml-foundations").select_related("campus")}
    rooms = {c.slug: c.buildings.first().rooms.first() for c in [one.campus for one in cohorts.values()]}
    held = ClassSession.objects.create(
        run=cohorts["yongin"].run, title=%(title)r, starts_at=now - timedelta(minutes=2),
        ends_at=now + timedelta(minutes=50),
    )
    for slug, cohort in cohorts.items():
        SessionCohort.objects.create(session=held, cohort=cohort, room=rooms[slug])
    SessionTeacher.objects.create(session=held, user=User.objects.get(email="instructor@campus.example"))
    active = Enrolment.objects.filter(run=held.run, state="ACTIVE").select_related("user")
    onsite = active.filter(cohort=cohorts["yongin"], mode="ONSITE").exclude(user__email="learner@campus.example")
    friend, online = onsite.first().user, active.filter(cohort=cohorts["yongin"], mode="ONLINE").first().user
    far = active.filter(cohort=cohorts["jeonbuk"], mode="ONSITE").first().user
    for user in (friend, online):
        user.language = "en"
        user.set_password(%(password)r)
        user.save(update_fields=["password", "language"])
    print(json.dumps({
        "secret": settings.SECRET_KEY,
        "session": held.pk,
        "jeonbuk_room": str(rooms["jeonbuk"].pk),
        "yongin_room": str(rooms["yongin"].pk),
        "friend": [friend.email, friend.name],
        "online": [online.email, online.name],
        "far": [far.member_number, far.name],
    }))
"""


def prepared(campus: Campus) -> dict[str, Any]:
    """Run PREPARE beside the web process, with its settings."""
    children = json.loads((campus.state / "children.json").read_text())
    web = next(child["pid"] for child in children if child["name"] == "web")
    pairs = Path(f"/proc/{web}/environ").read_text().split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", PREPARE % {"title": TITLE, "password": PASSWORD}],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=180,
    ).stdout  # fmt: skip
    made: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return made


@pytest.fixture(scope="module")
def story(campus: Campus) -> dict[str, Any]:
    return prepared(campus)


def sign_in_here(page: Page, email: str) -> None:
    """On the sign-in page to which a scan led."""
    page.locator('input[name="login"]').fill(email)
    page.locator('input[name="password"]').fill(PASSWORD)
    page.locator('form:has(input[name="password"]) button[type="submit"]').first.click()
    page.wait_for_url(lambda url: "/accounts/" not in url, timeout=SIGN_IN_MS)


def open_station(board: Page, kind: str, room: str) -> str:
    """Open a screen or kiosk from the roll; its address."""
    back = board.url
    board.locator("#station-room").select_option(room)
    board.get_by_role("button", name=kind).click()
    board.wait_for_url(re.compile(r"/attendance/(screen|kiosk)/"))
    address = board.url
    board.goto(back)
    return address


def read_picture(screen: Page, station: int, secret: str) -> str:
    """The address that the room's screen shows, as a camera reads it: the picture is the one of this address."""
    key = screen.url.rstrip("/").rsplit("/", 1)[1].replace("-", "")
    signed = salted_hmac("attendance.rolling-code", key, secret=secret, algorithm="sha256").digest()
    for _glance in range(40):
        shown = screen.locator(".qr-code path").get_attribute("d")
        now = step_of(datetime.now(UTC))
        for step in (now, now - 1):
            address = f"{screen.url.split('/attendance/')[0]}/attendance/in/{station}-{code_of(signed, station, step)}/"
            drawn = segno.make(address, error="m").svg_inline(border=2, omitsize=True, lineclass=None)
            if f'd="{shown}"' in drawn:
                return address
        screen.wait_for_timeout(100)
    raise AssertionError("the screen shows no code of now")


def row_of(board: Page, name: str) -> Locator:
    return board.locator(".roll-row").filter(has_text=name)


def expect_mark(board: Page, name: str, value: str) -> None:
    expect(row_of(board, name)).to_have_attribute("data-mark", value)


def test_a_class_day_on_both_campuses(open_page: OpenPage, story: dict[str, Any]) -> None:
    board = open_page("instructor")
    board.goto(f"/attendance/classes/{story['session']}/")
    screen_url = open_station(board, "Open the room's screen", story["yongin_room"])
    kiosk_url = open_station(board, "Open a kiosk", story["jeonbuk_room"])
    closing = board.locator(".station").filter(has_text="Room screen").locator("form").get_attribute("action") or ""
    station = int(closing.split("/")[3])
    mark(board)
    assert violations(board) == []

    # Yongin: the screen's code in a second browser. The phone is not signed in when it scans.
    screen = open_page("")
    screen.goto(screen_url)
    assert violations(screen) == []
    phone = open_page("", viewport=PHONE)
    phone.goto(read_picture(screen, station, story["secret"]))
    sign_in_here(phone, story["friend"][0])
    phone.get_by_role("button", name="I am here").click()
    expect(phone.get_by_text("You are checked in", exact=True)).to_be_visible()
    assert not sideways(phone)
    expect_mark(board, story["friend"][1], "PRESENT")

    # The demo's learner borrows that phone, which is flagged and counts until somebody judges it.
    learner = open_page("learner", viewport=PHONE)
    learner.context.add_cookies([c for c in phone.context.cookies() if c["name"] == "campus_device"])
    learner.goto(read_picture(screen, station, story["secret"]))
    learner.get_by_role("button", name="I am here").click()
    expect(learner.get_by_text("You are checked in", exact=True)).to_be_visible()
    expect_mark(board, "김하늘", "PRESENT")
    expect(row_of(board, "김하늘").locator("[data-part=flags]")).to_be_visible()

    # Jeonbuk: a card at the kiosk.
    kiosk = open_page("")
    kiosk.goto(kiosk_url)
    number, name = story["far"]
    kiosk.locator("#kiosk-number").fill(number)
    kiosk.get_by_role("button", name="I am here").click()
    expect(kiosk.locator(".kiosk-name")).to_have_text(name)
    assert violations(kiosk) == []
    expect_mark(board, name, "PRESENT")

    # Online: opening the page is no presence; what is watched is.
    online = open_page("")
    online.goto(f"/attendance/classes/{story['session']}/watch/")
    sign_in_here(online, story["online"][0])
    online.wait_for_url(re.compile("/watch/"))
    expect_mark(board, story["online"][1], "NONE")
    expect(online.locator("[data-said]")).to_contain_text("Counting")
    expect(row_of(board, story["online"][1])).to_have_attribute("data-mark", "PRESENT", timeout=120_000)
    assert was_never_reloaded(board)

    # The instructor judges the flag; the learner disputes; the instructor decides.
    desk = open_page("instructor")
    desk.goto("/attendance/")
    card = desk.locator(".asked").filter(has_text=TITLE).filter(has_text="One device for two people")
    card.get_by_label("Reason").fill("자리에 없었습니다")
    card.get_by_role("button", name="Check-in does not count").click()
    expect_mark(board, "김하늘", "NONE")
    row_of(board, "김하늘").get_by_role("checkbox").check()
    board.locator("#bulk-mark").select_option("ABSENT")
    board.locator("#bulk-reason").fill("자리에 없었습니다")
    board.get_by_role("button", name="Mark", exact=True).click()
    expect(board.get_by_text("You marked 1 learner.")).to_be_visible()
    learner.goto("/attendance/mine/")
    learner.get_by_role("link", name=TITLE).first.click()
    expect(learner.locator(".reasons")).to_have_text("Staff decided it.")
    assert not sideways(learner)
    learner.get_by_text("Dispute this mark").click()
    learner.locator('form[action$="/contest/"] textarea').fill("뒷줄에 있었습니다")
    learner.locator('form[action$="/contest/"] button').click()
    expect(learner.locator(".said")).to_have_text("뒷줄에 있었습니다")
    desk.goto("/attendance/")
    card = desk.locator(".asked").filter(has_text=TITLE).filter(has_text="뒷줄에 있었습니다")
    card.get_by_label("Answer").fill("사진에서 확인했습니다")
    card.get_by_label("Mark").select_option("PRESENT")
    card.get_by_role("button", name="Answer").click()
    expect_mark(board, "김하늘", "PRESENT")
    learner.reload()
    expect(learner.get_by_text("사진에서 확인했습니다").first).to_be_visible()


def test_the_terms_grid_is_marked_by_keys_and_taken_back(open_page: OpenPage, story: dict[str, Any]) -> None:
    page = open_page("instructor")
    page.goto("/cohorts/")
    page.get_by_role("link", name="용인반").first.click()
    cohort = page.url.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"/attendance/cohorts/{cohort}/")
    assert violations(page) == []
    cell = page.locator("[data-cell]").first
    before = cell.text_content() or ""
    cell.focus()
    page.keyboard.press("a")
    expect(page.locator("[data-said]")).to_contain_text("Enter a reason")
    page.locator("#term-reason").fill("출석부를 보고 고침")
    cell.focus()
    page.keyboard.press("a")
    expect(cell).to_have_text("A")
    page.keyboard.press("u")
    expect(cell).to_have_text(before)
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-cell]").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/attendance/learners/\d+/classes/\d+/"))
