"""Materials' services: versions, hostile uploads, captions, chapters, credit and what finishes."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge
from courses.catalog import api as catalog
from courses.content.api import locked_modules
from courses.materials import api
from courses.materials.copying import COPIER
from courses.materials.models import CaptionTrack, Material, MaterialVersion, WatchCredit, WatchEvidence
from courses.materials.services import authoring, watching, wording
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db
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


def passed(version, learner, seconds):
    """So much time went by since the last report. The clock is the database's, so the row is set back."""
    rows = WatchCredit.objects.filter(version=version, enrolment=learner)
    assert rows.update(reported_at=F("reported_at") - timedelta(seconds=seconds)) == 1


def report(version, learner, *intervals, tab=None, number=0, position=0.0):
    return watching.report(
        version=version, enrolment=learner, tab=tab or TAB, number=number or next(_numbers),
        said=[list(one) for one in intervals], position_s=position,
    )  # fmt: skip


def watch(version, learner, *intervals, position=0.0):
    """Open the page, play these parts at normal speed, report once."""
    if not WatchCredit.objects.filter(version=version, enrolment=learner).exists():
        report(version, learner)
    passed(version, learner, sum(end - start for start, end in intervals))
    return report(version, learner, *intervals, position=position)


# --- uploads --------------------------------------------------------------------------------------------------------


def test_a_version_says_what_was_kept(module):
    version = build.video(module, 60)
    assert (version.media_type, version.duration_ms, version.number) == ("video/mp4", 60_000, 1)
    assert len(version.sha256) == 64
    assert default_storage.open(version.file.name).read() == build.mp4(60)
    assert version.file.name.startswith(f"materials/{version.material_id}/{version.sha256[:32]}")


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [
        ("VIDEO", b"<html><script>alert(1)</script>", "lecture.mp4"),
        ("VIDEO", b"MZ\x90\0" + bytes(100), "lecture.mp4"),
        ("VIDEO", b"", "lecture.mp4"),
        ("NOTEBOOK", b"[" * 50_000, "deep.ipynb"),
        ("NOTEBOOK", b"{}", "empty.ipynb"),
        ("FILE", b"", "nothing.pdf"),
    ],
)
def test_what_an_upload_is_counts_not_what_it_is_called(module, kind, content, name):
    with pytest.raises(InvalidInput) as refusal:
        api.open_material(
            module_id=module.pk, kind=kind, content=api.Content(build.upload(content, name)), actor=None, title="x"
        )
    assert "upload" in refusal.value.fields


def stored():
    folder = Path(settings.MEDIA_ROOT) / "materials"
    return {one for one in folder.rglob("*") if one.is_file()}


def test_a_row_that_cannot_be_written_leaves_no_file(module):
    before = stored()
    content = api.Content(build.upload(build.mp4(0)), duration_ms=2**40)
    with pytest.raises(InvalidInput), transaction.atomic():
        api.open_material(module_id=module.pk, kind="VIDEO", content=content, actor=None, title="x")
    assert not Material.objects.exists()
    assert stored() == before


def test_an_upload_beyond_the_limit_is_named_with_both_sizes(module, settings):
    settings.MATERIALS_MAX_BYTES = {"VIDEO": 100, "FILE": 10, "NOTEBOOK": 10}
    with pytest.raises(TooLarge, match=r"lecture\.mp4"):
        build.video(module)


def test_a_path_in_a_name_is_dropped_and_never_reaches_the_disk(module):
    version = build.file(module, name="..\\..\\etc/비밀\r\n.pdf")
    assert "/" not in version.name
    assert "\n" not in version.name
    assert "etc" not in version.file.name


def test_a_video_that_does_not_say_how_long_it_is_needs_to_be_told(module):
    content = build.mp4(0)
    with pytest.raises(InvalidInput) as refusal:
        api.open_material(
            module_id=module.pk, kind="VIDEO", content=api.Content(build.upload(content)), actor=None, title="x"
        )
    assert "length" in refusal.value.fields
    made = api.open_material(
        module_id=module.pk, kind="VIDEO", content=api.Content(build.upload(content), duration_ms=90_000), actor=None,
        title="x",
    )  # fmt: skip
    assert made.versions.get().duration_ms == 90_000


