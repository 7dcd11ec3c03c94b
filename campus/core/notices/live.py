"""The count of unread notices on open pages: nudged after the commit, read from the database by the socket."""

from collections.abc import Iterable
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import get_user_model
from django.db import transaction

from campus.core.courier import carry
from campus.core.models import Notice
from campus.core.revocations import access_group

SIGNED_OUT = 4401


def reader_group(user_id: int) -> str:
    """The group of one person's open pages."""
    return f"notices-of.{user_id}"


def tell(user_ids: Iterable[int]) -> None:
    """Tell these people's open pages, once the transaction is committed, that their count changed."""
    groups = [reader_group(user_id) for user_id in user_ids]
    transaction.on_commit(lambda: carry(groups), robust=True)


class NoticesConsumer(AsyncJsonWebsocketConsumer):
    """/ws/notices/: how many notices one has not read; sent on opening and after each nudge. Never writes."""

    async def connect(self) -> None:
        """Accept, so that a refusal has a code that a browser may read; then join and say the count."""
        self._groups: list[str] = []
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(SIGNED_OUT)
            return
        self._user_id = user.pk
        for group in (reader_group(user.pk), access_group(user.pk)):
            await self.channel_layer.group_add(group, self.channel_name)
            self._groups.append(group)
        await self.nudged({})

    async def disconnect(self, code: int) -> None:
        """Leave the groups."""
        for group in self._groups:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: Any, **_kwargs: Any) -> None:
        """`ping` is answered; anything else is ignored."""
        if isinstance(content, dict) and content.get("type") == "ping":
            await self.send_json({"type": "pong"})

    async def nudged(self, _event: dict[str, Any]) -> None:
        """Say the count as the database has it; to an account that was closed, nothing any more."""
        unread = await database_sync_to_async(_unread)(self._user_id)
        if unread is None:
            await self.close(SIGNED_OUT)
        else:
            await self.send_json({"type": "notices", "unread": unread})

    async def access_changed(self, event: dict[str, Any]) -> None:
        """The account may have been closed."""
        await self.nudged(event)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """What is no JSON is ignored."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None


def _unread(user_id: int) -> int | None:
    if not get_user_model().objects.filter(pk=user_id, is_active=True).exists():
        return None
    return Notice.objects.filter(recipient_id=user_id, read_at=None).count()
