"""Websockets of jobs. A consumer checks access and forwards what the database holds; it never writes.

It checks when it connects, when it is told that the person's access changed, and now and then in case that was lost.

Nudges only set a flag. One task per socket reads what lies behind its own cursors and sends it, waiting for each frame
to leave: a slow client slows its own reads, and what it misses in between it gets in one piece (docs/live.md).
"""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from campus.core.errors import NotFound
from campus.core.revocations import access_group
from campus.people.access import Standing, standing_of
from campus.people.models import User

from . import live_reads
from .access import get_job_for
from .live import POOL_GROUP, QUEUE_GROUP, job_group, owner_group, scope_group

logger = structlog.get_logger(__name__)

SIGNED_OUT = 4401
GONE = 4404


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Joins its groups, then sends what is new: at once, and after every nudge or `{"type": "sync"}`."""

    RECHECK_S = 30.0

    async def connect(self) -> None:
        """Accept, so that a refusal has a code that a browser may read; then check, join and catch up."""
        self._joined: list[str] = []
        self._wake = asyncio.Event()
        self._asked: dict[str, Any] | None = None  # a sync that the sending task has not come to
        self._pump: asyncio.Task[None] | None = None
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(SIGNED_OUT)
            return
        self._user_id = user.pk
        # Before the first check: what is taken away from here on is heard of.
        await self._join([access_group(user.pk)])
        groups = await self._allowed()
        if groups is None:
            return
        self.begin()
        # Groups first, then the database: what is committed in between is in the one or comes by the other.
        await self._join(groups)
        self._wake.set()
        self._pump = asyncio.create_task(self._send_as_woken())

    async def _join(self, groups: list[str]) -> None:
        for group in groups:
            await self.channel_layer.group_add(group, self.channel_name)
            self._joined.append(group)

    async def _allowed(self) -> list[str] | None:
        """Check as the database has it now: the groups to join, or None with the socket closed."""
        self._recheck_at = asyncio.get_running_loop().time() + self.RECHECK_S
        try:
            groups: list[str] | None = await database_sync_to_async(self._check_now)()
        except NotFound:
            await self.close(GONE)
            return None
        if groups is None:
            await self.close(SIGNED_OUT)
        return groups

    def _check_now(self) -> list[str] | None:
        user = User.objects.filter(pk=self._user_id, is_active=True).first()
        return self.check(standing_of(user)) if user is not None else None

    def check(self, standing: Standing) -> list[str]:
        """Check access and return the groups to join; runs on a database thread, again and again. Raises NotFound."""
        raise NotImplementedError

    def begin(self) -> None:
        """Take the client's cursors from the address; once, when access is granted."""

    def resume(self, asked: dict[str, Any]) -> None:
        """The client says that it misses something: forget what it was sent."""

    async def send_news(self) -> None:
        """Send what the client does not have yet."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        """Leave the groups."""
        if self._pump is not None:
            self._pump.cancel()
        for group in self._joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: Any, **_kwargs: Any) -> None:
        """`ping` is answered, `sync` catches up; anything else is ignored."""
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "ping":
            await self.send_json({"type": "pong"})
        elif kind == "sync":
            self._asked = content
            self._wake.set()

    async def nudged(self, _event: dict[str, Any]) -> None:
        """Something changed; many nudges before the next read are one."""
        self._wake.set()

    async def access_changed(self, _event: dict[str, Any]) -> None:
        """What the person may see changed: look again before anything else is sent."""
        self._recheck_at = 0.0
        self._wake.set()

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """What is no JSON is ignored."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None

    async def _send_as_woken(self) -> None:
        try:
            while True:
                is_news = await self._woken()
                if asyncio.get_running_loop().time() >= self._recheck_at and await self._allowed() is None:
                    return
                if not is_news:
                    continue
                asked, self._asked = self._asked, None
                if asked is not None:
                    self.resume(asked)
                await self.send_news()
        except asyncio.CancelledError:
            raise
        except Exception:
            # The client reconnects and goes on at its cursors.
            logger.exception("live_socket_failed", path=self.scope.get("path"))
            await self.close(1011)

    async def _woken(self) -> bool:
        """Wait for a nudge, at most until it is time to check again; say whether there was one."""
        try:
            async with asyncio.timeout_at(self._recheck_at):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    def query(self, name: str) -> str:
        """A parameter of the address, empty if absent."""
        return parse_qs(self.scope.get("query_string", b"").decode("ascii", "replace")).get(name, [""])[0]

    def number(self, name: str) -> int:
        """A whole number of the address; 0 for what is none."""
        return number_of(self.query(name))


