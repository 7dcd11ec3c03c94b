"""The gradebook's grid of 300 learners by 60 items: queries and time, of the page and of one cell that is saved."""

from __future__ import annotations

import json
import time

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campus.people.models import RoleGrant
from courses.catalog.models import CourseRun
from courses.content.models import Module
from courses.gradebook.books import book_of
from courses.gradebook.models import GradeItem

from . import world
from .bench import Bench
from .figures import Aim, Figure, count, times
from .http import Browser, signed_in
from .world_work import hand_out, open_book

TOPIC = "grades"
LEARNERS, ASSIGNMENTS, BY_HAND = 300, 30, 30
QUERIES_AIM = Aim(10, of="value")
GRID_AIM = Aim(1_000.0)


def run(bench: Bench) -> list[Figure]:
    """Fill the book, count the queries of the grid and of a saved cell, then time both over HTTP."""
    learners, share = bench.choose(LEARNERS, 12), bench.choose(ASSIGNMENTS, 3)
    with bench.stand.database("bench_grades") as database:
        with transaction.atomic():
            homes = world.open_campuses(allocated_s=10_000_000)
            course_run = world.open_course_run()
            cohort = world.open_cohort(course_run, homes[0], "1기", seats=learners, learner_quota_s=3600)
            enrolments = world.enrol(cohort, world.people(learners, "learner"))
            (teacher,) = world.people(1, "teacher")
            RoleGrant.objects.create(user=teacher, role=RoleGrant.Role.INSTRUCTOR, scope=cohort.scope)
            module = Module.objects.create(run=course_run, position=1, title="1주")
            items = open_book(course_run, hand_out(course_run, module, enrolments, share), enrolments, share)
        name = f"grid of {learners} by {len(items)}"
        page, cells = (reverse(f"gradebook:{part}", args=[course_run.slug]) for part in ("book", "cells"))
        client = Client()
        client.cookies.load(signed_in(teacher)["Cookie"])
        bench.keep(count(TOPIC, f"{name}: loaded", _loaded(course_run.pk), unit="queries", aim=QUERIES_AIM))
        whole = "sign-in, access and the page's frame included"
        bench.keep(count(TOPIC, f"{name}: the page", _queries(client, page), unit="queries", note=whole))
        item = next(one for one in items if one.kind == GradeItem.Kind.MANUAL)
        saved = _saved(client, cells, item.pk, enrolments[0].pk, 1)
        bench.keep(count(TOPIC, f"{name}: a saved cell, queries", saved, unit="queries", note="finals included"))
        with bench.stand.campus(database) as campus:
            campus.start_web()
            browser = Browser(campus.port, signed_in(teacher))
            try:
                browser.get(page)
                took = [browser.get(page).took_ms for _ in range(bench.choose(20, 3))]
            finally:
                browser.close()
        bench.keep(times(TOPIC, name, took, aim=GRID_AIM))
        bench.keep(times(TOPIC, f"{name}: a saved cell", _saves(client, cells, item.pk, enrolments[0].pk, bench)))
    return bench.take_partial()


def _loaded(run_id: int) -> int:
    """Queries that the book itself takes, with all that comes from assignments."""
    with CaptureQueriesContext(connection) as caught:
        book_of(CourseRun.objects.select_related("gradebook").get(pk=run_id))
    return len(caught)


def _queries(client: Client, page: str) -> int:
    client.get(page)
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(page)
    if answer.status_code != 200:
        raise AssertionError(f"{page} answered {answer.status_code}")
    return len(caught)


def _save(client: Client, cells: str, item_id: int, enrolment_id: int, version: int) -> None:
    body = json.dumps({"edits": [[item_id, enrolment_id, str(version % 10), version]]})
    answer = client.post(cells, body, content_type="application/json")
    if answer.status_code != 200 or not answer.json()["saved"]:
        raise AssertionError(f"{cells} answered {answer.status_code}: {answer.content[:200]!r}")


def _saved(client: Client, cells: str, item_id: int, enrolment_id: int, version: int) -> int:
    with CaptureQueriesContext(connection) as caught:
        _save(client, cells, item_id, enrolment_id, version)
    return len(caught)


def _saves(client: Client, cells: str, item_id: int, enrolment_id: int, bench: Bench) -> list[float]:
    """Milliseconds of one save after the other, without the way over HTTP."""
    took = []
    for version in range(2, 2 + bench.choose(20, 3)):
        begun = time.perf_counter()
        _save(client, cells, item_id, enrolment_id, version)
        took.append((time.perf_counter() - begun) * 1e3)
    return took
