"""Websockets of pages: a consumer checks access and forwards what the database holds; it never writes.

It checks when it connects, when it is told that the person's access changed, and now and then in case that was lost.

Nudges only set a flag. One task per socket reads what lies behind its own cursors and sends it, waiting for each frame
to leave: a slow client slows its own reads, and what it misses in between it gets in one piece (docs/live.md).
"""

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model

from .errors import NotFound
from .revocations import access_group

logger = structlog.get_logger(__name__)

SIGNED_OUT = 4401
GONE = 4404


class LiveSocket(AsyncJsonWebsocketConsumer):
    """Joins its groups, then sends what is new: at once, and after every nudge or `{"type": "sync"}`."""

    RECHECK_S = 30.0
    #: Whether there is news on opening; a page that was just drawn may need none.
    BEGINS_WITH_NEWS = True

    async def connect(self) -> None:
        """Accept, so that a refusal has a code that a browser may read; then check, join and catch up."""
        self._joined: set[str] = set()
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
        await self._join({access_group(user.pk)})
        # Groups first, then the database: what is committed in between is in the one or comes by the other.
        if not await self._may_go_on():
            return
        self.begin()
        if self.BEGINS_WITH_NEWS:
            self._wake.set()
        self._pump = asyncio.create_task(self._send_as_woken())

    async def _may_go_on(self) -> bool:
        """Check as the database has it now, and be in the groups that the person may hear and in no other; close the
        socket of who may not."""
        self._recheck_at = asyncio.get_running_loop().time() + self.RECHECK_S
        try:
            groups: Iterable[str] | None = await database_sync_to_async(self._check_now)()
        except NotFound:
            await self.close(GONE)
            return False
        if groups is None:
            await self.close(SIGNED_OUT)
            return False
        wanted = {access_group(self._user_id), *groups}
        for group in self._joined - wanted:
            await self.channel_layer.group_discard(group, self.channel_name)
        self._joined &= wanted
        await self._join(wanted - self._joined)
        return True

    async def _join(self, groups: set[str]) -> None:
        self._joined |= groups
        await asyncio.gather(*(self.channel_layer.group_add(group, self.channel_name) for group in groups))

    def _check_now(self) -> Iterable[str] | None:
        user = get_user_model().objects.filter(pk=self._user_id, is_active=True).first()
        return self.check_user(user) if user is not None else None

    def check_user(self, user: Any) -> Iterable[str]:
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
                if asyncio.get_running_loop().time() >= self._recheck_at and not await self._may_go_on():
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
