"""What is locked is reached by no way; who finishes what is needed opens it; two edits at once make no ring."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from campus.core.errors import InvalidInput
from courses.assignments.api import due_of, my_labs
from courses.assignments.models import Assignment, LabRun
from courses.assignments.reminding import remind
from courses.catalog.api import run_access, runs_of
from courses.content.domain.release import ring
from courses.content.models import Lesson, LessonCompletion, Module, ModuleNeed
from courses.content.release import is_released, locked_for, locked_modules, released_modules
from courses.content.services import change_module
from labs.jobs.models import Job
from tests.access import world as worlds

SOON = timedelta(days=7)


def lock(world, **fields):
    change_module(module_id=world.module.pk, fields={"opens_at": timezone.now() + SOON} | fields, actor=None)


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def world():
    return worlds.build()


def assignment(world, **fields):
    return Assignment.objects.create(
        module=world.module, position=1, title="보고서", due_at=timezone.now() + timedelta(hours=5), **fields
    )


@pytest.mark.django_db
class TestLocked:
    def test_no_address_leads_there_and_the_reason_is_said(self, world):
        work = assignment(world)
        learner = client_of(world.learner)
        urls = [f"/lessons/{world.lesson.pk}/", f"/labs/{world.lab.pk}/", f"/assignments/{work.pk}/"]
        assert [learner.get(url).status_code for url in urls] == [200, 200, 200]
        lock(world)
        for url in urls:
            answer = learner.get(url)
            assert answer.status_code == 403
            assert "에 열립니다" in answer.content.decode()
        assert learner.post(f"/lessons/{world.lesson.pk}/done/", {"done": "yes"}).status_code == 403
        assert learner.post(f"/assignments/{work.pk}/submit/", {"text": "x"}).status_code == 403
        assert learner.post(f"/labs/{world.lab.pk}/runs/", {"key": "k"}).status_code == 403

    def test_lists_and_the_api_are_silent_about_it(self, world):
        assignment(world)
        learner = client_of(world.learner)
        lists = ["/api/v1/labs/", "/api/v1/assignments/"]
        assert [len(learner.get(url).json()["results"]) for url in lists] == [1, 1]
        lock(world)
        assert [len(learner.get(url).json()["results"]) for url in lists] == [0, 0]
        due = due_of(runs_of(world.learner.pk), timezone.now())
        assert my_labs(world.learner.pk, timezone.now()) == due.labs == due.work == []
        for url in ("/", f"/courses/{world.run.slug}/", f"/courses/{world.run.slug}/assignments/"):
            page = learner.get(url).content.decode()
            assert "보고서" not in page, url
            assert world.lesson.title not in page, url
        body = {"lab": world.lab.pk, "files": {"main.py": "1"}, "key": "k1"}
        answer = learner.post("/api/v1/jobs/", body, content_type="application/json")
        assert answer.status_code == 403, answer.content

    def test_nobody_is_reminded_of_it(self, world):
        assignment(world)
        lock(world)
        assert remind() == 0
        lock(world, opens_at=None)
        assert remind() == 2  # the learner and a classmate

    def test_the_course_page_names_the_module_and_why(self, world):
        lock(world)
        page = client_of(world.learner).get(f"/courses/{world.run.slug}/").content.decode()
        assert world.module.title in page
        assert "에 열립니다" in page

    def test_staff_see_all_with_the_mark_and_look_through_a_learners_eyes(self, world):
        lock(world)
        staff = client_of(world.people["instructor"])
        page = staff.get(f"/courses/{world.run.slug}/").content.decode()
        assert "까지 학습자에게 잠겨 있습니다" in page
        assert world.lesson.title in page
        assert staff.get(f"/lessons/{world.lesson.pk}/").status_code == 200
        as_learner = staff.get(f"/courses/{world.run.slug}/?as=learner").content.decode()
        assert world.lesson.title not in as_learner
        assert "에 열립니다" in as_learner
        assert staff.get(f"/lessons/{world.lesson.pk}/?as=learner").status_code == 403

    def test_a_learner_gains_nothing_by_asking_for_the_preview(self, world):
        stranger = client_of(world.people["stranger"])
        assert "갓 등록한" not in stranger.get(f"/courses/{world.run.slug}/?as=learner").content.decode()
        assert stranger.get(f"/lessons/{world.lesson.pk}/?as=learner").status_code == 404


@pytest.mark.django_db
class TestNeeds:
    @pytest.fixture
    def second(self, world):
        module = Module.objects.create(run=world.run, position=2, title="둘째 주")
        Lesson.objects.create(module=module, position=1, title="다음 수업")
        change_module(module_id=module.pk, fields={"needs": [world.module.pk]}, actor=None)
        return module

    def test_it_opens_once_the_lessons_and_labs_before_it_are_finished(self, world, second):
        def words():
            access = run_access(world.learner, world.run)
            return [one.left for one in locked_modules(access).get(second.pk, ())]

        assert words() == [2]
        LessonCompletion.objects.create(enrolment=world.enrolment, lesson=world.lesson)
        assert words() == [1]
        job = world.job()
        assert words() == [1]
        Job.objects.filter(pk=job.pk).update(state=Job.State.SUCCEEDED, ended_at=timezone.now())
        assert LabRun.objects.filter(job=job).exists()
        assert words() == []
        assert released_modules(world.learner.pk) == {world.module.pk, second.pk}

    def test_visitors_and_staff_see_what_a_beginner_finds_closed(self, world, second):
        url = f"/courses/{world.run.slug}/"
        page = client_of(world.people["instructor"]).get(url).content.decode()
        assert "마칠 때까지 학습자에게 잠겨 있습니다" in page
        assert "다음 수업" in page
        for page in (
            client_of(world.people["instructor"]).get(f"{url}?as=learner").content.decode(),
            client_of(world.people["stranger"]).get(url).content.decode(),
            Client().get(url).content.decode(),
        ):
            assert "단원을 마치면 열립니다. 2개가 남았습니다." in page
            assert "다음 수업" not in page

    def test_what_was_begun_stays_open_when_the_first_module_grows(self, world, second):
        lesson = second.lessons.get()
        LessonCompletion.objects.create(enrolment=world.enrolment, lesson=lesson)
        assert is_released(run_access(world.learner, world.run), second.pk)

    def test_many_learners_take_as_many_queries_as_one(self, world, second, django_assert_num_queries):
        from courses.catalog.models import Enrolment
        from tests.courses import build

        of_content, of_materials = 3, 3
        with django_assert_num_queries(of_content + of_materials):
            assert locked_for([world.enrolment]) == {world.enrolment.pk: {second.pk}}
        build.learners(world.cohort, 15)
        for number in range(15):
            Module.objects.create(run=world.run, position=3 + number, title=f"{number}")
        learners = list(Enrolment.objects.filter(cohort=world.cohort))
        with django_assert_num_queries(of_content + of_materials):
            assert len(locked_for(learners)) == 16

    def test_a_ring_is_refused_with_the_names_in_it(self, world, second):
        form = {"title": "첫 주", "is_published": "on", "needs": [second.pk]}
        answer = client_of(world.people["instructor"]).post(f"/modules/{world.module.pk}/edit/", form)
        assert answer.status_code == 400
        assert "“첫 주” → “둘째 주” → “첫 주”" in answer.content.decode()
        assert ModuleNeed.objects.count() == 1

    def test_the_form_sets_and_takes_back_what_comes_first(self, world, second):
        staff = client_of(world.people["instructor"])
        form = {"title": "둘째 주", "is_published": "on", "opens_at": "2026-12-01T09:00", "needs": []}
        assert staff.post(f"/modules/{second.pk}/edit/", form).status_code == 302
        assert not ModuleNeed.objects.exists()
        second.refresh_from_db()
        assert timezone.localtime(second.opens_at).isoformat() == "2026-12-01T09:00:00+09:00"


@pytest.mark.django_db(transaction=True)
class TestRace:
    def modules(self):
        world = worlds.build()
        return world.module, Module.objects.create(run=world.run, position=2, title="둘째 주")

    def together(self, *acts):
        results = [None] * len(acts)

        def work(index):
            try:
                acts[index]()
            except Exception as error:
                results[index] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(acts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def edges(self):
        found = {}
        for one, other in ModuleNeed.objects.values_list("module_id", "needs_id"):
            found.setdefault(one, set()).add(other)
        return found

    def test_two_edits_at_once_that_would_make_a_ring_leave_one(self):
        first, second = self.modules()
        results = self.together(
            lambda: change_module(module_id=first.pk, fields={"needs": [second.pk]}, actor=None),
            lambda: change_module(module_id=second.pk, fields={"needs": [first.pk]}, actor=None),
        )
        assert sorted(type(one) for one in results if one is not None) == [InvalidInput]
        assert ring(self.edges()) == ()

    def test_negative_control_without_the_lock_both_are_written(self):
        first, second = self.modules()
        looked = threading.Barrier(2)

        def need(one, other):
            def work():
                with transaction.atomic():
                    assert ring(self.edges() | {one.pk: {other.pk}}) == ()
                    looked.wait(timeout=30)
                    ModuleNeed.objects.create(module=one, needs=other)

            return work

        assert self.together(need(first, second), need(second, first)) == [None, None]
        assert ring(self.edges())
        assert connection.vendor == "postgresql"
