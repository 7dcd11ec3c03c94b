"""People find what they may see and nothing else, best first; documents follow what they copy."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.people.api import standing_of
from courses.announcements.services import Wish, publish, save_announcement, withdraw
from courses.assignments.models import Assignment
from courses.catalog.models import CourseRun
from courses.content.models import Lesson, Module
from courses.content.services import change_module
from courses.content.writing import change_lesson
from courses.materials.models import Material
from courses.search.domain.words import grams, numbers
from courses.search.finding import FEW, PAGE, find
from courses.search.indexing import refresh
from courses.search.models import Document
from courses.timetable.models import ClassSession, SessionCohort
from tests.access import world as worlds


@pytest.fixture
def world():
    made = worlds.build()
    Lesson.objects.filter(pk=made.lesson.pk).update(body="**데이터를** 나누고 <script>alert(1)</script> 본다")
    refresh()
    return made


def titles(user, question, **more):
    answer = find(standing=standing_of(user), question=question, **more)
    return ["".join(text for text, _ in hit.title) for hit in answer.hits]


@pytest.mark.django_db
class TestAccess:
    WHO = ("stranger", "learner", "classmate", "assistant", "instructor", "campus_admin", "platform_admin")

    def found_by(self, world, question):
        return [name for name in self.WHO if titles(world.people[name], question)]

    def test_readers_of_a_run_find_its_lessons(self, world):
        assert self.found_by(world, "데이터") == list(self.WHO[1:])

    def test_what_is_hidden_is_found_by_staff_only(self, world):
        Lesson.objects.filter(pk=world.lesson.pk).update(is_published=False)
        refresh()
        assert self.found_by(world, "데이터") == list(self.WHO[3:])

    def test_what_is_locked_is_found_by_staff_only_at_once(self, world):
        change_module(
            module_id=world.module.pk, fields={"opens_at": timezone.now() + timedelta(days=1)}, actor=None
        )  # no refresh: release is asked in the question
        assert self.found_by(world, "데이터") == list(self.WHO[3:])
        assert titles(world.learner, world.module.title) == []
        assert titles(world.learner, world.lab.title) == []

    def test_words_of_a_material_are_found_by_those_who_may_see_it(self, world):
        Material.objects.create(
            module=world.module, position=1, kind="FILE", title="녹화", description="경사를 따라 내려갑니다"
        )
        refresh()
        assert self.found_by(world, "경사") == list(self.WHO[1:])
        change_module(module_id=world.module.pk, fields={"opens_at": timezone.now() + timedelta(days=1)}, actor=None)
        assert self.found_by(world, "경사") == list(self.WHO[3:])

    def test_a_draft_is_not_found(self, world):
        change_lesson(lesson_id=world.lesson.pk, fields={"body": "비밀초안"}, actor=None, is_draft=True)
        refresh()
        assert self.found_by(world, "비밀초안") == []

    def test_a_class_is_found_by_its_cohort(self, world):
        session = ClassSession.objects.create(
            run=world.run, title="보강세션", starts_at=timezone.now(), ends_at=timezone.now() + timedelta(hours=1)
        )
        SessionCohort.objects.create(session=session, cohort=world.cohort)
        refresh()
        assert self.found_by(world, "보강세션") == ["learner", *self.WHO[3:]]

    def test_a_run_that_is_not_published_is_found_by_its_staff(self, world):
        CourseRun.objects.filter(pk=world.run.pk).update(is_published=False)
        refresh()
        assert self.found_by(world, "데이터") == list(self.WHO[3:])
        assert self.found_by(world, "기계학습") == list(self.WHO[3:])

    @pytest.mark.parametrize(
        ("reach", "role", "readers"),
        [
            ("COHORT", "ALL", ["learner", "assistant", "instructor", "campus_admin", "platform_admin"]),
            ("COHORT", "STAFF", ["assistant", "instructor", "campus_admin", "platform_admin"]),
            ("EVERYONE", "ALL", list(WHO)),
            ("EVERYONE", "STAFF", ["assistant", "instructor", "campus_admin", "platform_admin"]),
        ],
    )
    def test_an_announcement_is_found_by_those_whom_it_is_for_once_it_is_out(self, world, reach, role, readers):
        wish = Wish("소방훈련", "세 시에 모입니다", reach, cohort_id=world.cohort.pk if reach == "COHORT" else None)
        wish = replace(wish, role=role, publish_at=timezone.now() + timedelta(hours=1))
        about = save_announcement(wish=wish, actor=world.people["platform_admin"])
        refresh()
        assert self.found_by(world, "소방훈련") == []
        assert not Document.objects.filter(kind="announcement").exists()
        publish(announcement_id=about.pk, actor=world.people["platform_admin"])
        refresh()
        assert self.found_by(world, "소방훈련을") == readers
        page = Client()
        page.force_login(world.people["platform_admin"])
        assert f"/announcements/{about.pk}/" in page.get("/search/", {"q": "소방훈련"}).content.decode()
        withdraw(announcement_id=about.pk, actor=world.people["platform_admin"])
        assert self.found_by(world, "소방훈련") == []  # no refresh: the question asks who may read it now

    def test_what_is_for_learners_alone_is_found_by_them_and_by_who_may_change_it(self, world):
        wish = Wish("자리배치", "칠판 앞", "COHORT", role="LEARNERS", cohort_id=world.cohort.pk)
        about = save_announcement(wish=wish, actor=world.people["instructor"])
        publish(announcement_id=about.pk, actor=world.people["instructor"])
        refresh()
        assert self.found_by(world, "자리배치") == ["learner", *self.WHO[3:]]

    def test_counts_tell_nothing_of_what_is_not_ones_own(self, world):
        answer = find(standing=standing_of(world.people["stranger"]), question="데이터")
        assert (answer.total, [one.count for one in answer.counts if one.count]) == (0, [])

    def test_everybody_finds_published_courses(self, world):
        assert self.found_by(world, "machine learning") == list(self.WHO)


@pytest.mark.django_db
class TestAnswer:
    def test_particles_hide_nothing_and_titles_come_first(self, world):
        Lesson.objects.create(module=world.module, position=2, title="데이터 나누기", body="시작")
        Lesson.objects.create(module=world.module, position=3, title="끝", body="가" * 900 + " 데이터")
        refresh()
        expected = ["데이터 나누기", world.lesson.title, "끝"]
        for question in ("데이터", "데이터를", "데이터에서는"):
            assert titles(world.learner, question) == expected, question

    def test_every_word_must_be_found(self, world):
        assert titles(world.learner, "데이터 나누고") == [world.lesson.title]
        assert titles(world.learner, "데이터 없는말") == []

    def test_a_kind_narrows_and_the_counts_stay(self, world):
        Assignment.objects.create(module=world.module, position=1, title="데이터 과제")
        refresh()
        answer = find(standing=standing_of(world.learner), question="데이터", kind="assignment")
        assert [hit.source.kind for hit in answer.hits] == ["assignment"]
        assert {one.source.kind: one.count for one in answer.counts if one.count} == {"lesson": 1, "assignment": 1}

    def test_the_page_marks_and_escapes(self, world):
        client = Client()
        client.force_login(world.learner)
        page = client.get("/search/", {"q": "데이터 script"}).content.decode()
        assert "<mark>데이터를</mark>" in page or "<mark>데이터</mark>" in page
        assert "<script>alert" not in page
        assert "&lt;<mark>script</mark>&gt;" in page

    def test_the_api_says_the_same(self, world):
        client = Client()
        client.force_login(world.learner)
        said = client.get("/api/v1/search/", {"q": "데이터"}).json()
        assert (said["total"], said["results"][0]["url"]) == (1, f"/lessons/{world.lesson.pk}/")
        assert {"text": "데이터", "is_hit": True} in said["results"][0]["snippet"]

    @pytest.mark.parametrize(
        "query", ["", "q=", "q=%00", "q=" + "가" * 900, "q=%25_%5C", "q=데이터&page=999", "kind=x&q=a"]
    )
    def test_odd_questions_are_answered(self, world, query):
        client = Client()
        client.force_login(world.learner)
        assert client.get(f"/search/?{query}").status_code == 200

    def test_one_and_twenty_hits_cost_the_same_few_queries(self, world):
        client = Client()
        client.force_login(world.learner)
        client.get("/search/?q=데이터")

        def queries():
            with CaptureQueriesContext(connection) as captured:
                client.get("/search/?q=데이터")
            return sum("SAVEPOINT" not in query["sql"] for query in captured.captured_queries)  # the test's own

        few = queries()
        second = Module.objects.create(run=world.run, position=2, title="둘째 주")
        Lesson.objects.bulk_create(
            Lesson(module=world.module, position=10 + number, title=f"데이터 {number}") for number in range(PAGE)
        )
        refresh()
        assert queries() == few < 10
        change_module(module_id=second.pk, fields={"needs": [world.module.pk]}, actor=None)
        assert queries() <= few + 5  # each app says once what is finished of its own; materials take three


@pytest.mark.django_db
def test_of_many_the_best_title_leads_and_pages_tile_the_rest(world):
    Lesson.objects.bulk_create(
        Lesson(module=world.module, position=10 + number, title=f"수업 {number}", body="확률과 통계")
        for number in range(FEW + 30)
    )
    best = Lesson.objects.create(module=world.module, position=5, title="확률", body="")
    assert refresh() == FEW + 31
    seen = [title for page in (1, 2, 3) for title in titles(world.learner, "확률", page=page)]
    assert seen[0] == best.title
    assert len(set(seen)) == 3 * PAGE


@pytest.mark.django_db
def test_the_numbers_of_a_text_are_stored_as_they_are(world):
    row = Document.objects.get(kind="lesson")
    assert row.grams == numbers(grams(row.title_folded) | grams(row.body_folded))
    Document.objects.filter(pk=row.pk).update(grams=[])
    assert Document.objects.get(pk=row.pk).grams == []


@pytest.mark.django_db(transaction=True)
def test_documents_follow_what_is_saved_and_deleted_at_once():
    world = worlds.build()
    assert Document.objects.filter(kind="lesson").count() == 1
    change_lesson(lesson_id=world.lesson.pk, fields={"body": "새로운말"}, actor=None)
    assert titles(world.learner, "새로운말") == [world.lesson.title]
    world.lesson.delete()
    assert titles(world.learner, "새로운말") == []
    Lesson.objects.bulk_create([Lesson(module=world.module, position=5, title="한꺼번에")])
    assert titles(world.learner, "한꺼번에") == []
    assert refresh() == 1
    assert titles(world.learner, "한꺼번에") == ["한꺼번에"]
    assert refresh() == 0
    Lesson.objects.all().delete()
