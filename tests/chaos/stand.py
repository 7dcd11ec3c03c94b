"""A real campus in a folder of its own: services, web, worker, beat and two node agents, each a process to kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, connection

from infra.embedded.postgres import Postgres
from infra.embedded.program import Program
from infra.embedded.redis import Redis
from infra.embedded.spawn import spawn
from infra.embedded.state import State

ROOT = Path(__file__).resolve().parents[2]
NODES = ("yongin-01", "jeonbuk-01")
APPLICATION = ("web", "worker", "beat")
AGENTS = tuple(f"agent-{name}" for name in NODES)
SLOTS = 4
LEASE_S = 4.0
# Seconds. Short, so that what is lost is found soon; long enough for two busy cores to renew a lease in time.
TIMES = {
    "LABS_LEASE_S": str(LEASE_S),
    "LABS_HEARTBEAT_S": "0.4",
    "LABS_NODE_DOWN_AFTER_S": "3",
    "LABS_CYCLE_EVERY_S": "0.5",
    "LABS_RECONCILE_EVERY_S": "0.5",
}


def until(holds: Callable[[], object], within_s: float = 90.0, *, what: str = "") -> None:
    """Wait until it holds. The database may be away meanwhile: these tests end it."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            if holds():
                return
        except OperationalError:
            connection.close()
        assert time.monotonic() < deadline, f"still waiting after {within_s} s{': ' if what else ''}{what}"
        time.sleep(0.03)


@dataclass
class Running:
    """A program and the process that runs it now."""

    program: Program
    process: subprocess.Popen[bytes]
    served_before: int
    """How often its log had said that it serves, before this start."""


