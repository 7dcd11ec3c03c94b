"""Pages of materials over HTTP: reading, ranges, hostile content, writing, following; query counts."""

import asyncio
import base64
import json
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campus.config.asgi import application
from courses.materials import api
from courses.materials.models import Material, Opening, WatchCredit, WatchRule
from tests.courses import build as courses
from tests.web.browser import session_cookie

from . import build

pytestmark = pytest.mark.django_db
MOST = 20
TAB = uuid4()
_numbers = count(1)


@pytest.fixture
def cohort():
    return courses.cohort()


@pytest.fixture
def module(cohort):
    return build.module(cohort.run)


@pytest.fixture
def learner(cohort):
    return courses.learner(cohort)


@pytest.fixture
def teacher(cohort):
    return courses.staff("INSTRUCTOR", cohort.scope)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def file_url(version) -> str:
    return f"/materials/{version.material_id}/versions/{version.number}/file/"


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def post_report(client, version, *intervals, number=0, tab=None, position=0):
    said = {
        "tab": str(tab or TAB),
        "number": number or next(_numbers),
        "intervals": list(intervals),
        "position": position,
    }
    return client.post(
        f"/materials/{version.material_id}/versions/{version.number}/watched/", {"report": json.dumps(said)}
    )


# --- files and ranges -----------------------------------------------------------------------------------------------


def test_a_player_gets_the_range_it_asks_for(module, learner):
    version = build.video(module)
    whole, client = build.mp4(), client_of(learner.user)
    answer = client.get(file_url(version))
    assert (answer.status_code, body(answer)) == (200, whole)
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Length"] == str(len(whole))
    part = client.get(file_url(version), headers={"range": "bytes=10-19"})
    assert (part.status_code, body(part)) == (206, whole[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert part["Content-Length"] == "10"
    tail = client.get(file_url(version), headers={"range": "bytes=-5"})
    assert (tail.status_code, body(tail)) == (206, whole[-5:])


def test_a_range_beyond_the_end_is_unsatisfiable_and_names_the_size(module, learner):
    version = build.video(module)
    answer = client_of(learner.user).get(file_url(version), headers={"range": "bytes=999999-"})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{version.size_bytes}"


def test_a_range_of_another_file_sends_all_of_this_one(module, learner):
    version, client = build.video(module), client_of(learner.user)
    same = client.get(file_url(version))["ETag"]
    asked = {"range": "bytes=0-9"}
    assert client.get(file_url(version), headers=asked | {"if-range": same}).status_code == 206
    assert client.get(file_url(version), headers=asked | {"if-range": '"other"'}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_large_range_is_read_as_it_leaves(tmp_path, settings):
    """The end of the range is changed on the disk after its first part has left: what is sent was not read before."""
    settings.MEDIA_ROOT = tmp_path
    size = 4 * 1024 * 1024
    courses.root()
    cohort = courses.cohort()
    learner = courses.learner(cohort)
    version = build.file(build.module(cohort.run), bytes(size), "zeros.bin")

    def change() -> None:
        with Path(version.file.path).open("rb+") as opened:
            opened.seek(size - 100)
            opened.write(b"\1" * 50)

    status, parts = ask(file_url(version), learner.user, f"bytes=1000-{size - 51}", change)
    assert status == 206
    assert b"".join(parts) == bytes(size - 1100) + b"\1" * 50
    assert max(map(len, parts)) <= 256 * 1024


def ask(path: str, user: Any, wanted: str, at_first_part: Any) -> tuple[int, list[bytes]]:
    """Ask the ASGI application as a server does."""
    parts: list[bytes] = []
    statuses: list[int] = []
    asked = [{"type": "http.request", "body": b"", "more_body": False}]
    cookie = f"{settings.SESSION_COOKIE_NAME}={session_cookie(user, '')['value']}".encode()
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"testserver"), (b"cookie", cookie), (b"range", wanted.encode())],
    }  # fmt: skip

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        elif message.get("body"):
            parts.append(message["body"])
            if len(parts) == 1:
                await sync_to_async(at_first_part)()

    async_to_sync(application)(scope, receive, send)
    return statuses[0], parts


