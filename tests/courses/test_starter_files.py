"""A lab's starter files: those that are no text stay, are listed, and go only when somebody says so."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campus.people.api import Role
from courses.assignments.api import open_lab
from courses.assignments.models import Lab, LabRun
from labs.environments.models import Environment
from labs.jobs.api import files_of_bundle

from . import build

pytestmark = pytest.mark.django_db

MODEL, ZEROS = b"\x89\xff\x00model", b"\0\0\0\0"
STARTER = {"main.py": b"print(1)\n", "data/model.bin": MODEL, "zeros.raw": ZEROS}


@pytest.fixture
def place(client):
    """A lab whose starter has files of all kinds, and its instructor signed in."""
    cohort = build.cohort()
    lesson = build.lesson(cohort.run)
    environment = Environment.objects.create(slug="plain", name_ko="파이썬", digest="0" * 64)
    lab = open_lab(
        module_id=lesson.module_id, title="실습", environment=environment, files=STARTER, actor=None, wall_s=60,
        max_wall_s=600,
    )  # fmt: skip
    client.force_login(build.staff(Role.INSTRUCTOR, cohort.scope))
    return {"lab": lab, "cohort": cohort, "edit": reverse("assignments:edit-lab", args=[lab.pk])}


def sent(lab, **said):
    """The edit form as a browser sends it without a change, but for what is `said`."""
    return {
        "title": lab.title, "brief": "", "environment": lab.environment_id, "entrypoint": "main.py", "gpus": 1,
        "max_gpus": 1, "gpu_type": "", "wall_s": "1", "max_wall_s": "10", "main_metric": "accuracy",
        "is_published": "on", "files-0-path": "main.py", "files-0-text": "print(2)\n",
    } | said  # fmt: skip


def starter(lab):
    return files_of_bundle(Lab.objects.select_related("starter").get(pk=lab.pk).starter.files)


def test_saving_the_text_keeps_what_is_no_text(client, place):
    assert client.post(place["edit"], sent(place["lab"])).status_code == 302
    assert starter(place["lab"]) == STARTER | {"main.py": b"print(2)\n"}


def test_files_that_are_no_text_are_listed_and_not_put_into_the_editor(client, place):
    html = client.get(place["edit"]).content.decode()
    assert re.findall(r'name="remove" value="([^"]+)"', html) == ["data/model.bin", "zeros.raw"]
    assert re.findall(r'name="files-\d+-path" value="([^"]+)"', html) == ["main.py"]


def test_what_is_ticked_is_removed_and_nothing_else(client, place):
    said = sent(place["lab"], remove=["zeros.raw", "main.py", "no such"])
    assert client.post(place["edit"], said).status_code == 302
    assert set(starter(place["lab"])) == {"main.py", "data/model.bin"}


def test_an_upload_replaces_a_file_of_its_name_and_adds_what_is_new(client, place):
    upload = [SimpleUploadedFile("zeros.raw", b"\xfe\xfd"), SimpleUploadedFile("help.py", b"x = 1\n")]
    assert client.post(place["edit"], sent(place["lab"], upload=upload)).status_code == 302
    assert starter(place["lab"]) == STARTER | {
        "main.py": b"print(2)\n", "zeros.raw": b"\xfe\xfd", "help.py": b"x = 1\n"
    }  # fmt: skip


def test_one_zip_is_unpacked_into_the_starter(client, place):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data/model.bin", b"\xff new")
    upload = SimpleUploadedFile("files.zip", packed.getvalue())
    client.post(place["edit"], sent(place["lab"], upload=upload))
    assert starter(place["lab"])["data/model.bin"] == b"\xff new"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"upload": SimpleUploadedFile("MAIN.PY", b"x")}, "MAIN.PY"),
        ({"upload": SimpleUploadedFile("bad.zip", b"no zip")}, "zip"),
        ({"files-0-path": "../main.py"}, "../main.py"),
    ],
)
def test_what_cannot_be_saved_is_named_and_the_form_keeps_the_rest(client, place, said, words):
    answer = client.post(place["edit"], sent(place["lab"], remove="zeros.raw", **said))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert words in html
    assert "print(2)" in html
    assert re.search(r'value="zeros.raw" checked', html)
    assert starter(place["lab"]) == STARTER


def test_uploads_that_the_page_cannot_keep_are_named_when_another_field_is_wrong(client, place):
    said = sent(place["lab"], title="", upload=[SimpleUploadedFile("m.bin", MODEL), SimpleUploadedFile("a.py", b"A=1")])
    html = client.post(place["edit"], said).content.decode()
    assert '<span class="mono">m.bin</span>' in html
    assert 'value="a.py"' in html


def test_a_learners_run_has_the_files_that_the_editor_does_not_show(client, place):
    enrolment = build.learner(place["cohort"])
    client.force_login(enrolment.user)
    page = client.get(reverse("assignments:lab", args=[place["lab"].pk])).content.decode()
    assert '<span class="mono">data/model.bin</span>' in page
    said = {"gpus": 1, "wall_minutes": "1", "key": "k", "files-0-path": "main.py", "files-0-text": "print(3)\n"}
    assert client.post(reverse("assignments:submit", args=[place["lab"].pk]), said).status_code == 302
    run = LabRun.objects.select_related("job__source").get()
    assert files_of_bundle(run.job.source.files) == STARTER | {"main.py": b"print(3)\n"}


def test_a_run_that_begins_with_an_earlier_one_has_that_ones_files(client, place):
    enrolment = build.learner(place["cohort"])
    client.force_login(enrolment.user)
    url = reverse("assignments:submit", args=[place["lab"].pk])
    upload = [SimpleUploadedFile("main.py", b"print(4)\n"), SimpleUploadedFile("own.bin", MODEL)]
    client.post(url, {"gpus": 1, "wall_minutes": "1", "key": "k1", "upload": upload})
    first = LabRun.objects.get()
    page = client.get(reverse("assignments:lab", args=[place["lab"].pk]), {"from": first.job_id}).content.decode()
    assert f'action="{url}?from={first.job_id}"' in page
    said = {"gpus": 1, "wall_minutes": "1", "key": "k2", "files-0-path": "main.py", "files-0-text": "print(5)\n"}
    client.post(f"{url}?from={first.job_id}", said)
    run = LabRun.objects.select_related("job__source").order_by("-pk")[0]
    assert files_of_bundle(run.job.source.files) == {"main.py": b"print(5)\n", "own.bin": MODEL}
