"""The pages of environments and data sets, and their services."""

import hashlib
import io
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.core.models import AuditEntry
from courses.catalog.models import Term
from infra.agent.archives import unpack
from infra.executors.contract import EnvironmentSpec
from infra.pool.models import NodeEnvironment
from labs.environments.models import DataSet, Environment
from tests.access import world as worlds

pytestmark = pytest.mark.django_db

HASH = "--hash=sha256:" + "a" * 64
PINNED = f"numpy==2.1.0 {HASH}\n"
NAMED = {"name_ko": "새 환경", "name_en": "New one", "slug": "new-one", "description": "numpy"}


@pytest.fixture
def world(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return worlds.build()


@pytest.fixture
def signed(client, world):
    def sign(role):
        client.force_login(world.people[role])
        client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
        return client

    return sign


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    return content.getvalue()


def upload(content, name="set.zip"):
    return SimpleUploadedFile(name, content)


def test_an_environment_is_added_from_a_file_and_named_by_its_digest(signed):
    chosen = SimpleUploadedFile("requirements.txt", PINNED.replace("\n", "\r\n").encode())
    answer = signed("campus_admin").post("/environments/new/", NAMED | {"file": chosen}, follow=True)
    made = Environment.objects.get(slug="new-one")
    assert (made.requirements, made.digest) == (PINNED, EnvironmentSpec(PINNED, "3.11").digest)
    page = answer.content.decode()
    assert "numpy" in page
    assert made.digest in page
    assert AuditEntry.objects.filter(verb="environment.added", object_id=str(made.pk)).exists()


def test_all_that_is_wrong_is_said_with_its_line_and_the_text_stays(signed):
    chosen = SimpleUploadedFile("requirements.txt", b"numpy\n-e .\nscipy==1\n")
    answer = signed("campus_admin").post("/environments/new/", NAMED | {"slug": "digits", "file": chosen})
    page = answer.content.decode()
    assert answer.status_code == 400
    for words in ("Line 1: “numpy” is not pinned", "Line 2: “-e .” is an option", "Line 3: “scipy” has no hash"):
        assert words in page
    assert "scipy==1" in page


def test_the_same_address_and_the_same_packages_are_named(signed, world):
    admin = signed("campus_admin")
    admin.post("/environments/new/", NAMED | {"requirements": PINNED})
    Environment.objects.filter(slug="new-one").update(is_active=False)
    page = admin.post("/environments/new/", NAMED | {"requirements": PINNED, "slug": "py311"}).content.decode()
    assert "“py311” is in use already, by “Python”." in page
    assert "“New one” (new-one) has exactly this content and is retired. Offer that one again." in page


def test_a_data_set_is_added_as_a_zip_that_a_node_unpacks(signed, tmp_path):
    content = zipped(train__a="1", b="2")
    answer = signed("campus_admin").post("/data-sets/new/", NAMED | {"licence": "CC0", "files": upload(content)})
    assert answer.status_code == 302
    made = DataSet.objects.get(slug="new-one")
    assert (made.digest, made.size_bytes, made.file_count) == (hashlib.sha256(content).hexdigest(), len(content), 2)
    assert made.archive.read() == content
    (tmp_path / "unpacked").mkdir()
    with made.archive.open("rb") as archive:
        unpack(archive.file, tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "train" / "a").read_text() == "1"


def test_files_are_packed_so_that_the_same_files_are_the_same_data_set(signed):
    admin = signed("campus_admin")
    files = [upload(b"1", "a.csv"), upload(b"2", "b.csv")]
    assert admin.post("/data-sets/new/", NAMED | {"files": files}).status_code == 302
    again = [upload(b"2", "b.csv"), upload(b"1", "a.csv")]
    answer = admin.post("/data-sets/new/", NAMED | {"slug": "other", "files": again})
    assert "“New one” (new-one) has exactly this content." in answer.content.decode()
    assert DataSet.objects.get(slug="new-one").file_count == 2
    assert not DataSet.objects.filter(slug="other").exists()


def linked():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK no zip", "This is no zip that can be read."),
        (zipped(name="1").replace(b"name", b"\0ame"), r"“\x00ame” cannot be unpacked on a node."),
        (zipped(), "The zip holds no file."),
        (zipped(**{"..__up": "1"}), "“../up” cannot be unpacked on a node."),
        (linked(), "“link” cannot be unpacked on a node."),
        (zipped(a="1", A="2"), "Two files have the same name"),
        (zipped(a="0123456789" * 50).replace(b"0123", b"x123"), "cannot be read|is damaged"),
        (zipped(bomb="0" * 9_000), "The zip unpacks to more than 8 KB."),
    ],
)
def test_an_archive_that_no_node_could_unpack_is_refused(signed, settings, content, words):
    settings.LABS_DATA_SET_MAX_BYTES = 2048
    if words.startswith("cannot"):
        broken = bytearray(zipped(a="unique text"))
        broken[40] ^= 0xFF
        content = bytes(broken)
    answer = signed("campus_admin").post("/data-sets/new/", NAMED | {"files": upload(content)})
    assert answer.status_code == 400
    assert any(word in answer.content.decode() for word in words.split("|"))
    assert not DataSet.objects.filter(slug="new-one").exists()


