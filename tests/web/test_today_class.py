"""The class on Today: how a learner checks in while it is on, and that it stays quiet otherwise."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from courses.catalog import api as catalog
from courses.catalog.models import CourseRun, Enrolment
from tests.attendance import build
from tests.courses import build as courses

pytestmark = pytest.mark.django_db


def today(enrolment: Enrolment) -> str:
    client = Client()
    client.force_login(enrolment.user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client.get("/").content.decode()


@pytest.fixture
def learner() -> Enrolment:
    courses.root()
    made = courses.learner(courses.cohort())
    CourseRun.objects.filter(pk=made.run_id).update(is_published=True)
    return made


def test_a_learner_on_site_is_told_to_scan_and_then_that_it_counted(learner: Enrolment) -> None:
    session = build.session(learner.cohort)
    page = today(learner)
    assert "Scan the code on your room" in page
    assert f"/attendance/classes/{session.pk}/code/" in page
    build.came(build.screen(session), learner)
    page = today(learner)
    assert "Checked in at" in page
    assert f"/attendance/classes/{session.pk}/code/" not in page


def test_a_learner_online_is_sent_to_the_stream_alone(learner: Enrolment) -> None:
    online = catalog.enrol(cohort_id=learner.cohort_id, user=courses.person("온라인"), mode="ONLINE", actor=None)
    session = build.session(learner.cohort)
    page = today(online)
    assert "your minutes count" in page
    assert f"/attendance/classes/{session.pk}/code/" not in page


@pytest.mark.parametrize("begins_in", [timedelta(minutes=31), timedelta(days=1)])
def test_before_it_is_time_today_says_when_and_no_more(learner: Enrolment, begins_in: timedelta) -> None:
    session = build.session(learner.cohort, starts_at=timezone.now() + begins_in)
    page = today(learner)
    assert session.title in page
    assert "kiosk" not in page


def test_the_teacher_opens_the_roll_from_here(learner: Enrolment) -> None:
    teacher = courses.staff("INSTRUCTOR", learner.cohort.scope)
    session = build.session(learner.cohort, teacher=teacher)
    client = Client()
    client.force_login(teacher)
    assert f'href="/attendance/classes/{session.pk}/"' in client.get("/").content.decode()
