"""Modules, lessons and labs are put in order and deleted; what learners used stays."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campus.core.errors import Conflict, NotFound
from campus.core.models import AuditEntry
from courses.assignments.arranging import delete_lab, move_lab
from courses.assignments.models import Lab
from courses.assignments.services import submit_lab_run
from courses.content import arranging
from courses.content.domain.order import NoSuchPlace, moved
from courses.content.models import Lesson, LessonCompletion, Module
from courses.content.services import complete_lesson
from tests.access import world as worlds


@pytest.mark.parametrize(
    ("one", "to", "after"),
    [
        (1, "down", [2, 1, 3]),
        (1, "up", [1, 2, 3]),
        (3, "down", [1, 2, 3]),
        (3, "up", [1, 3, 2]),
        (1, "end", [2, 3, 1]),
        (3, "1", [3, 1, 2]),
        (1, "3", [2, 1, 3]),
        (2, "2", [1, 2, 3]),
    ],
)
def test_a_thing_goes_where_it_is_put(one, to, after):
    assert moved([1, 2, 3], one, to) == after


@pytest.mark.parametrize("to", ["", "9", "left", "0"])
def test_a_place_that_is_not_there_is_refused(to):
    with pytest.raises(NoSuchPlace):
        moved([1, 2, 3], 1, to)


@pytest.fixture
def world(db):
    return worlds.build()


@pytest.fixture
def editor(client, world):
    client.force_login(world.people["instructor"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def lessons(module, count):
    first = module.lessons.count() + 1
    made = [Lesson(module=module, position=first + number, title=f"수업 {first + number}") for number in range(count)]
    return Lesson.objects.bulk_create(made)


def titles(rows):
    return list(rows.order_by("position").values_list("title", flat=True))


def test_a_lesson_moves_by_its_button_and_keeps_the_focus(editor, world):
    second, _third = lessons(world.module, 2)
    answer = editor.post(reverse("content:move-lesson", args=[second.pk]), {"to": "up"}, follow=True)
    assert titles(world.module.lessons) == ["수업 2", "숫자 읽기", "수업 3"]
    assert list(world.module.lessons.order_by("position").values_list("position", flat=True)) == [1, 2, 3]
    # At the edge now: the button that still moves it has the focus.
    assert 'aria-label="Move “수업 2” down" autofocus' in answer.content.decode()
    entry = AuditEntry.objects.get(verb="lesson.moved")
    assert entry.changes == {"position": [2, 1]}


def test_dragging_sends_the_neighbour_that_is_to_follow(editor, world):
    second, third = lessons(world.module, 2)
    editor.post(reverse("content:move-lesson", args=[third.pk]), {"to": str(world.lesson.pk)})
    assert titles(world.module.lessons) == ["수업 3", "숫자 읽기", "수업 2"]
    elsewhere = Module.objects.create(run=world.run, position=2, title="둘째 주")
    stranger = lessons(elsewhere, 1)[0]
    answer = editor.post(reverse("content:move-lesson", args=[second.pk]), {"to": str(stranger.pk)}, follow=True)
    assert "The order was changed by somebody else meanwhile." in answer.content.decode()


def test_modules_and_labs_move_too(editor, world):
    second = Module.objects.create(run=world.run, position=7, title="둘째 주")
    editor.post(reverse("content:move-module", args=[second.pk]), {"to": "up"})
    assert titles(Module.objects.filter(run=world.run)) == ["둘째 주", "첫 주"]
    lab = Lab.objects.get(pk=world.lab.pk)
    lab.pk, lab.position, lab.title = None, 2, "둘째 실습"
    lab.save()
    move_lab(lab_id=lab.pk, to="up", actor=None)
    assert titles(world.module.labs) == ["둘째 실습", "첫 실습"]


def test_what_nobody_used_goes_after_one_question(editor, world):
    url = reverse("content:delete-lesson", args=[world.lesson.pk])
    assert "No learner has used it yet." in editor.get(url).content.decode()
    assert Lesson.objects.filter(pk=world.lesson.pk).exists()
    editor.post(url)
    assert not Lesson.objects.filter(pk=world.lesson.pk).exists()
    assert AuditEntry.objects.get(verb="lesson.deleted").object_label == "숫자 읽기"
    assert editor.get(reverse("content:delete-module", args=[world.module.pk])).status_code == 200
    editor.post(reverse("content:delete-module", args=[world.module.pk]))
    assert not Module.objects.filter(run=world.run).exists()


def test_what_learners_used_stays_and_can_be_hidden(editor, world):
    LessonCompletion.objects.create(enrolment=world.enrolment, lesson=world.lesson)
    world.job()
    for url, words in (
        (reverse("content:delete-lesson", args=[world.lesson.pk]), ["1 learner has marked it as done"]),
        (reverse("assignments:delete-lab", args=[world.lab.pk]), ["learners ran it 1 time"]),
        (
            reverse("content:delete-module", args=[world.module.pk]),
            ["1 learner has marked it as done", "ran it 1 time"],
        ),
    ):
        for answer in (editor.get(url), editor.post(url)):
            said = answer.content.decode()
            assert all(word in said for word in words)
            assert "Hide it" in said
        assert answer.status_code == 409
        editor.post(url, {"hide": "yes"})
    for kept in (world.lesson, world.lab, world.module):
        kept.refresh_from_db()
        assert not kept.is_published


def test_the_page_costs_the_same_at_one_lesson_and_at_twenty(editor, world):
    url = reverse("content:order", args=[world.run.slug])

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert editor.get(url).status_code == 200
        return len(seen)

    few = queries()
    lessons(world.module, 19)
    for number in range(2, 21):
        lessons(Module.objects.create(run=world.run, position=number, title=f"{number}주"), 1)
    assert queries() == few <= 20


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """Several editors and learners at once, each on a connection of their own."""

    THREADS = 4

    def _together(self, *works):
        begin = threading.Barrier(len(works))

        def run(work):
            try:
                begin.wait(timeout=30)
                return work()
            except Exception as error:
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(run, works))

    def _editor(self, ids, move):
        def work():
            for pk, to in zip(ids * 3, cycle(["up", "down", "end"]), strict=False):
                move(pk, to)

        return work

    def test_editors_who_move_at_once_leave_every_place_filled_once(self):
        world = worlds.build()
        ids = [lesson.pk for lesson in lessons(world.module, 7)]

        def move(pk, to):
            arranging.move_lesson(lesson_id=pk, to=to, actor=None)

        shares = [ids[number:] + ids[:number] for number in range(self.THREADS)]
        assert self._together(*(self._editor(share, move) for share in shares)) == [None] * self.THREADS
        assert list(world.module.lessons.order_by("position").values_list("position", flat=True)) == list(range(1, 9))

    def test_negative_control_without_the_lock_editors_meet_in_one_place(self):
        world = worlds.build()
        first, second = lessons(world.module, 2)
        read = threading.Barrier(2)

        def swap(one):
            def work():
                with transaction.atomic():
                    last = Lesson.objects.filter(module=world.module).order_by("-position").first().position
                    read.wait(timeout=30)  # both have looked before one writes
                    Lesson.objects.filter(pk=one.pk).update(position=F("position") * 0 + last + 1)

            return work

        results = self._together(swap(first), swap(second))
        assert [type(result) for result in results if result is not None] == [IntegrityError]

    def test_a_lesson_that_is_done_and_deleted_at_once_ends_in_one_of_both(self):
        world = worlds.build()
        access = worlds_access(world)
        for _ in range(5):
            lesson = lessons(world.module, 1)[0]
            results = self._together(
                lambda lesson=lesson: complete_lesson(lesson=lesson, access=access, is_done=True),
                lambda lesson=lesson: arranging.delete_lesson(lesson_id=lesson.pk, actor=None),
            )
            assert {type(result) for result in results if result is not None} <= {NotFound, Conflict}
            is_there = Lesson.objects.filter(pk=lesson.pk).exists()
            assert is_there == LessonCompletion.objects.filter(lesson_id=lesson.pk).exists()

    def test_a_lab_that_is_run_and_deleted_at_once_ends_in_one_of_both(self):
        world = worlds.build()
        lab = {"lab_id": world.lab.pk}
        results = self._together(  # each in a transaction of its own, for a lost lab shows at the commit
            lambda: submit_lab_run(**lab, user=world.learner, files=worlds.MAIN),
            lambda: delete_lab(**lab, actor=None),
        )
        assert sum(isinstance(result, NotFound | Conflict) for result in results) == 1
        assert Lab.objects.filter(pk=world.lab.pk).exists() == isinstance(results[1], Conflict)


def worlds_access(world):
    from courses.catalog.api import run_access

    return run_access(world.learner, world.run)


def test_an_anonymous_visitor_of_the_order_signs_in_first(world):
    assert Client().get(reverse("content:order", args=[world.run.slug])).status_code == 302