def test_chapters_are_uploaded_as_a_file_and_a_refusal_keeps_what_was_typed(module, teacher):
    version, client = build.video(module), client_of(teacher)
    url = f"/materials/{version.material_id}/chapters/"
    refused = client.post(url, {"chapters": "0:05 적은 것", "chapter_file": build.upload(b"0:00 A", "a.vtt")})
    assert refused.status_code == 400
    assert "첫 줄이 WEBVTT" in refused.content.decode()
    assert "0:05 적은 것" in refused.content.decode()
    file = build.upload(b"WEBVTT\n\n00:01.500 --> 00:09.000\n\xea\xb2\xbd\xec\x82\xac\n", "a.vtt")
    assert client.post(url, {"chapters": "", "chapter_file": file}).status_code == 302
    assert "0:01.500 경사" in client.get(f"/materials/{version.material_id}/edit/").content.decode()


@pytest.mark.parametrize(
    ("content", "name", "query", "media_type", "disposition"),
    [
        (b"<html><script>alert(1)</script>", "x.html", "?shown=1", "application/octet-stream", "attachment"),
        (b"<svg onload=alert(1)>", "x.svg", "?shown=1", "application/octet-stream", "attachment"),
        (b"<svg onload=alert(1)>", "x.png", "?shown=1", "application/octet-stream", "attachment"),
        (b"<script>alert(1)</script>", "x.txt", "?shown=1", "text/plain; charset=utf-8", "inline"),
        (b"%PDF-1.4", "x.pdf", "?shown=1", "application/pdf", "inline"),
        (b"%PDF-1.4", "x.pdf", "", "application/octet-stream", "attachment"),
    ],
)
def test_what_was_uploaded_never_runs_as_a_page_of_ours(module, learner, content, name, query, media_type, disposition):
    version = build.file(module, content, name)
    answer = client_of(learner.user).get(file_url(version) + query)
    assert answer["Content-Type"] == media_type
    assert answer["Content-Disposition"].startswith(disposition)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "sandbox" in answer["Content-Security-Policy"] or media_type == "application/pdf"


def test_a_korean_name_with_line_breaks_makes_one_header(module, learner):
    version = build.file(module, name="강의\r\nX-Evil: 1.pdf")
    answer = client_of(learner.user).get(file_url(version))
    assert "X-Evil" not in answer
    assert "%EA%B0%95" in answer["Content-Disposition"]


def test_a_file_whose_bytes_are_gone_is_not_found(module, learner):
    version = build.file(module)
    Path(version.file.path).unlink()
    assert client_of(learner.user).get(file_url(version)).status_code == 404
    assert client_of(learner.user).get(f"/materials/{version.material_id}/").status_code == 200


def test_learners_get_the_newest_version_only(module, learner, teacher):
    old = build.file(module)
    api.add_version(
        material_id=old.material_id, content=api.Content(build.upload(b"%PDF-1.5 new", "b.pdf")), actor=None
    )
    assert client_of(learner.user).get(file_url(old)).status_code == 404
    assert client_of(teacher).get(file_url(old)).status_code == 200


def test_downloading_a_file_is_opening_it_and_looking_at_its_page_is_not(module, learner):
    version, client = build.file(module), client_of(learner.user)
    client.get(f"/materials/{version.material_id}/")
    assert not Opening.objects.exists()
    client.get(file_url(version))
    client.get(file_url(version))
    assert Opening.objects.get().enrolment == learner
    assert "열었으므로" in client.get(f"/materials/{version.material_id}/").content.decode()


# --- the page -------------------------------------------------------------------------------------------------------


