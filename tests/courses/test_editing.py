"""Two people who edit at once do not overwrite each other unseen; a lab offers what jobs may ask for."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

from courses.content.writing import change_lesson
from tests.access import world as worlds

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return worlds.build()


@pytest.fixture
def editor(client, world):
    client.force_login(world.people["instructor"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def seen(answer):
    return re.search(r'name="seen" value="([^"]+)"', answer.content.decode()).group(1)


def test_a_lesson_that_somebody_else_saved_is_replaced_only_knowingly(editor, world):
    url = reverse("content:edit-lesson", args=[world.lesson.pk])
    mine = {"title": "숫자 읽기", "minutes": 5, "is_published": "on", "body": "my words"}
    mine["seen"] = seen(editor.get(url))
    change_lesson(lesson_id=world.lesson.pk, fields={"body": "their words"}, actor=None)
    refused = editor.post(url, mine)
    assert refused.status_code == 400
    assert "Somebody else saved this lesson on" in refused.content.decode()
    assert "my words" in refused.content.decode()
    world.lesson.refresh_from_db()
    assert world.lesson.body == "their words"
    assert editor.post(url, mine | {"seen": seen(refused)}).status_code == 302
    world.lesson.refresh_from_db()
    assert world.lesson.body == "my words"


def test_a_new_lesson_and_an_unchanged_one_are_saved_at_once(editor, world):
    said = {"title": "새 수업", "minutes": 5, "body": "words"}
    assert editor.post(reverse("content:new-lesson", args=[world.module.pk]), said).status_code == 302
    url = reverse("content:edit-lesson", args=[world.lesson.pk])
    assert editor.post(url, said | {"seen": seen(editor.get(url))}).status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("gpus", "0", "Give a number from 1 to 8."),
        ("max_gpus", "99", "Give a number from 1 to 8."),
        ("wall_s", "0.01", "Give a time from 10 s to"),
        ("max_wall_s", "99999", "Give a time from 10 s to"),
    ],
)
def test_a_lab_cannot_offer_what_no_job_may_ask_for(editor, world, field, value, words):
    said = {
        "title": "실습", "environment": world.environment.pk, "entrypoint": "main.py", "gpus": "1", "max_gpus": "1",
        "wall_s": "10", "max_wall_s": "60", "files-0-path": "main.py", "files-0-text": "print(1)", field: value,
    }  # fmt: skip
    answer = editor.post(reverse("assignments:edit-lab", args=[world.lab.pk]), said)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert "Constraint" not in answer.content.decode()
