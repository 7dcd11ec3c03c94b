"""Services and servers for a measurement: embedded PostgreSQL and Redis, and the programs that the demo starts.

One `Stand` a run. Each topic gets a database of its own, cloned from one that was migrated once, and a `Campus` on it
whose web, worker, beat and agents are started by the very code that starts the demo's. Data is durable, as there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from campus.config.demo import HOST, Demo
from campus.config.demo_machine import listen
from infra.embedded.postgres import Postgres
from infra.embedded.program import Program
from infra.embedded.redis import Redis
from infra.embedded.state import State
from infra.embedded.supervisor import Supervisor

TEMPLATE = "campus"
_PATIENCE_S = 60.0

Say = Callable[[str], None]


class Stand:
    """PostgreSQL and Redis in a temporary folder, and this process made a part of the campus on them."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.home = Path(tempfile.mkdtemp(prefix="campus-bench-"))
        # The services' own account must pass through; nothing in here is readable to others.
        self.home.chmod(0o711)
        self.state = State(self.home / "state")
        self.supervisor = Supervisor(self.state)
        self.postgres = Postgres(self.state)
        self.redis = Redis(self.state)

    def __enter__(self) -> Stand:
        try:
            self.supervisor.start(self.postgres.program(), self.redis.program())
            self._become_campus()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_ignored: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything and leave nothing on the disk."""
        self.supervisor.close()
        self.state.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _become_campus(self) -> None:
        # Agents of the demo know the usual prefix only.
        os.environ.pop("CAMPUS_KEY_PREFIX", None)
        os.environ.update(
            CAMPUS_LOG_LEVEL="WARNING",
            CAMPUS_MODE="demo",
            CAMPUS_API_PER_MINUTE="1000000",
            CAMPUS_STATE=str(self.state.root),
            DATABASE_URL=self.postgres.url(TEMPLATE),
            DJANGO_SECRET_KEY=self.state.secret("secret_key"),
            DJANGO_SETTINGS_MODULE="campus.config.settings",
            REDIS_URL=self.redis.url,
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("compile_catalogues", verbosity=0, stdout=sys.stderr)
        call_command("migrate", interactive=False, verbosity=0)
        # Servers of the bench are not to inherit the level that keeps this process quiet.
        del os.environ["CAMPUS_LOG_LEVEL"]

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Inside, this process works on a fresh database of that name, and nudges of earlier ones are gone."""
        self._use(TEMPLATE)
        self._use(None)
        self.postgres.ask(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}", database="postgres")
        self._forget_nudges()
        self._use(name)
        try:
            yield name
        finally:
            self._use(None)
            self.postgres.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", database="postgres")

    def _use(self, name: str | None) -> None:
        """Turn this process's Django to another database; None only lets go of the present one."""
        from django.db import connections

        connections.close_all()
        connections["default"].close_pool()
        if name is not None:
            connections.settings["default"]["NAME"] = name

    def _forget_nudges(self) -> None:
        import redis

        with redis.Redis.from_url(self.redis.url) as client:
            client.flushdb()

    @contextlib.contextmanager
    def campus(self, database: str) -> Iterator[Campus]:
        """Inside, there is a campus on that database; its programs are started one by one, and ended at the end."""
        with listen(HOST, "0") as listener:
            campus = Campus(self, database, port=listener.getsockname()[1], listener=listener.fileno())
            try:
                yield campus
            finally:
                campus.stop()


class Campus(Demo):
    """The demo's programs on a database of the bench. Nothing runs until it is asked for."""

    def __init__(self, stand: Stand, database: str, *, port: int, listener: int) -> None:
        super().__init__(stand.state, stand.supervisor, port=port, listener=listener)
        self.port = port
        self._postgres, self._redis = stand.postgres, stand.redis
        self._database = database
        self._started: list[str] = []

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"DATABASE_URL": self._postgres.url(self._database)}

    def start_web(self) -> None:
        """One uvicorn worker, as the demo has it."""
        self._start(self._web())

    def start_worker(self) -> None:
        """The Celery worker and beat."""
        self._start(self._worker(), self._beat())

    def start_agent(self, name: str, token: str) -> None:
        """A node's agent, with the real sandbox."""
        path = self._state.folder("nodes") / f"{name}.token"
        path.write_text(token, encoding="utf-8")
        path.chmod(0o600)
        self._start(self._agent(name))

    def _start(self, *programs: Program) -> None:
        self._started += [program.name for program in programs]
        self._supervisor.start(*programs)

    @property
    def redis_url(self) -> str:
        """Where nudges go."""
        return self._redis.url

    def log_of(self, name: str) -> str:
        """The last lines that a program printed."""
        path = self._state.root / "logs" / f"{name}.log"
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])

    def processor_s(self, name: str) -> float:
        """Processor time that a program has used so far. Unlike its speed it hardly depends on what runs beside it."""
        pid = self._supervisor.pid(name)
        if pid is None:
            raise RuntimeError(f"{name} is down:\n{self.log_of(name)}")
        used = psutil.Process(pid).cpu_times()
        return used.user + used.system

    def stop(self) -> None:
        """End what was started: agents first, while the campus still answers them."""
        for name in reversed(self._started):
            self._supervisor.stop([name])
        self._started.clear()


def wait_until(is_so: Callable[[], Any], *, within_s: float = _PATIENCE_S, every_s: float = 0.05, what: str) -> Any:
    """Ask until the answer is true, and return it. Raises TimeoutError that names `what`."""
    deadline = time.monotonic() + within_s
    while not (answer := is_so()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within_s:.0f} s")
        time.sleep(every_s)
    return answer