def number_of(value: Any) -> int:
    """A cursor as a client sends it; 0 for what is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else 0


class JobConsumer(LiveConsumer):
    """/ws/jobs/ID/?log_from=BYTE&attempt=N&metrics_from=SEQ: one job's state, log and metrics."""

    def check(self, standing: Standing) -> list[str]:
        job = get_job_for(standing, self.scope["url_route"]["kwargs"]["job_id"])
        self._job_id = job.pk
        return [job_group(job.pk), QUEUE_GROUP]

    def begin(self) -> None:
        self._attempt = self.number("attempt")
        self._log_at, self._points_at = self.number("log_from"), self.number("metrics_from")
        self._last: dict[str, Any] | None = None
        self._is_complete = False

    def resume(self, asked: dict[str, Any]) -> None:
        """Go on at the cursors that a sync names; from the beginning where it names none, which a client may skip."""
        self._log_at, self._points_at = number_of(asked.get("log_from")), number_of(asked.get("metrics_from"))
        self._last, self._is_complete = None, False

    async def send_news(self) -> None:
        now = await database_sync_to_async(live_reads.job_now)(self._job_id)
        if now is None:
            await self.close(GONE)
            return
        if now.attempt != self._attempt:
            if self._attempt or not now.attempt:
                self._log_at = self._points_at = 0
            self._attempt, self._is_complete = now.attempt, False
        if now.message != self._last:
            self._last = now.message
            await self.send_json(now.message)
        if now.attempt_id is not None:
            self._log_at = min(self._log_at, now.log_bytes)
            await self._send_log(now, now.attempt_id)
            await self._send_points(now.attempt_id)

    async def _send_log(self, now: live_reads.JobNow, attempt_id: int) -> None:
        while self._log_at < now.log_bytes:
            content = await database_sync_to_async(live_reads.log_after)(attempt_id, self._log_at)
            start, self._log_at = self._log_at, self._log_at + len(content)
            self._is_complete = now.is_over and self._log_at >= now.log_bytes
            await self.send_json(live_reads.log_message(now.attempt, start, content, is_complete=self._is_complete))
        if now.is_over and not self._is_complete:
            self._is_complete = True
            await self.send_json(live_reads.log_message(now.attempt, self._log_at, b"", is_complete=True))

    async def _send_points(self, attempt_id: int) -> None:
        while points := await database_sync_to_async(live_reads.points_after)(attempt_id, self._points_at):
            self._points_at = points[-1]["seq"] + 1
            await self.send_json({"type": "metrics", "attempt": self._attempt, "points": points})
            if len(points) < live_reads.POINTS:
                return


class MyJobsConsumer(LiveConsumer):
    """/ws/my-jobs/: changes of one's own jobs; with ?scope=ID, for its staff, those of a cohort's learners."""

    def check(self, standing: Standing) -> list[str]:
        scope_id = self.number("scope") if self.query("scope") else None
        self._jobs = live_reads.watched_jobs(standing, scope_id)
        watched = owner_group(standing.user_id or 0) if scope_id is None else scope_group(scope_id)
        return [watched, QUEUE_GROUP]

    def begin(self) -> None:
        self._known: dict[int, dict[str, Any]] | None = None

    def resume(self, asked: dict[str, Any]) -> None:
        self._known = None

    async def send_news(self) -> None:
        found = await database_sync_to_async(live_reads.brief_jobs)(self._jobs)
        known = self._known
        changed = [job for pk, job in sorted(found.items()) if known is None or known.get(pk) != job]
        self._known = found
        if changed or known is None:
            await self.send_json({"type": "jobs", "jobs": changed})


class PoolConsumer(LiveConsumer):
    """/ws/pool/: that something on the pool changed. For staff."""

    def check(self, standing: Standing) -> list[str]:
        if not standing.is_teaching:
            raise NotFound
        return [POOL_GROUP]

    async def send_news(self) -> None:
        await self.send_json({"type": "pool"})
