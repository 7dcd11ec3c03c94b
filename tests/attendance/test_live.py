"""The roll's socket: all rows on opening, then what changed; several check-ins in one frame; only one's own cohorts."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from campus.people.api import revoke_role
from campus.people.models import RoleGrant
from courses.attendance.routing import websocket_urlpatterns
from courses.timetable.models import SessionCohort
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db(transaction=True)
SOON_S = 60


class Socket:
    def __init__(self, session, user):
        path = f"/ws/attendance/{session.pk}/"
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [], "user": user}
        self.wire = ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)

    async def __aenter__(self):
        await self.wire.send_input({"type": "websocket.connect"})
        assert (await self.wire.receive_output(SOON_S))["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_error):
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wire.wait(SOON_S)

    async def roll(self):
        frame = await self.wire.receive_output(SOON_S)
        assert frame["type"] == "websocket.send", frame
        return {row["enrolment"]: row for row in json.loads(frame["text"])["rows"]}


@pytest.fixture
def stage():
    courses.root()
    cohort = courses.cohort(seats=50)
    session = build.session(cohort)
    return cohort, session, courses.staff("INSTRUCTOR", cohort.scope)


def test_a_board_hears_of_every_check_in_and_of_many_at_once_in_few_frames(stage):
    cohort, session, teacher = stage
    people = [courses.learner(cohort) for _ in range(12)]
    screen = build.screen(session)

    async def story():
        async with Socket(session, teacher) as board:
            assert await board.roll() == {}
            await asyncio.gather(*(sync_to_async(build.came, thread_sensitive=False)(screen, one) for one in people))
            here, frames = {}, 0
            while len(here) < len(people):
                here |= await board.roll()
                frames += 1
            return here, frames

    here, frames = asyncio.run(story())
    assert {row["mark"] for row in here.values()} == {"PRESENT"}
    assert set(here) == {one.pk for one in people}
    assert frames < len(people)


def test_a_board_hears_nothing_of_other_cohorts_of_the_class(stage):
    cohort, session, teacher = stage
    other = courses.cohort(cohort.run)
    SessionCohort.objects.create(session=session, cohort=other)
    guest, mine = courses.learner(other), courses.learner(cohort)
    screen = build.screen(session)
    build.came(screen, guest)

    async def story():
        async with Socket(session, teacher) as board:
            assert await board.roll() == {}
            await sync_to_async(build.came, thread_sensitive=False)(screen, mine)
            return await board.roll()

    assert set(asyncio.run(story())) == {mine.pk}


def test_a_board_closes_when_the_role_behind_it_goes(stage):
    _cohort, session, teacher = stage
    grant = RoleGrant.objects.get(user=teacher)
    admin = courses.staff("PLATFORM_ADMIN", courses.root())

    async def story():
        async with Socket(session, teacher) as board:
            await board.roll()
            await sync_to_async(revoke_role, thread_sensitive=False)(grant_id=grant.pk, actor=admin)
            return await board.wire.receive_output(SOON_S)

    assert asyncio.run(story())["code"] == 4404
