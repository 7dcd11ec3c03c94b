"""The gradebook as a program sees it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campus.people.models import RoleGrant, User
from courses.gradebook import services

from . import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> build.Made:
    return staffed(build.gradebook(learners=2))


def staffed(made: build.Made) -> build.Made:
    RoleGrant.objects.create(user=made.teacher, role="INSTRUCTOR", scope=made.cohort.scope)
    made.run.is_published = True
    made.run.save()
    return made


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(made: build.Made, rest: str) -> str:
    return f"/api/v1/courses/{made.run.slug}/{rest}"


def write(client: Client, made: build.Made, *cells: tuple[int, int, str, int], **fields: Any) -> Any:
    names = ("item", "enrolment", "mark", "version")
    body = {"cells": [dict(zip(names, cell, strict=True)) for cell in cells], **fields}
    return client.post(address(made, "gradebook/cells/"), body, content_type="application/json")


def test_marks_are_written_read_and_put_back(made: build.Made) -> None:
    staff, item, row = signed_in(made.teacher), made.items[2].pk, made.learners[0].pk
    answer = write(staff, made, (item, row, "7.5", 0), (item, made.learners[1].pk, "가나", 0)).json()
    assert answer["saved"] == [{"item": item, "enrolment": row, "mark": "7.5", "version": 1}]
    assert [(one["enrolment"], one["is_conflict"]) for one in answer["refused"]] == [(made.learners[1].pk, False)]
    book = staff.get(address(made, "gradebook/")).json()
    assert [one["title"] for one in book["items"]] == ["퀴즈 1", "퀴즈 2", "보고서 1", "보고서 2"]
    cell = {"item": item, "mark": "7.5", "version": 1, "is_override": False, "is_draft": False}
    assert (book["rows"][0]["percent"], book["rows"][0]["cells"]) == ("75.00", [cell])
    assert book["rows"][1]["cells"] == []
    undone = staff.post(address(made, f"gradebook/entries/{answer['entry']}/undo/")).json()
    assert undone["saved"] == [{"item": item, "enrolment": row, "mark": "", "version": 2}]
    again = staff.post(address(made, f"gradebook/entries/{answer['entry']}/undo/"))
    assert again.status_code == 409


def test_what_changed_since_it_was_seen_is_not_written_over(made: build.Made) -> None:
    staff, item, row = signed_in(made.teacher), made.items[0].pk, made.learners[0].pk
    write(staff, made, (item, row, "8", 0))
    refused = write(staff, made, (item, row, "3", 0)).json()["refused"]
    assert [(one["is_conflict"], one["mark"], one["version"]) for one in refused] == [(True, "8", 1)]
    assert made.teacher.name in refused[0]["message"]


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [{"item": 1, "enrolment": 1, "mark": "1"}],
        [{"item": 0, "enrolment": 1, "mark": "1", "version": 0}],
        [{"item": 2**63, "enrolment": 1, "mark": "1", "version": 0}],
        [{"item": 1, "enrolment": 1, "mark": "1" * 21, "version": 0}],
        [{"item": 1, "enrolment": 1, "mark": "\0", "version": 0}],
        [{"item": 1, "enrolment": 1, "mark": "1", "version": 0}] * 2,
        "cells",
    ],
)
def test_nonsense_is_refused_with_its_field(made: build.Made, cells: Any) -> None:
    path = address(made, "gradebook/cells/")
    answer = signed_in(made.teacher).post(path, {"cells": cells}, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_learner_reads_what_is_published_and_nothing_else(made: build.Made) -> None:
    staff, learner = signed_in(made.teacher), signed_in(made.learners[0].user)
    seen, hidden, row = made.items[2].pk, made.items[3].pk, made.learners[0].pk
    write(staff, made, (seen, row, "9", 0), (hidden, row, "1", 0))
    services.publish_item(run=made.run, item_id=seen, is_published=True, actor=made.teacher)
    mine = learner.get(address(made, "grades/")).json()
    assert (mine["percent"], mine["final"]) == ("90.00", None)
    [line] = [item for category in mine["categories"] for item in category["items"]]
    assert (line["id"], line["points"], line["effect"]) == (seen, "9.000", "COUNTED")
    assert learner.get(address(made, "gradebook/")).status_code == 404
    assert write(learner, made, (seen, row, "10", 1)).status_code == 404


def test_a_gradebook_costs_the_same_queries_at_one_learner_and_at_twenty() -> None:
    counts = []
    for learners in (1, 20):
        made = staffed(build.gradebook(learners=learners, cohort=None))
        write(signed_in(made.teacher), made, *((made.items[0].pk, row.pk, "5", 0) for row in made.learners))
        client = signed_in(made.teacher)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(client.get(address(made, "gradebook/")).json()["rows"]) == learners
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
