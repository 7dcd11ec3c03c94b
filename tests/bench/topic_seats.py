"""The seat rush: 633 requests for 20 seats, over HTTP on one worker, and straight through the service."""

from __future__ import annotations

import threading
import time
from collections import Counter

from django.db import connections, transaction
from django.urls import reverse

from campus.core.errors import CampusError, Full
from campus.people.models import User
from courses.catalog.models import Cohort, Enrolment
from courses.catalog.services import self_enrol

from . import world
from .bench import Bench
from .crowd import all_at_once
from .figures import Aim, Figure, count, times
from .http import Browser, signed_in
from .services import Campus

TOPIC = "seats"
APPLICANTS, SEATS = 633, 20
BROWSERS, CONNECTIONS = 32, 8
QUOTA_S = 3600
_SEAT = "a seat"


def run(bench: Bench) -> list[Figure]:
    """Two rushes for two cohorts; each must enrol exactly as many as there are seats."""
    applicants, seats = (60, 5) if bench.is_quick else (APPLICANTS, SEATS)
    with bench.stand.database("bench_seats") as database:
        with transaction.atomic():
            home = world.open_campuses(allocated_s=10_000_000)[0]
            run_ = world.open_course_run()
            by_web, by_service = (
                world.open_cohort(run_, home, name, seats=seats, learner_quota_s=QUOTA_S) for name in ("웹", "서비스")
            )
            crowd = world.people(applicants, "applicant")
            others = world.people(applicants, "late-applicant")
        with bench.stand.campus(database) as campus:
            campus.start_web()
            figures = _over_http(by_web, crowd, campus)
        figures += _by_service(by_service, others)
    return figures


def _over_http(cohort: Cohort, crowd: list[User], campus: Campus) -> list[Figure]:
    """Every applicant posts the form of the course page once."""
    path = reverse("catalog:enrol", args=[cohort.pk])
    headers = {user.pk: signed_in(user) for user in crowd}
    _warm_up(reverse("catalog:list"), headers[crowd[0].pk], campus.port)
    kept = threading.local()

    def ask(user: User) -> tuple[float, int]:
        browser = kept.__dict__.setdefault("browser", Browser(campus.port))
        answer = browser.post(path, {"mode": "ONSITE"}, headers[user.pk])
        return answer.took_ms, answer.status

    answers, took_s = all_at_once(crowd, ask, threads=BROWSERS, done=lambda: kept.browser.close())
    statuses = Counter(status for _took, status in answers)
    note = f"{BROWSERS} browsers at once; " + ", ".join(f"{n} × {status}" for status, n in sorted(statuses.items()))
    return _figures("HTTP", cohort, [took for took, _status in answers], took_s, note)


def _warm_up(path: str, headers: dict[str, str], port: int) -> None:
    browser = Browser(port, headers)
    for _ in range(8):
        browser.get(path)
    browser.close()


def _by_service(cohort: Cohort, crowd: list[User]) -> list[Figure]:
    """The same, without HTTP."""

    def ask(user: User) -> tuple[float, str]:
        begun = time.perf_counter()
        try:
            self_enrol(cohort_id=cohort.pk, user=user, mode="ONLINE")
            outcome = _SEAT
        except CampusError as error:
            outcome = "full" if isinstance(error, Full) else error.code
        return (time.perf_counter() - begun) * 1e3, outcome

    answers, took_s = all_at_once(crowd, ask, threads=CONNECTIONS, done=connections.close_all)
    outcomes = Counter(outcome for _took, outcome in answers)
    note = f"{CONNECTIONS} connections; " + ", ".join(f"{n} × {outcome}" for outcome, n in sorted(outcomes.items()))
    return _figures("service", cohort, [took for took, _outcome in answers], took_s, note)


def _figures(how: str, cohort: Cohort, took_ms: list[float], took_s: float, note: str) -> list[Figure]:
    enrolled = Enrolment.objects.filter(cohort=cohort, state=Enrolment.State.ACTIVE).count()
    taken = Cohort.objects.values_list("seats_taken", flat=True).get(pk=cohort.pk)
    asked = len(took_ms)
    rush = f"{asked} for {cohort.seats} seats, {how}"
    # The distance from the seats there are: one too many and one too few are equally wrong.
    off = max(abs(enrolled - cohort.seats), abs(taken - cohort.seats))
    exact = Aim(0, of="value")
    return [
        count(TOPIC, f"{rush}: off from the seats", off, unit="seats", aim=exact, note=f"{enrolled} enrolled"),
        count(TOPIC, f"{rush}: all answered in", took_s, unit="s", note=note),
        count(TOPIC, f"{rush}: rate", asked / took_s, unit="requests/s"),
        times(TOPIC, f"{rush}: an answer", took_ms),
    ]
