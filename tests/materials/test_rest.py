"""Materials as a program sees them: the course's list, one of them, what a player reports, whom staff may follow."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from courses.content.api import open_lesson
from courses.materials import api
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort():
    return courses.cohort()


@pytest.fixture
def module(cohort):
    return build.module(cohort.run)


@pytest.fixture
def learner(cohort):
    return courses.learner(cohort)


def asks(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def listed(client: Client, cohort: Any, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/courses/{cohort.run.slug}/materials/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def send(client: Client, version: Any, *intervals: list[float], tab: Any, number: int, position: float = 0) -> Any:
    said = {"tab": str(tab), "number": number, "intervals": list(intervals), "position": position}
    url = f"/api/v1/materials/{version.material_id}/versions/{version.number}/watched/"
    return client.post(url, said, content_type="application/json")


def test_a_learner_lists_what_is_open_with_their_own_progress(cohort, module, learner):
    video, handout = build.video(module), build.file(module)
    build.file(module, is_published=False)
    build.file(build.module(cohort.run, is_published=False))
    client = asks(learner.user)
    client.get(f"/materials/{handout.material_id}/versions/1/file/")
    rows = listed(client, cohort)
    assert [(row["id"], row["progress"]["why"], row["progress"]["percent"]) for row in rows] == [
        (video.material_id, "NOT_WATCHED", 0),
        (handout.material_id, "OPENED", 100),
    ]
    assert [row["progress"] for row in listed(asks(courses.staff("INSTRUCTOR", cohort.scope)), cohort)] == [None] * 4


def test_a_closed_module_tells_nothing_and_a_lesson_names_its_own(cohort, module, learner):
    lesson = open_lesson(module_id=module.pk, title="경사", body="", actor=None)
    shown = build.file(module)
    closed = build.module(cohort.run)
    hidden = build.file(closed)
    closed.need_rows.create(needs=module)
    client = asks(learner.user)
    assert [row["id"] for row in listed(client, cohort)] == [shown.material_id]
    assert client.get(f"/api/v1/materials/{hidden.material_id}/").json()["code"] == "locked"
    assert [row["id"] for row in listed(client, cohort, lesson=lesson.pk)] == [shown.material_id]
    for nonsense in ("0", "x", "9" * 30):
        address = f"/api/v1/courses/{cohort.run.slug}/materials/?lesson={nonsense}"
        assert client.get(address).status_code == 404


def test_a_video_tells_its_words_and_what_a_player_reports_counts_by_the_clock(cohort, module, learner):
    version = build.video(module, 60)
    api.save_captions(
        material_id=version.material_id, language="ko", upload=build.upload(build.VTT.encode()), actor=None
    )
    api.save_chapters(material_id=version.material_id, text="0:00 시작\n0:10.500 학습률", actor=None)
    client, tab = asks(learner.user), uuid4()
    one = client.get(f"/api/v1/materials/{version.material_id}/").json()
    assert [caption["language"] for caption in one["version"]["captions"]] == ["ko"]
    assert client.get(one["version"]["captions"][0]["url"]).status_code == 200
    assert one["version"]["chapters"][1] == {"at_s": 10.5, "title": "학습률"}
    assert one["watched"]["missing"] == [[0, 60]]

    assert send(client, version, tab=tab, number=1).status_code == 200
    forged = send(client, version, [0, 60], tab=tab, number=2, position=60).json()
    assert forged["watched"][0][1] < 5, "no more than the slack that clocks are given"
    assert forged["refused_s"] > 50
    again = send(client, version, [0, 60], tab=tab, number=2, position=60).json()
    assert again["watched"] == forged["watched"]
    for nonsense in ([5, 1], [0, 900], [-1, 2]):
        refused = send(client, version, nonsense, tab=tab, number=3)
        assert (refused.status_code, refused["Content-Type"]) == (400, "application/problem+json")
    staff = asks(courses.staff("INSTRUCTOR", cohort.scope))
    assert send(staff, version, [0, 1], tab=tab, number=4).status_code == 403
    assert client.post(f"/api/v1/materials/{version.material_id}/versions/1/watched/", {}).status_code == 415


def test_staff_follow_the_learners_of_their_cohorts_only(cohort, module, learner):
    build.file(module)
    other = courses.cohort(cohort.run)
    courses.learner(other)
    answer = asks(courses.staff("ASSISTANT", cohort.scope)).get(
        f"/api/v1/courses/{cohort.run.slug}/materials/learners/"
    )  # fmt: skip
    rows = answer.json()["results"]
    assert [(row["enrolment"], row["finished"], len(row["materials"])) for row in rows] == [(learner.pk, 0, 1)]


@pytest.mark.parametrize("path", ["materials/", "materials/learners/"])
def test_the_lists_cost_the_same_with_one_and_with_twenty(cohort, module, learner, path):
    person = learner.user if path == "materials/" else courses.staff("INSTRUCTOR", cohort.scope)

    def queries() -> int:
        client = asks(person)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/api/v1/courses/{cohort.run.slug}/{path}").status_code == 200
        return len(seen)

    build.file(module)
    first = queries()
    for number in range(19):
        build.file(module, f"%PDF-1.4 {number}".encode())
        courses.learner(cohort)
    assert queries() == first
    assert first <= 20
