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
#: After a round the courier gathers for so long before the next: in a rush a group is told once, not for every change.
#: Ten times a second is as often as anybody sees.
GATHER_S = 0.1


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
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], None] = {}
        self._is_out = False
        threading.Thread(target=self._loop.run_forever, name="live-nudges", daemon=True).start()

    def carry(self, groups: list[str], kind: str) -> None:
        """Take these along. A nudge carries nothing, so one that still waits says it for both."""
        with self._lock:
            self._waiting |= dict.fromkeys((group, kind) for group in groups)
            if self._is_out or not self._waiting:
                return
            self._is_out = True
        asyncio.run_coroutine_threadsafe(self._round(), self._loop)

    async def _round(self) -> None:
        while True:
            with self._lock:
                nudges, self._waiting = list(self._waiting), {}
                self._is_out = bool(nudges)
            if not nudges:
                return
            await _send(nudges)
            await asyncio.sleep(GATHER_S)


_couriers: list[_Courier] = []
_hiring = threading.Lock()


def _courier() -> _Courier:
    """This process's courier: a fork does not inherit the thread."""
    with _hiring:
        if not _couriers or _couriers[-1].pid != os.getpid():
            _couriers[:] = [_Courier()]
        return _couriers[-1]


async def _send(nudges: list[tuple[str, str]]) -> None:
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if layer is not None:
                await layer.tell_groups(nudges)
    except Exception as error:
        logger.warning("live_nudge_lost", groups=len(nudges), error=repr(error))