def test_a_video_page_offers_player_captions_chapters_and_transcript(module, learner):
    version = build.video(module)
    api.save_captions(
        material_id=version.material_id, language="ko", upload=build.upload(build.VTT.encode()), actor=None
    )
    api.save_chapters(material_id=version.material_id, text="0:00 시작\n0:10 학습률", actor=None)
    page = client_of(learner.user).get(f"/materials/{version.material_id}/").content.decode()
    assert 'kind="captions" srclang="ko"' in page
    assert "학습률이 크면" in page
    assert 'data-seek="12.000"' in page
    assert page.count("학습률</span>") == 1
    vtt = client_of(learner.user).get(f"/materials/{version.material_id}/versions/1/ko.vtt")
    assert vtt["Content-Type"] == "text/vtt; charset=utf-8"
    assert "00:00:12.000 --> 00:00:15.000" in vtt.content.decode()
    assert client_of(learner.user).get(f"/materials/{version.material_id}/versions/1/en.vtt").status_code == 404


def test_captions_cannot_put_markup_into_the_page(module, learner):
    version = build.video(module)
    evil = "WEBVTT\n\n00:01.000 --> 00:02.000\n&lt;img src=x onerror=alert(1)&gt; <b>bold</b>\n"
    api.save_captions(material_id=version.material_id, language="ko", upload=build.upload(evil.encode()), actor=None)
    page = client_of(learner.user).get(f"/materials/{version.material_id}/").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; bold" in page


def test_a_video_goes_on_where_one_left_off_and_where_the_address_says(module, learner):
    version, client = build.video(module), client_of(learner.user)
    post_report(client, version, position=31.5)
    url = f"/materials/{version.material_id}/"
    assert "file/#t=31.500" in client.get(url).content.decode()
    assert "file/#t=12.000" in client.get(url + "?t=12").content.decode()
    for nonsense in ("-1", "1e9", "NaN", "<script>", "9" * 50):
        assert client.get(url, {"t": nonsense}).status_code == 200
    assert "#t=" not in client_of(courses.learner(learner.cohort).user).get(url).content.decode()


def test_only_the_page_of_a_stream_lets_its_host_in(module, learner, settings):
    settings.MATERIALS_HLS_ORIGINS = ["https://video.example.org"]
    made = api.open_material(
        module_id=module.pk, kind="VIDEO", actor=None, title="x",
        content=api.Content(hls_url="https://video.example.org/a/b.m3u8", duration_ms=60_000),
    )  # fmt: skip
    client = client_of(learner.user)
    policy = client.get(f"/materials/{made.pk}/")["Content-Security-Policy"]
    assert "media-src 'self' blob: https://video.example.org" in policy
    assert "connect-src 'self' https://video.example.org" in policy
    assert "script-src 'self' 'nonce-" in policy
    assert "worker-src" not in policy
    assert "example.org" not in client.get("/")["Content-Security-Policy"]


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()


