"""What the database itself refuses: a room, a stream, a cohort and a teacher twice at a time."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from campus.places.api import RoomWish, book_rooms, free_bookings
from campus.places.models import Booking
from courses.timetable.models import ClassSession, SessionCohort, SessionTeacher
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def _session(cohort, start, **fields):
    return ClassSession.objects.create(run=cohort.run, title="수업", starts_at=start, ends_at=start + HOUR, **fields)


def _book(room, start, key="a"):
    with transaction.atomic():
        return book_rooms(wishes=[RoomWish(room.pk, start, start + HOUR, key, "수업")], actor=None)[0]


def test_a_room_is_booked_once_at_a_time_and_again_when_it_is_given_up():
    room, start = build.room(courses.campus()), build.at(0, 9)
    _book(room, start)
    with pytest.raises(IntegrityError, match="booking_room_once_at_a_time"):
        _book(room, start + HOUR / 2, key="b")
    _book(room, start + HOUR, key="b")  # one ends as the other begins
    assert free_bookings(keys=["a"]) == 1
    _book(room, start, key="c")
    assert Booking.objects.filter(room=room, given_up_at=None).count() == 2


def test_a_booking_without_an_end_is_refused():
    room = build.room(courses.campus())
    with pytest.raises(IntegrityError, match="booking_has_a_time"):
        Booking.objects.create(room=room, period=DateTimeTZRange(timezone.now(), None), purpose="x", key="x")


def test_a_cohort_a_teacher_and_a_stream_are_in_one_class_at_a_time_unless_it_is_cancelled():
    cohort, teacher, stream = courses.cohort(), courses.person(), build.stream()
    start = build.at(0, 9)
    period = DateTimeTZRange(start, start + HOUR)
    first = _session(cohort, start, stream=stream)
    SessionCohort.objects.create(session=first, cohort=cohort, period=period)
    SessionTeacher.objects.create(session=first, user=teacher, period=period)
    with pytest.raises(IntegrityError, match="session_stream_once"), transaction.atomic():
        _session(cohort, start, stream=stream)
    second = _session(cohort, start)
    with pytest.raises(IntegrityError, match="session_cohort_once_at"), transaction.atomic():
        SessionCohort.objects.create(session=second, cohort=cohort, period=period)
    with pytest.raises(IntegrityError, match="session_teacher_once_at"), transaction.atomic():
        SessionTeacher.objects.create(session=second, user=teacher, period=period)
    first.state = ClassSession.State.CANCELLED
    first.save()
    first.places.update(period=None)
    first.teachers.update(period=None)
    SessionCohort.objects.create(session=second, cohort=cohort, period=period)
    _session(cohort, start, stream=stream)
