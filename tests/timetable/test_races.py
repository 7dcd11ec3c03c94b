"""Two staff who save at once: the database lets one win. Real connections, each race with its negative control."""

import threading

import pytest
from django.db import connection, connections

from campus.core.errors import Conflict
from campus.places.models import Booking
from courses.timetable.models import ClassSession
from courses.timetable.services import PlaceWish, looking, move_session, save_session, sessions, take_slot
from courses.timetable.services.looking import TimetableClash
from tests.courses import build as courses

from . import build
from .test_booking import HOUR, Term

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def term():
    return Term()


@pytest.fixture
def without_room_constraint():
    """The negative control: the database forgets that a room is for one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'booking_room_once_at_a_time'"
        )
        (definition,) = cursor.fetchone()
        cursor.execute("ALTER TABLE places_booking DROP CONSTRAINT booking_room_once_at_a_time")
    yield
    with connection.cursor() as cursor:
        cursor.execute("UPDATE places_booking SET given_up_at = now()")
        cursor.execute(f"ALTER TABLE places_booking ADD CONSTRAINT booking_room_once_at_a_time {definition}")


def at_once(*acts):
    """Run acts in threads of their own connections, all of them past their look before the first books."""
    answers = [None] * len(acts)

    def run(number, act):
        try:
            answers[number] = act()
        except Exception as error:
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


@pytest.fixture
def meeting(monkeypatch):
    """Both have looked, and found all free, before either books; whoever looks again does not wait."""
    gate = threading.Barrier(2)
    seen = threading.local()
    look = looking.look

    def look_together(**wish):
        look(**wish)
        if not getattr(seen, "looked", False):
            seen.looked = True
            gate.wait(20)

    monkeypatch.setattr(sessions, "look", look_together)


def two_rivals(term):
    """Each plans a class of an own cohort and teacher, in the same room at the same time."""

    def act(cohort):
        wish = term.wish(
            title=f"수업 {cohort.pk}", places=(PlaceWish(cohort.pk, term.room.pk),), teacher_ids=(), stream_id=None
        )  # fmt: skip
        start = build.at(0, 9)
        return lambda: save_session(
            run_id=term.run.pk, wish=wish, starts_at=start, ends_at=start + HOUR, actor=term.planner
        )

    return at_once(act(term.yongin), act(term.jeonbuk))


def test_of_two_who_book_a_room_at_once_one_wins_and_the_other_reads_who(term, meeting):
    answers = two_rivals(term)
    lost = [answer for answer in answers if isinstance(answer, TimetableClash)]
    won = [answer for answer in answers if not isinstance(answer, Exception)]
    assert (len(won), len(lost)) == (1, 1), answers
    assert [one.clash.kind for one in lost[0].clashes] == ["ROOM"]
    assert lost[0].clashes[0].clash.by_id == won[0].session.pk
    assert lost[0].slots
    assert ClassSession.objects.count() == Booking.objects.count() == 1


def test_without_the_constraint_both_would_have_the_room(term, meeting, without_room_constraint):
    """The negative control of the test above."""
    answers = two_rivals(term)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    assert Booking.objects.filter(room=term.room).count() == 2


def test_two_classes_that_swap_places_at_once_do_not_lock_each_other_out(term):
    first, second = term.plan(), term.plan(start=build.at(0, 13), title="오후")
    answers = at_once(
        lambda: move_session(session_id=first.pk, starts_at=build.at(0, 13), actor=term.planner),
        lambda: move_session(session_id=second.pk, starts_at=build.at(0, 9), actor=term.planner),
    )
    assert all(isinstance(answer, TimetableClash) for answer in answers), answers


def test_one_class_moved_by_two_at_once_ends_at_one_of_both_times_with_all_that_it_takes(term):
    made = term.plan(places=term.places(gpus=4))
    answers = at_once(
        *(
            lambda day=day: move_session(session_id=made.pk, starts_at=build.at(day, 9), actor=term.planner, sequence=0)
            for day in (1, 2)
        )
    )
    won = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(won) == 1, answers
    made.refresh_from_db()
    starts = {row.period.lower for row in Booking.objects.filter(given_up_at=None)}
    starts |= {row.reservation.start_at for row in made.places.filter(reservation__isnull=False)}
    assert starts == {made.starts_at}


def test_a_slot_is_taken_once_by_eight_at_once(term):
    made = term.plan(kind="OFFICE", slot_minutes=20, hours=1)
    learners = [courses.learner(term.yongin).user for _ in range(8)]
    answers = at_once(
        *(lambda user=user: take_slot(session_id=made.pk, starts_at=build.at(0, 9), learner=user) for user in learners)
    )
    assert sum(1 for answer in answers if not isinstance(answer, Exception)) == 1, answers
    assert all(answer.code == "slot_taken" for answer in answers if isinstance(answer, Conflict))
