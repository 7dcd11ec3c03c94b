"""The term's attendance so far: evidence in bulk, verdicts drawn from it as always, and what waits for staff.

The same on every machine for the same day; the people who miss much are the same all term.
"""

import random
from collections import defaultdict
from datetime import datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from campus.people.models import User
from courses.attendance.api import ask_excuse, contest, decide_excuse, draw, hold_policy, policy_of, rolls
from courses.attendance.models import DeviceMark, Evidence, Flag, Register, Station, Verdict, VerdictHistory
from courses.catalog.models import CourseRun, Enrolment
from courses.timetable.models import ClassSession, Kind

from . import people

MINUTE = timedelta(minutes=1)
#: A valid PDF of one empty page, as a phone's scanner would send one.
PAPER = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def fill_attendance(run: CourseRun, users: dict[str, User], now: datetime) -> None:
    """Write what was seen in every class that is over, and draw its verdicts. Call it in a transaction."""
    held = ClassSession.objects.filter(run=run, state=ClassSession.State.PLANNED, ends_at__lt=now - 30 * MINUTE)
    sessions = list(held.exclude(kind=Kind.OFFICE).prefetch_related("places").order_by("starts_at"))
    if not sessions:
        return
    enrolments = {row.pk: row for row in Enrolment.objects.filter(run=run).select_related("user", "cohort__scope")}
    roll = rolls(sessions)
    _see(sessions, roll, enrolments)
    hold_policy(run.pk)
    policy = policy_of(run.pk)
    for session in sessions:
        draw(
            [(session.pk, pk) for pk in roll[session.pk]], {session.pk: session}, policy=policy,
            cause=VerdictHistory.Cause.CLOSE, by_id=None, now=session.ends_at + 30 * MINUTE,
        )  # fmt: skip
    Register.objects.bulk_create(
        Register(session=one, sequence=one.sequence, closed_at=one.ends_at + 30 * MINUTE) for one in sessions
    )
    Station.objects.filter(session__in=sessions).update(closed_at=now)
    _ask(sessions, enrolments, users, now)
    _flag(sessions[-1])


def _see(sessions: list[ClassSession], roll: dict[int, list[int]], enrolments: dict[int, Enrolment]) -> None:
    rows: list[Evidence] = []
    for number, session in enumerate(sessions):
        screens = {
            place.cohort_id: Station(session=session, kind=Station.Kind.SCREEN, room_id=place.room_id)
            for place in session.places.all()
            if place.room_id is not None
        }
        Station.objects.bulk_create(screens.values())
        for pk in roll[session.pk]:
            enrolment = enrolments[pk]
            rng = random.Random(f"class {number} of {enrolment.user.email}")  # noqa: S311 - no secret
            is_online = enrolment.mode == Enrolment.Mode.ONLINE or enrolment.cohort_id not in screens
            rows += _watched(session, enrolment, rng) if is_online else _came(
                session, enrolment, screens[enrolment.cohort_id], rng
            )  # fmt: skip
    Evidence.objects.bulk_create(rows, batch_size=1000)


def _luck(enrolment: Enrolment, rng: random.Random) -> float:
    """How a day goes, 0 best: most are nearly always there, every ninth misses a third."""
    troubled = random.Random(enrolment.user.email).random() < 0.11  # noqa: S311
    return rng.random() + (0.25 if troubled else 0.0)


def _came(session: ClassSession, enrolment: Enrolment, screen: Station, rng: random.Random) -> list[Evidence]:
    luck = _luck(enrolment, rng)
    if luck > 0.95:
        return []
    late = rng.uniform(11, 35) if luck > 0.87 else rng.triangular(-12, 8, -4)
    came = session.starts_at + late * MINUTE
    seen = {"session": session, "enrolment": enrolment, "kind": Evidence.Kind.QR, "station": screen}
    found = [Evidence(act=Evidence.Act.IN, at=came, by=enrolment.user, recorded_at=came, **seen)]
    if rng.random() < 0.06:
        went = session.ends_at - rng.uniform(12, 40) * MINUTE
        found.append(Evidence(act=Evidence.Act.OUT, at=went, by=enrolment.user, recorded_at=went, **seen))
    return found


def _watched(session: ClassSession, enrolment: Enrolment, rng: random.Random) -> list[Evidence]:
    """Parts of five minutes, with a pause now and then."""
    luck = _luck(enrolment, rng)
    if luck > 0.94:
        return []
    at = session.starts_at + (rng.uniform(12, 30) if luck > 0.86 else rng.uniform(-3, 6)) * MINUTE
    end = session.ends_at - (rng.uniform(15, 60) if rng.random() < 0.07 else rng.uniform(0, 3)) * MINUTE
    found: list[Evidence] = []
    while at < end:
        until = min(at + rng.uniform(20, 45) * MINUTE, end)
        found.append(
            Evidence(
                session=session, enrolment=enrolment, kind=Evidence.Kind.STREAM, act=Evidence.Act.SPAN, at=at,
                until=until, recorded_at=until, key=f"demo:{session.pk}:{enrolment.pk}:{len(found)}",
            )
        )  # fmt: skip
        at = until + rng.choice((0, 0, 1, 3)) * MINUTE
    return found


def _ask(sessions: list[ClassSession], enrolments: dict[int, Enrolment], users: dict[str, User], now: datetime) -> None:
    """Two who were absent ask to be excused, one was already; one who was late disputes it."""
    absent: dict[str, list[tuple[ClassSession, Enrolment]]] = defaultdict(list)
    by_id = {session.pk: session for session in sessions}
    marks = Verdict.objects.filter(session__in=sessions, mark__in=["ABSENT", "LATE"]).order_by("-session_id", "pk")
    for session_id, pk, mark in marks.values_list("session_id", "enrolment_id", "mark"):
        if enrolments[pk].state == Enrolment.State.ACTIVE:
            absent[mark].append((by_id[session_id], enrolments[pk]))
    staff = users[next(person.email for person in people.STAFF if person.local == "instructor")]
    words = (("ILLNESS", "고열로 병원에 다녀왔습니다. 진료 확인서를 첨부합니다."), ("WORK", "채용 면접이 있었습니다."))
    for number, (session, enrolment) in enumerate(absent["ABSENT"][:3]):
        reason, text = words[number % 2]
        documents = [SimpleUploadedFile("진료확인서.pdf", PAPER)] if reason == "ILLNESS" else []
        asked = ask_excuse(enrolment=enrolment, session=session, reason=reason, text=text, documents=documents)
        if number == 2:
            decide_excuse(excuse=asked, is_granted=True, answer="확인했습니다.", actor=staff, now=now)
    for session, enrolment in absent["LATE"][:1]:
        contest(
            enrolment=enrolment, session=session, text="시작 전에 도착했는데 화면이 늦게 켜져 코드를 늦게 찍었습니다."
        )


def _flag(session: ClassSession) -> None:
    """Two of the last class checked in with one phone."""
    pair = list(Evidence.objects.filter(session=session, kind=Evidence.Kind.QR, act=Evidence.Act.IN).order_by("pk")[:2])
    if len(pair) < 2:
        return
    DeviceMark.objects.bulk_create(DeviceMark(evidence=one, device="d" * 32, network="e" * 32) for one in pair)
    Flag.objects.create(evidence=pair[1], other=pair[0], kind=Flag.Kind.SHARED_DEVICE)
