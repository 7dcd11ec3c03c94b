"""The socket of a class's roll: what changed since it last spoke, several check-ins at a time."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async

from campus.core.errors import NotAllowed, NotFound
from campus.people.access import Standing
from campus.people.live import LiveConsumer
from campus.people.models import User

from .access import get_roll_for
from .live import board_group
from .live_reads import roll_now


class RollConsumer(LiveConsumer):
    """/ws/attendance/SESSION/: for who takes its roll. `roll` carries rows that changed, all of them on connecting."""

    #: While hundreds check in, what came meanwhile goes in one frame.
    EVERY_S = 0.5

    def check(self, standing: Standing) -> list[str]:
        """Runs again and again, as access may end. Raises NotFound, for learners too: there is nothing for them."""
        session_id = self.scope["url_route"]["kwargs"]["session_id"]
        try:
            access = get_roll_for(User.objects.get(pk=standing.user_id or 0), session_id)
        except NotAllowed as error:
            raise NotFound from error
        self._session_id, self._cohort_ids = access.session.pk, access.cohort_ids
        return [board_group(access.session.pk)]

    def begin(self) -> None:
        self._known: dict[int, dict[str, Any]] | None = None
        self._spoke_at = 0.0

    def resume(self, asked: dict[str, Any]) -> None:
        """Say everything again."""
        self._known = None

    async def send_news(self) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(0.0, self._spoke_at + self.EVERY_S - clock()))
        found = await database_sync_to_async(roll_now)(self._session_id, self._cohort_ids)
        known, self._known = self._known, found
        changed = [row for pk, row in found.items() if known is None or known.get(pk) != row]
        self._spoke_at = clock()
        if changed or known is None:
            await self.send_json({"type": "roll", "rows": changed})