@pytest.mark.parametrize(
    "address",
    [
        "http://video.example.org/a.m3u8",
        "https://evil.example.org/a.m3u8",
        "https://video.example.org@evil.example.org/a.m3u8",
        "https://video.example.org.evil.org/a.m3u8",
        "https://video.example.org:8443/a.m3u8",
        "https://video.example.org/a.mp4",
        "https://video.example.org/a.m3u8#x",
        "javascript:alert(1)//.m3u8",
    ],
)
def test_an_hls_address_is_of_a_host_that_the_operator_named(module, settings, address):
    settings.MATERIALS_HLS_ORIGINS = ["https://video.example.org"]
    with pytest.raises(InvalidInput) as refusal:
        api.open_material(
            module_id=module.pk, kind="VIDEO", content=api.Content(hls_url=address, duration_ms=60_000), actor=None,
            title="x",
        )  # fmt: skip
    assert "hls_url" in refusal.value.fields


def test_a_stream_of_a_named_host_is_a_version_without_a_file(module, settings):
    settings.MATERIALS_HLS_ORIGINS = ["https://video.example.org"]
    made = api.open_material(
        module_id=module.pk, kind="VIDEO", actor=None, title="x",
        content=api.Content(hls_url="https://video.example.org/a/b.m3u8", duration_ms=60_000),
    )  # fmt: skip
    assert not made.versions.get().file


def test_versions_are_never_changed(module):
    version = build.video(module)
    with pytest.raises(DatabaseError), transaction.atomic():
        MaterialVersion.objects.filter(pk=version.pk).update(sha256="0" * 64)


def test_the_same_file_again_is_no_new_version(module):
    version = build.video(module)
    with pytest.raises(Conflict) as refusal:
        api.add_version(material_id=version.material_id, content=api.Content(build.upload(build.mp4())), actor=None)
    assert refusal.value.code == "same_file"


def test_a_new_version_takes_captions_and_chapters_over_if_wished(module):
    material = build.video(module).material
    api.save_captions(material_id=material.pk, language="ko", upload=build.upload(build.VTT.encode()), actor=None)
    api.save_chapters(material_id=material.pk, text="0:00 시작\n0:50 끝", actor=None)
    kept = api.add_version(
        material_id=material.pk, content=api.Content(build.upload(build.mp4(30))), actor=None, keep_words=True
    )
    assert kept.captions.get().transcript.startswith("경사를")
    assert [one.title for one in kept.chapters.all()] == ["시작"]
    bare = api.add_version(material_id=material.pk, content=api.Content(build.upload(build.mp4(31))), actor=None)
    assert not bare.captions.exists()


def test_deleting_an_unused_material_deletes_its_file(module, django_capture_on_commit_callbacks):
    version = build.video(module)
    with django_capture_on_commit_callbacks(execute=True):
        authoring.delete_material(material_id=version.material_id, actor=None)
    assert not default_storage.exists(version.file.name)


def test_a_material_that_learners_used_is_not_deleted(module, learner):
    version = build.file(module)
    api.open_version(version=version, enrolment=learner)
    with pytest.raises(Conflict):
        authoring.delete_material(material_id=version.material_id, actor=None)


@pytest.mark.parametrize(
    ("person", "error"), [("stranger", NotFound), ("learner", NotAllowed), ("assistant", NotAllowed)]
)
def test_only_who_may_edit_the_run_writes(cohort, module, learner, person, error):
    version = build.video(module)
    who = {
        "stranger": lambda: courses.person(),
        "learner": lambda: learner.user,
        "assistant": lambda: courses.staff("ASSISTANT", cohort.scope),
    }[person]()
    pk = version.material_id
    for act in (
        lambda: authoring.change_material(material_id=pk, fields={"title": "y"}, actor=who),
        lambda: api.add_version(material_id=pk, content=api.Content(build.upload(build.mp4(9))), actor=who),
        lambda: authoring.move_material(material_id=pk, to="up", actor=who),
        lambda: authoring.delete_material(material_id=pk, actor=who),
        lambda: api.save_chapters(material_id=pk, text="", actor=who),
        lambda: api.save_captions(
            material_id=pk, language="ko", upload=build.upload(build.VTT.encode()), actor=who
        ),
        lambda: wording.remove_captions(material_id=pk, language="ko", actor=who),
        lambda: watching.set_watch_rule(run=cohort.run, finish_pct=50, actor=who),
    ):  # fmt: skip
        with pytest.raises(error), transaction.atomic():
            act()


