"""The timetable's websocket: it says that something changed for the person, never what; pages read it again."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db.models import Q

from campus.core.revocations import access_group
from campus.people.access import TEACHING, standing_of
from campus.people.models import User
from courses.catalog.models import Cohort

from .access import READING
from .live import cohort_group, person_group

SIGNED_OUT = 4401
#: Administrators look after many cohorts; they hear of these, and of the rest when they reload.
MOST_GROUPS = 200


class TimetableConsumer(AsyncJsonWebsocketConsumer):
    """/ws/timetable/: the classes of one's cohorts, as learner or staff, and one's own. Never writes."""

    async def connect(self) -> None:
        """Accept, so that a refusal has a code that a browser may read; then join."""
        self._groups: set[str] = set()
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(SIGNED_OUT)
            return
        self._user_id = user.pk
        await self._join({access_group(user.pk)})
        await self._check()

    async def _check(self) -> None:
        """Be in the groups that the person may hear now, and in no other; close for a closed account."""
        wanted = await database_sync_to_async(_groups_of)(self._user_id)
        if wanted is None:
            await self.close(SIGNED_OUT)
            return
        for group in self._groups - wanted - {access_group(self._user_id)}:
            await self.channel_layer.group_discard(group, self.channel_name)
            self._groups.discard(group)
        await self._join(wanted - self._groups)

    async def _join(self, groups: set[str]) -> None:
        await asyncio.gather(*(self.channel_layer.group_add(group, self.channel_name) for group in groups))
        self._groups |= groups

    async def disconnect(self, code: int) -> None:
        """Leave the groups."""
        for group in self._groups:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def receive_json(self, content: Any, **_kwargs: Any) -> None:
        """`ping` is answered; anything else is ignored."""
        if isinstance(content, dict) and content.get("type") == "ping":
            await self.send_json({"type": "pong"})

    async def nudged(self, _event: dict[str, Any]) -> None:
        """Something changed."""
        await self.send_json({"type": "timetable"})

    async def access_changed(self, _event: dict[str, Any]) -> None:
        """What the person may see changed: hear that from now on."""
        await self._check()
        await self.send_json({"type": "timetable"})

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """What is no JSON is ignored."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None


def _groups_of(user_id: int) -> set[str] | None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    learns = Q(enrolments__user_id=user_id, enrolments__state__in=READING, run__is_published=True)
    taught = Q(scope__path__overlap=standing_of(user).scope_ids(TEACHING))
    cohorts = Cohort.objects.filter(learns | taught).order_by("-pk").values_list("pk", flat=True).distinct()
    return {person_group(user_id)} | {cohort_group(pk) for pk in cohorts[:MOST_GROUPS]}
