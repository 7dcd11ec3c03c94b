"""Carrying nudges to open websockets: a group is told that something changed, and reads the database again.

Best effort: a dead Redis costs freshness, never the change itself (docs/live.md).
"""

import asyncio
import os
import threading

import structlog
from channels.layers import get_channel_layer

logger = structlog.get_logger(__name__)

TIMEOUT_S = 1.0


def carry(groups: list[str], kind: str = "nudged") -> None:
    """Send a nudge to each group, soon, in the order of calls, or not at all. Never waits, never fails.

    `kind` names the consumer's method that takes it.
    """
    _courier().carry(groups, kind)


class _Courier:
    """A thread with an event loop and a connection of its own: who tells something never waits for Redis."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="live-nudges", daemon=True).start()

    def carry(self, groups: list[str], kind: str) -> None:
        asyncio.run_coroutine_threadsafe(_send(groups, kind), self._loop)


_couriers: list[_Courier] = []
_hiring = threading.Lock()


def _courier() -> _Courier:
    """This process's courier: a fork does not inherit the thread."""
    with _hiring:
        if not _couriers or _couriers[-1].pid != os.getpid():
            _couriers[:] = [_Courier()]
        return _couriers[-1]


async def _send(groups: list[str], kind: str) -> None:
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for group in groups if layer is not None else ():
                await layer.group_send(group, {"type": kind})
    except Exception as error:
        logger.warning("live_nudge_lost", groups=len(groups), error=repr(error))