# --- words ----------------------------------------------------------------------------------------------------------


def test_captions_are_replaced_in_their_language(module):
    version = build.video(module)
    for text in (build.VTT, "WEBVTT\n\n00:02.000 --> 00:03.000\n다시\n"):
        api.save_captions(
            material_id=version.material_id, language="ko", upload=build.upload(text.encode(), "a.vtt"), actor=None
        )
    assert CaptionTrack.objects.get().cues == [[2000, 3000, "다시"]]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "1\n00:00:01,000 --> 00:00:02,000\nsrt\n"),
        ("ko", "WEBVTT\n\n02:00.000 --> 02:01.000\nbeyond the end\n"),
        ("ko", "WEBVTT\n\n" + "x" * 600_000),
        ("fr", build.VTT),
    ],
)
def test_captions_that_cannot_be_are_refused(module, language, text):
    version = build.video(module)
    with pytest.raises(InvalidInput):
        api.save_captions(
            material_id=version.material_id, language=language, upload=build.upload(text.encode()), actor=None
        )
    assert not CaptionTrack.objects.exists()


def test_chapters_come_from_a_webvtt_file_and_replace_what_was_typed(module):
    version = build.video(module)
    api.save_chapters(material_id=version.material_id, text="0:00 처음", actor=None)
    file = build.upload(b"WEBVTT\n\n00:00.000 --> 00:10.500\nStart\n\n00:10.500 --> 00:20.000\nEnd\n", "chapters.vtt")
    api.save_chapters(material_id=version.material_id, text="0:00 아무거나", upload=file, actor=None)
    assert list(version.chapters.values_list("at_ms", "title")) == [(0, "Start"), (10_500, "End")]
    with pytest.raises(InvalidInput) as refusal:
        api.save_chapters(material_id=version.material_id, upload=build.upload(b"0:00 Start"), actor=None)
    assert list(refusal.value.fields) == ["chapter_file"]
    assert version.chapters.count() == 2


def test_a_chapter_beyond_the_end_is_refused(module):
    version = build.video(module, 60)
    with pytest.raises(InvalidInput):
        api.save_chapters(material_id=version.material_id, text="1:00 끝", actor=None)


# --- credit ---------------------------------------------------------------------------------------------------------


def test_watching_most_of_it_finishes_it(module, learner):
    version = build.video(module, 60)
    watch(version, learner, (0, 30), position=30.0)
    credit = WatchCredit.objects.get()
    assert (credit.percent, credit.seconds, credit.position_ms, credit.finished_at) == (50, 30, 30_000, None)
    watch(version, learner, (30, 56))
    credit.refresh_from_db()
    assert credit.percent == 93
    assert credit.finished_at is not None


def test_skipping_to_the_end_does_not_finish_it(module, learner):
    version = build.video(module, 60)
    watch(version, learner, (0, 5))
    watch(version, learner, (55, 60))
    credit = WatchCredit.objects.get()
    assert (credit.percent, credit.finished_at) == (16, None)
    assert credit.pieces == [[0, 5000], [55_000, 60_000]]


def test_what_is_reported_faster_than_it_can_be_watched_is_refused_and_kept_as_evidence(module, learner):
    version = build.video(module, 600)
    report(version, learner)
    passed(version, learner, 10)
    got = report(version, learner, (0, 600))
    assert 22 <= got.credit.seconds <= 24
    kept = WatchEvidence.objects.get(refused_ms__gt=0)
    assert kept.claimed == [[0, 600_000]]
    assert kept.refused_ms >= 570_000