def test_a_notebook_is_shown_and_nothing_in_it_runs(module, learner):
    cells = (
        {"cell_type": "markdown", "source": "# 제목\n<script>alert(1)</script> [x](javascript:alert(2)) $x^2$"},
        {
            "cell_type": "code", "source": "print('안녕')\n```\n<script>alert(3)</script>", "execution_count": 1,
            "outputs": [
                {"output_type": "stream", "text": "<script>alert(4)</script>"},
                {"output_type": "display_data", "data": {"text/html": "<script>alert(5)</script>"}},
                {"output_type": "display_data", "data": {"image/png": PNG}},
                {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(6)>"}},
            ],
        },
        {"cell_type": "raw", "source": "<script>alert(7)</script>"},
    )  # fmt: skip
    version = build.notes(module, build.notebook(*cells))
    page = client_of(learner.user).get(f"/materials/{version.material_id}/").content.decode()
    assert "<script>alert" not in page
    assert "onload=alert" not in page
    assert 'href="javascript' not in page
    assert f'src="data:image/png;base64,{PNG}"' in page
    assert page.count('class="language-python"') == 1
    assert "```" in page
    assert "text/html" in page
    assert Opening.objects.get().enrolment == learner


def test_the_course_lists_materials_in_their_module_with_how_far_one_is(module, learner):
    clip, paper = build.video(module), build.file(module)
    build.file(module, b"%PDF-9", is_published=False, title="아직 비밀")
    client = client_of(learner.user)
    client.get(file_url(paper))
    post_report(client, clip)
    WatchCredit.objects.update(percent=45)
    page = client.get(f"/courses/{module.run.slug}/").content.decode()
    assert page.index("경사 하강법 영상") < page.index("유인물")
    assert "45% 시청" in page
    assert "아직 비밀" not in page


# --- reports --------------------------------------------------------------------------------------------------------


def test_a_report_answers_with_the_bar(module, learner):
    version, client = build.video(module, 60), client_of(learner.user)
    post_report(client, version)
    answer = post_report(client, version, [0, 3]).json()
    assert answer["percent"] == 5
    assert answer["watched"] == [[0, 50]]
    assert answer["missing"] == [["3.000", "0:03–1:00"]]
    assert "refused" not in answer
    assert "refused" in post_report(client, version, [10, 50]).json()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"tab": 1}', '{"tab": "x", "number": 1}', '{"number":1}', "9" * 5000]
)
def test_what_is_no_report_is_refused(module, learner, text):
    version = build.video(module)
    url = f"/materials/{version.material_id}/versions/1/watched/"
    assert client_of(learner.user).post(url, {"report": text}).status_code == 400
    assert not WatchCredit.objects.exists()


def test_a_report_needs_the_pages_token(module, learner):
    version = build.video(module)
    client = Client(enforce_csrf_checks=True)
    client.force_login(learner.user)
    assert post_report(client, version).status_code == 403


# --- writing --------------------------------------------------------------------------------------------------------


def test_an_instructor_adds_a_video_with_words_and_replaces_it(module, teacher):
    client = client_of(teacher)
    sent = {"title": "영상", "minutes": 5, "is_published": "on", "upload": build.upload(build.mp4())}
    answer = client.post(f"/modules/{module.pk}/materials/new/video/", sent)
    made = Material.objects.get()
    assert answer["Location"] == f"/materials/{made.pk}/edit/"
    words = {"language": "ko", "captions": build.upload(build.VTT.encode(), "ko.vtt")}
    assert client.post(f"/materials/{made.pk}/captions/", words).status_code == 302
    assert client.post(f"/materials/{made.pk}/chapters/", {"chapters": "0:00 시작"}).status_code == 302
    sent |= {"title": "새 영상", "keep_words": "on", "upload": build.upload(build.mp4(70))}
    assert client.post(f"/materials/{made.pk}/edit/", sent).status_code == 302
    newest = build.newest(made)
    assert (newest.number, newest.captions.count(), newest.chapters.count()) == (2, 1, 1)
    assert client.post(f"/materials/{made.pk}/captions/ko/remove/").status_code == 302
    assert newest.captions.count() == 0


def test_errors_keep_what_was_typed(module, teacher):
    client = client_of(teacher)
    sent = {"title": "좋은 제목", "minutes": 5, "upload": build.upload(b"<html>", "lecture.mp4")}
    answer = client.post(f"/modules/{module.pk}/materials/new/video/", sent)
    assert answer.status_code == 400
    assert "좋은 제목" in answer.content.decode()
    assert "MP4" in answer.content.decode()
    made = build.video(module).material
    answer = client.post(f"/materials/{made.pk}/chapters/", {"chapters": "0:00 시작\n둘째"})
    assert answer.status_code == 400
    assert "둘째" in answer.content.decode()
    answer = client.post(f"/materials/{made.pk}/captions/", {"language": "ko", "captions": build.upload(b"srt", "x")})
    assert answer.status_code == 400


def test_the_order_page_moves_and_deletes_materials(module, teacher):
    first, second = build.video(module).material, build.file(module).material
    client = client_of(teacher)
    client.post(f"/materials/{second.pk}/move/", {"to": "up"})
    assert list(module.materials.values_list("pk", flat=True)) == [second.pk, first.pk]
    page = client.get(f"/courses/{module.run.slug}/order/").content.decode()
    assert f"/materials/{second.pk}/delete/" in page
    client.post(f"/materials/{second.pk}/delete/")
    assert list(module.materials.values_list("pk", flat=True)) == [first.pk]


