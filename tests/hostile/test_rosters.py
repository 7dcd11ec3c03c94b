"""Class lists with mistakes, by the page: each is named with its line, and nothing is half done."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from courses.catalog.models import Enrolment
from tests.access.world import World

Watch = Callable[[], AbstractContextManager[None]]

HEAD = "email,name,mode\n"
FINE = "new@example.kr,김새로,대면\n"


@pytest.fixture
def teacher(world: World) -> Client:
    client = Client()
    client.force_login(world.people["instructor"])
    client.cookies["campus_language"] = "en"
    return client


def address(world: World) -> str:
    return f"/cohorts/{world.cohort.pk}/roster/import/"


@pytest.mark.parametrize(
    ("row", "line", "words"),
    [
        ("NEW@example.kr,다른 이름,온라인\n", 3, "line 2"),
        ("nobody,이름,대면\n", 3, "nobody"),
        ("a@b,이름,대면\n", 3, "a@b"),
        (",이름,대면\n", 3, "e-mail"),
        ("x@example.kr,,대면\n", 3, "name"),
        ("x@example.kr,이름,화상\n", 3, "화상"),
        ("x@example.kr,=cmd|calc,대면\n", 3, "=cmd"),
        ("x@example.kr,<script>alert(1)</script>,대면\n", 3, "script"),
        ("x@example.kr,이름,대면,a,b,c\n", 3, ""),
        (f"x@example.kr,{'가' * 500},대면\n", 3, ""),
        ("x@example.kr,이\u200b름,대면\n", 3, ""),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_nothing_is_imported(
    world: World, teacher: Client, nothing_changes: Watch, row: str, line: int, words: str
) -> None:
    raw = (HEAD + FINE + row).encode()
    with nothing_changes():
        shown = teacher.post(address(world), {"file": SimpleUploadedFile("class.csv", raw)})
        html = shown.content.decode()
        assert shown.status_code == 200
        problems = [error for error in shown.context["preview"].plan.errors if error.line == line]
        assert len(problems) == 1
        assert words in html
        assert "<script>alert(1)" not in html
        # Confirmed all the same, as a stale or forged form would.
        sent = {"content": base64.b64encode(raw).decode(), "digest": shown.context["preview"].digest}
        refused = teacher.post(address(world), sent)
        assert refused.status_code == 400
    assert teacher.post(address(world), sent | {"only_valid": "yes"}).status_code == 302
    assert Enrolment.objects.filter(cohort=world.cohort, user__email="new@example.kr").count() == 1
    assert not Enrolment.objects.filter(user__email="x@example.kr").exists()


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n\n", b"\x00\x01\x02", b"PK\x03\x04" + bytes(100), b"name\nonly\n", b'email,name\n"never closed',
     b"x" * 3_000_000, b"email,name\n" + b"".join(b"p%d@example.kr,name\n" % n for n in range(2100))],
    ids=["nothing", "blank", "NUL", "a zip", "a column missing", "an open quote", "3 MB", "2,100 rows"],
)  # fmt: skip
def test_what_is_no_class_list_is_refused_with_the_reason(
    world: World, teacher: Client, nothing_changes: Watch, raw: bytes
) -> None:
    with nothing_changes():
        answer = teacher.post(address(world), {"file": SimpleUploadedFile("class.csv", raw)})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "sent",
    [
        {"content": "???", "digest": "x"},
        {"content": "", "digest": ""},
        {"content": base64.b64encode((HEAD + FINE).encode()).decode(), "digest": "0" * 64},
        {"content": base64.b64encode(b"\xff" * 100).decode(), "digest": "\0"},
    ],
    ids=["no base64", "nothing", "another digest", "binary"],
)
def test_a_confirmation_that_was_not_previewed_imports_nothing(
    world: World, teacher: Client, nothing_changes: Watch, sent: dict[str, str]
) -> None:
    with nothing_changes():
        answer = teacher.post(address(world), sent)
    assert answer.status_code in (400, 409)


def test_a_learner_and_a_stranger_import_nothing(world: World, page: Client, nothing_changes: Watch) -> None:
    stranger = Client()
    stranger.force_login(world.people["stranger"])
    with nothing_changes():
        for client in (page, stranger):
            answer = client.post(address(world), {"file": SimpleUploadedFile("c.csv", (HEAD + FINE).encode())})
            assert answer.status_code in (403, 404)
