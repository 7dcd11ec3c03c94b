"""A small process that has everything imported and forks one runner per job, so that a job starts in milliseconds.

It is a process of its own, not a fork of the agent: an agent has threads, secrets in its memory and Django
loaded; a runner inherits none of that. One runner is always forked ahead: what takes time and is the same for every
job (its control group above all) is done by then.
"""

# ruff: noqa: S603  # every command line is this module's own
from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from infra.executors.local.node import Node

PROJECT = Path(__file__).resolve().parents[3]
_MOST_OF_A_NODE = 128 * 1024
#: Where so many runners die while they wait, the next one would as well: the agent hears that the run is over.
_MOST_TRIES = 8
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from infra.executors.local.launcher import serve; serve(int(sys.argv[2]))"
)


class Launcher:
    """The agent's side. Safe to use from several threads."""

    def __init__(self, node: Node) -> None:
        self._node = node
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
            ours.sendall(pickle.dumps(self._node))
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
    """The launcher's own side: give each channel that arrives to the runner that waits, until the agent is gone."""
    os.umask(0o022)  # what the stage holds is for another user to read; outputs lie in folders of mode 0700
    # Ctrl-C in a terminal is for the agent, which then ends its jobs in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    node = pickle.loads(control.recv(_MOST_OF_A_NODE))  # noqa: S301  # from the agent, which started this process
    waiting = _fork_runner(node, control)
    while True:
        message, channels, _flags, _address = socket.recv_fds(control, 16, 1)
        if not message:
            return
        with socket.socket(fileno=channels[0]) as channel:
            for _try in range(_MOST_TRIES):
                waiting, is_taken = _give(waiting, channel, node, control)
                if is_taken:
                    break  # else somebody killed it while it waited


def _give(
    waiting: socket.socket, channel: socket.socket, node: Node, control: socket.socket
) -> tuple[socket.socket, bool]:
    """Give the channel to the runner that waits; the next one, and whether the first said that it has it.

    That it could be sent proves nothing: of a killed runner, the process that would have become the sandbox holds the
    other end for a moment more. The next one is forked meanwhile.
    """
    with waiting:
        with contextlib.suppress(OSError):
            socket.send_fds(waiting, [b"run"], [channel.fileno()])
        following = _fork_runner(node, control, waiting, channel)
        try:
            return following, bool(waiting.recv(1))
        except OSError:
            return following, False


def _fork_runner(node: Node, *held: socket.socket) -> socket.socket:
    """Fork a runner that gets ready; this side's end, over which it is given the channel to the agent.

    It lets go of what the launcher has `held`: an agent knows that a run is over by the end of its channel.
    """
    from infra.executors.local import runner

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.fork() == 0:
        # A forked runner must not go on with the launcher's loop.
        try:
            for one in (*held, ours):
                one.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            runner.main(theirs, node)
        finally:
            os._exit(0)
    theirs.close()
    return ours
