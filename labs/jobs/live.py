"""Telling open websockets that something changed. Nudges only: what changed is read from the database.

A nudge names a group and what to look at. It leaves after the commit, and a dead Redis costs freshness, never the
change itself: pages ask again when they reconnect and at intervals (docs/live.md).
"""

import asyncio
from collections.abc import Iterable

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction

logger = structlog.get_logger(__name__)

TIMEOUT_S = 1.0
POOL_GROUP = "pool"
QUEUE_GROUP = "queue"


def job_group(job_id: int) -> str:
    """The group of those who watch one job."""
    return f"job.{job_id}"


def owner_group(user_id: int) -> str:
    """The group of those who watch all jobs of one person."""
    return f"jobs-of.{user_id}"


def tell(*job_ids: int, owner_ids: Iterable[int] = (), pool: bool = False, queue: bool = False) -> None:
    """Nudge the watchers of these jobs, of these people's jobs, of the pool and of the whole queue, on commit.

    Nudges of one transaction are sent together, each group once. Outside a transaction they leave at once.
    """
    groups = {job_group(job_id) for job_id in job_ids} | {owner_group(owner_id) for owner_id in owner_ids}
    if pool:
        groups.add(POOL_GROUP)
    if queue:
        groups.add(QUEUE_GROUP)
    waiting = _waiting()
    if waiting is not None and connection.in_atomic_block:
        waiting.groups |= groups
        return
    telling = _Telling(groups)
    transaction.on_commit(telling, robust=True)


def _waiting() -> "_Telling | None":
    """The telling that this transaction already has to do, if any; one that a savepoint could undo is none."""
    here = set(connection.savepoint_ids)
    for savepoint_ids, callback, _robust in connection.run_on_commit:
        if isinstance(callback, _Telling) and savepoint_ids == here:
            return callback
    return None


class _Telling:
    def __init__(self, groups: set[str]) -> None:
        self.groups = groups

    def __call__(self) -> None:
        try:
            async_to_sync(_send)(sorted(self.groups))
        except Exception as error:
            logger.warning("live_nudge_lost", groups=len(self.groups), error=repr(error))


async def _send(groups: list[str]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    async with asyncio.timeout(TIMEOUT_S):
        for group in groups:
            await layer.group_send(group, {"type": "nudged"})
