"""The Celery worker in the agent: it listens to the node's queue for the one task that says "look for work"."""

from __future__ import annotations

import threading

import structlog
from celery import Celery
from celery.worker import WorkController
from kombu import Exchange, Queue

log = structlog.get_logger("infra.agent")

TASK = "infra.agent.wake"
RESTART_AFTER_S = 2.0


def nudge_app(*, redis_url: str, key_prefix: str, queue: str) -> Celery:
    """An app of its own: it knows one queue and takes JSON only, and nobody can steer it from afar."""
    app = Celery("campus-node", broker=redis_url)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,
        task_queues=[Queue(queue, Exchange(queue), routing_key=queue)],
        task_default_queue=queue,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        broker_transport_options={
            "global_keyprefix": f"{key_prefix}:",
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
    )
    return app


class Nudges:
    """Runs the worker in a thread of its own. Without Redis the agent works on and finds work by heartbeat."""

    def __init__(self, *, redis_url: str, key_prefix: str, queue: str, wake: threading.Event) -> None:
        self._app = nudge_app(redis_url=redis_url, key_prefix=key_prefix, queue=queue)
        self._queue = queue

        @self._app.task(name=TASK, shared=False, ignore_result=True)
        def look_for_work() -> None:
            wake.set()

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop; start anew whenever Celery gives up."""
        self._app.set_current()  # a solo pool looks tasks up in the app of its thread
        while not stopping.is_set():
            try:
                self._worker().start()
            except BaseException as error:  # Celery ends with SystemExit as well
                log.warning("the Celery worker ended, starting another", why=repr(error))
            stopping.wait(RESTART_AFTER_S)

    def _worker(self) -> WorkController:
        """One process, no pool beside this thread: its only task sets an event."""
        return WorkController(
            app=self._app,
            hostname=f"agent@{self._queue}",
            pool="solo",
            concurrency=1,
            queues=[self._queue],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            ready_callback=lambda _consumer: log.info("nudges arrive by Celery", queue=self._queue),
        )
