"""Announcements as a program sees them: written, published, read, withdrawn; the same access as the pages."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from courses.announcements.models import Announcement, Delivery
from courses.announcements.services import Wish, bring, publish, save_announcement
from tests.access import world as worlds
from tests.access.world import World

pytestmark = pytest.mark.django_db
URL = "/api/v1/announcements/"


@pytest.fixture
def world() -> World:
    return worlds.build()


def asks(world: World, name: str) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(world.people[name])
    return client


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(URL + path, body or {}, content_type="application/json")


def test_one_is_written_published_read_corrected_and_withdrawn(world: World) -> None:
    teacher, learner = asks(world, "instructor"), asks(world, "learner")
    body = {"title": "휴강", "body": "**금요일**은 쉽니다.", "reach": "COHORT", "cohort": world.cohort.pk}
    made = send(teacher, "post", "", body)
    assert (made.status_code, made.json()["state"]) == (201, "DRAFT")
    one = f"{made.json()['id']}/"
    assert learner.get(URL + one).status_code == 404
    assert learner.get(URL).json()["results"] == []
    assert send(teacher, "post", one + "publish/").json()["state"] == "PUBLISHED"
    bring(announcement_id=made.json()["id"])

    listed = learner.get(URL).json()["results"]
    assert [(row["title"], row["is_new"], row["brought"]) for row in listed] == [("휴강", True, None)]
    assert learner.get(URL + one).json()["is_new"] is True, "looking is not reading here"
    assert send(learner, "post", one + "read/").status_code == 204
    assert learner.get(URL + one).json()["is_new"] is False
    written = teacher.get(URL, {"written": "1"}).json()["results"]
    brought = Delivery.objects.count()
    assert [(row["brought"], row["read"]) for row in written] == [(brought, 1)]

    assert send(learner, "patch", one, {"title": "x"}).status_code == 403
    corrected = send(teacher, "patch", one, {"title": "휴강 (정정)"}).json()
    assert (corrected["title"], corrected["body"], bool(corrected["edited_at"])) == ("휴강 (정정)", body["body"], True)
    assert send(teacher, "post", one + "publish/").status_code == 409
    assert send(teacher, "post", one + "withdraw/").status_code == 204
    assert learner.get(URL + one).status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("learner", {"reach": "EVERYONE"}, 403, ""),
        ("instructor", {"reach": "EVERYONE"}, 403, ""),
        ("instructor", {"reach": "CAMPUS", "campus": "yongin"}, 403, ""),
        ("other_instructor", {"reach": "COHORT"}, 400, "cohort"),
        ("instructor", {"reach": "RUN", "course": "no-such-run"}, 400, "course"),
        ("instructor", {"reach": "COHORT", "cohort": 2**61}, 403, ""),
        ("platform_admin", {"reach": "EVERYONE", "publish_at": "0001-01-01T00:00:00Z"}, 400, "publish_at"),
    ],
)
def test_nobody_writes_where_they_may_not(
    world: World, name: str, body: dict[str, Any], status: int, field: str
) -> None:  # fmt: skip
    answer = send(asks(world, name), "post", "", {"title": "x", "body": "y"} | body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert [row["field"] for row in answer.json().get("errors", [])] == ([field] if field else [])
    assert not Announcement.objects.exists()


@pytest.mark.parametrize("query", ["", "?written=1"])
def test_the_list_costs_the_same_with_one_and_with_twenty(world: World, query: str) -> None:
    actor = world.people["instructor"]

    def add() -> None:
        found = save_announcement(wish=Wish("알림", "내용", "COHORT", cohort_id=world.cohort.pk), actor=actor)
        publish(announcement_id=found.pk, actor=actor)

    def queries() -> int:
        client = asks(world, "instructor")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(URL + query).status_code == 200
        return len(seen)

    add()
    first = queries()
    for _ in range(19):
        add()
    assert queries() == first
    assert first <= 20


def test_the_list_comes_in_pages(world: World) -> None:
    actor = world.people["instructor"]
    for number in range(3):
        found = save_announcement(
            wish=Wish(f"알림 {number}", "내용", "COHORT", cohort_id=world.cohort.pk), actor=actor
        )  # fmt: skip
        publish(announcement_id=found.pk, actor=actor)
    client = asks(world, "learner")
    page = client.get(URL, {"page_size": 2}).json()
    assert [row["title"] for row in page["results"]] == ["알림 2", "알림 1"]
    assert [row["title"] for row in client.get(page["next"]).json()["results"]] == ["알림 0"]
