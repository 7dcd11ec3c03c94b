"""What calendar programs read, and the reminders: stable UIDs, growing SEQUENCE, VTIMEZONE, an address that ends."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar

from campus.core.models import Notice
from courses.timetable.services import cancel_session, move_session, renew_feed, revoke_feed, take_slot
from courses.timetable.services.calendars import token_of
from courses.timetable.services.reminders import remind
from tests.courses import build as courses

from . import build
from .test_booking import Term

pytestmark = pytest.mark.django_db


@pytest.fixture
def term():
    return Term()


def read(feed):
    answer = Client().get(reverse("timetable:feed", args=[token_of(feed)]))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.content)
    return calendar, list(calendar.walk("VEVENT"))


def test_a_feed_has_the_campuss_zone_and_follows_moves_under_the_same_uid(term):
    made = term.plan()
    feed = renew_feed(user=courses.learner(term.yongin).user)
    calendar, (event,) = read(feed)
    assert event["DTSTART"].params["TZID"] == "Asia/Seoul"
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Asia/Seoul"]
    assert (event.decoded("DTSTART"), event["SEQUENCE"], event["STATUS"]) == (build.at(0, 9), 0, "CONFIRMED")
    assert term.room.name in event["LOCATION"]
    move_session(session_id=made.pk, starts_at=build.at(1, 13), actor=term.planner)
    _calendar, (moved,) = read(feed)
    assert (moved["UID"], moved["SEQUENCE"], moved.decoded("DTSTART")) == (event["UID"], 1, build.at(1, 13))
    cancel_session(session_id=made.pk, actor=term.planner, reason="폭설")
    _calendar, (gone,) = read(feed)
    assert (gone["UID"], gone["SEQUENCE"], gone["STATUS"]) == (event["UID"], 2, "CANCELLED")
    assert "폭설" in gone["DESCRIPTION"]


def test_who_learns_online_reads_the_stream_and_each_cohort_its_own_room(term):
    term.plan()
    places = {}
    for name, cohort, mode in (("here", term.jeonbuk, "ONSITE"), ("online", term.jeonbuk, "ONLINE")):
        _calendar, (event,) = read(renew_feed(user=courses.learner(cohort, mode=mode).user))
        places[name] = str(event["LOCATION"])
    assert term.other_room.name in places["here"]
    assert term.room.name not in places["here"]
    assert places["online"].endswith(term.stream.name)


def test_an_address_ends_when_a_new_one_is_taken_when_revoked_and_with_the_account(term):
    user = courses.learner(term.yongin).user
    old = renew_feed(user=user)
    new = renew_feed(user=user)
    client = Client()

    def status(feed):
        return client.get(reverse("timetable:feed", args=[token_of(feed)])).status_code

    assert (status(old), status(new)) == (404, 200)
    forged = f"{new.pk}-{'0' * 40}"
    assert client.get(reverse("timetable:feed", args=[forged])).status_code == 404
    user.is_active = False
    user.save()
    assert status(new) == 404
    user.is_active = True
    user.save()
    revoke_feed(user=user)
    assert status(new) == 404


def test_a_cohorts_feed_names_no_learner_and_has_no_office_hours(term):
    term.plan()
    office = term.plan(start=build.at(0, 13), kind="OFFICE", slot_minutes=20, hours=1)
    learner = courses.learner(term.yongin)
    take_slot(session_id=office.pk, starts_at=build.at(0, 13), learner=learner.user)
    _calendar, events = read(renew_feed(cohort=term.yongin))
    assert len(events) == 1
    _calendar, mine = read(renew_feed(user=learner.user))
    assert sorted(event.decoded("DTEND") - event.decoded("DTSTART") for event in mine) == [
        timedelta(minutes=20), timedelta(hours=2)
    ]  # fmt: skip


def test_a_feed_costs_the_same_at_one_class_and_at_twenty(term, django_assert_num_queries):
    feed = renew_feed(user=courses.learner(term.yongin).user)
    term.plan()
    with CaptureQueriesContext(connection) as few:
        read(feed)
    for number in range(1, 20):
        term.plan(start=build.at(number, 9))
    with django_assert_num_queries(len(few)):
        assert len(read(feed)[1]) == 20


def test_another_slot_of_the_same_office_hours_is_another_event(term):
    office = term.plan(start=build.at(0, 13), kind="OFFICE", slot_minutes=20, hours=1)
    learner = courses.learner(term.yongin).user
    feed = renew_feed(user=learner)
    found = set()
    for minutes in (0, 20):
        take_slot(session_id=office.pk, starts_at=build.at(0, 13) + timedelta(minutes=minutes), learner=learner)
        (event,) = read(feed)[1]
        found.add((str(event["UID"]), event.decoded("DTSTART")))
    assert len({uid for uid, _at in found}) == len(found) == 2
    before = str(event["UID"])
    move_session(session_id=office.pk, starts_at=build.at(1, 13), actor=term.planner)
    (moved,) = read(feed)[1]
    assert (str(moved["UID"]), moved["SEQUENCE"]) == (before, 1)


def test_who_took_a_slot_is_reminded_of_the_slot(term):
    office = term.plan(start=build.at(0, 13), kind="OFFICE", slot_minutes=20, hours=2)
    learner = courses.learner(term.yongin).user
    begins = build.at(0, 13) + timedelta(minutes=80)
    take_slot(session_id=office.pk, starts_at=begins, learner=learner)
    told = Notice.objects.filter(recipient=learner, kind="timetable.reminder")
    remind(now=office.starts_at - timedelta(minutes=20))
    assert not told.exists()
    remind(now=begins - timedelta(minutes=20))
    remind(now=begins - timedelta(minutes=19))
    assert [datetime.fromisoformat(one.facts["starts_at"]) for one in told] == [begins]


def test_people_are_reminded_once_and_again_after_a_move(term):
    made = term.plan()
    learner = courses.learner(term.yongin, mode="ONLINE").user

    def reminded():
        return Notice.objects.filter(recipient=learner, kind="timetable.reminder").count()

    assert remind(now=made.starts_at - timedelta(minutes=31)) == 0
    assert remind(now=made.starts_at - timedelta(minutes=29)) == 1
    remind(now=made.starts_at - timedelta(minutes=5))
    assert reminded() == 1
    assert term.stream.name_ko in Notice.objects.get(recipient=learner, kind="timetable.reminder").facts["place"]
    moved = move_session(session_id=made.pk, starts_at=build.at(1, 9), actor=term.planner).session
    remind(now=moved.starts_at - timedelta(minutes=10))
    assert reminded() == 2
    cancel_session(session_id=made.pk, actor=term.planner, reason="휴강")
    assert remind(now=moved.starts_at - timedelta(minutes=9)) == 0
