"""Submitting: every wrong field is named with its fix, nothing half done, and what requests may look like."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.utils import translation
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from campus.core.errors import CampusError, Conflict, InvalidInput, OverQuota, TooLarge
from labs.environments.models import DataSet, Environment
from labs.jobs import api as jobs
from labs.jobs import refusals
from labs.jobs.domain.paths import BadFile
from labs.jobs.models import Job, SourceBundle
from labs.quota.models import Account, LedgerEntry
from tests.jobs.build import World


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("wishes", "field", "words"),
    [
        ({"gpus": 0}, "gpus", "between 1 and 8"),
        ({"gpus": -3}, "gpus", "between 1 and 8"),
        ({"gpus": 99}, "gpus", "between 1 and 8"),
        ({"gpus": 5}, "gpus", "has 4 GPUs"),
        ({"gpu_type": "abacus"}, "gpu_type", "nvidia-h100"),
        ({"wall_s": 9}, "wall_s", "10 to 86400"),
        ({"wall_s": 10**9}, "wall_s", "10 to 86400"),
        ({"environment_id": 999_999}, "environment", "digits"),
        ({"data_set_ids": [999_999]}, "data_sets", "no longer offered"),
        ({"preferred_campus_id": 999_999}, "preferred_campus", "no such campus"),
        ({"account_id": None}, "account", "no quota account of yours"),
        ({"account_id": 999_999}, "account", "no quota account of yours"),
        ({"files": {}}, "files", "no file"),
        ({"files": {"../main.py": b"x"}}, "files", "leads out"),
        ({"files": {f"{n}.py": b"x" for n in range(10_000)}}, "files", "at most 200"),
        ({"files": {"main.py": b"x" * (4 * 1024 * 1024 + 1)}}, "files", "4 MB"),
        ({"files": {"main.py": b"caf\xe9"}}, "entrypoint", "line 1"),
        ({"files": {"main.py": b"x\0"}}, "entrypoint", "NUL"),
        ({"files": {"other.py": b"x"}}, "entrypoint", "other.py"),
        ({"entrypoint": "main"}, "entrypoint", "ends in .py"),
        ({"title": "x" * 161}, "title", "160"),
        ({"title": "a\0b"}, "title", "invisible"),
        ({"idempotency_key": "k" * 81}, "idempotency_key", "80"),
        ({"idempotency_key": "\ud800"}, "idempotency_key", "invisible"),
        ({"files": {"\ud800.py": b"x"}}, "files", "invisible"),
    ],
)
def test_what_is_wrong_is_named_with_its_fix_and_nothing_is_left(
    world: World, wishes: dict[str, Any], field: str, words: str
) -> None:
    world.node(gpus=4)
    Environment.objects.create(slug="digits", name_ko="숫자", digest="d" * 64)
    with translation.override("en"):
        with pytest.raises(InvalidInput) as error:
            world.submit(**wishes)
        assert list(error.value.fields) == [field]
        assert words in str(error.value.fields[field][0])
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_all_that_is_wrong_is_said_at_once(world: World) -> None:
    with pytest.raises(InvalidInput) as error:
        world.submit(gpus=0, wall_s=1, files={"main.txt": b"x"}, account_id=None)
    assert set(error.value.fields) == {"gpus", "wall_s", "entrypoint", "account"}


def test_a_withdrawn_environment_is_no_longer_offered(world: World) -> None:
    old = Environment.objects.create(slug="old", name_ko="옛것", digest="e" * 64, is_active=False)
    with pytest.raises(InvalidInput) as error:
        world.submit(environment_id=old.pk)
    assert list(error.value.fields) == ["environment"]


def test_another_persons_account_and_a_closed_one_are_refused(world: World) -> None:
    _other, account = world.another_learner()
    with pytest.raises(InvalidInput):
        world.submit(account_id=account.pk)
    Account.objects.filter(pk=world.cohort_account.pk).update(is_open=False)
    with pytest.raises(InvalidInput) as error:
        world.submit()
    assert list(error.value.fields) == ["account"]


def test_more_gpus_than_an_account_above_may_run_would_wait_for_ever_and_are_refused(world: World) -> None:
    Account.objects.filter(pk=world.cohort_account.pk).update(max_running_gpus=1)
    with pytest.raises(InvalidInput) as error:
        world.submit(gpus=2)
    assert list(error.value.fields) == ["gpus"]


def test_over_quota_says_who_can_help_and_leaves_nothing(world: World) -> None:
    with pytest.raises(OverQuota) as error:
        world.submit(gpus=8, wall_s=24 * 3600)
    assert {"short_account", "available_s", "wanted_s", "helpers"} <= error.value.facts.keys()
    assert not Job.objects.exists()


def test_the_same_key_gives_the_first_job_whatever_became_of_it(world: World) -> None:
    first, created = world.try_submit(idempotency_key="k")
    assert created
    jobs.cancel(job_id=first.pk, actor=world.learner)
    assert world.try_submit(idempotency_key="k") == (first, False)
    with pytest.raises(Conflict) as error:
        world.try_submit(idempotency_key="k", files={"main.py": b"print(2)"})
    assert error.value.code == "idempotency_key_reused"


def test_two_people_may_use_the_same_key(world: World) -> None:
    other, account = world.another_learner()
    assert world.try_submit(idempotency_key="k")[1]
    assert world.try_submit(idempotency_key="k", owner=other, account_id=account.pk)[1]


def test_the_same_files_are_stored_once(world: World) -> None:
    world.submit()
    world.submit()
    assert SourceBundle.objects.count() == 1


def test_a_rerun_asks_for_the_same_and_says_what_it_repeats(world: World) -> None:
    first = world.submit(gpus=2, wall_s=120, work_key="lab:7", work_url="/labs/7/")
    again = jobs.rerun(job_id=first.pk, actor=world.learner)
    same = ("title", "gpus", "wall_s", "work_key", "work_url", "source_id", "account_id", "entrypoint")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]
    assert again.rerun_of_id == first.pk
    other = jobs.rerun(job_id=first.pk, actor=world.learner, files={"main.py": b"print(2)"})
    assert other.source_id != first.source_id


def json_request(body: Any, *, api: bool = False) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = RequestFactory().post("/", raw, content_type="application/json")
    return Request(request, parsers=[JSONParser()]) if api else request


@pytest.mark.parametrize("api", [False, True])
def test_json_is_read(world: World, api: bool) -> None:
    environment = Environment.objects.create(slug="digits", name_ko="숫자", digest="d" * 64)
    data = DataSet.objects.create(slug="mnist", name_ko="손글씨", digest="c" * 64, size_bytes=1, file_count=1)
    body = {
        "environment": "digits", "data_sets": ["mnist"], "files": {"main.py": "print('안녕')"}, "gpus": 2,
        "wall_s": 60, "idempotency_key": " k ", "title": " T ",
    }  # fmt: skip
    said = jobs.parse_submission(json_request(body, api=api))
    assert said.files == {"main.py": "print('안녕')".encode()}
    assert (said.environment_id, said.data_set_ids) == (environment.pk, (data.pk,))
    assert (said.gpus, said.wall_s, said.idempotency_key, said.title) == (2, 60, "k", "T")
    assert "lab" not in said.given


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"files": ["main.py"]}, "files"), ({"files": {"main.py": 5}}, "files"), ({"files": {"a": "\ud800"}}, "files"),
        ({"gpus": "two"}, "gpus"), ({"gpus": True}, "gpus"), ({"gpus": 1.5}, "gpus"), ({"gpus": 10**30}, "gpus"),
        ({"wall_s": []}, "wall_s"), ({"title": 5}, "title"), ({"environment": "nope"}, "environment"),
        ({"environment": {}}, "environment"), ({"data_sets": "mnist"}, "data_sets"), ({"data_sets": [{}]}, "data_sets"),
        ({"lab": "x"}, "lab"), ({"idempotency_key": 7}, "idempotency_key"),
    ],
)  # fmt: skip
def test_json_of_the_wrong_kind_is_answered_with_the_field(world: World, change: dict[str, Any], field: str) -> None:
    for api in (False, True):
        with pytest.raises(InvalidInput) as error:
            jobs.parse_submission(json_request({"files": {"main.py": "x"}} | change, api=api))
        assert list(error.value.fields) == [field]


def test_what_is_no_json_object_is_refused(world: World) -> None:
    for body in (b"nonsense", b"[]", b"5", b"[" * 100_000, b"\xff"):
        with pytest.raises(InvalidInput):
            jobs.parse_submission(json_request(body))
    with pytest.raises(InvalidInput):
        jobs.parse_submission(json_request(b"[]", api=True))


def test_huge_json_is_refused_before_it_is_held_in_memory(world: World) -> None:
    huge = json.dumps({"files": {"main.py": "x" * (13 * 1024 * 1024)}}).encode()
    for api in (False, True):
        with pytest.raises(TooLarge):
            jobs.parse_submission(json_request(huge, api=api))


def form(**fields: Any) -> Any:
    return RequestFactory().post("/", fields)


def test_a_form_takes_one_zip_or_files_or_the_editors_text(world: World) -> None:
    archive = zipped({"main.py": b"print(1)", "lib/a.py": b""})
    for field, name in (("zip", "code.zip"), ("files", "code.ZIP")):
        said = jobs.parse_submission(form(**{field: SimpleUploadedFile(name, archive), "gpus": "2"}))
        assert (set(said.files), said.gpus) == ({"main.py", "lib/a.py"}, 2)
    uploads = [SimpleUploadedFile("main.py", b"1"), SimpleUploadedFile("b.py", b"2")]
    assert jobs.parse_submission(form(files=uploads)).files == {"main.py": b"1", "b.py": b"2"}
    assert jobs.parse_submission(form(files=json.dumps({"main.py": "x"}))).files == {"main.py": b"x"}


def test_a_hostile_zip_in_a_form_is_refused_with_the_file_named(world: World) -> None:
    archive = SimpleUploadedFile("x.zip", zipped({"../evil.py": b"x"}))
    with pytest.raises(InvalidInput) as error:
        jobs.parse_submission(form(zip=archive))
    assert (error.value.code, error.value.facts) == ("file_parent", {"path": "../evil.py"})
    assert "../evil.py" in str(error.value.fields["files"][0])


def test_two_uploads_of_one_name_are_refused(world: World) -> None:
    uploads = [SimpleUploadedFile("main.py", b"1"), SimpleUploadedFile("main.py", b"2")]
    with pytest.raises(CampusError) as error:
        jobs.parse_submission(form(files=uploads))
    assert error.value.code == "file_duplicate"


def test_every_refusal_has_words_in_both_languages(world: World) -> None:
    facts = {"most": 5, "given": 6, "other": "b", "scripts": "a.py", "line": 3}
    for code in refusals._WORDS:
        for language in ("ko", "en"):
            with translation.override(language):
                assert "%(" not in str(refusals.words_of(BadFile(code, "a.py", **facts)))
