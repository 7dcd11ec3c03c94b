"""A small process that has everything imported and forks one runner per job, so that a job starts in milliseconds.

It is a process of its own, not a fork of the agent: an agent has threads, secrets in its memory and Django
loaded; a runner inherits none of that.
"""

# ruff: noqa: S603  # every command line is this module's own
from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from infra.executors.local.launcher import serve; serve(int(sys.argv[2]))"
)


class Launcher:
    """The agent's side. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def launch(self) -> socket.socket:
        """The channel to a new runner that waits for its assignment. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs, self._lock:
            try:
                socket.send_fds(self._ready(), [b"run"], [theirs.fileno()])
            except (BrokenPipeError, ConnectionError):
                self._stop()  # someone killed it; its runners live on, and a new one does as well
                socket.send_fds(self._ready(), [b"run"], [theirs.fileno()])
        return ours

    def close(self) -> None:
        """End the launcher; runners end when their own channels close."""
        with self._lock:
            self._stop()

    def _ready(self) -> socket.socket:
        if self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", _START, str(PROJECT), str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
                    start_new_session=True,
                )
            self._control = ours
        return self._control

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process = None


def serve(control_fd: int) -> None:
    """The launcher's own side: fork a runner for each channel that arrives, until the agent is gone."""
    from infra.executors.local import runner

    os.umask(0o022)  # what the stage holds is for another user to read; outputs lie in folders of mode 0700
    # Ctrl-C in a terminal is for the agent, which then ends its jobs in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    while True:
        message, channels, _flags, _address = socket.recv_fds(control, 16, 1)
        if not message:
            return
        os.set_inheritable(channels[0], False)
        if os.fork() == 0:
            control.close()
            _be_runner(runner.main, channels[0])
        os.close(channels[0])


def _be_runner(run: Callable[[socket.socket], None], channel_fd: int) -> None:
    """Never returns: a forked runner must not go on with the launcher's loop."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with socket.socket(fileno=channel_fd) as channel:
            run(channel)
    finally:
        os._exit(0)
