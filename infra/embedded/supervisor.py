"""The supervisor: starts programs, waits until they are ready, restarts what crashes, ends it all.

It stays small on purpose (standard library only, one thread): it must outlive what it watches.
Each program leads a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import guard
from .program import Program
from .spawn import SpawnError, spawn
from .state import State

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_STEADY_AFTER_S = 60.0
_LOG_MAX_BYTES = 32 * 1024 * 1024
_TURN_S = 0.5


class StartFailedError(SpawnError):
    """A program ended, or was not ready in time, before it ever served."""


class StopRequested(BaseException):
    """SIGTERM, SIGINT or SIGHUP came. Not an Exception: nobody on the way may swallow it."""


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    delay_s: float = _FIRST_DELAY_S
    due: float | None = None
    """When to start it again; None while `process` is the one that runs."""


class Supervisor:
    """Runs programs on one state folder. Use as a context manager: leaving it ends every program."""

    def __init__(self, state: State, *, report: Callable[[str], None] | None = None) -> None:
        """`report` is given one line for people about each crash."""
        self.state = state
        self._report = report or _to_stderr
        self._children: list[_Child] = []
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._logs = state.folder("logs")
        self._guard_pipe, self._guard = _start_guard(state.lock_fd)

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_ignored: object) -> None:
        self.close()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Inside, SIGTERM, SIGINT and SIGHUP raise StopRequested from whichever wait is under way."""
        handled = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        before = {number: signal.signal(number, self._on_signal) for number in handled}
        wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._stopping = True

    def pause(self, seconds: float) -> None:
        """Wait, at most so long, for a signal or a child's end. Raises StopRequested when asked to stop."""
        if not self._stopping:
            with contextlib.suppress(InterruptedError):
                if select.select([self._wake_read], [], [], seconds)[0]:
                    os.read(self._wake_read, 4096)
        if self._stopping:
            raise StopRequested

    # --- starting

    def start(self, *programs: Program) -> None:
        """Start all of them at once and wait until each is ready. Raises StartFailedError."""
        self.launch(*programs)
        self.wait_ready(*programs)

    def launch(self, *programs: Program) -> None:
        """Start them without waiting. Order matters: the end goes the other way round."""
        for program in programs:
            self._children.append(_Child(program, self._spawn(program), time.monotonic()))

    def wait_ready(self, *programs: Program) -> None:
        """Wait until each of these is ready. Raises StartFailedError with the end of its log."""
        waiting = [child for child in self._children if child.program in programs]
        while waiting:
            waiting = [child for child in waiting if not self._is_ready(child)]
            if waiting:
                self.pause(0.02)

    def _is_ready(self, child: _Child) -> bool:
        program, process = child.program, child.process
        if program.ready is not None and program.ready(process.pid):
            return True
        if process.poll() is not None:
            raise StartFailedError(self._story(program, f"ended at start ({_ending(process.returncode)})"))
        if program.ready is None:
            return True
        if time.monotonic() - child.started > program.ready_within_s:
            raise StartFailedError(self._story(program, f"was not ready within {program.ready_within_s:.0f} s"))
        return False

    def run_once(self, program: Program, *, within_s: float) -> None:
        """Run a program that ends by itself, and wait for its end. Raises StartFailedError when it fails."""
        self.launch(program)
        self.finish(program, within_s=within_s)

    def finish(self, program: Program, *, within_s: float) -> None:
        """Wait for the end of a launched program. Raises StartFailedError when it fails or takes longer."""
        child = next(child for child in self._children if child.program is program)
        while child.process.poll() is None:
            if time.monotonic() - child.started > within_s:
                raise StartFailedError(self._story(program, f"did not end within {within_s:.0f} s"))
            self.pause(0.05)
        self._bury(child)
        self._children.remove(child)
        if child.process.returncode != 0:
            raise StartFailedError(self._story(program, f"failed ({_ending(child.process.returncode)})"))

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        if program.before is not None:
            program.before()
        path = self.log_path(program)
        _turn_log(path, limit=_LOG_MAX_BYTES)
        with open(path, "ab", opener=_private) as log:
            log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} {program.name} starts\n".encode())
            log.flush()
            process = spawn(
                program.argv,
                env=program.env,
                cwd=program.cwd,
                account=program.account,
                reaches=program.reaches,
                death_signal=program.stop_signal,
                output=log,
                pass_fds=program.pass_fds,
            )
        self.state.remember(program.name, process.pid)
        self._tell_guard(f"+ {process.pid} {int(program.stop_signal)}")
        return process

    def log_path(self, program: Program) -> Path:
        """Where a program's output goes."""
        return self._logs / f"{program.name}.log"

    def _story(self, program: Program, what: str) -> str:
        lines = self.log_path(program).read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        return "\n".join([f"{program.name} {what}; {self.log_path(program)} ends with:", *lines])

    # --- watching

    def run(self) -> None:
        """Watch and restart until StopRequested comes. Call it inside `signals()`."""
        looked = time.monotonic()
        while True:
            self.turn()
            if time.monotonic() - looked > 60:
                looked = time.monotonic()
                for child in self._children:
                    _turn_log(self.log_path(child.program), limit=_LOG_MAX_BYTES)
            self.pause(_TURN_S)

    def turn(self) -> None:
        """Look once at every program: note what ended, start again what is due."""
        now = time.monotonic()
        for child in self._children:
            if child.due is None and child.process.poll() is not None:
                self._bury(child)
                if now - child.started > _STEADY_AFTER_S:
                    child.delay_s = _FIRST_DELAY_S
                self._report(
                    f"{child.program.name} ended ({_ending(child.process.returncode)}); "
                    f"starting it again in {child.delay_s:.1f} s"
                )
                child.due = now + child.delay_s
                child.delay_s = min(child.delay_s * 2, _LONGEST_DELAY_S)
            elif child.due is not None and now >= child.due:
                try:
                    child.process = self._spawn(child.program)
                except (OSError, SpawnError) as error:
                    child.due = now + child.delay_s
                    self._report(f"{child.program.name} cannot start: {error}")
                else:
                    child.started, child.due = now, None

    def pid(self, name: str) -> int | None:
        """The pid of the program of that name; None while it is down."""
        for child in self._children:
            if child.program.name == name and child.due is None:
                return child.process.pid
        return None

    def _bury(self, child: _Child) -> None:
        """Take what a dead leader left of its group, then forget it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        self.state.forget(child.process.pid)
        self._tell_guard(f"- {child.process.pid}")

    # --- ending

    def stop(self, names: Sequence[str] | None = None) -> None:
        """End all programs, or those named: the last launched first, those of one `launch` order in turn."""
        wanted = [child for child in self._children if names is None or child.program.name in names]
        for child in reversed(wanted):
            self._end(child)
            self._children.remove(child)

    def _end(self, child: _Child) -> None:
        process, program = child.process, child.program
        if child.due is not None:
            return
        if process.poll() is None:
            process.send_signal(program.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(program.stop_within_s)
        self._bury(child)
        process.wait()

    def announce_stop(self, names: Sequence[str]) -> None:
        """Send those named their stop signal now, so that they end side by side; `stop` then waits."""
        for child in self._children:
            if child.program.name in names and child.process.poll() is None:
                child.process.send_signal(child.program.stop_signal)

    def close(self) -> None:
        """End everything, the guard last. Safe to call twice."""
        if self._guard_pipe < 0:
            return
        self.stop()
        self._tell_guard(guard.FAREWELL)
        os.close(self._guard_pipe)
        self._guard_pipe = -1
        self._guard.wait()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _tell_guard(self, line: str) -> None:
        # A guard that someone killed costs only the protection it gave.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._guard_pipe, f"{line}\n".encode())


def _start_guard(lock_fd: int) -> tuple[int, subprocess.Popen[bytes]]:
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    script = str(Path(guard.__file__).resolve())
    process = subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, "-I", "-S", script, str(read_end)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(read_end, lock_fd),
        env={},
        cwd="/",
    )
    os.close(read_end)
    return write_end, process


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _ending(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _turn_log(path: Path, *, limit: int) -> None:
    """Keep a log bounded: past `limit` bytes its content moves to NAME.log.1, and it starts again empty.

    Copied and cut, not renamed: the process that writes it keeps its descriptor.
    """
    try:
        if path.stat().st_size <= limit:
            return
    except FileNotFoundError:
        return
    with open(path, "rb") as source, open(path.with_name(path.name + ".1"), "wb", opener=_private) as target:
        while chunk := source.read(1024 * 1024):
            target.write(chunk)
    os.truncate(path, 0)
