"""Texts that no keyboard types: a NUL, which PostgreSQL takes in no text, is refused and no fault of the server."""

import pytest
from django.test import Client
from django.urls import reverse

from courses.attendance.models import Evidence, Station
from courses.attendance.services import stations
from tests.access import world as worlds
from tests.attendance import build

pytestmark = pytest.mark.django_db


def test_a_nul_at_a_kiosk_and_in_a_reason_is_a_bad_request() -> None:
    world = worlds.build()
    teacher = world.people["instructor"]
    session = build.session(world.cohort)
    kiosk = stations.open_station(session=session, kind=Station.Kind.KIOSK, room_id=None, actor=teacher)
    assert Client().post(reverse("attendance:kiosk", args=[kiosk.key]), {"number": "12\x0034"}).status_code == 400
    staff = Client()
    staff.force_login(teacher)
    given = {"learner": str(world.enrolment.pk), "mark": "PRESENT", "reason": "a\x00b"}
    answer = staff.post(reverse("attendance:give-marks", args=[session.pk]), given)
    assert answer.status_code == 400
    assert "0x00" not in answer.content.decode()
    assert not Evidence.objects.exists()