class Campus:
    """Programs by name. What is started is ended with this process, however that ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="campus-chaos-"))
        self.folder.chmod(0o755)  # the services' and the sandbox's own users pass through
        self._state = State(self.folder / "state")
        self._state.root.chmod(0o711)
        self.postgres, self.redis = Postgres(self._state), Redis(self._state)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._listener.getsockname()[1])
        self._running: dict[str, Running] = {}
        self.tokens: dict[str, str] = {}

    # --- whole

    def begin(self) -> None:
        """Services and tables. The tests then fill the tables and start the rest."""
        self.start("postgres", "redis")
        with open(self.log_path("migrate"), "wb") as log:
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                env=self._environment(), cwd=ROOT, check=True, stdout=log, stderr=log,
            )  # fmt: skip

    def close(self) -> None:
        for names in (AGENTS, APPLICATION, ("redis", "postgres")):
            live = [self._running.pop(name) for name in names if name in self._running]
            for running in live:
                running.process.send_signal(signal.SIGCONT)
                running.process.send_signal(running.program.stop_signal)
            for running in live:
                try:
                    running.process.wait(running.program.stop_within_s)
                except subprocess.TimeoutExpired:
                    running.process.kill()
                    running.process.wait()
        self._listener.close()
        self._state.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self) -> str:
        """The end of what each program printed, for a test that failed."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-5000:]}" for path in paths)

    # --- each

    def start(self, *names: str, is_awaited: bool = True) -> None:
        """Start these side by side, and wait until each serves. What runs already is left alone."""
        fresh = [name for name in names if name not in self._running]
        for name in fresh:
            program = self._program(name)
            served_before = self.said(name).count(_mark_of(name))
            if program.before is not None:
                program.before()
            with open(self.log_path(name), "ab") as log:
                process = spawn(
                    program.argv, env=program.env, cwd=program.cwd, account=program.account, reaches=program.reaches,
                    death_signal=signal.SIGKILL, output=log, pass_fds=program.pass_fds,
                )  # fmt: skip
            self._running[name] = Running(program, process, served_before)
        if is_awaited:
            for name in fresh:
                self._until_ready(name)

    def launch_whatever_is_down(self, *, is_awaited: bool = True) -> None:
        """Have the whole campus up, as a supervisor would."""
        for name, running in list(self._running.items()):
            if running.process.poll() is not None:
                del self._running[name]
        self.start("postgres", "redis", *APPLICATION, *AGENTS, is_awaited=is_awaited)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one program by a signal and wait until its process is gone. Nothing else of it is cleared up."""
        process = self._running.pop(name).process
        process.send_signal(number)
        process.wait(15)

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].process.send_signal(number)

    def log_path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def executor_root(self, node: str) -> Path:
        """Where an agent's executor works, by which its control groups are named."""
        return self.folder / node / "shared" / "executor"

    def said(self, name: str) -> str:
        path = self.log_path(name)
        return path.read_text(errors="replace") if path.exists() else ""

    # --- programs

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("CAMPUS_", "PYTEST_"))}
        return ours | TIMES | {
            "CAMPUS_MODE": "demo",
            "CAMPUS_STATE": str(self._state.root),
            "DATABASE_URL": self.postgres.url(),
            "DJANGO_SECRET_KEY": settings.SECRET_KEY,
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": self.redis.url,
        }  # fmt: skip

    def _program(self, name: str) -> Program:
        if name == "postgres":
            return self.postgres.program()
        if name == "redis":
            return self.redis.program()
        if name in AGENTS:
            return self._agent(name.removeprefix("agent-"))
        celery = ("celery", "-A", "campus.config.celery:app")
        lean = ("--pool", "threads", "--concurrency", "4", "--without-mingle", "--without-gossip")
        quiet = ("--lifespan", "off", "--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "2")
        words = {
            "web": ("uvicorn", "campus.config.asgi:application", "--fd", str(self._listener.fileno()), *quiet),
            "worker": (*celery, "worker", "-Q", "campus,scheduler", *lean, "--loglevel", "INFO"),
            "beat": (*celery, "beat", "--pidfile=", "-s", str(self.folder / "beat"), "--loglevel", "INFO"),
        }
        # The listening socket is ours: while the web process is away, callers wait in its queue.
        inherited = (self._listener.fileno(),) if name == "web" else ()
        argv = (sys.executable, "-m", *words[name])
        return Program(name=name, argv=argv, env=self._environment(), cwd=ROOT, pass_fds=inherited)

    def _agent(self, name: str) -> Program:
        token = self.folder / f"{name}.token"
        token.write_text(self.tokens[name])
        state = self.folder / name
        env = {
            "PATH": os.environ["PATH"],
            "CAMPUS_NODE_NAME": name,
            "CAMPUS_NODE_TOKEN_FILE": str(token),
            "CAMPUS_NODE_API_URL": f"http://127.0.0.1:{self.port}",
            "CAMPUS_NODE_STATE": str(state),
            "CAMPUS_NODE_SLOTS": str(SLOTS),
            "CAMPUS_NODE_CPUS": str(SLOTS),
            "CAMPUS_NODE_MEMORY_MIB": "2048",
            "CAMPUS_NODE_STOP_GRACE_S": "0.2",
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": self.redis.url,
        }
        return Program(
            name=f"agent-{name}", argv=(sys.executable, "-m", "infra.agent"), env=env, cwd=ROOT, stop_within_s=15.0
        )

    def _until_ready(self, name: str) -> None:
        running = self._running[name]

        def is_ready() -> bool:
            code = running.process.poll()
            assert code is None, f"{name} ended at start with {code}\n{self.said(name)[-3000:]}"
            if running.program.ready is not None:
                return running.program.ready(running.process.pid)
            if name in ("web", "beat"):
                return name == "beat" or self._answers()
            return self.said(name).count(_mark_of(name)) > running.served_before

        until(is_ready, 60, what=f"{name} to serve")

    def _answers(self) -> bool:
        client = HTTPConnection("127.0.0.1", self.port, timeout=2)
        with suppress(OSError, HTTPException):
            client.request("GET", "/healthz")
            return client.getresponse().status == 200
        return False


def _mark_of(name: str) -> str:
    """What a program prints once it serves. Web and the services are asked instead; beat serves when it runs."""
    marks = {"worker": "ready.", "agent": "event='ready'"}
    return marks.get(name.split("-")[0], "\0")
