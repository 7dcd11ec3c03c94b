"""Waking the scheduler and the nodes. A nudge carries nothing and may be lost: sweeps find what it would have told.

The scheduler's nudges are counted in a sequence (`jobs_nudge_seq`), so that a cycle knows whether something was asked
for since it last looked, and a hundred nudges at once cost one cycle.
"""

import os
import threading
import time
from collections.abc import Iterable

import structlog
from celery import current_app
from django.db import connection, transaction

CYCLE_TASK = "labs.scheduling.tasks.run_cycle"
WAKE_TASK = "infra.agent.wake"
EXPIRES_S = 60
#: After a round the messenger gathers for so long: in a rush one message says it for all that was asked meanwhile.
GATHER_S = 0.02

logger = structlog.get_logger(__name__)


def nudge_scheduler() -> None:
    """Ask for a scheduling cycle once the caller's transaction is committed; never fails the caller."""
    transaction.on_commit(_ask_for_cycle, robust=True)


def nudge_nodes(queues: Iterable[str]) -> None:
    """Wake the agents that listen to these queues once the transaction is committed; never fails the caller."""
    for queue in sorted(set(queues)):
        # A function, not a partial: Django names what failed by its __qualname__.
        transaction.on_commit(lambda queue=queue: _messenger().send(WAKE_TASK, queue), robust=True)  # type: ignore[misc]


def nudge_node(name: str) -> None:
    """Wake one node's agent once the transaction is committed; never fails the caller."""
    nudge_nodes([f"node.{name}"])


def _ask_for_cycle() -> None:
    # After the commit, not before: a cycle that saw the count but not yet the row would call itself up to date.
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('jobs_nudge_seq')")
    _messenger().send(CYCLE_TASK, "scheduler")


class _Messenger:
    """A thread that sends what it is asked to, each task and queue once a round: nobody's commit waits for Redis."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._wanted: dict[tuple[str, str], None] = {}
        self._is_asked = threading.Condition()
        threading.Thread(target=self._run, name="nudges", daemon=True).start()

    def send(self, task: str, queue: str) -> None:
        with self._is_asked:
            self._wanted[task, queue] = None
            self._is_asked.notify()

    def _run(self) -> None:
        while True:
            with self._is_asked:
                while not self._wanted:
                    self._is_asked.wait()
                wanted, self._wanted = self._wanted, {}
            for task, queue in wanted:
                try:
                    current_app.send_task(task, queue=queue, expires=EXPIRES_S)
                except Exception as error:  # a dead Redis costs seconds: sweeps find what it would have told
                    logger.warning("nudge_lost", queue=queue, error=repr(error))
            time.sleep(GATHER_S)


_messengers: list[_Messenger] = []
_hiring = threading.Lock()


def _messenger() -> _Messenger:
    """This process's messenger: a fork does not inherit the thread."""
    with _hiring:
        if not _messengers or _messengers[-1].pid != os.getpid():
            _messengers[:] = [_Messenger()]
        return _messengers[-1]


def nudges_asked() -> int:
    """How many cycles have been asked for so far. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM jobs_nudge_seq")
        (asked,) = cursor.fetchone()
    return int(asked)
