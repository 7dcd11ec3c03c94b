"""The count of unread notices on open pages: nudged after the commit, read from the database by the socket."""

from collections.abc import Iterable
from typing import Any

from channels.db import database_sync_to_async
from django.db import transaction

from campus.core.courier import carry
from campus.core.live import LiveSocket
from campus.core.models import Notice


def reader_group(user_id: int) -> str:
    """The group of one person's open pages."""
    return f"notices-of.{user_id}"


def tell(user_ids: Iterable[int]) -> None:
    """Tell these people's open pages, once the transaction is committed, that their count changed."""
    groups = [reader_group(user_id) for user_id in user_ids]
    transaction.on_commit(lambda: carry(groups), robust=True)


class NoticesConsumer(LiveSocket):
    """/ws/notices/: how many notices one has not read; sent on opening and after each nudge. Never writes."""

    def check_user(self, user: Any) -> Iterable[str]:
        """Everybody may hear of their own."""
        return [reader_group(user.pk)]

    async def send_news(self) -> None:
        """Say the count as the database has it."""
        unread = await database_sync_to_async(Notice.objects.filter(recipient_id=self._user_id, read_at=None).count)()
        await self.send_json({"type": "notices", "unread": unread})
