"""Every save of a lesson is a version, drafts wait, two who save at once keep both texts; files go to readers only."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connections, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from campus.core.errors import Conflict, InvalidInput
from courses.content.domain.diff import Kind, compare
from courses.content.domain.files import MOST_FILES, free_name, picture_type, safe_name
from courses.content.domain.markdown import render
from courses.content.filing import add_file
from courses.content.models import Lesson, LessonFile, LessonVersion
from courses.content.writing import change_lesson, restore_version, show_version
from tests.access import world as worlds

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def change(lesson, body, **more):
    return change_lesson(lesson_id=lesson.pk, fields={"body": body}, actor=None, **more)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def world():
    return worlds.build()


@pytest.mark.django_db
class TestVersions:
    def test_every_save_is_kept_and_what_was_there_before_the_first_too(self, world):
        change(world.lesson, "둘")
        change(world.lesson, "둘")  # nothing new
        change(world.lesson, "셋")
        kept = LessonVersion.objects.filter(lesson=world.lesson).values_list("number", "body")
        assert list(kept) == [(3, "셋"), (2, "둘"), (1, world.lesson.body)]

    def test_a_version_is_never_changed(self, world):
        change(world.lesson, "둘")
        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            LessonVersion.objects.filter(number=2).update(body="별")

    def test_learners_read_a_draft_once_it_is_shown(self, world):
        learner, staff = client_of(world.learner), client_of(world.people["instructor"])
        url = f"/lessons/{world.lesson.pk}/"
        form = {"title": "숫자 읽기", "minutes": 5, "is_published": "on", "body": "초안의 글", "seen": 1, "draft": "1"}
        assert staff.post(f"{url}edit/", form).status_code == 302
        assert "초안의 글" not in learner.get(url).content.decode()
        page = staff.get(url).content.decode()
        assert "초안의 글" not in page
        assert "초안이 있습니다" in page
        assert "초안의 글" in staff.get(f"{url}versions/2/").content.decode()
        assert "초안의 글" in staff.get(f"{url}edit/").content.decode()
        assert staff.post(f"{url}versions/2/show/").status_code == 302
        assert "초안의 글" in learner.get(url).content.decode()

    def test_saving_an_unchanged_draft_for_learners_shows_it(self, world):
        change(world.lesson, "초안", is_draft=True)
        lesson = change(world.lesson, "초안", seen=2)
        assert (lesson.body, lesson.version, lesson.shown_version) == ("초안", 2, 2)

    def test_only_the_newest_draft_is_shown(self, world):
        change(world.lesson, "하나", is_draft=True)
        change(world.lesson, "둘", is_draft=True)
        with pytest.raises(Conflict):
            show_version(lesson_id=world.lesson.pk, number=2, actor=None)

    def test_restoring_makes_a_new_version(self, world):
        before = world.lesson.body
        change(world.lesson, "둘")
        lesson = restore_version(lesson_id=world.lesson.pk, number=1, actor=None)
        assert (lesson.body, lesson.version, lesson.shown_version) == (before, 3, 3)
        assert lesson.versions.first().restored_from == 1

    def test_who_saves_on_an_old_version_sees_both_texts(self, world):
        change_lesson(lesson_id=world.lesson.pk, fields={"body": "앞선 글"}, actor=world.people["campus_admin"])
        form = {"title": "숫자 읽기", "minutes": 5, "is_published": "on", "body": "나의 글", "seen": 1}
        answer = client_of(world.people["instructor"]).post(f"/lessons/{world.lesson.pk}/edit/", form)
        page = answer.content.decode()
        assert answer.status_code == 400
        assert "용인장 님이" in page
        assert "앞선" in page
        assert "나의" in page
        assert 'name="seen" value="2"' in page

    def test_the_pages_cost_the_same_for_one_version_and_for_twenty(self, world, django_assert_num_queries):
        staff = client_of(world.people["instructor"])
        change(world.lesson, "1판")
        url = f"/lessons/{world.lesson.pk}/versions/"
        staff.get(url)

        def queries():
            from django.db import connection
            from django.test.utils import CaptureQueriesContext

            with CaptureQueriesContext(connection) as captured:
                assert staff.get(url).status_code == 200
            return len(captured)

        few = queries()
        for number in range(20):
            change_lesson(lesson_id=world.lesson.pk, fields={"body": f"{number}"}, actor=world.people["campus_admin"])
        assert queries() == few <= 20


@pytest.mark.django_db(transaction=True)
class TestRace:
    def both(self, lesson, seen):
        results, begin = [None, None], threading.Barrier(2)

        def save(index):
            try:
                begin.wait(timeout=30)
                change(lesson, f"글 {index}", seen=seen)
            except Conflict as error:
                results[index] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=save, args=(index,)) for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [one for one in results if one is not None]

    def test_of_two_who_save_the_same_version_one_wins_and_one_is_told(self):
        lesson = worlds.build().lesson
        assert [one.facts for one in self.both(lesson, seen=1)] == [{"version": 2}]
        assert Lesson.objects.get(pk=lesson.pk).version == 2

    def test_negative_control_without_the_number_the_later_replaces_the_earlier_unseen(self):
        lesson = worlds.build().lesson
        assert self.both(lesson, seen=None) == []
        assert Lesson.objects.get(pk=lesson.pk).version == 3


@pytest.mark.django_db
class TestFiles:
    def upload(self, world, name="plot.png", content=PNG):
        return add_file(lesson_id=world.lesson.pk, upload=SimpleUploadedFile(name, content), actor=None)

    def test_the_text_names_a_file_and_only_readers_get_it(self, world):
        made = self.upload(world, "학습 곡선.png")
        assert made.name == "학습-곡선.png"
        change(world.lesson, "![곡선](files/학습-곡선.png)")
        learner = client_of(world.learner)
        page = learner.get(f"/lessons/{world.lesson.pk}/").content.decode()
        address = page.split('<img src="')[1].split('"')[0]
        answer = learner.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"".join(answer.streaming_content) == PNG
        assert client_of(world.people["stranger"]).get(address).status_code == 404

    def test_what_is_no_picture_is_a_download_whatever_its_name(self, world):
        made = self.upload(world, "bad.png", b"<script>alert(1)</script>")
        answer = client_of(world.learner).get(f"/lessons/{world.lesson.pk}/files/{made.name}")
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_a_name_never_stands_for_other_bytes(self, world):
        assert [self.upload(world).name, self.upload(world).name] == ["plot.png", "plot.png"]
        assert self.upload(world, content=PNG + b"1").name == "plot-2.png"
        assert LessonFile.objects.count() == 2

    def test_nothing_and_too_many_are_refused(self, world):
        with pytest.raises(InvalidInput):
            self.upload(world, content=b"")
        LessonFile.objects.bulk_create(
            LessonFile(lesson=world.lesson, name=f"{n}", file="x", size_bytes=1, digest="") for n in range(MOST_FILES)
        )
        with pytest.raises(InvalidInput):
            self.upload(world)

    def test_uploading_from_the_editor_keeps_what_was_typed(self, world):
        form = {"title": "숫자 읽기", "minutes": "5", "body": "쓰던 글", "seen": "1", "upload": "1"}
        form["files"] = SimpleUploadedFile("plot.png", PNG)
        answer = client_of(world.people["instructor"]).post(f"/lessons/{world.lesson.pk}/edit/", form)
        assert answer.status_code == 200
        assert "쓰던 글\n\n![plot.png](files/plot.png)" in answer.content.decode()
        assert Lesson.objects.get(pk=world.lesson.pk).version == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [("plot.png", "plot.png"), ("../../etc/passwd", "passwd"),
     ("C:\\x\\표 1.csv", "표-1.csv"), (".htaccess", "htaccess"),
     ("", "file"), ("a" * 300 + ".png", "a" * 96 + ".png"), ("?*", "file")],
)  # fmt: skip
def test_a_name_is_safe_in_an_address(given, expected):
    assert safe_name(given) == expected


def test_a_taken_name_gets_a_number_before_its_ending():
    assert free_name("a.png", {"a.png", "a-2.png"}) == "a-3.png"
    assert free_name("a", {"a"}) == "a-2"


def test_pictures_are_known_by_their_bytes():
    assert [picture_type(one) for one in (PNG, b"GIF89a", b"RIFF0000WEBP", b"RIFF0000WAVE", b"<svg", b"")] == [
        "image/png", "image/gif", "image/webp", "", "", "",
    ]  # fmt: skip


def test_only_what_lies_with_the_lesson_is_pointed_there():
    html = render("![a](files/a.png) [b](files/b.csv) [c](https://x.kr/files/c)", files="/lessons/7/files/")
    assert 'src="/lessons/7/files/a.png"' in html
    assert 'href="/lessons/7/files/b.csv"' in html
    assert 'href="https://x.kr/files/c"' in html
    assert "<img" in render("![a](files/a.png)")


@given(st.lists(st.sampled_from("가나다라"), max_size=12), st.lists(st.sampled_from("가나다라"), max_size=12))
def test_both_texts_can_be_read_from_their_comparison(before, after):
    lines = compare("\n".join(before), "\n".join(after))

    def read(kind):
        found = []
        for line in lines:
            if line.kind in (Kind.SAME, kind):
                found.append("".join(text for text, _ in line.parts))
            elif line.kind is Kind.FOLD:
                found += [None] * line.folded
        return found

    for kind, text in ((Kind.GONE, before), (Kind.NEW, after)):
        assert [
            one or shown for one, shown in zip(text, read(kind), strict=True) if shown is None or shown == one
        ] == text


def test_a_changed_line_marks_its_words():
    lines = compare("학습률은 0.1 이다", "학습률은 0.01 이다")
    assert [("".join(t for t, d in line.parts if d)) for line in lines] == ["1", "01"]
