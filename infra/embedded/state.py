"""The state folder: its layout, its lock, and what a start finds of an earlier one.

STATE/
  lock              held (flock) while a supervisor runs on this state; names its pid
  children.json     what runs now: name, pid, start tick; read after a crash
  secret_key        Django's secret, made once (0600)
  accounts.txt      the demo's accounts, written when it is seeded (0600)
  postgres/         the database
  run/              sockets and the configuration of Redis (a short folder below the system's
                    temporary one when STATE's path is too long for a socket; then `run.path` names it)
  logs/NAME.log     what each process printed; NAME.log.1 the part before
  media/            uploads and artifacts
  nodes/            tokens and working folders of the node agents
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import stat
import tempfile
import time
from functools import cached_property
from pathlib import Path

from .guard import running_groups
from .spawn import Account, service_account, start_tick

# sun_path holds 108 bytes with its closing zero; the longest name of ours in the folder is ".s.PGSQL.5432.lock".
_SOCKET_FOLDER_MAX = 107 - len("/.s.PGSQL.5432.lock")


class StateInUseError(RuntimeError):
    """Another supervisor runs on this state folder."""


class StateUnusableError(RuntimeError):
    """The state folder cannot be made or written."""


class State:
    """One state folder, locked for as long as this object (or the guard it shares the lock with) lives."""

    def __init__(self, root: Path, *, patience_s: float = 20.0) -> None:
        """Make the folder when missing, take its lock, and end what a killed start left running.

        Waits up to `patience_s` for the remains of a start that was killed. Raises StateInUseError when
        another start runs, StateUnusableError when the folder cannot be used.
        """
        self.root = root.absolute()
        try:
            if not self.root.exists():
                self.root.mkdir(parents=True)
                # Root's services run as an account of their own, which must pass through.
                self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateUnusableError(
                f"cannot use {self.root} ({error.strerror}); set CAMPUS_STATE to a folder that you may write"
            ) from error
        self._take_lock(patience_s)
        self._children: dict[int, tuple[str, int]] = {}
        self._run: Path | None = None
        self._end_leftovers()

    def _take_lock(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip()
                if holder.isdigit() and start_tick(int(holder)) is not None:
                    os.close(self._lock)
                    raise StateInUseError(
                        f"the campus already runs on {self.root} (process {holder}); "
                        f"stop it first, or set CAMPUS_STATE to another folder"
                    ) from None
                if time.monotonic() > deadline:
                    os.close(self._lock)
                    raise StateInUseError(f"{self.root} is still locked by what an earlier start left behind") from None
                time.sleep(0.1)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    @cached_property
    def account(self) -> Account | None:
        """Whom the services run as; None when that is ourselves."""
        return service_account(self.root / "postgres")

    @property
    def lock_fd(self) -> int:
        """The lock's descriptor; a process that inherits it keeps the lock."""
        return self._lock

    def folder(self, name: str, *, owner: Account | None = None) -> Path:
        """Return the folder `name`, made when missing, closed to everyone but `owner` (or us)."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True, parents=True)
        if owner is not None and path.stat().st_uid != owner.uid:
            os.chown(path, owner.uid, owner.gid)
        return path

    def run_folder(self) -> Path:
        """Return the services' folder for sockets, short enough for them and closed to others.

        A short one is made anew with a random name at each start, so nobody can wait there for us.
        """
        if self._run is not None:
            return self._run
        if len(os.fsencode(self.root / "run")) <= _SOCKET_FOLDER_MAX:
            self._run = self.folder("run", owner=self.account)
            return self._run
        note = self.root / "run.path"
        if note.exists():
            _drop_run_folder(Path(note.read_text(encoding="utf-8").strip()))
        base = tempfile.gettempdir()
        if len(os.fsencode(base)) > 60:
            base = "/tmp"  # noqa: S108  the folder below it is made with a random name and mode 0700
        self._run = Path(tempfile.mkdtemp(prefix="campus-", dir=base))
        if self.account is not None:
            os.chown(self._run, self.account.uid, self.account.gid)
        note.write_text(f"{self._run}\n", encoding="utf-8")
        return self._run

    def secret(self, name: str) -> str:
        """Return the secret of that name, 50 random bytes as text, made at the first call."""
        path = self.root / name
        with contextlib.suppress(FileExistsError):
            # Written aside and linked: a start that dies here leaves no half secret.
            draft = self.root / f".{name}.{os.getpid()}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(50))
            try:
                os.link(draft, path)
            finally:
                draft.unlink()
        return path.read_text(encoding="ascii").strip()

    def remember(self, name: str, pid: int) -> None:
        """Note a child, so that a start after a crash can find it."""
        self._children[pid] = (name, start_tick(pid) or 0)
        self._write_children()

    def forget(self, pid: int) -> None:
        """Note that a child is over."""
        self._children.pop(pid, None)
        self._write_children()

    def _write_children(self) -> None:
        draft = self.root / "children.json.new"
        rows = [{"name": name, "pid": pid, "start": tick} for pid, (name, tick) in self._children.items()]
        draft.write_text(json.dumps(rows), encoding="utf-8")
        draft.replace(self.root / "children.json")

    def _end_leftovers(self) -> None:
        """End processes of an earlier start that outlived both it and its guard."""
        try:
            rows = json.loads((self.root / "children.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return
        left = [row["pid"] for row in rows if row["start"] and start_tick(row["pid"]) == row["start"]]
        for stop_signal, patience_s in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, stop_signal)
            deadline = time.monotonic() + patience_s
            while left and time.monotonic() < deadline:
                time.sleep(0.1)
                left = sorted(running_groups().keys() & left)
        (self.root / "children.json").unlink()

    def close(self) -> None:
        """Let the lock go and drop a short socket folder. Call it when every child is over."""
        if self._run is not None and self._run.parent != self.root:
            _drop_run_folder(self._run)
            (self.root / "run.path").unlink(missing_ok=True)
        (self.root / "children.json").unlink(missing_ok=True)
        os.close(self._lock)


def _drop_run_folder(path: Path) -> None:
    """Remove a short socket folder of ours; anything else that the note may name is left alone."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    ours = stat.S_ISDIR(status.st_mode) and path.name.startswith("campus-")
    if ours and (os.geteuid() == 0 or status.st_uid == os.geteuid()):
        shutil.rmtree(path, ignore_errors=True)
