"""The processes of one run: bubblewrap, the sandbox's init below it, and the job's main process below that."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

from infra.executors.contract import KIB, RunSpec
from infra.executors.local import cgroups, kernel, stage
from infra.executors.local.cgroups import Group
from infra.executors.local.node import Node


class Tree:
    """Forks them, signals them by descriptors that cannot mean another process, and sees them buried."""

    def __init__(self) -> None:
        self.group: Group | None = None
        self.output = self.began = self.info = self.child_pidfd = -1
        """Descriptors to listen to: what the job prints, that it began, what bubblewrap tells, that it ended."""
        self.status: int | None = None
        self.ended_at = 0.0
        self.cpu_seconds = 0.0
        self.peak_memory_bytes = 0
        self._child: int | None = None
        self._orders = -1
        self._init: int | None = None
        self._init_pidfd: int | None = None
        self._main_pidfd: int | None = None

    def plant(self, node: Node) -> None:
        """Make the run's control group and, in it, the process that becomes the sandbox once it has its orders.

        Joining groups takes the kernel 10 ms and more, so it is done before a job is there to wait for it.
        """
        if node.hierarchy is not None:
            self.group = node.hierarchy.group(cgroups.group_name(os.getpid(), node.root))
            self.group.create()
        (self.output, output), (self.began, began), (self.info, info) = os.pipe(), os.pipe(), os.pipe()
        orders, self._orders = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._orders)
            stage.become_sandbox(node, self.group, stage.Pipes(orders, output, began, info))
        for end in (orders, output, began, info):
            os.close(end)
        os.set_blocking(self.output, False)
        os.set_blocking(self.info, False)
        self.child_pidfd = os.pidfd_open(self._child)

    def order(self, spec: RunSpec, identity: stage.Identity) -> None:
        """Set the group's limits and tell the child what it becomes, so that it gets ready. Raises OSError."""
        if self.group is not None:
            self.group.limit(cgroups.Limits(spec.memory_bytes, spec.max_processes, spec.cpu_cores))
        # What lies on the stage is the runner's business; the child needs the names only.
        order = pickle.dumps((replace(spec, files={}), identity))
        with open(self._orders, "wb", buffering=0, closefd=False) as pipe:
            pipe.write(order)

    def go(self) -> None:
        """Let the child take the last step: the stage is built. One that died has said why on its output."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._orders, stage.GO)
        os.close(self._orders)

    def read_info(self) -> bool:
        """Learn the init's process id, which bubblewrap writes first of several pieces; False when all is said."""
        try:
            said = os.read(self.info, 4096)
        except BlockingIOError:
            return True
        if self._init is None and (found := re.search(rb'"child-pid": (\d+)', said)):
            self._init = int(found.group(1))
            with contextlib.suppress(ProcessLookupError):
                self._init_pidfd = os.pidfd_open(self._init)
        return bool(said)

    def find_main(self) -> None:
        """Find the job's main process, the first child of the sandbox's init, once the job has begun."""
        self.read_info()
        with contextlib.suppress(OSError, IndexError):
            children = Path(f"/proc/{self._init}/task/{self._init}/children").read_text().split()
            self._main_pidfd = os.pidfd_open(int(children[0]))

    def terminate(self) -> None:
        """SIGTERM to the main process alone: it knows what its workers must finish first."""
        if self._main_pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._main_pidfd, signal.SIGTERM)

    def kill(self) -> None:
        """Kill the init, and with it every process inside; then whatever the group still holds."""
        if self._child is None:
            return
        if self._init is None:
            self.read_info()
        if self._init_pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init_pidfd, signal.SIGKILL)
        if self.group is not None:
            with contextlib.suppress(OSError):
                self.group.signal_all()
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.child_pidfd, signal.SIGKILL)

    def on_ended(self) -> None:
        """bubblewrap has ended: note how and when."""
        _pid, self.status, usage = os.wait4(self._child or 0, 0)
        self.ended_at = time.monotonic()
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.peak_memory_bytes = usage.ru_maxrss * KIB

    def bury(self, limit_s: float) -> None:
        """Wait until none is left. The init, orphaned by bubblewrap's end, is this process's child and ends last."""
        if self.group is not None:
            self.group.kill(limit_s)
        kernel.reap_all(limit_s)

    def uproot(self, limit_s: float) -> None:
        """Leave no process and no control group behind. Doing it again does no harm."""
        self.kill()
        self.bury(limit_s)
        if self.group is not None:
            self.group.remove()

    def result(self) -> tuple[int | None, int | None]:
        """(exit code, signal) of the main process. bubblewrap tells a signal as 128 and more, as a shell does."""
        status = self.status or 0
        if os.WIFSIGNALED(status):
            return None, os.WTERMSIG(status)
        code = os.WEXITSTATUS(status)
        if code > 128 and code - 128 in {int(known) for known in signal.Signals}:
            return None, code - 128
        return code, None
