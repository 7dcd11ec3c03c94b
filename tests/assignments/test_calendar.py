"""Deadlines in the calendar feed of a person: their own, under one UID, with a SEQUENCE that grows with each move."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from campus.core.models import Notice
from courses.assignments import authoring, extending, submitting
from courses.assignments.reminding import remind
from courses.timetable.models import CalendarFeed
from courses.timetable.services import renew_feed
from courses.timetable.services.calendars import token_of

from . import build

DAY = timedelta(days=1)


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return build.scene(due_at=timezone.now().replace(microsecond=0) + 3 * DAY)


def events(feed: CalendarFeed) -> list[Any]:
    answer = Client().get(reverse("timetable:feed", args=[token_of(feed)]))
    assert answer.status_code == 200
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def test_a_move_keeps_the_uid_and_grows_the_sequence(scene: build.Scene) -> None:
    feed, due_at = renew_feed(user=scene.learner), scene.assignment.due_at
    assert due_at is not None
    (first,) = events(feed)
    assert (first.decoded("DTSTART"), first["SEQUENCE"]) == (due_at, 0)
    assert first["DTSTART"].params["TZID"] == "Asia/Seoul"
    (change,) = extending.extend(
        assignment=scene.assignment, enrolments=[scene.enrolment], due_at=due_at + DAY, reason="병결",
        actor=scene.instructor,
    )  # fmt: skip
    (moved,) = events(feed)
    assert (moved["UID"], moved.decoded("DTSTART"), moved["SEQUENCE"]) == (first["UID"], due_at + DAY, 1)
    assert "병결" in moved["DESCRIPTION"]
    assert moved.decoded("DTSTAMP") >= first.decoded("DTSTAMP")
    extending.revoke(
        change_id=change.pk, assignment=scene.assignment, cohorts=[scene.world.cohort], actor=scene.instructor
    )
    scene.change(due_at=due_at + 2 * DAY)
    (again,) = events(feed)
    assert (again["UID"], again.decoded("DTSTART"), again["SEQUENCE"]) == (first["UID"], due_at + 2 * DAY, 3)
    scene.change(title="다른 제목")
    assert events(feed)[0]["SEQUENCE"] == 3


def test_a_calendar_shows_nobody_elses_deadline_and_nothing_hidden(scene: build.Scene) -> None:
    other = scene.another()
    extending.extend(
        assignment=scene.assignment, enrolments=[other], due_at=timezone.now() + 9 * DAY, reason="병결",
        actor=scene.instructor,
    )  # fmt: skip
    (mine,) = events(renew_feed(user=scene.learner))
    assert mine["SEQUENCE"] == 0
    assert events(renew_feed(user=scene.world.people["stranger"])) == []
    scene.change(is_published=False)
    assert events(renew_feed(user=scene.learner)) == []


def test_a_feed_costs_the_same_at_one_deadline_and_at_twenty(scene: build.Scene) -> None:
    authoring.set_late_days(run_id=scene.world.run.pk, days=3, actor=None)
    feed = renew_feed(user=scene.learner)

    def counted() -> int:
        events(feed)
        with CaptureQueriesContext(connection) as seen:
            events(feed)
        return len(seen)

    few = counted()
    for n in range(19):
        authoring.open_assignment(
            module_id=scene.world.module.pk, actor=None, title=f"과제 {n}", due_at=timezone.now() + DAY
        )
    submitting.take_late_day(assignment_id=scene.assignment.pk, user=scene.learner)
    assert counted() == few
    assert few <= 20


def test_learners_are_reminded_once_a_day_before_and_again_where_it_moved(scene: build.Scene) -> None:
    scene.change(due_at=timezone.now() + timedelta(hours=20))
    mine = Notice.objects.filter(kind="assignments.due", recipient=scene.learner)
    assert remind() >= 1
    remind()
    assert mine.count() == 1
    extending.extend(
        assignment=scene.assignment, enrolments=[scene.enrolment], due_at=timezone.now() + timedelta(hours=30),
        reason="병결", actor=scene.instructor,
    )  # fmt: skip
    remind()
    assert mine.count() == 1, "it is due in more than a day now"
    due_at = timezone.now() + timedelta(hours=23)
    extending.set_cohort_deadline(
        assignment=scene.assignment, cohort=scene.world.cohort, due_at=due_at, closes_at=None, reason="공지",
        actor=scene.instructor,
    )  # fmt: skip
    scene.assignment.deadline_changes.filter(kind="EXTENSION").update(revoked_at=timezone.now())
    remind()
    assert mine.count() == 2