def test_a_report_that_is_sent_again_counts_once(module, learner):
    version, tab = build.video(module, 60), uuid4()
    report(version, learner, tab=tab)
    passed(version, learner, 10)
    first = report(version, learner, (0, 10), tab=tab, number=7_000_000)
    passed(version, learner, 100)
    again = report(version, learner, (0, 60), tab=tab, number=7_000_000)
    assert again.credit.seconds == first.credit.seconds == 10
    assert WatchEvidence.objects.filter(tab=tab).count() == 2


def test_two_tabs_share_one_clock(module, learner):
    version, other = build.video(module, 600), uuid4()
    report(version, learner)
    report(version, learner, tab=other)
    passed(version, learner, 10)
    report(version, learner, (0, 20))
    got = report(version, learner, (300, 320), tab=other)
    assert 20 <= got.credit.seconds <= 24


def test_a_new_page_brings_no_time_from_before_it_was_opened(module, learner):
    version = build.video(module, 600)
    report(version, learner)
    passed(version, learner, 100)
    assert report(version, learner, (0, 200), tab=uuid4()).credit.seconds <= 3


@pytest.mark.parametrize("said", [None, [[0, float("nan")]], [[-5, 5]], [[0, 9e9]], "x", [[0, True]], [["0", "9"]]])
def test_forged_times_are_refused_and_leave_nothing(module, learner, said):
    version = build.video(module, 60)
    with pytest.raises(InvalidInput):
        watching.report(version=version, enrolment=learner, tab=TAB, number=1, said=said, position_s=0)
    assert not WatchEvidence.objects.exists()


