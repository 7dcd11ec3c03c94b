"""One booking: a class takes all that it needs at once, or says what is taken and keeps nothing."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone, translation

from campus.core.errors import Conflict, InvalidInput, NotAllowed
from campus.core.models import AuditEntry, Notice
from campus.places.api import bookings_at
from campus.places.models import Booking
from courses.catalog import api as catalog
from courses.catalog.api import withdraw
from courses.timetable.api import roll_of, sessions_of_person
from courses.timetable.models import ClassSession, Holiday, SessionCohort
from courses.timetable.services import (
    ClassWish,
    PlaceWish,
    cancel_session,
    end_session,
    give_up_slot,
    move_session,
    save_session,
    take_slot,
)
from courses.timetable.services.looking import TimetableClash
from labs.scheduling.models import ClassReservation
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


class Term:
    """A run with a cohort at each of two campuses, a room each, a stream, a site of eight GPUs, and who plans it."""

    def __init__(self):
        courses.root()
        self.run = courses.run()
        self.yongin, self.jeonbuk = courses.cohort(self.run), courses.cohort(self.run)
        self.room, self.other_room = build.room(self.yongin.campus), build.room(self.jeonbuk.campus)
        self.stream, self.site = build.stream(), build.site(self.yongin.campus)
        self.planner = build.instructor(self.yongin, self.jeonbuk)

    def places(self, gpus=0):
        site_id = self.site.pk if gpus else None
        return (
            PlaceWish(self.yongin.pk, self.room.pk, gpus, "", site_id), PlaceWish(self.jeonbuk.pk, self.other_room.pk)
        )  # fmt: skip

    def wish(self, **changes):
        given = {
            "title": "1주차 강의", "places": self.places(), "teacher_ids": (self.planner.pk,),
            "stream_id": self.stream.pk,
        }  # fmt: skip
        return ClassWish(**(given | changes))

    def plan(self, start=None, hours=2, session=None, **changes):
        start = start or build.at(0, 9)
        return save_session(
            run_id=self.run.pk, wish=self.wish(**changes), starts_at=start, ends_at=start + hours * HOUR,
            actor=self.planner, session_id=session.pk if session else None,
        ).session  # fmt: skip


@pytest.fixture
def term():
    return Term()


def held(key):
    return sorted(Booking.objects.filter(key=key, given_up_at=None).values_list("room_id", flat=True))


def test_saving_a_class_takes_rooms_on_both_campuses_the_stream_the_teacher_and_the_gpus(term):
    made = term.plan(places=term.places(gpus=6))
    assert held(made.booking_key) == sorted([term.room.pk, term.other_room.pk])
    kept = ClassReservation.objects.get()
    assert (kept.gpus, kept.start_at, kept.end_at, kept.account) == (
        6, made.starts_at, made.ends_at, term.yongin.account
    )  # fmt: skip
    assert [row.user for row in made.teachers.all()] == [term.planner]
    assert {row.cohort for row in made.places.all()} == {term.yongin, term.jeonbuk}


def test_every_clash_is_named_with_the_nearest_free_times_and_nothing_is_kept(term):
    first = term.plan(places=term.places(gpus=6), title="앞 수업")
    with pytest.raises(TimetableClash) as caught:
        term.plan(start=build.at(0, 10), places=term.places(gpus=4), title="뒤 수업")
    assert {one.clash.kind for one in caught.value.clashes} == {"ROOM", "STREAM", "TEACHER", "COHORT", "GPUS"}
    assert len([one for one in caught.value.clashes if one.clash.kind == "ROOM"]) == 2
    assert {one.clash.by_id for one in caught.value.clashes if one.clash.kind != "GPUS"} == {first.pk}
    assert [slot.starts_at for slot in caught.value.slots] == [build.at(0, 11), build.at(0, 11, 30), build.at(0, 12)]
    assert ClassSession.objects.count() == 1
    assert Booking.objects.count() == 2
    assert ClassReservation.objects.count() == 1
    for slot in caught.value.slots[:1]:
        term.plan(start=slot.starts_at, places=term.places(gpus=4), title="뒤 수업")  # what is offered is free


def test_more_gpus_than_the_site_has_is_a_clash_that_says_how_many_there_are(term):
    with pytest.raises(TimetableClash) as caught:
        term.plan(places=term.places(gpus=9))
    (one,) = caught.value.clashes
    assert (one.clash.kind, one.clash.left, caught.value.slots) == ("GPUS", 8, [])


def test_moving_a_class_moves_all_that_it_takes_and_grows_its_sequence(term):
    made = term.plan(places=term.places(gpus=6))
    reservation = ClassReservation.objects.get()
    moved = move_session(session_id=made.pk, starts_at=build.at(1, 13), actor=term.planner).session
    assert (moved.starts_at, moved.ends_at, moved.sequence) == (build.at(1, 13), build.at(1, 15), 1)
    assert {row.period.lower for row in Booking.objects.filter(given_up_at=None)} == {build.at(1, 13)}
    assert {row.period.lower for row in moved.places.all()} == {build.at(1, 13)}
    assert {row.period.lower for row in moved.teachers.all()} == {build.at(1, 13)}
    reservation.refresh_from_db()
    assert (reservation.start_at, reservation.state) == (build.at(1, 13), "BOOKED")
    term.plan(title="그 자리에")  # where it was, all is free


def test_a_move_by_half_its_length_does_not_clash_with_itself(term):
    made = term.plan(places=term.places(gpus=8))
    moved = move_session(session_id=made.pk, starts_at=made.starts_at + HOUR, actor=term.planner).session
    assert moved.starts_at == build.at(0, 10)


def test_a_move_into_another_class_changes_nothing(term):
    made = term.plan()
    term.plan(start=build.at(0, 13), title="오후")
    with pytest.raises(TimetableClash):
        move_session(session_id=made.pk, starts_at=build.at(0, 12), actor=term.planner)
    made.refresh_from_db()
    assert (made.starts_at, made.sequence) == (build.at(0, 9), 0)
    assert {row.period.lower for row in Booking.objects.filter(key=made.booking_key)} == {build.at(0, 9)}


def test_cancelling_frees_all_of_it_and_needs_a_reason(term):
    made = term.plan(places=term.places(gpus=6))
    with pytest.raises(InvalidInput):
        cancel_session(session_id=made.pk, actor=term.planner, reason=" ")
    cancelled = cancel_session(session_id=made.pk, actor=term.planner, reason="강사 사정")
    assert (cancelled.state, cancelled.sequence) == ("CANCELLED", 1)
    assert held(made.booking_key) == []
    assert ClassReservation.objects.get().state == "CANCELLED"
    again = term.plan(places=term.places(gpus=6), replaces_id=made.pk)  # the same time, as its make-up class
    assert again.is_make_up
    with pytest.raises(Conflict):
        move_session(session_id=made.pk, starts_at=build.at(2, 9), actor=term.planner)


def test_changing_places_frees_the_room_and_the_gpus_that_are_left_out(term):
    made = term.plan(places=term.places(gpus=6))
    third = build.room(term.yongin.campus)
    term.plan(session=made, places=(PlaceWish(term.yongin.pk, third.pk),))
    assert held(made.booking_key) == [third.pk]
    assert ClassReservation.objects.get().state == "CANCELLED"
    assert SessionCohort.objects.get(session=made).room == third


def test_two_cohorts_may_share_a_room(term):
    shared = (PlaceWish(term.yongin.pk, term.room.pk), PlaceWish(term.jeonbuk.pk, term.room.pk))
    assert held(term.plan(places=shared).booking_key) == [term.room.pk]


def test_who_does_not_instruct_there_plans_nothing(term):
    stranger = build.instructor(courses.cohort())
    with pytest.raises(NotAllowed):
        save_session(
            run_id=term.run.pk, wish=term.wish(), starts_at=build.at(0, 9), ends_at=build.at(0, 10), actor=stranger
        )


def test_what_another_changed_meanwhile_is_not_overwritten(term):
    made = term.plan()
    move_session(session_id=made.pk, starts_at=build.at(3, 9), actor=term.planner, sequence=0)
    with pytest.raises(Conflict) as caught:
        move_session(session_id=made.pk, starts_at=build.at(4, 9), actor=term.planner, sequence=0)
    assert caught.value.code == "changed"


# ---- who hears of it ----------------------------------------------------------------------------


def notices(user):
    return list(Notice.objects.filter(recipient=user).order_by("pk").values_list("kind", flat=True))


def test_those_whom_a_change_touches_hear_of_it_and_nobody_else(term):
    learner, other = courses.learner(term.yongin).user, courses.learner(courses.cohort()).user
    made = term.plan()
    move_session(session_id=made.pk, starts_at=build.at(1, 13), actor=term.planner)
    third = build.room(term.yongin.campus)
    places = (PlaceWish(term.yongin.pk, third.pk), term.places()[1])
    term.plan(session=made, start=build.at(1, 13), places=places)
    cancel_session(session_id=made.pk, actor=term.planner, reason="폭설")
    kinds = ["added", "moved", "place_changed", "cancelled"]
    assert notices(learner) == [f"timetable.{kind}" for kind in kinds]
    assert notices(other) == []
    assert notices(term.planner) == []  # who did it knows


# ---- the roll -----------------------------------------------------------------------------------


def test_the_roll_is_who_is_enrolled_when_the_class_is_and_stays_so(term):
    early, leaver = courses.learner(term.yongin), courses.learner(term.jeonbuk, mode="ONLINE")
    made = term.plan()
    assert {(row.enrolment.pk, row.is_online) for row in roll_of(made)} == {(early.pk, False), (leaver.pk, True)}
    withdraw(enrolment_id=leaver.pk, actor=None)
    assert [row.enrolment.pk for row in roll_of(made)] == [early.pk]
    leaver.refresh_from_db()
    leaver.ended_at = made.starts_at + HOUR
    leaver.save()
    assert len(roll_of(made)) == 2  # who left during the class was there


# ---- office hours -------------------------------------------------------------------------------


def test_office_hours_take_the_teacher_and_a_room_and_no_cohorts_time(term):
    term.plan()
    other = build.instructor(term.yongin)
    made = term.plan(
        kind="OFFICE", slot_minutes=20, teacher_ids=(other.pk,), stream_id=None, hours=1,
        places=(PlaceWish(term.yongin.pk, build.room(term.yongin.campus).pk),),
    )  # fmt: skip
    assert roll_of(made) == []
    learner, late = courses.learner(term.yongin).user, courses.learner(term.yongin).user
    slot = take_slot(session_id=made.pk, starts_at=build.at(0, 9, 20), learner=learner, topic="과제")
    with pytest.raises(Conflict) as caught:
        take_slot(session_id=made.pk, starts_at=build.at(0, 9, 20), learner=late)
    assert caught.value.code == "slot_taken"
    changed = take_slot(session_id=made.pk, starts_at=build.at(0, 9, 40), learner=learner)
    assert made.slots.get() == changed != slot
    assert notices(other) == ["timetable.added", "timetable.slot_taken", "timetable.slot_taken"]
    assert list(sessions_of_person(learner.pk, build.at(0, 0), build.at(1, 0)).filter(kind="OFFICE")) == [made]
    assert not sessions_of_person(late.pk, build.at(0, 0), build.at(1, 0)).filter(kind="OFFICE").exists()
    moved = move_session(session_id=made.pk, starts_at=build.at(2, 14), actor=term.planner).session
    assert moved.slots.get().starts_at == build.at(2, 14, 40)
    give_up_slot(slot_id=changed.pk, learner=learner)
    assert not made.slots.exists()


def test_a_stranger_takes_no_slot(term):
    made = term.plan(kind="OFFICE", slot_minutes=20, hours=1)
    with pytest.raises(NotAllowed):
        take_slot(session_id=made.pk, starts_at=build.at(0, 9), learner=courses.person())


# ---- what is odd but not forbidden --------------------------------------------------------------


def test_what_is_odd_about_a_class_is_said_and_forbids_nothing(term):
    with translation.override("en"):
        small = build.room(term.yongin.campus, capacity=1)
        twice = courses.learner(term.yongin).user
        courses.learner(term.yongin)
        other = courses.cohort(at=term.yongin.campus)
        catalog.enrol(cohort_id=other.pk, user=twice, mode="ONSITE", actor=None)
        Holiday.objects.create(on=build.at(0, 0).date(), name_ko="개교기념일")
        elsewhere = save_session(
            run_id=other.run_id, wish=ClassWish(title="다른 과정", places=(PlaceWish(other.pk),)), actor=None,
            starts_at=build.at(0, 9), ends_at=build.at(0, 11),
        ).session  # fmt: skip
        courses.learner(term.jeonbuk)
        made = save_session(
            run_id=term.run.pk, starts_at=build.at(0, 9), ends_at=build.at(0, 10), actor=term.planner,
            wish=term.wish(places=(PlaceWish(term.yongin.pk, small.pk), PlaceWish(term.jeonbuk.pk, small.pk))),
        )  # fmt: skip
    assert elsewhere.is_planned
    said = " ".join(made.advice)
    for words in (
        "is a holiday",
        "seats 1; 3 learn there",
        "learns at another campus",
        "1 of its learners have another",
    ):
        assert words in said, made.advice


# ---- letting a class out early --------------------------------------------------------------------------------------


def begun(term, **changes):
    """A class that is on since half an hour, with an hour and a half to go: planned for later, and time passed."""
    made = term.plan(places=term.places(gpus=6), **changes)
    back = made.starts_at - (timezone.now() - HOUR / 2)
    for place in made.places.all():
        for row in (place.booking, place):
            row.period = DateTimeTZRange(row.period.lower - back, row.period.upper - back, "[)")
            row.save()
    made.teachers.update(period=DateTimeTZRange(made.starts_at - back, made.ends_at - back, "[)"))
    for kept in ClassReservation.objects.filter(class_place__session=made):
        kept.start_at, kept.end_at = kept.start_at - back, kept.end_at - back
        kept.save()
    made.starts_at, made.ends_at = made.starts_at - back, made.ends_at - back
    made.save()
    return made


def test_a_class_that_is_let_out_early_ends_now_and_gives_back_what_it_held(term):
    made = begun(term)
    planned_end, learner = made.ends_at, courses.learner(term.yongin)
    before = timezone.now()
    ended = end_session(session_id=made.pk, actor=term.planner)
    assert before <= ended.ends_at <= timezone.now() < planned_end
    assert (ended.state, ended.sequence, ended.starts_at) == ("PLANNED", made.sequence + 1, made.starts_at)
    assert held(made.booking_key) == sorted([term.room.pk, term.other_room.pk])
    assert {row.period.upper for row in Booking.objects.filter(key=made.booking_key)} == {ended.ends_at}
    assert {place.period.upper for place in ended.places.all()} == {ended.ends_at}
    assert {teacher.period.upper for teacher in ended.teachers.all()} == {ended.ends_at}
    assert [place.gpus for place in ended.places.order_by("pk")] == [6, 0], "what it was planned with stays written"
    assert set(ClassReservation.objects.values_list("state", flat=True)) == {"CANCELLED"}
    assert not Notice.objects.filter(recipient=learner.user, kind="timetable.moved").exists()
    assert AuditEntry.objects.filter(verb="class.ended", actor=term.planner).count() == 1
    rooms = [term.room.pk, term.other_room.pk]
    assert not bookings_at(room_ids=rooms, from_at=ended.ends_at, until_at=planned_end).exists()


@pytest.mark.parametrize("how", ["not_begun", "class_over", "class_cancelled", "office_hours"])
def test_only_a_class_that_is_on_can_be_let_out(term, how):
    if how == "not_begun":
        made = term.plan()
    elif how == "office_hours":
        made = term.plan(kind="OFFICE", slot_minutes=20, hours=1)
    else:
        made = begun(term)
        if how == "class_over":
            end_session(session_id=made.pk, actor=term.planner)
        else:
            cancel_session(session_id=made.pk, actor=term.planner, reason="강사 병가")
    with pytest.raises(Conflict) as refused:
        end_session(session_id=made.pk, actor=term.planner)
    assert refused.value.code == how


def test_who_may_not_plan_a_class_may_not_end_it(term):
    made = begun(term)
    with pytest.raises(NotAllowed):
        end_session(session_id=made.pk, actor=courses.learner(term.yongin).user)
    made.refresh_from_db()
    assert made.ends_at > timezone.now()
