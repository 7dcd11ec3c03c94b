"""Telling open websockets that something changed. Nudges only: what changed is read from the database.

A nudge names a group and what to look at. It leaves after the commit, and a dead Redis costs freshness, never the
change itself: pages ask again when they reconnect and when they miss something (docs/live.md).
"""

import asyncio
import os
import threading

import structlog
from channels.layers import get_channel_layer
from django.db import connection, transaction

from .models import Job

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


def scope_group(scope_id: int) -> str:
    """The group of those who watch the jobs whose accounts belong to one scope (a cohort)."""
    return f"jobs-at.{scope_id}"


def tell_jobs(*job_ids: int) -> None:
    """State, timeline or queue place of these jobs changed: tell who watches them, their owners and their cohorts."""
    _telling().job_ids |= set(job_ids)


def tell_output(job_id: int) -> None:
    """A job's log or metrics grew: tell who watches that job."""
    _telling().groups.add(job_group(job_id))


def tell_pool() -> None:
    """Nodes or GPUs changed hands: tell who watches the pool."""
    _telling().groups.add(POOL_GROUP)


def tell_queue() -> None:
    """Many queue places moved: tell everyone who watches a queued job."""
    _telling().groups |= {QUEUE_GROUP, POOL_GROUP}


def _telling() -> "_Telling":
    """What this transaction has to tell on commit, registered once. What a savepoint undoes is not told."""
    here = set(connection.savepoint_ids)
    for registered in connection.run_on_commit:
        if isinstance(registered[1], _Telling) and registered[0] == here:
            return registered[1]
    if not connection.in_atomic_block:
        raise RuntimeError("live nudges leave with a transaction; call this inside one")
    telling = _Telling()
    transaction.on_commit(telling, robust=True)
    return telling


class _Telling:
    """Nudges of one transaction, each group once."""

    def __init__(self) -> None:
        self.job_ids: set[int] = set()
        self.groups: set[str] = set()

    def __call__(self) -> None:
        groups = self.groups
        if self.job_ids:
            watched = Job.objects.filter(pk__in=self.job_ids).values_list("pk", "owner_id", "account__scope_id")
            for job_id, owner_id, scope_id in watched:
                groups |= {job_group(job_id), owner_group(owner_id), scope_group(scope_id)}
            groups.add(POOL_GROUP)
        if groups:
            _courier().carry(sorted(groups))


class _Courier:
    """A thread with an event loop and a connection of its own: who tells something never waits for Redis."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="live-nudges", daemon=True).start()

    def carry(self, groups: list[str]) -> None:
        """Send a nudge to each group, soon, in the order of calls, or not at all."""
        asyncio.run_coroutine_threadsafe(_send(groups), self._loop)


_couriers: list[_Courier] = []
_hiring = threading.Lock()


def _courier() -> _Courier:
    """This process's courier: a fork does not inherit the thread."""
    with _hiring:
        if not _couriers or _couriers[-1].pid != os.getpid():
            _couriers[:] = [_Courier()]
        return _couriers[-1]


async def _send(groups: list[str]) -> None:
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for group in groups if layer is not None else ():
                await layer.group_send(group, {"type": "nudged"})
    except Exception as error:
        logger.warning("live_nudge_lost", groups=len(groups), error=repr(error))
