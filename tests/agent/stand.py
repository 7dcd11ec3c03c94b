"""The real campus around a real agent: uvicorn, a Celery worker with beat, the tests' PostgreSQL and Redis."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 4.0


class Stand:
    """Programs of the campus on the test's own database. Each may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}

    def start_web(self) -> None:
        quiet = ["--lifespan", "off", "--no-access-log", "--log-level", "warning"]
        listener = str(self._listener.fileno())
        self._start("web", "uvicorn", "campus.config.asgi:application", "--fd", listener, *quiet)
        self._until_it_answers()

    def start_worker(self) -> None:
        lean = ["--pool", "threads", "--concurrency", "4", "--without-mingle", "--without-gossip"]
        celery = ["celery", "-A", "campus.config.celery:app"]
        self._start("worker", *celery, "worker", "-Q", "campus,scheduler", *lean, "--loglevel", "WARNING")
        # Beside the worker and not inside it (-B): there it is a process of its own that outlives a killed worker.
        if "beat" not in self._programs:
            schedule = str(self._folder / "beat")
            self._start("beat", *celery, "beat", "--pidfile=", "-s", schedule, "--loglevel", "WARNING")

    def kill(self, name: str) -> None:
        program = self._programs.pop(name)
        program.kill()
        program.wait()

    def close(self) -> None:
        for program in self._programs.values():
            program.terminate()
        for program in self._programs.values():
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self._listener.close()

    def logs(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-6000:]}" for path in self._folder.glob("*.log")
        )

    def _start(self, name: str, *words: str) -> None:
        parts = urlsplit(os.environ["DATABASE_URL"])
        database = urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))
        with open(self._folder / f"{name}.log", "ab") as log:
            self._programs[name] = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=os.environ | {"DATABASE_URL": database, "LABS_LEASE_S": str(LEASE_S), "LABS_HEARTBEAT_S": "0.5"},
                pass_fds=[self._listener.fileno()],
                stdout=log,
                stderr=log,
            )

    def _until_it_answers(self, within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while True:
            address = urlsplit(self.url)
            client = HTTPConnection(address.hostname or "", address.port, timeout=2)
            try:
                client.request("GET", "/healthz")
                if client.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                client.close()
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)


@contextlib.contextmanager
def database() -> Iterator[None]:
    """The test database, empty at the end. pytest-django makes it only where some test carries its mark.

    That mark would empty the database after each test, under the feet of programs that go on.
    """
    is_made = connection.settings_dict["NAME"].startswith("test_")
    made = [] if is_made else setup_databases(verbosity=0, interactive=False)
    try:
        yield
    finally:
        call_command("flush", interactive=False, verbosity=0)
        teardown_databases(made, verbosity=0)


def folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="campus-stand-"))
    path.chmod(0o755)
    return path
