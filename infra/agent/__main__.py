"""`python -m infra.agent`: the node agent of this machine."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType

import structlog

from infra.agent import settings as agent_settings
from infra.agent.api import NodeApi
from infra.agent.node import NodeAgent
from infra.agent.settings import SettingsError
from infra.executors.local.executor import LocalExecutor

EXIT_SETTINGS = 2


def main() -> int:
    """Run until told to stop; the exit code."""
    _log_to_stderr()
    try:
        settings = agent_settings.read()
        shared = settings.shared or settings.state / "shared"
        executor = LocalExecutor(shared / "executor", allow_unconfined=settings.allow_unconfined)
        with NodeApi(base_url=settings.api_url, token=settings.token, ca_file=settings.ca_file) as api:
            agent = NodeAgent(settings, executor, api)
            _obey_signals(agent)
            agent.run()
    except SettingsError as error:
        sys.stderr.write(f"the node agent cannot start:\n{error}\n")
        return EXIT_SETTINGS
    return 0


def _obey_signals(agent: NodeAgent) -> None:
    """The first signal ends the agent in order, the second without waiting for its runs.

    The handler only writes to a pipe: it interrupts the main thread anywhere, also while that holds the very lock
    that stopping takes. (Blocking the signals instead would block them in every child, the jobs included.)
    """
    reader, writer = os.pipe()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        os.write(writer, b".")

    def obey() -> None:
        while os.read(reader, 1):
            agent.stop()

    threading.Thread(target=obey, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


if __name__ == "__main__":
    sys.exit(main())