def test_evidence_is_append_only(module, learner):
    version = build.video(module, 60)
    report(version, learner)
    for act in (
        lambda: WatchEvidence.objects.update(refused_ms=0, counted=[[0, 60_000]]),
        lambda: WatchEvidence.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_staff_and_those_who_left_get_no_credit(module, learner):
    version = build.video(module, 60)
    with pytest.raises(NotAllowed):
        report(version, None)
    catalog.withdraw(enrolment_id=learner.pk, actor=None)
    learner.refresh_from_db()
    with pytest.raises(NotAllowed):
        report(version, learner)


def test_a_new_version_is_counted_anew_and_takes_no_finish_away(module, learner):
    version = build.video(module, 60)
    watch(version, learner, (0, 60))
    api.add_version(material_id=version.material_id, content=api.Content(build.upload(build.mp4(61))), actor=None)
    (row,) = api.progress_of([learner.pk])
    assert (row.progress.share, row.progress.why) == (1, "WATCHED_BEFORE")


def test_half_of_an_older_version_is_nothing_of_the_new_one(module, learner):
    version = build.video(module, 60)
    watch(version, learner, (0, 30))
    api.add_version(material_id=version.material_id, content=api.Content(build.upload(build.mp4(61))), actor=None)
    (row,) = api.progress_of([learner.pk])
    assert (row.progress.share, row.progress.why) == (0, "NOT_WATCHED")


def test_a_lower_bar_finishes_who_is_over_it_and_a_higher_one_takes_nothing_away(cohort, module, learner):
    version = build.video(module, 60)
    watch(version, learner, (0, 36))
    watching.set_watch_rule(run=cohort.run, finish_pct=50, actor=None)
    finished_at = WatchCredit.objects.get().finished_at
    assert finished_at is not None
    watching.set_watch_rule(run=cohort.run, finish_pct=95, actor=None)
    assert WatchCredit.objects.get().finished_at == finished_at


def test_a_videos_own_bar_wins_over_the_runs(cohort, module, learner):
    version = build.video(module, 60, finish_pct=100)
    watching.set_watch_rule(run=cohort.run, finish_pct=10, actor=None)
    watch(version, learner, (0, 36))
    assert WatchCredit.objects.get().finished_at is None
    authoring.change_material(material_id=version.material_id, fields={"finish_pct": 60}, actor=None)
    assert WatchCredit.objects.get().finished_at is not None


# --- progress -------------------------------------------------------------------------------------------------------


def test_progress_says_how_much_since_when_and_why(module, learner):
    clip, paper, pages = build.video(module, 60), build.file(module), build.notes(module)
    build.file(module, b"%PDF-2", is_published=False, title="숨긴 것")
    watch(clip, learner, (0, 30))
    api.open_version(version=pages, enrolment=learner)
    rows = {row.material.pk: row for row in api.progress_of([learner.pk])}
    assert len(rows) == 3
    said = [rows[one.material_id].progress for one in (clip, paper, pages)]
    assert [(one.share, one.why) for one in said] == [(0.5, "WATCHED_PART"), (0, "NOT_OPENED"), (1, "OPENED")]
    assert rows[pages.material_id].progress.finished_at is not None
    assert {row.module_id for row in rows.values()} == {module.pk}


@pytest.mark.parametrize("count", [1, 20])
def test_progress_takes_four_queries_whatever_there_is(cohort, module, count):
    for number in range(count):
        build.video(module, 60 + number)
    courses.learners(cohort, count)
    ids = list(cohort.enrolments.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as queries:
        assert len(api.progress_of(ids)) == count * count
    assert len(queries) == 4


def test_a_module_opens_after_the_materials_of_another(cohort, module, learner):
    later = build.module(cohort.run)
    later.needs.add(module)
    version = build.file(module)
    access = catalog.run_access(learner.user, cohort.run)
    assert set(locked_modules(access)) == {later.pk}
    api.open_version(version=version, enrolment=learner)
    assert locked_modules(access) == {}


def test_a_copied_run_takes_the_newest_versions_with_their_words_and_shares_the_bytes(
    cohort, module, learner, django_capture_on_commit_callbacks
):
    clip = build.video(module, 60)
    api.save_captions(material_id=clip.material_id, language="ko", upload=build.upload(build.VTT.encode()), actor=None)
    api.save_chapters(material_id=clip.material_id, text="0:00 시작", actor=None)
    build.file(module)
    watching.set_watch_rule(run=cohort.run, finish_pct=70, actor=None)
    watch(clip, learner, (0, 60))
    target = courses.run()
    other, copied = build.module(target), catalog.Copied()
    copied.keep("module", {module.pk: other.pk})
    COPIER.copy(cohort.run, target, catalog.Shift(weeks=26, zone=ZoneInfo("Asia/Seoul")), copied, None)
    made = MaterialVersion.objects.get(material__module=other, material__kind="VIDEO")
    assert (made.file.name, made.number, made.captions.get().language) == (clip.file.name, 1, "ko")
    assert made.chapters.count() == 1
    assert target.watch_rule.finish_pct == 70
    assert not made.credits.exists()
    with django_capture_on_commit_callbacks(execute=True):
        authoring.delete_material(material_id=made.material_id, actor=None)
    assert default_storage.exists(clip.file.name)


def test_what_is_said_in_a_video_and_written_in_a_file_can_be_searched(module, django_assert_num_queries):
    clip = build.video(module, description="첫 영상")
    api.save_captions(material_id=clip.material_id, language="ko", upload=build.upload(build.VTT.encode()), actor=None)
    paper = build.file(module, "학습률 요약".encode(), "summary.txt")
    pages = build.notes(module)
    with django_assert_num_queries(3):
        found = {one.material.pk: one.text for one in api.texts_of(None)}
    assert "튕겨" in found[clip.material_id]
    assert found[clip.material_id].startswith("첫 영상")
    assert found[paper.material_id] == "학습률 요약"
    assert "노트북" in found[pages.material_id]


def test_new_captions_are_a_change_of_the_material(module):
    material = build.video(module).material
    material.refresh_from_db()
    before = material.changed_at
    api.save_captions(material_id=material.pk, language="ko", upload=build.upload(build.VTT.encode()), actor=None)
    material.refresh_from_db()
    assert material.changed_at > before
