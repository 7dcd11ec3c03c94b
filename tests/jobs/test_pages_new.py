"""The new-job page: what it offers, what it refuses, and that nothing that was typed is lost."""

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from campus.people.models import RoleGrant
from labs.environments.models import DataSet
from labs.jobs.models import Job
from tests import factories
from tests.jobs.build import World
from tests.jobs.test_pages import page_of

URL = "/jobs/new/"


def given(world: World, **changes: Any) -> dict[str, Any]:
    """What the form sends as it opens."""
    return {
        "title": "My run", "account": world.account.pk, "environment": "", "entrypoint": "main.py", "gpus": "1",
        "gpu_type": "", "wall_minutes": "10", "preferred_campus": "", "key": "web-1",
        "files-0-path": "main.py", "files-0-text": "print('typed')\r\n",
    } | changes  # fmt: skip


@pytest.fixture
def client(world: World) -> Client:
    return page_of(world.learner)


def test_what_was_typed_becomes_a_job(world: World, client: Client) -> None:
    data_set = DataSet.objects.create(slug="digits", name_ko="숫자", digest="0" * 64, size_bytes=1, file_count=1)
    answer = client.post(URL, given(world, data_sets=[data_set.pk], wall_minutes="2.5"))
    job = Job.objects.get()
    assert answer["Location"] == reverse("jobs:job", args=[job.pk])
    assert (job.title, job.wall_s, job.source.files) == ("My run", 150, {"main.py": {"text": "print('typed')\n"}})
    assert [one.slug for one in job.data_sets.all()] == ["digits"]


def test_sending_it_twice_makes_one_job(world: World, client: Client) -> None:
    answers = [client.post(URL, given(world))["Location"] for _time in range(2)]
    assert answers[0] == answers[1]
    assert Job.objects.count() == 1


def test_sending_it_again_with_other_code_after_going_back_makes_another_job(world: World, client: Client) -> None:
    client.post(URL, given(world))
    client.post(URL, given(world, **{"files-0-text": "print('changed')\n"}))
    assert Job.objects.count() == 2


def test_errors_stand_beside_their_fields_and_everything_typed_is_kept(world: World, client: Client) -> None:
    answer = client.post(
        URL,
        given(world, gpus="99", entrypoint="other.py", wall_minutes="0.01", title="Kept title",
              **{"files-1-path": "util.py", "files-1-text": "KEPT = 1\n"}),
    )  # fmt: skip
    html = answer.content.decode()
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"gpus", "entrypoint", "wall_minutes"}
    assert "There is no file “other.py” among those you sent. Choose one of: main.py, util.py." in html
    for kept in ("Kept title", "print(&#x27;typed&#x27;)", "KEPT = 1", 'value="99"', 'value="other.py"', "web-1"):
        assert kept in html
    assert Job.objects.count() == 0


@pytest.mark.parametrize("path", ["main.py", "/etc/passwd", "../up.py"])
def test_files_with_names_that_cannot_be_keep_their_text(world: World, client: Client, path: str) -> None:
    answer = client.post(URL, given(world, **{"files-1-path": path, "files-1-text": "KEPT = 1\n"}))
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "KEPT = 1" in html
    assert "print(&#x27;typed&#x27;)" in html


def test_over_quota_says_who_is_short_what_is_left_and_who_can_help(world: World, client: Client) -> None:
    helper = factories.staff(RoleGrant.Role.INSTRUCTOR, world.account.scope)
    answer = client.post(URL, given(world, wall_minutes="1300"))
    html = answer.content.decode()
    assert answer.status_code == 409
    assert f"“{world.account.name}” has 20 GPU-h left; this needs 21.7 GPU-h." in html
    assert helper.name in html
    assert f'<a href="mailto:{helper.email}">{helper.email}</a>' in html
    assert "print(&#x27;typed&#x27;)" in html
    assert 'value="1300"' in html
    assert Job.objects.count() == 0


def test_without_scripts_the_cost_and_the_start_are_shown_before_submitting(world: World, client: Client) -> None:
    world.node()
    answer = client.post(URL, given(world, check="1"))
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Held while it waits and runs" in html
    assert "0.17 GPU-h" in html
    assert "at once" in html
    assert "print(&#x27;typed&#x27;)" in html
    assert Job.objects.count() == 0


def zipped(files: dict[str, bytes]) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return SimpleUploadedFile("code.zip", packed.getvalue())


def test_a_zip_replaces_what_is_in_the_editor(world: World, client: Client) -> None:
    files = {"main.py": b"print('zip')\n", "lib/w.bin": b"\xff\x00\x01"}
    answer = client.post(URL, given(world, upload=zipped(files)))
    assert answer.status_code == 302
    stored = Job.objects.get().source.files
    assert stored["main.py"] == {"text": "print('zip')\n"}
    assert set(stored["lib/w.bin"]) == {"base64"}


def test_a_refused_upload_stays_in_the_editor_and_what_is_no_text_is_asked_for_again(
    world: World, client: Client
) -> None:
    files = {"main.py": b"print('zip')\n", "lib/w.bin": b"\xff\x01"}
    answer = client.post(URL, given(world, gpus="99", upload=zipped(files)))
    html = answer.content.decode()
    assert "print(&#x27;zip&#x27;)" in html
    assert "Upload these again" in html
    assert "lib/w.bin" in html


def test_a_bad_zip_says_what_is_wrong_and_keeps_what_was_typed(world: World, client: Client) -> None:
    answer = client.post(URL, given(world, upload=zipped({"../up.py": b"x"})))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert "leads out of the project" in html
    assert "print(&#x27;typed&#x27;)" in html


def test_a_script_that_is_no_utf_8_is_refused_with_its_line(world: World, client: Client) -> None:
    upload = SimpleUploadedFile("main.py", "# 한글\nprint('한글')\n".encode("cp949"))
    html = client.post(URL, given(world, upload=upload)).content.decode()
    assert "is not UTF-8 text (line 1)" in html


def test_edit_and_run_begins_with_the_code_and_settings_and_keeps_what_is_no_text(world: World, client: Client) -> None:
    first = world.submit(files={"main.py": b"print('one')\n", "w.bin": b"\xff\x01"}, wall_s=90, title="First")
    url = f"{URL}?from={first.pk}"
    html = client.get(url).content.decode()
    assert "print(&#x27;one&#x27;)" in html
    assert 'value="1.5"' in html
    assert "w.bin" in html
    client.post(url, given(world, **{"files-0-text": "print('two')\n"}))
    second = Job.objects.exclude(pk=first.pk).get()
    assert second.rerun_of == first
    assert second.source.files["w.bin"] == first.source.files["w.bin"]
    assert second.source.files["main.py"] == {"text": "print('two')\n"}


def test_another_persons_code_is_not_there_to_begin_with(world: World) -> None:
    job = world.submit()
    stranger, _account = world.another_learner()
    assert page_of(stranger).get(URL, {"from": str(job.pk)}).status_code == 404


def test_without_an_account_the_page_says_where_gpu_time_comes_from(world: World) -> None:
    html = page_of(factories.UserFactory()).get(URL).content.decode()
    assert "You have no GPU time yet" in html
    assert "<textarea" not in html


def test_the_page_costs_a_fixed_number_of_queries(
    world: World, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14):
        assert client.get(URL).status_code == 200
