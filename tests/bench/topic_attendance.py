"""A class begins at both campuses: 300 check-ins within ten seconds over HTTP, with the live board open."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import timedelta

import websocket
from django.db import transaction
from django.utils import timezone

from campus.people.models import User
from courses.attendance.models import Evidence, Station, Verdict
from courses.attendance.services.stations import shown_code
from courses.timetable.models import ClassSession, SessionCohort, SessionTeacher

from . import world
from .bench import Bench
from .crowd import all_at_once
from .figures import Aim, Figure, count, times
from .http import Browser, signed_in

TOPIC = "attendance"
LEARNERS, BROWSERS = 300, 16
WITHIN_S = 10.0


def run(bench: Bench) -> list[Figure]:
    """Everybody opens the code's address and taps once; the board must show them all, and every one must count once."""
    people = bench.choose(LEARNERS, 24)
    with bench.stand.database("bench_attendance") as database:
        with transaction.atomic():
            homes = world.open_campuses(allocated_s=10_000_000)
            course_run = world.open_course_run()
            begins = timezone.now() - timedelta(minutes=3)
            session = ClassSession.objects.create(
                run=course_run, title="1주차", starts_at=begins, ends_at=begins + timedelta(hours=2)
            )
            crowd = []
            for home in homes:
                cohort = world.open_cohort(course_run, home, home.name_ko, seats=people, learner_quota_s=3600)
                SessionCohort.objects.create(session=session, cohort=cohort)
                users = world.people(people // 2, home.slug)
                world.enrol(cohort, users)
                crowd += users
            (teacher,) = world.people(1, "teacher")
            SessionTeacher.objects.create(session=session, user=teacher)
            screen = Station.objects.create(session=session, kind=Station.Kind.SCREEN)
        with bench.stand.campus(database) as campus:
            campus.start_web()
            headers = {user.pk: signed_in(user) for user in crowd}
            with _Board(campus.port, session.pk, signed_in(teacher), len(crowd)) as board:
                kept = threading.local()

                def check_in(user: User) -> tuple[float, int]:
                    browser = kept.__dict__.setdefault("browser", Browser(campus.port))
                    cookies = headers[user.pk]
                    begun = time.perf_counter()
                    scan = browser.get(f"/attendance/in/{shown_code(screen, timezone.now())}/", cookies)
                    tap = {**cookies, "Cookie": f"{cookies['Cookie']}; {scan.cookies}"}
                    answer = browser.post("/attendance/here/", {"leave": "no"}, tap)
                    return (time.perf_counter() - begun) * 1e3, answer.status

                answers, took_s = all_at_once(crowd, check_in, threads=BROWSERS, done=lambda: kept.browser.close())
                behind_s = board.wait()
            return _figures(session, answers, took_s, behind_s, board)


def _figures(
    session: ClassSession, answers: list[tuple[float, int]], took_s: float, behind_s: float, board: _Board
) -> list[Figure]:
    asked = len(answers)
    statuses = Counter(status for _took, status in answers)
    note = ", ".join(f"{n} × {status}" for status, n in sorted(statuses.items()))
    counted = Verdict.objects.filter(session=session).exclude(mark="NONE").count()
    doubled = Evidence.objects.filter(session=session).count() - asked
    rush = f"{asked} check-ins, board live"
    return [
        count(TOPIC, f"{rush}: all in", took_s, unit="s", aim=Aim(WITHIN_S, of="value"), note=note),
        times(TOPIC, f"{rush}: scan and tap", [took for took, _status in answers]),
        count(TOPIC, f"{rush}: lost or doubled", abs(asked - counted) + abs(doubled), aim=Aim(0, of="value")),
        count(TOPIC, f"{rush}: board complete after the last", behind_s, unit="s", aim=Aim(2.0, of="value")),
        count(TOPIC, f"{rush}: frames to the board", board.frames, note="one each would be the number of check-ins"),
    ]


class _Board:
    """An instructor's open board: counts frames, and knows when everybody is on it."""

    def __init__(self, port: int, session_id: int, headers: dict[str, str], awaited: int) -> None:
        address = f"ws://127.0.0.1:{port}/ws/attendance/{session_id}/"
        self._socket = websocket.create_connection(
            address, cookie=headers["Cookie"], origin=f"http://127.0.0.1:{port}", timeout=30
        )
        self._here: set[int] = set()
        self._awaited, self._is_complete = awaited, threading.Event()
        self.frames = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> _Board:
        self._listener.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def _listen(self) -> None:
        while len(self._here) < self._awaited:
            said = json.loads(self._socket.recv())
            if said["type"] == "roll":
                self.frames += 1
                self._here |= {row["enrolment"] for row in said["rows"] if row["mark"] != "NONE"}
        self._is_complete.set()

    def wait(self) -> float:
        """Seconds until everybody is on the board; raises AssertionError where somebody never is."""
        begun = time.perf_counter()
        if not self._is_complete.wait(20):
            raise AssertionError(f"the board shows {len(self._here)} of {self._awaited}")
        return time.perf_counter() - begun
