"""Classes over REST: the same services; a clash is a problem that lists all of it."""

import pytest
from django.test import Client
from knox.models import get_token_model

from tests.courses import build as courses

from . import build
from .test_booking import Term

pytestmark = pytest.mark.django_db
URL = "/api/v1/classes/"


@pytest.fixture
def term():
    return Term()


def asks(user):
    """A client of a program that holds this person's token."""
    _row, token = get_token_model().objects.create(user=user)
    return Client(headers={"Authorization": f"Token {token}"})


def post(client, path, body):
    return client.post(path, body, content_type="application/json")


def test_a_class_is_planned_listed_moved_and_cancelled(term):
    planner, learner = asks(term.planner), asks(courses.learner(term.jeonbuk).user)
    body = {
        "course_run": term.run.slug, "title": "1주차", "kind": "LAB", "starts_at": build.at(0, 9).isoformat(),
        "ends_at": build.at(0, 11).isoformat(), "teachers": [term.planner.pk], "stream": term.stream.pk,
        "places": [
            {"cohort": term.yongin.pk, "room": term.room.pk, "gpus": 4, "site": term.site.pk},
            {"cohort": term.jeonbuk.pk, "room": term.other_room.pk},
        ],
    }  # fmt: skip
    made = post(planner, URL, body)
    assert made.status_code == 201, made.content
    one = made.json()
    assert (one["sequence"], one["stream_url"], one["places"][0]["timezone"]) == (0, term.stream.url, "Asia/Seoul")
    span = {"from": build.at(0, 0).isoformat(), "until": build.at(6, 0).isoformat()}
    assert [row["id"] for row in learner.get(URL, span).json()["results"]] == [one["id"]]
    assert post(learner, URL, body).status_code == 403

    clash = post(planner, URL, body | {"title": "또"})
    assert (clash.status_code, clash["Content-Type"]) == (409, "application/problem+json")
    problem = clash.json()
    assert problem["code"] == "timetable_clash"
    assert {row["kind"] for row in problem["clashes"]} == {"ROOM", "STREAM", "TEACHER", "COHORT"}
    assert {row["class_id"] for row in problem["clashes"]} == {one["id"]}
    assert problem["free_slots"]

    moved = post(planner, f"{URL}{one['id']}/move/", {"starts_at": build.at(1, 9).isoformat(), "sequence": 0})
    assert (moved.status_code, moved.json()["sequence"]) == (200, 1)
    stale = post(planner, f"{URL}{one['id']}/move/", {"starts_at": build.at(2, 9).isoformat(), "sequence": 0})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed")
    gone = post(planner, f"{URL}{one['id']}/cancel/", {"reason": "휴강"})
    assert (gone.status_code, gone.json()["state"]) == (200, "CANCELLED")


def test_times_without_a_zone_and_spans_without_end_are_refused(term):
    client = asks(term.planner)
    for query in ({"from": "2026-11-21T09:00"}, {"from": "soon"}, {"until": "2199-01-01T00:00Z"}):
        answer = client.get(URL, query)
        assert answer.status_code == 400
        assert [row["field"] for row in answer.json()["errors"]] == list(query)
