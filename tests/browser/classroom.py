"""A class that is on, the screens in its rooms, and what is seen on its roll: steps that stories of a class share."""

import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from .campus import ROOT, Campus

PASSWORD = "for-one-story-7"
#: What an operator does before: a class that is on now, and passwords for learners and staff who have none.
PREPARE = """
import json
from datetime import timedelta
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
        run=cohorts["yongin"].run, title=%(title)r, starts_at=now + timedelta(seconds=%(in_s)d),
        ends_at=now + timedelta(minutes=50), stream=Stream.objects.first() if %(has_stream)r else None,
    )
    for slug, cohort in cohorts.items():
        SessionCohort.objects.create(session=held, cohort=cohort, room=rooms[slug])
    SessionTeacher.objects.create(session=held, user=User.objects.get(email="instructor@campus.example"))
    active = Enrolment.objects.filter(run=held.run, state="ACTIVE").select_related("user").order_by("pk")
    active = active.exclude(user__email="learner@campus.example")
    roll = {
        "yongin": active.filter(cohort=cohorts["yongin"], mode="ONSITE")[%(nth)d].user,
        "online": active.filter(cohort=cohorts["yongin"], mode="ONLINE")[%(nth)d].user,
        "jeonbuk": active.filter(cohort=cohorts["jeonbuk"], mode="ONSITE")[%(nth)d].user,
    }
    staff = {"jeonbuk-instructor": User.objects.get(email="jeonbuk-instructor@campus.example")}
    languages = %(languages)r
    for who, user in (roll | staff).items():
        user.language = languages.get(who, "en")
        user.set_password(%(password)r)
        user.save(update_fields=["password", "language"])
    print(json.dumps({
        "session": held.pk,
        "rooms": {slug: str(room.pk) for slug, room in rooms.items()},
        "people": {who: [user.email, user.name, user.member_number] for who, user in (roll | staff).items()},
    }))
"""


def in_campus(campus: Campus, code: str) -> Any:
    """Run code beside the web process, with its settings; what it prints last, read as JSON."""
    children = json.loads((campus.state / "children.json").read_text())
    web = next(child["pid"] for child in children if child["name"] == "web")
    pairs = Path(f"/proc/{web}/environ").read_text().split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def class_on(
    campus: Campus, title: str, *, in_s: int = -120, nth: int = 0, has_stream: bool = False,
    languages: dict[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A class of both cohorts that began `in_s` seconds from now; three of its learners, the `nth` of each kind."""
    wanted = {"title": title, "in_s": in_s, "nth": nth, "has_stream": has_stream}
    made = in_campus(campus, PREPARE % (wanted | {"languages": languages or {}, "password": PASSWORD}))
    assert isinstance(made, dict)
    return made


def open_station(board: Page, kind: str, room: str) -> str:
    """Open a screen or kiosk from the roll; its address."""
    back = board.url
    board.locator("#station-room").select_option(room)
    board.get_by_role("button", name=kind).click()
    board.wait_for_url(re.compile(r"/attendance/(screen|kiosk)/"))
    address = board.url
    board.goto(back)
    return address


def read_picture(screen: Page) -> str:
    """The address in the picture on the room's screen, read off it as a phone's camera reads it."""
    expect(screen.locator(".qr-code")).to_be_visible()
    seen = zxingcpp.read_barcode(Image.open(BytesIO(screen.screenshot())))
    assert seen is not None, "no camera can read this screen"
    return str(seen.text)


def row_of(board: Page, name: str) -> Locator:
    return board.locator(".roll-row").filter(has_text=name)


def expect_mark(board: Page, name: str, value: str, within_s: float = 60) -> None:
    expect(row_of(board, name)).to_have_attribute("data-mark", value, timeout=within_s * 1000)