# --- following ------------------------------------------------------------------------------------------------------


def test_staff_follow_the_learners_of_their_own_cohorts_only(cohort, module, learner, teacher):
    other = courses.cohort(of=cohort.run)
    elsewhere = courses.learner(other, name="먼 곳의 학습자")
    version = build.video(module)
    client = client_of(teacher)
    for url in (f"/materials/{version.material_id}/", f"/courses/{cohort.run.slug}/materials/"):
        page = client.get(url).content.decode()
        assert learner.user.name in page
        assert "먼 곳의 학습자" not in page
    said = client.get(f"/courses/{cohort.run.slug}/materials.csv").content.decode("utf-8-sig")
    assert learner.user.email in said
    assert elsewhere.user.email not in said
    assert client.get(f"/materials/{version.material_id}/learners/{learner.pk}/").status_code == 200
    assert client.get(f"/materials/{version.material_id}/learners/{elsewhere.pk}/").status_code == 404


def test_learners_see_their_own_reports_and_nobody_elses(cohort, module, learner):
    version, mate = build.video(module), courses.learner(cohort)
    client = client_of(learner.user)
    assert client.get(f"/materials/{version.material_id}/learners/{learner.pk}/").status_code == 200
    assert client.get(f"/materials/{version.material_id}/learners/{mate.pk}/").status_code == 404
    assert learner.user.name not in client.get(f"/materials/{version.material_id}/").content.decode().split("<main")[1]


def test_a_run_sets_its_own_bar(cohort, teacher):
    client, url = client_of(teacher), f"/courses/{cohort.run.slug}/materials/rule/"
    assert client.post(url, {"finish_pct": 75}).status_code == 302
    assert WatchRule.objects.get().finish_pct == 75
    assert client.post(url, {"finish_pct": 0}).status_code == 400
    assert client.post(url, {"finish_pct": 101}).status_code == 400


# --- queries --------------------------------------------------------------------------------------------------------


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_pages_cost_the_same_at_one_row_and_at_twenty(cohort, module, learner, teacher):
    version = build.video(module)
    api.save_captions(
        material_id=version.material_id, language="ko", upload=build.upload(build.VTT.encode()), actor=None
    )
    api.save_chapters(material_id=version.material_id, text="0:00 시작", actor=None)
    pages = [
        (client_of(teacher), f"/materials/{version.material_id}/"),
        (client_of(teacher), f"/materials/{version.material_id}/edit/"),
        (client_of(teacher), f"/courses/{cohort.run.slug}/materials/"),
        (client_of(teacher), f"/courses/{cohort.run.slug}/materials.csv"),
        (client_of(teacher), f"/courses/{cohort.run.slug}/"),
        (client_of(learner.user), f"/courses/{cohort.run.slug}/"),
        (client_of(learner.user), f"/materials/{version.material_id}/"),
        (client_of(teacher), f"/materials/{version.material_id}/learners/{learner.pk}/"),
    ]
    post_report(client_of(learner.user), version)
    few = [queries(*page) for page in pages]
    for number in range(19):
        build.video(module, 61 + number, title=f"영상 {number}")
    for number in range(2, 5):
        api.add_version(
            material_id=version.material_id, content=api.Content(build.upload(build.mp4(60 + number))), actor=teacher,
            keep_words=True,
        )  # fmt: skip
    api.save_chapters(material_id=version.material_id, text="\n".join(f"0:{n:02} {n}" for n in range(20)), actor=None)
    for _ in range(19):
        mate = courses.learner(cohort)
        post_report(client_of(mate.user), build.newest(version.material))
    post_report(client_of(learner.user), build.newest(version.material))
    assert [queries(*page) for page in pages] == few
    assert max(few) <= MOST
