"""Waking the scheduler and the nodes. A nudge carries nothing and may be lost: sweeps find what it would have told.

The scheduler's nudges are counted in a sequence (`jobs_nudge_seq`), so that a cycle knows whether something was asked
for since it last looked, and a hundred nudges at once cost one cycle.
"""

from collections.abc import Iterable

from celery import current_app
from django.db import connection, transaction

CYCLE_TASK = "labs.scheduling.tasks.run_cycle"
WAKE_TASK = "infra.agent.wake"
EXPIRES_S = 60


def nudge_scheduler() -> None:
    """Ask for a scheduling cycle once the caller's transaction is committed; never fails the caller."""
    transaction.on_commit(_ask_for_cycle, robust=True)


def nudge_nodes(queues: Iterable[str]) -> None:
    """Wake the agents that listen to these queues once the transaction is committed; never fails the caller."""
    for queue in sorted(set(queues)):
        transaction.on_commit(_Wake(queue), robust=True)


def nudge_node(name: str) -> None:
    """Wake one node's agent once the transaction is committed; never fails the caller."""
    nudge_nodes([f"node.{name}"])


class _Wake:
    def __init__(self, queue: str) -> None:
        self._queue = queue

    def __call__(self) -> None:
        current_app.send_task(WAKE_TASK, queue=self._queue, expires=EXPIRES_S)


def _ask_for_cycle() -> None:
    # After the commit, not before: a cycle that saw the count but not yet the row would call itself up to date.
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('jobs_nudge_seq')")
    current_app.send_task(CYCLE_TASK, queue="scheduler", expires=EXPIRES_S)


def nudges_asked() -> int:
    """How many cycles have been asked for so far. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM jobs_nudge_seq")
        (asked,) = cursor.fetchone()
    return int(asked)
