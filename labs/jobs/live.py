"""Telling open websockets that something changed. Nudges only: what changed is read from the database.

A nudge names a group and what to look at. It leaves after the commit, and a dead Redis costs freshness, never the
change itself: pages ask again when they reconnect and when they miss something (docs/live.md).
"""

from django.db import connection, transaction

from campus.core.compiled import AnyOf, Compiled
from campus.core.courier import carry

from .models import Job

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


def tell_job(job_id: int, *, owner_id: int, scope_id: int) -> None:
    """As `tell_jobs`, for a caller who knows whose the job is: the telling asks nothing."""
    _telling().groups |= {job_group(job_id), owner_group(owner_id), scope_group(scope_id), POOL_GROUP}


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
        telling = getattr(registered[1], "__self__", None)
        if isinstance(telling, _Telling) and registered[0] == here:
            return telling
    if not connection.in_atomic_block:
        raise RuntimeError("live nudges leave with a transaction; call this inside one")
    telling = _Telling()
    transaction.on_commit(telling.tell, robust=True)
    return telling


_WATCHED = Compiled(
    lambda: Job.objects.filter(pk=AnyOf("ids")).order_by().values_list("pk", "owner_id", "account__scope_id")
)


class _Telling:
    """Nudges of one transaction, each group once."""

    def __init__(self) -> None:
        self.job_ids: set[int] = set()
        self.groups: set[str] = set()

    def tell(self) -> None:
        groups = self.groups
        if self.job_ids:
            for job_id, owner_id, scope_id in _WATCHED.rows(ids=list(self.job_ids)):
                groups |= {job_group(job_id), owner_group(owner_id), scope_group(scope_id)}
            groups.add(POOL_GROUP)
        if groups:
            carry(sorted(groups))
