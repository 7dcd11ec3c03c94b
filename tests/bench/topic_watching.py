"""A cohort watches a video: 300 players report what was played, as fast as the campus takes it; each counts once."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from threading import local

from django.db import transaction
from django.urls import reverse

from campus.people.models import User
from courses.content.models import Module
from courses.materials.models import MaterialVersion, WatchCredit, WatchEvidence

from . import world
from .bench import Bench
from .crowd import all_at_once
from .figures import Aim, Figure, count, times
from .http import Browser, signed_in
from .world_content import video_of

TOPIC = "watching"
WATCHERS, BROWSERS, REPORTS = 300, 8, 4
#: Every player reports each ten seconds.
NEEDED_PER_S = WATCHERS / 10


def run(bench: Bench) -> list[Figure]:
    """Each learner's player reports REPORTS times; whoever reads the video's page meanwhile waits no longer."""
    watchers = bench.choose(WATCHERS, 16)
    with bench.stand.database("bench_watching") as database:
        with transaction.atomic():
            home, _other = world.open_campuses(allocated_s=10_000_000)
            course_run = world.open_course_run()
            cohort = world.open_cohort(course_run, home, home.name_ko, seats=watchers, learner_quota_s=3600)
            users = world.people(watchers, "watcher")
            world.enrol(cohort, users)
            video = video_of(Module.objects.create(run=course_run, position=1, title="1주차"), "영상")
        with bench.stand.campus(database) as campus:
            campus.start_web()
            return _watch(campus.port, video, users)


def _watch(port: int, video: MaterialVersion, users: list[User]) -> list[Figure]:
    address = reverse("materials:watched", args=[video.material_id, video.number])
    headers = {user.pk: signed_in(user) for user in users}
    tabs = {user.pk: str(uuid.uuid4()) for user in users}
    kept = local()

    def report(one: tuple[int, int]) -> tuple[float, int]:
        """Say that ten more seconds were played."""
        number, user_id = one
        browser = kept.__dict__.setdefault("browser", Browser(port))
        played = [[number * 10, number * 10 + 10]]
        said = {"tab": tabs[user_id], "number": number, "intervals": played, "position": played[0][1]}
        begun = time.perf_counter()
        answer = browser.post(address, {"report": json.dumps(said)}, headers[user_id])
        return (time.perf_counter() - begun) * 1e3, answer.status

    reports = [(number, user.pk) for number in range(REPORTS) for user in users]
    answers, took_s = all_at_once(reports, report, threads=BROWSERS, done=lambda: kept.browser.close())
    statuses = Counter(status for _took, status in answers)
    note = ", ".join(f"{n} × {status}" for status, n in sorted(statuses.items()))
    lost = abs(len(reports) - WatchEvidence.objects.count()) + abs(len(users) - WatchCredit.objects.count())
    crowd = f"{len(users)} players, {len(reports)} reports"
    needed = Aim(NEEDED_PER_S, of="value", at_least=True)
    return [
        count(TOPIC, f"{crowd}: taken a second", len(reports) / took_s, unit="1/s", aim=needed, note=note),
        times(TOPIC, f"{crowd}: a report", [took for took, _status in answers]),
        count(TOPIC, f"{crowd}: lost or doubled", lost, aim=Aim(0, of="value")),
    ]
