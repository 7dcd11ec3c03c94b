"""POST /api/v1/jobs/: what is taken, what is refused and in which words, and what the same key gives."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from courses.assignments.models import LabRun
from labs.jobs.models import Job
from tests import factories
from tests.access import world as worlds

pytestmark = pytest.mark.django_db
FILES = {"main.py": "print('hello')"}


@pytest.fixture
def world() -> worlds.World:
    return worlds.build()


@pytest.fixture
def learner(world: worlds.World) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(world.learner)
    return client


def submit(client: Client, headers: dict[str, str] | None = None, **said: Any) -> Any:
    return client.post("/api/v1/jobs/", {"files": FILES} | said, content_type="application/json", headers=headers)


def complaints(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    return {entry["field"]: entry["detail"] for entry in answer.json()["errors"]}


def packed(files: dict[str, str]) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return SimpleUploadedFile("work.zip", buffer.getvalue(), "application/zip")


def test_files_alone_make_a_plain_python_job_on_the_newest_account(learner: Client, world: worlds.World) -> None:
    answer = submit(learner, files={"train.py": "print(1)"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["state"], body["entrypoint"], body["gpus"], body["wall_s"]) == ("QUEUED", "train.py", 1, 600)
    assert body["account"] == world.enrolment.account_id
    assert (body["environment"], body["hold_s"]) == (None, 600)


def test_everything_that_was_asked_for_is_granted(learner: Client, world: worlds.World) -> None:
    answer = submit(
        learner, environment="py311", gpus=2, wall_s=120, title="둘", entrypoint="main.py", data_sets=["digits"],
        account=world.enrolment.account_id, preferred_campus=world.jeonbuk.pk,
    )  # fmt: skip
    body = answer.json()
    assert (answer.status_code, body["environment"], body["gpus"], body["title"]) == (201, "py311", 2, "둘")
    assert body["data_sets"] == ["digits"]


def test_a_lab_gives_its_own_bounds_and_the_job_leads_back_to_it(learner: Client, world: worlds.World) -> None:
    answer = submit(learner, lab=world.lab.pk)
    job = Job.objects.get(pk=answer.json()["id"])
    assert (job.gpus, job.wall_s, job.environment_id) == (world.lab.gpus, world.lab.wall_s, world.environment.pk)
    assert job.work_url == f"/labs/{world.lab.pk}/"
    assert LabRun.objects.get(job=job).enrolment_id == world.enrolment.pk
    assert submit(learner, lab=world.lab.pk, wall_s=60).json()["wall_s"] == 60


def test_a_zip_is_taken_with_the_fields_of_a_form(learner: Client, world: worlds.World) -> None:
    form = {"zip": packed({"main.py": "print(1)", "lib/a.py": "x = 1"}), "lab": world.lab.pk, "wall_s": "90"}
    answer = learner.post("/api/v1/jobs/", form)
    assert answer.status_code == 201
    job = Job.objects.select_related("source").get(pk=answer.json()["id"])
    assert (job.wall_s, sorted(job.source.files)) == (90, ["lib/a.py", "main.py"])


@pytest.mark.parametrize("by_header", [False, True])
def test_the_same_key_gives_the_same_job_and_another_request_with_it_is_refused(
    learner: Client, world: worlds.World, by_header: bool
) -> None:
    key: Any = {"headers": {"Idempotency-Key": "k-1"}} if by_header else {"idempotency_key": "k-1"}
    first, again = (submit(learner, lab=world.lab.pk, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Job.objects.count() == 1
    other = submit(learner, lab=world.lab.pk, files={"main.py": "print(2)"}, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_all_that_is_wrong_is_said_at_once(learner: Client, world: worlds.World) -> None:
    said: dict[str, Any] = {"environment": "nowhere", "wall_s": 1, "entrypoint": "other.py", "data_sets": ["cats"]}
    assert set(complaints(submit(learner, **said, gpus="two"))) == {*said, "gpus"}
    assert set(complaints(submit(learner, **said, gpus=0, account=10**12))) == {*said, "gpus", "account"}
    assert set(complaints(submit(learner, files=["main.py"], gpus=0))) == {"files", "gpus"}
    of_lab: dict[str, Any] = {"environment": "py311", "gpus": 99, "entrypoint": "other.py"}
    assert set(complaints(submit(learner, lab=world.lab.pk, **of_lab))) == set(of_lab)
    assert set(complaints(submit(learner, lab=10**12, gpus="two"))) == {"lab", "gpus"}
    zipped = {"zip": SimpleUploadedFile("work.zip", b"no zip"), "wall_s": "x"}
    assert set(complaints(learner.post("/api/v1/jobs/", zipped))) == {"files", "wall_s"}
    assert Job.objects.count() == 0


def test_a_key_that_was_used_does_not_hide_what_is_wrong(learner: Client) -> None:
    assert submit(learner, idempotency_key="k").status_code == 201
    assert set(complaints(submit(learner, idempotency_key="k", environment="nowhere"))) == {"environment"}


def test_two_different_keys_in_one_request_are_refused(learner: Client) -> None:
    assert "idempotency_key" in complaints(submit(learner, {"Idempotency-Key": "a"}, idempotency_key="b"))


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"environment": "nowhere"}, "environment", "py311"),
        ({"gpus": 0}, "gpus", "between 1 and"),
        ({"gpus": 99}, "gpus", "between 1 and"),
        ({"gpus": "two"}, "gpus", "whole number"),
        ({"wall_s": 1}, "wall_s", "time limit"),
        ({"wall_s": 10**9}, "wall_s", "time limit"),
        ({"files": {"../main.py": "1"}}, "files", "../main.py"),
        ({"files": {}}, "files", "Python file"),
        ({"files": ["main.py"]}, "files", "maps each path"),
        ({"entrypoint": "other.py"}, "entrypoint", "other.py"),
        ({"data_sets": ["cats"]}, "data_sets", "digits"),
        ({"account": 10**12}, "account", "quota account"),
        ({"preferred_campus": 999}, "preferred_campus", "campus"),
        ({"lab": 10**12}, "lab", "GET labs/"),
        ({"title": "x" * 161}, "title", "160"),
    ],
)
def test_each_wrong_field_is_named_with_the_fix(learner: Client, said: dict[str, Any], field: str, words: str) -> None:
    assert words in complaints(submit(learner, **said))[field]
    assert Job.objects.count() == 0


def test_what_the_lab_decides_cannot_be_chosen_beside_it(learner: Client, world: worlds.World) -> None:
    named = complaints(submit(learner, lab=world.lab.pk, environment="py311", data_sets=["digits"]))
    assert set(named) == {"environment", "data_sets"}


def test_a_lab_of_another_course_looks_like_none(world: worlds.World) -> None:
    client = Client()
    client.force_login(world.people["stranger"])
    assert set(complaints(submit(client, lab=world.lab.pk))) == {"lab"}
    assert set(complaints(submit(client))) == {"account"}


def test_over_quota_says_what_is_left_and_who_can_help(learner: Client, world: worlds.World) -> None:
    answer = submit(learner, gpus=8, wall_s=24 * 3600)
    assert (answer.status_code, answer.json()["code"]) == (409, "over_quota")
    assert answer.json()["available_s"] == world.enrolment.account.available_s
    assert "helpers" in answer.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[1]", 400),
        (b"[" * 100_000, 400),
        (b'{"title": NaN}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b'{"title": "\\u0000"}', 400),
        (b'{"files": {"main.py": "\\ud800"}}', 400),
        (b"\xff\xfe", 400),
        (b'{"a":"' + b"x" * (13 * 1024 * 1024) + b'"}', 413),
    ],
)
def test_what_is_no_readable_json_is_refused_in_the_one_shape(learner: Client, body: bytes, status: int) -> None:
    answer = learner.post("/api/v1/jobs/", body, content_type="application/json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


def test_a_session_without_a_csrf_token_submits_nothing(world: worlds.World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.learner)
    assert submit(client).status_code == 403
    assert factories.User.objects.count() > 0
    assert Job.objects.count() == 0