def test_too_much_and_nothing_are_refused_and_nothing_stays(signed, settings, tmp_path):
    settings.LABS_DATA_SET_MAX_BYTES = 2048
    admin = signed("campus_admin")
    answer = admin.post("/data-sets/new/", NAMED | {"files": upload(bytes(4096), "a.bin")})
    assert "larger than 2 KB" in answer.content.decode()
    assert "Choose the files again" in answer.content.decode()
    assert "Choose a zip, or the files" in admin.post("/data-sets/new/", NAMED).content.decode()
    both = [upload(b"1", "a.csv"), upload(zipped(a="1"))]
    assert "not both" in admin.post("/data-sets/new/", NAMED | {"files": both}).content.decode()
    taken = NAMED | {"slug": "digits", "files": upload(zipped(a="1"))}
    assert "“digits” is in use already" in admin.post("/data-sets/new/", taken).content.decode()
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["digits.zip"]


@pytest.mark.parametrize(("kind", "slug"), [("environments", "py311"), ("data-sets", "digits")])
def test_what_running_labs_need_is_not_retired_and_is_offered_again(signed, world, kind, slug):
    admin = signed("platform_admin")
    model = Environment if kind == "environments" else DataSet
    answer = admin.post(f"/{kind}/{slug}/retire/", follow=True)
    assert "Labs of running terms need it: “Machine learning: 첫 실습”." in answer.content.decode()
    assert model.objects.get(slug=slug).is_active
    Term.objects.update(starts_on=timezone.localdate() - timedelta(9), ends_on=timezone.localdate() - timedelta(1))
    admin.post(f"/{kind}/{slug}/retire/")
    assert not model.objects.get(slug=slug).is_active
    assert "Retired" in admin.get(f"/{kind}/").content.decode()
    assert slug not in [one["slug"] for one in admin.get(f"/api/v1/{kind}/").json()["results"]]
    admin.post(f"/{kind}/{slug}/offer/")
    assert model.objects.get(slug=slug).is_active


def test_a_learner_sees_what_is_offered_and_no_more(signed, world):
    Environment.objects.create(slug="old", name_ko="옛것", digest="e" * 64, is_active=False)
    NodeEnvironment.objects.create(node=world.node, digest=world.environment.digest, state="READY")
    learner = signed("learner")
    page = learner.get("/environments/").content.decode()
    assert world.node.name in page
    assert "옛것" not in page
    assert "/environments/new/" not in page
    assert learner.get("/environments/old/").status_code == 404


@pytest.mark.parametrize("path", ["/environments/", "/data-sets/"])
def test_the_lists_cost_the_same_at_one_row_and_at_twenty(signed, world, path):
    admin = signed("platform_admin")

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert admin.get(path).status_code == 200
        return len(seen)

    few = queries()
    for number in range(19):
        digest = f"{number:064x}"
        Environment.objects.create(slug=f"e{number}", name_ko="환경", digest=digest)
        NodeEnvironment.objects.create(node=world.node, digest=digest, state="READY")
        DataSet.objects.create(slug=f"d{number}", name_ko="자료", digest=digest, size_bytes=1, file_count=1)
        world.job()
    assert queries() == few <= 20
