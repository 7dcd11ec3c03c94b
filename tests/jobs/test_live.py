"""The websockets: what they send is what the database holds, whoever reconnects, whatever Redis does."""

import asyncio
import base64
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser

from campus.people.api import revoke_role, set_active
from campus.people.models import RoleGrant, User
from labs.jobs import api as jobs
from labs.jobs.consumers import LiveConsumer
from labs.jobs.models import LogChunk
from labs.jobs.routing import websocket_urlpatterns
from tests import factories
from tests.jobs.build import World, assign, ended, expire, running

pytestmark = pytest.mark.django_db(transaction=True)
SOON_S = 60


class Socket:
    """A client of the websocket routes, signed in as `user`. (Channels' own needs daphne, which we do not serve by.)"""

    def __init__(self, path: str, user: Any) -> None:
        path, _mark, query = path.partition("?")
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": [], "user": user}
        self.wire = ApplicationCommunicator(URLRouter(websocket_urlpatterns), scope)

    async def __aenter__(self) -> "Socket":
        await self.wire.send_input({"type": "websocket.connect"})
        assert (await self.wire.receive_output(SOON_S))["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wire.wait(SOON_S)

    async def say(self, text: str) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": text})

    async def next(self, kind: str) -> dict[str, Any]:
        while True:
            frame = await self.wire.receive_output(SOON_S)
            assert frame["type"] == "websocket.send"
            message: dict[str, Any] = json.loads(frame["text"])
            if message["type"] == kind:
                return message

    async def log_until(self, size: int, start: int = 0) -> bytes:
        """The log's bytes from `start` up to `size`; parts must follow each other without gap or overlap."""
        found = b""
        while start + len(found) < size:
            message = await self.next("log")
            assert message["start"] == start + len(found)
            found += base64.b64decode(message["data"])
        return found

    async def closed_with(self) -> int:
        while True:
            event = await self.wire.receive_output(SOON_S)
            if event["type"] == "websocket.close":
                return int(event["code"])


def in_thread(service: Any, **wishes: Any) -> Any:
    return sync_to_async(service)(**wishes)


@sync_to_async
def begun(world: World) -> Any:
    return running(world.submit(), world.node())


@sync_to_async
def stored_log(attempt: Any) -> bytes:
    return b"".join(bytes(chunk.content) for chunk in LogChunk.objects.filter(attempt=attempt))


@pytest.mark.asyncio
async def test_the_live_log_is_the_stored_log_to_the_byte(world: World) -> None:
    attempt = await begun(world)
    said = {"attempt": attempt, "fence": attempt.fence}
    await in_thread(jobs.append_log, **said, start=0, content=b"before \xff\n")
    async with Socket(f"/ws/jobs/{attempt.job_id}/", world.learner) as socket:
        assert (await socket.next("job"))["state"] == "RUNNING"
        seen = await socket.log_until(9)
        big = bytes(range(256)) * 1024
        await in_thread(jobs.append_log, **said, start=9, content=big)
        seen += await socket.log_until(9 + len(big), start=9)
        await in_thread(jobs.settle, **said, ended=ended())
        assert (await socket.next("log"))["is_complete"]
    assert seen == await stored_log(attempt)


@pytest.mark.asyncio
async def test_who_reconnects_gets_what_was_missed_and_nothing_twice(world: World) -> None:
    attempt = await begun(world)
    said = {"attempt": attempt, "fence": attempt.fence}
    await in_thread(jobs.append_log, **said, start=0, content=b"0123456789")
    await in_thread(
        jobs.append_metrics, **said, first_seq=0, points=[{"run_s": n, "values": {"loss": n}} for n in range(5)]
    )
    query = "?log_from=4&attempt=1&metrics_from=3"
    async with Socket(f"/ws/jobs/{attempt.job_id}/{query}", world.learner) as socket:
        assert await socket.log_until(10, start=4) == b"456789"
        assert [point["seq"] for point in (await socket.next("metrics"))["points"]] == [3, 4]


@pytest.mark.asyncio
async def test_a_sync_sends_again_from_where_the_client_says(world: World) -> None:
    attempt = await begun(world)
    await in_thread(jobs.append_log, attempt=attempt, fence=attempt.fence, start=0, content=b"0123456789")
    async with Socket(f"/ws/jobs/{attempt.job_id}/", world.learner) as socket:
        await socket.log_until(10)
        await socket.say('{"type": "sync", "log_from": 7}')
        assert await socket.log_until(10, start=7) == b"789"
        await socket.say('{"type": "sync"}')
        assert await socket.log_until(10) == b"0123456789"


@pytest.mark.asyncio
async def test_another_attempt_begins_its_log_anew(world: World) -> None:
    attempt = await begun(world)
    await in_thread(jobs.append_log, attempt=attempt, fence=attempt.fence, start=0, content=b"first try")
    async with Socket(f"/ws/jobs/{attempt.job_id}/", world.learner) as socket:
        await socket.log_until(9)
        await in_thread(expire, attempt=attempt)
        await in_thread(jobs.reconcile)
        while (message := await socket.next("job"))["state"] != "QUEUED":
            pass
        again = await sync_to_async(running)(attempt.job, attempt.node)
        await in_thread(jobs.append_log, attempt=again, fence=again.fence, start=0, content=b"second")
        message = await socket.next("log")
        assert (message["attempt"], message["start"], base64.b64decode(message["data"])) == (2, 0, b"second")


@pytest.mark.asyncio
async def test_a_hundred_appends_arrive_whole_while_the_client_reconnects(world: World) -> None:
    attempt = await begun(world)
    parts = [f"line {n} {'x' * (n * 37 % 900)}\n".encode() for n in range(100)]
    size = sum(map(len, parts))

    async def write() -> None:
        start = 0
        for part in parts:
            await in_thread(jobs.append_log, attempt=attempt, fence=attempt.fence, start=start, content=part)
            start += len(part)

    writing = asyncio.create_task(write())
    seen = b""
    while len(seen) < size:
        query = f"?log_from={len(seen)}&attempt=1"
        async with Socket(f"/ws/jobs/{attempt.job_id}/{query}", world.learner) as socket:
            seen += await socket.log_until(min(size, len(seen) + 9_000), start=len(seen))
    await writing
    assert seen == b"".join(parts) == await stored_log(attempt)


@pytest.mark.asyncio
async def test_strangers_and_the_signed_out_are_turned_away_with_a_code(world: World) -> None:
    job = await in_thread(world.submit)
    stranger = await sync_to_async(factories.UserFactory)()
    turned_away = [
        (f"/ws/jobs/{job.pk}/", stranger, 4404),
        ("/ws/jobs/999999999/", world.learner, 4404),
        (f"/ws/jobs/{2**63}/", world.learner, 4404),
        (f"/ws/jobs/{job.pk}/", AnonymousUser(), 4401),
        ("/ws/my-jobs/", AnonymousUser(), 4401),
        (f"/ws/my-jobs/?scope={world.cohort_account.scope_id}", world.learner, 4404),
        ("/ws/pool/", world.learner, 4404),
        ("/ws/pool/", AnonymousUser(), 4401),
    ]
    for path, user, code in turned_away:
        async with Socket(path, user) as socket:
            assert (path, await socket.closed_with()) == (path, code)


@pytest.mark.asyncio
async def test_a_closed_account_has_no_open_sockets(world: World) -> None:
    job = await in_thread(world.submit)
    admin = await sync_to_async(factories.staff)("PLATFORM_ADMIN", await sync_to_async(factories.platform_scope)())
    async with Socket(f"/ws/jobs/{job.pk}/", world.learner) as one, Socket("/ws/my-jobs/", world.learner) as other:
        await one.next("job")
        await other.next("jobs")
        await in_thread(set_active, user=world.learner, is_active=False, actor=admin, reason="left")
        assert (await one.closed_with(), await other.closed_with()) == (4401, 4401)


@pytest.mark.asyncio
async def test_who_loses_the_role_that_gave_access_loses_the_sockets_and_keeps_the_others(world: World) -> None:
    scope = world.cohort_account.scope
    job = await in_thread(world.submit)
    admin = await sync_to_async(factories.staff)("PLATFORM_ADMIN", await sync_to_async(factories.platform_scope)())
    teacher = await sync_to_async(factories.staff)(RoleGrant.Role.ASSISTANT, scope)
    async with (
        Socket(f"/ws/jobs/{job.pk}/", teacher) as watched,
        Socket(f"/ws/my-jobs/?scope={scope.pk}", teacher) as board,
        Socket("/ws/pool/", teacher) as pool,
        Socket("/ws/my-jobs/", teacher) as own,
    ):
        for socket, kind in ((watched, "job"), (board, "jobs"), (pool, "pool"), (own, "jobs")):
            await socket.next(kind)
        grant = await teacher.role_grants.aget()
        await in_thread(revoke_role, grant_id=grant.pk, actor=admin)
        assert [await socket.closed_with() for socket in (watched, board, pool)] == [4404, 4404, 4404]
        await own.say('{"type": "sync"}')
        assert (await own.next("jobs"))["jobs"] == []


@pytest.mark.asyncio
async def test_access_that_went_without_a_word_is_found_by_looking_again(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(LiveConsumer, "RECHECK_S", 0.3)
    job = await in_thread(world.submit)
    async with Socket(f"/ws/jobs/{job.pk}/", world.learner) as socket:
        await socket.next("job")
        await User.objects.filter(pk=world.learner.pk).aupdate(is_active=False)
        assert await socket.closed_with() == 4401


@pytest.mark.asyncio
async def test_staff_watch_their_cohort_and_the_pool(world: World) -> None:
    scope = world.cohort_account.scope
    teacher = await sync_to_async(factories.staff)(RoleGrant.Role.ASSISTANT, scope)
    async with Socket(f"/ws/my-jobs/?scope={scope.pk}", teacher) as board, Socket("/ws/pool/", teacher) as pool:
        assert (await board.next("jobs"))["jobs"] == []
        await pool.next("pool")
        job = await in_thread(world.submit)
        assert [(one["id"], one["state"]) for one in (await board.next("jobs"))["jobs"]] == [(job.pk, "QUEUED")]
        await pool.next("pool")
        async with Socket(f"/ws/jobs/{job.pk}/", teacher) as socket:
            assert (await socket.next("job"))["id"] == job.pk


@pytest.mark.asyncio
async def test_one_hears_of_ones_own_jobs_only(world: World) -> None:
    other, account = await sync_to_async(world.another_learner)()
    async with Socket("/ws/my-jobs/", world.learner) as socket:
        assert (await socket.next("jobs"))["jobs"] == []
        await in_thread(world.submit, owner=other, account_id=account.pk)
        mine = await in_thread(world.submit)
        assert [one["id"] for one in (await socket.next("jobs"))["jobs"]] == [mine.pk]
        node = await sync_to_async(world.node)()
        await sync_to_async(assign)(mine, node)
        assert [one["state"] for one in (await socket.next("jobs"))["jobs"]] == ["RUNNING"]


@pytest.mark.asyncio
async def test_nonsense_from_a_client_is_ignored_and_a_ping_answered(world: World) -> None:
    job = await in_thread(world.submit)
    path = f"/ws/jobs/{job.pk}/?log_from=-5&attempt=x&metrics_from=9999999999999999999"
    async with Socket(path, world.learner) as socket:
        for text in ("nonsense", "[1]", "[" * 10_000, '{"type": "delete"}', '{"type": "sync", "log_from": "x"}'):
            await socket.say(text)
        await socket.say('{"type": "ping"}')
        await socket.next("pong")


def test_a_dead_redis_never_fails_what_it_would_have_told(world: World, settings: Any) -> None:
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "campus.core.channel_layer.ChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
        }
    }
    attempt = running(world.submit(), world.node())
    assert jobs.settle(attempt=attempt, fence=attempt.fence, ended=ended()) == "SUCCEEDED"
