"""Submitting badly, over REST and by the form: the field, the fix, and nothing created or held."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from labs.jobs.models import Job
from tests.access.world import World

from .archives import HOSTILE, MAIN, packed
from .conftest import Api, complaints

Watch = Callable[[], AbstractContextManager[None]]

GOOD = {"files": {"main.py": "print('hello')\n"}, "gpus": 1, "wall_s": 60}

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown environment": ({"environment": "cuda-99"}, "environment", "Choose one of: py311"),
    "environment by a forged id": ({"environment": 2**61}, "environment", "Choose one of: py311"),
    "environment as a list": ({"environment": ["py311"]}, "environment", "whole number"),
    "no GPUs": ({"gpus": 0}, "gpus", "between 1 and 8"),
    "too many GPUs": ({"gpus": 9}, "gpus", "between 1 and 8"),
    "negative GPUs": ({"gpus": -1}, "gpus", "between 1 and 8"),
    "half a GPU": ({"gpus": 0.5}, "gpus", "whole number"),
    "a GPU as a float": ({"gpus": 1.0}, "gpus", "whole number"),
    "GPUs as a boolean": ({"gpus": True}, "gpus", "whole number"),
    "GPUs in words": ({"gpus": "two"}, "gpus", "whole number"),
    "GPUs with two signs": ({"gpus": "--2"}, "gpus", "whole number"),
    "GPUs beyond any number": ({"gpus": 10**40}, "gpus", "whole number"),
    "GPUs as superscript": ({"gpus": "²"}, "gpus", "whole number"),
    "an unknown GPU type": ({"gpu_type": "abacus\u202e"}, "gpu_type", "invisible"),
    "too short": ({"wall_s": 9}, "wall_s", "10 to 86400"),
    "too long": ({"wall_s": 86401}, "wall_s", "10 to 86400"),
    "negative time": ({"wall_s": -60}, "wall_s", "10 to 86400"),
    "time as a fraction": ({"wall_s": 60.5}, "wall_s", "whole number"),
    "no files": ({"files": {}}, "files", "at least one Python file"),
    "files as a list": ({"files": ["main.py"]}, "files", "maps each path"),
    "a file as a number": ({"files": {"main.py": 7}}, "files", "must be a text"),
    "a file that climbs": ({"files": {"../main.py": "x"}}, "files", "leads out"),
    "an absolute file": ({"files": {"/main.py": "x"}}, "files", "root of a disk"),
    "10,000 files": ({"files": {f"{n}.py": "" for n in range(10_000)}}, "files", "at most 200"),
    "5 MB of files": ({"files": {"main.py": "x" * 5_000_000}}, "files", "larger than 4"),
    "NUL bytes in the script": ({"files": {"main.py": "print()\0"}}, "entrypoint", "NUL"),
    "NUL bytes in a name": ({"files": {"ma\0in.py": "x"}}, "files", "invisible"),
    "two names that are one": ({"files": {"main.py": "x", "MAIN.py": "y"}}, "files", "main.py"),
    "a script that is missing": ({"entrypoint": "train.py"}, "entrypoint", "main.py"),
    "a script above": ({"entrypoint": "../main.py"}, "entrypoint", "leads out"),
    "a title of 5 MB": ({"title": "가" * 1_700_000}, "title", "160 characters"),
    "a title that turns text around": ({"title": "invoice\u202efdp"}, "title", "invisible"),
    "a title of zero width": ({"title": "ti\u200btle"}, "title", "invisible"),
    "a title of two lines": ({"title": "one\ntwo"}, "title", "invisible"),
    "a title with NUL": ({"title": "a\0b"}, "title", "invisible"),
    "a title that is a list": ({"title": ["a"]}, "title", "Send a text"),
    "an unknown data set": ({"data_sets": ["imagenet"]}, "data_sets", "Choose one of: digits"),
    "data sets as infinity": ({"data_sets": [1e308, 10**30]}, "data_sets", "Choose one of: digits"),
    "data sets nested": ({"data_sets": [[["digits"]]]}, "data_sets", "Choose one of: digits"),
    "data sets as one text": ({"data_sets": "digits"}, "data_sets", "Send a list"),
    "another's account": ({"account": 1}, "account", "no quota account of yours"),
    "a forged account": ({"account": -(2**61)}, "account", "no quota account of yours"),
    "a forged campus": ({"preferred_campus": 2**61}, "preferred_campus", "no such campus"),
    "a forged lab": ({"lab": 2**61}, "lab", "labs/"),
    "a negative lab": ({"lab": -1}, "lab", "labs/"),
    "a key that is too long": ({"idempotency_key": "k" * 81}, "idempotency_key", "80 characters"),
    "a key with NUL": ({"idempotency_key": "k\0"}, "idempotency_key", "invisible"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_with_its_fix(api: Api, nothing_changes: Watch, case: str) -> None:
    change, field, words = BAD[case]
    with nothing_changes():
        answer = api.send("POST", "jobs/", GOOD | change)
    assert answer.status_code == 400, answer.content
    assert list(complaints(answer)) == [field]
    assert words in complaints(answer)[field]


def test_a_lab_that_is_not_there_and_what_it_would_decide_are_named_together(api: Api, nothing_changes: Watch) -> None:
    with nothing_changes():
        said = complaints(api.send("POST", "jobs/", GOOD | {"lab": 2**61, "environment": "py311"}))
    assert set(said) == {"lab", "environment"}
    assert "labs/" in said["lab"]
    assert "The lab decides this" in said["environment"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no file to run"),
        (b"{", "JSON"),
        (b"[]", "JSON object"),
        (b'"files"', "JSON object"),
        (b"null", "JSON object"),
        (b"\xff\xfe{}", "JSON"),
        (b'{"gpus": NaN}', "NaN"),
        (b'{"gpus": -Infinity}', "Infinity"),
        (b"[" * 200_000, "JSON"),
        (b'{"files":' * 100_000 + b"{}" + b"}" * 100_000, "JSON"),
        (b'{"data_sets": [1e400], "files": {"main.py": "x"}}', "data set"),
        (b'{"gpus": ' + b"9" * 10_000 + b"}", "JSON"),
        (b'{"title": "\\ud800", "files": {"main.py": "x"}}', "JSON"),
    ],
    ids=["empty", "cut off", "list", "text", "null", "no UTF-8", "NaN", "Infinity", "deep list", "deep object",
         "a number too large", "a number of 10,000 digits", "half a character"],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(api: Api, nothing_changes: Watch, body: bytes, words: str) -> None:
    with nothing_changes():
        answer = api.send("POST", "jobs/", body)
    assert answer.status_code == 400, answer.content
    said = answer.json()
    assert words in json.dumps(said), said


def test_of_a_doubled_key_nobody_guesses_which_one_was_meant(api: Api, nothing_changes: Watch) -> None:
    body = json.dumps(GOOD)[:-1] + ', "gpus": 8}'
    with nothing_changes():
        answer = api.send("POST", "jobs/", body.encode())
    assert answer.status_code == 400
    assert "gpus" in json.dumps(answer.json())


def test_more_json_than_is_taken_is_refused(api: Api, nothing_changes: Watch) -> None:
    with nothing_changes():
        answer = api.send("POST", "jobs/", {"files": {"main.py": "x" * (13 * 1024 * 1024)}})
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense", ""])
def test_another_content_type_is_refused(api: Api, nothing_changes: Watch, kind: str) -> None:
    with nothing_changes():
        answer = api.send("POST", "jobs/", GOOD, content_type=kind)
    assert answer.status_code == 415, answer.content


def test_a_refused_content_type_is_named_in_the_title_too(api: Api) -> None:
    assert "text/yaml" in api.send("POST", "jobs/", b"files:", content_type="text/yaml").json()["title"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused_with_those_that_there_are(api: Api, nothing_changes: Watch, method: str) -> None:
    with nothing_changes():
        answer = api.send(method, "jobs/", GOOD)
    assert answer.status_code == 405
    assert "POST" in answer["Allow"]


@pytest.mark.parametrize(
    "title",
    ["🚀 첫 실행", "שלום עולם", "مرحبا", "日本語", "e\u0301clair", "<script>alert(1)</script>", "'; DROP TABLE"],
)
def test_a_title_in_any_script_is_kept_as_it_is_and_shown_as_text(api: Api, page: Client, title: str) -> None:
    answer = api.send("POST", "jobs/", GOOD | {"title": title})
    assert answer.status_code == 201
    assert answer.json()["title"] == title
    html = page.get(f"/jobs/{answer.json()['id']}/").content.decode()
    assert "<script>alert(1)" not in html


# --- zips


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_over_rest(api: Api, nothing_changes: Watch, name: str) -> None:
    make, words = HOSTILE[name]
    with nothing_changes():
        answer = api.form("jobs/", {"zip": SimpleUploadedFile("code.zip", make()), "gpus": "1", "wall_s": "60"})
    assert answer.status_code == 400, answer.content
    assert words in complaints(answer)["files"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_by_the_form_which_keeps_what_was_typed(
    world: World, page: Client, nothing_changes: Watch, name: str
) -> None:
    make, words = HOSTILE[name]
    with nothing_changes():
        answer = page.post("/jobs/new/", form_of(world, upload=SimpleUploadedFile("code.zip", make())))
    assert answer.status_code == 400
    assert words in " ".join(said(answer))
    assert "print(&#x27;typed&#x27;)" in answer.content.decode()


def test_an_archive_in_an_archive_stays_packed(api: Api) -> None:
    inner = packed({"../../climb.py": b"x", "zeros": bytes(10_000_000)})
    answer = api.form("jobs/", {"zip": SimpleUploadedFile("c.zip", packed({"main.py": MAIN, "inner.zip": inner}))})
    assert answer.status_code == 201
    assert set(Job.objects.get(pk=answer.json()["id"]).source.files) == {"main.py", "inner.zip"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("print('한글')\n".encode("cp949"), "UTF-8"),
        ("print('한글')\n".encode("utf-16"), "UTF-8"),
        (b"\x7fELF\x02\x01\x01\0\0", "NUL"),
        (b"   \n\n", "empty"),
    ],
    ids=["cp949", "utf-16", "a program", "blank"],
)
def test_a_script_that_is_no_text_is_refused(api: Api, nothing_changes: Watch, content: bytes, words: str) -> None:
    with nothing_changes():
        answer = api.form("jobs/", {"zip": SimpleUploadedFile("c.zip", packed({"main.py": content}))})
    assert answer.status_code == 400
    assert words in complaints(answer)["entrypoint"]


# --- the form


def form_of(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "title": "", "account": world.enrolment.account_id, "environment": "", "entrypoint": "main.py", "gpus": "1",
        "gpu_type": "", "wall_minutes": "10", "preferred_campus": "", "key": "web-1",
        "files-0-path": "main.py", "files-0-text": "print('typed')\n",
    } | changes  # fmt: skip


def said(answer: Any) -> list[str]:
    form = answer.context["form"]
    return [str(text) for texts in form.errors.values() for text in texts]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"gpus": "0"}, "gpus"),
        ({"gpus": "9"}, "gpus"),
        ({"gpus": "-1"}, "gpus"),
        ({"gpus": "1.5"}, "gpus"),
        ({"gpus": "9" * 5000}, "gpus"),
        ({"gpus": "1e3"}, "gpus"),
        ({"wall_minutes": "0"}, "wall_minutes"),
        ({"wall_minutes": "-5"}, "wall_minutes"),
        ({"wall_minutes": "100000"}, "wall_minutes"),
        ({"wall_minutes": "NaN"}, "wall_minutes"),
        ({"wall_minutes": "Infinity"}, "wall_minutes"),
        ({"wall_minutes": "1e400"}, "wall_minutes"),
        ({"environment": "999999999999999999999999"}, "environment"),
        ({"environment": "x\0"}, "environment"),
        ({"account": "1"}, "account"),
        ({"account": "'"}, "account"),
        ({"gpu_type": "abacus"}, "gpu_type"),
        ({"preferred_campus": "-1"}, "preferred_campus"),
        ({"data_sets": ["999999", "x"]}, "data_sets"),
        ({"title": "x" * 5_000_000}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"entrypoint": "../main.py"}, "entrypoint"),
        ({"entrypoint": "x" * 1000 + ".py"}, "entrypoint"),
        ({"key": "k" * 81}, "key"),
        ({"key": "k\0"}, "key"),
        ({"files-0-text": "print()\0"}, "entrypoint"),
        ({"files-0-path": "../main.py"}, None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_form_says_what_is_wrong_and_keeps_the_rest(
    world: World, page: Client, nothing_changes: Watch, change: dict[str, Any], field: str | None
) -> None:
    with nothing_changes():
        answer = page.post("/jobs/new/", form_of(world, **change))
    assert answer.status_code == 400
    assert said(answer)
    if field:
        assert list(answer.context["form"].errors) == [field]


def test_a_form_without_its_token_changes_nothing(world: World, nothing_changes: Watch) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.learner)
    with nothing_changes():
        answer = client.post("/jobs/new/", form_of(world))
        # The API with a session is a browser's as well; a token of one's own needs none.
        other = client.post("/api/v1/jobs/", json.dumps(GOOD), content_type="application/json")
    assert (answer.status_code, other.status_code) == (403, 403)
    assert b"Django" not in answer.content


def test_a_form_of_very_many_fields_is_refused(world: World, page: Client, nothing_changes: Watch) -> None:
    with nothing_changes():
        answer = page.post("/jobs/new/", form_of(world, **{f"x{n}": "1" for n in range(3000)}))
    assert answer.status_code in (400, 413)


def test_very_many_uploaded_files_are_refused_with_what_to_do(
    world: World, api: Api, page: Client, nothing_changes: Watch
) -> None:
    def uploads() -> list[SimpleUploadedFile]:
        return [SimpleUploadedFile(f"{n}.py", b"x") for n in range(301)]

    with nothing_changes():
        over_rest = api.form("jobs/", {"files": uploads()})
        by_form = page.post("/jobs/new/", form_of(world, upload=uploads()))
    assert over_rest.status_code == by_form.status_code == 400
    assert "at most 200" in complaints(over_rest)["files"]
    assert b"send fewer, or one zip" in by_form.content


def test_a_broken_multipart_body_is_refused(api: Api, nothing_changes: Watch) -> None:
    with nothing_changes():
        for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=\xff"):
            answer = api.send("POST", "jobs/", b"--x\r\nnonsense", content_type=kind)
            assert answer.status_code == 400, (kind, answer.content)


def test_a_stream_of_zeros_is_no_zip(api: Api, nothing_changes: Watch) -> None:
    with nothing_changes():
        answer = api.form("jobs/", {"zip": SimpleUploadedFile("c.zip", io.BytesIO(bytes(3_000_000)).getvalue())})
    assert answer.status_code == 400
