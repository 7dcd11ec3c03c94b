"""The life of one run, in a process of its own: wait for it, set up, watch, end, collect, answer.

A runner never outlives the wish for its job: it ends it when the agent's end of the channel closes, when
the agent dies or lets the lease pass (a frozen process has no watchdog), and the kernel ends it (bubblewrap and
all below) when the runner dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import socket
import struct
import time
import traceback
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.executors.contract import KIB, MIB, EndReason, RunEnded, RunSpec
from infra.executors.domain.log import LogKeeper
from infra.executors.domain.metrics import MetricStream, Point, PointBudget
from infra.executors.local import frames, kernel, stage
from infra.executors.local.frames import Kind
from infra.executors.local.node import Node
from infra.executors.local.outputs import Collector, Tail
from infra.executors.local.tree import Tree

CHUNK = 64 * KIB
TICK_S = 0.2
SETUP_LIMIT_S = 30.0
END_LIMIT_S = 5.0
# More than this unsent, and the job's pipe is left full until the agent has read.
MAX_UNSENT = 1 * MIB
METRICS_FILE = "metrics.jsonl"
METRICS_FILE_LIMIT = 32 * MIB


@dataclass(frozen=True, slots=True)
class Assignment:
    """What the agent sends a runner first."""

    spec: RunSpec
    outputs: Path
    """Folder of the host where the run's outputs go."""


def main(launcher: socket.socket, node: Node) -> None:
    """Get ready, wait for the launcher to hand over a channel to the agent, serve the one run on it, then return."""
    tree, problem = Tree(), None
    try:
        try:
            kernel.adopt_orphans()
            stage.enter_namespace()
            tree.plant(node)
        except Exception as error:  # whoever has a job for this runner will hear of it
            traceback.print_exc()
            problem = error
        _message, channels, _flags, _address = socket.recv_fds(launcher, 16, 1)
        if channels:
            os.set_inheritable(channels[0], False)
            with contextlib.suppress(OSError):  # a launcher that was killed takes no run with it
                launcher.send(b"k")
            with socket.socket(fileno=channels[0]) as channel:
                _serve(channel, node, tree, problem)
    finally:
        tree.uproot(END_LIMIT_S)


def _serve(channel: socket.socket, node: Node, tree: Tree, problem: Exception | None) -> None:
    unpacker = frames.Unpacker()
    received: deque[tuple[Kind, bytes]] = deque()
    while not received:
        chunk = channel.recv(MIB)
        if not chunk:
            return
        received.extend(unpacker.feed(chunk))
    _kind, payload = received.popleft()
    assignment = pickle.loads(payload)  # noqa: S301  # from the agent, which is trusted more than this process
    runner = Runner(assignment, node, tree, channel, unpacker)
    try:
        for kind, text in received:
            runner.obey(kind, text)
        ended = runner.run() if problem is None else _failed(problem)
    except Exception as error:  # whatever it was, the agent must hear of it
        traceback.print_exc()
        ended = _failed(error)
    tree.uproot(END_LIMIT_S)
    runner.answer(ended)


def _failed(error: Exception) -> RunEnded:
    return RunEnded(EndReason.EXECUTOR_ERROR, detail=f"{type(error).__name__}: {error}")


class Runner:
    """One run: sets it up, then turns what happens around it into frames and an end."""

    def __init__(
        self, assignment: Assignment, node: Node, tree: Tree, channel: socket.socket, unpacker: frames.Unpacker
    ) -> None:
        self.spec, self.outputs, self.node, self.tree = assignment.spec, assignment.outputs, node, tree
        self.channel, self.unpacker = channel, unpacker
        self.channel.setblocking(False)
        self.agent_pidfd = -1
        self.unsent = bytearray()
        self.selector = selectors.DefaultSelector()
        self.log = LogKeeper(self.spec.caps.log_head, self.spec.caps.log_tail)
        budget = PointBudget()
        self.log_metrics, self.file_metrics = MetricStream(budget), MetricStream(budget)
        self.metrics_file = Tail(METRICS_FILE, METRICS_FILE_LIMIT)
        self.work: int | None = None
        self.cause: tuple[EndReason, str] | None = None
        self.started_at: float | None = None
        self.kill_at: float | None = None
        self.keep_until: float | None = None
        """By the clock of leases, which goes on while the machine sleeps."""
        self.is_output_open = True
        self.is_agent_gone = False
        self.is_killed = False

    # ---- set-up ---------------------------------------------------------------------------------------------------

    def run(self) -> RunEnded:
        """Set up, watch until the end, and say what became of it."""
        if self.cause is not None:  # stopped before it began
            return self._ended()
        identity = stage.take_identity(self.node)
        self.tree.order(self.spec, identity)
        self.work = stage.build(self.spec, self.node, identity)
        self.tree.go()
        self._watch()
        self._finish_off()
        return self._ended()

    # ---- watching -------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Turn the loop until bubblewrap has ended."""
        listen = self.selector.register
        listen(self.tree.child_pidfd, selectors.EVENT_READ, self.tree.on_ended)
        listen(self.tree.began, selectors.EVENT_READ, self._on_began)
        listen(self.tree.info, selectors.EVENT_READ, self._on_info)
        listen(self.tree.output, selectors.EVENT_READ, self._on_output)
        listen(self.channel, selectors.EVENT_READ, self._on_channel)
        with contextlib.suppress(OSError):
            self.agent_pidfd = os.pidfd_open(_peer_pid(self.channel))
            listen(self.agent_pidfd, selectors.EVENT_READ, self._on_agent_gone)
        setup_until = time.monotonic() + SETUP_LIMIT_S
        next_tick = time.monotonic() + TICK_S
        while self.tree.status is None:
            now = time.monotonic()
            self._enforce(now, setup_until)
            if now >= next_tick:
                self._tick()
                next_tick = now + TICK_S
            self._let_output_flow()
            # Descriptors come in the order they were registered only by luck, so "began" is asked for first.
            events = self.selector.select(self._pause(now, next_tick))
            for key, _mask in sorted(events, key=lambda event: event[0].fd != self.tree.began):
                if key.fd in self.selector.get_map():
                    key.data()

    def _pause(self, now: float, next_tick: float) -> float:
        moments = [next_tick]
        if self.kill_at is not None:
            moments.append(self.kill_at)
        if self.started_at is not None and self.cause is None:
            moments.append(self.started_at + self.spec.wall_s)
        if self.keep_until is not None and not self.is_killed:
            moments.append(now + self.keep_until - _lease_clock())
        return max(min(moments) - now, 0.0)

    def _enforce(self, now: float, setup_until: float) -> None:
        if self.keep_until is not None and not self.is_killed and _lease_clock() >= self.keep_until:
            self._end_now(EndReason.EXECUTOR_ERROR, "the agent did not renew the run in time")
        if self.started_at is None and now > setup_until:
            self._end_now(EndReason.EXECUTOR_ERROR, f"set-up took more than {SETUP_LIMIT_S:.0f} s")
        elif self.started_at is not None and self.cause is None and now >= self.started_at + self.spec.wall_s:
            self._end_gently(EndReason.TIMED_OUT, "", self.spec.term_grace_s)
        if self.kill_at is not None and now >= self.kill_at:
            self._kill_all()

    def _tick(self) -> None:
        group = self.tree.group
        if group is not None and self.cause is None and group.out_of_memory_kills():
            # What is left of a run that lost a process mostly hangs; version 2 ends the group in the kernel.
            self._end_now(EndReason.OUT_OF_MEMORY, "")
        if self.work is not None and self.started_at is not None and len(self.unsent) < MAX_UNSENT:
            self._send_points(self.file_metrics.feed(self.metrics_file.read(self.work, CHUNK)))

    def _let_output_flow(self) -> None:
        """Read the job's output only while the agent keeps up; the job waits on its full pipe meanwhile."""
        may_read = self.is_output_open and (len(self.unsent) < MAX_UNSENT or self.is_agent_gone)
        if may_read != (self.tree.output in self.selector.get_map()):
            if may_read:
                self.selector.register(self.tree.output, selectors.EVENT_READ, self._on_output)
            else:
                self.selector.unregister(self.tree.output)

    def _on_began(self) -> None:
        self.selector.unregister(self.tree.began)
        if os.read(self.tree.began, 16):
            self.started_at = time.monotonic()
            self.tree.find_main()
            self.unsent[:0] = frames.pack(Kind.STARTED)
            self._flush()

    def _on_info(self) -> None:
        if not self.tree.read_info():
            self.selector.unregister(self.tree.info)

    def _on_output(self) -> None:
        try:
            chunk = os.read(self.tree.output, CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self.is_output_open = False
            return
        if now := self.log.feed(chunk):
            self._send(Kind.LOG, now)
        self._send_points(self.log_metrics.feed(chunk))
        if self.log.seen > self.spec.caps.log_flood and not self.is_killed:
            self._end_now(EndReason.OUTPUT_FLOOD, "")

    def _on_channel(self) -> None:
        try:
            chunk = self.channel.recv(CHUNK)
        except BlockingIOError:
            chunk = None
        except ConnectionError:
            chunk = b""
        if chunk == b"":
            self._on_agent_gone()
            return
        for kind, payload in self.unpacker.feed(chunk or b""):
            self.obey(kind, payload)
        self._flush()

    def _on_agent_gone(self) -> None:
        self.is_agent_gone = True
        for listened in (self.channel, self.agent_pidfd):
            if listened in self.selector.get_map():
                self.selector.unregister(listened)
        self.unsent.clear()
        self._end_now(EndReason.STOPPED, "the agent is gone")

    # ---- ending ---------------------------------------------------------------------------------------------------

    def obey(self, kind: Kind, payload: bytes) -> None:
        """Do what the agent asks."""
        if kind is Kind.KEEP:
            (until,) = frames.MOMENT.unpack(payload)
            self.keep_until = max(until, self.keep_until or until)
            return
        grace_s = self.spec.term_grace_s
        if kind is Kind.STOP:
            (asked_s,) = frames.MOMENT.unpack(payload[: frames.MOMENT.size])
            payload = payload[frames.MOMENT.size :]
            grace_s = grace_s if asked_s < 0 else asked_s
        if kind is Kind.KILL or self.started_at is None:
            self._end_now(EndReason.STOPPED, payload.decode())
        elif kind is Kind.STOP:
            self._end_gently(EndReason.STOPPED, payload.decode(), grace_s)

    def _end_gently(self, reason: EndReason, detail: str, grace_s: float) -> None:
        if self.cause is None:
            self.cause = (reason, detail)
        kill_at = time.monotonic() + grace_s
        if self.kill_at is None and not self.is_killed:
            self.tree.terminate()
        self.kill_at = min(kill_at, self.kill_at or kill_at)

    def _end_now(self, reason: EndReason, detail: str) -> None:
        if self.cause is None:
            self.cause = (reason, detail)
        self._kill_all()

    def _kill_all(self) -> None:
        self.kill_at = None
        self.is_killed = True
        self.tree.kill()

    def _finish_off(self) -> None:
        """Nothing of the job lives after this, and all that it printed has been read."""
        self._kill_all()
        self.tree.bury(END_LIMIT_S)
        if self.tree.began in self.selector.get_map():
            self._on_began()
        os.set_blocking(self.tree.output, True)
        until = time.monotonic() + END_LIMIT_S
        while self.is_output_open and time.monotonic() < until:
            self._on_output()

    # ---- answering ------------------------------------------------------------------------------------------------

    def _ended(self) -> RunEnded:
        if self.started_at is None:
            return self._never_began()
        if tail := self.log.finish():
            for at in range(0, len(tail), CHUNK):
                self._send(Kind.LOG, tail[at : at + CHUNK])
        self._send_points(self.log_metrics.finish())
        collected = self._collect()
        group = self.tree.group
        out_of_memory = group is not None and group.out_of_memory_kills() > 0
        reason, detail = self.cause or (EndReason.OUT_OF_MEMORY if out_of_memory else EndReason.EXITED, "")
        code, signal_number = self.tree.result()
        return RunEnded(
            reason=reason,
            exit_code=code,
            signal=signal_number,
            # A job killed in its first instant may be seen to end before it is seen to begin.
            run_seconds=max(self.tree.ended_at - self.started_at, 0.0),
            cpu_seconds=group.cpu_seconds() if group else self.tree.cpu_seconds,
            peak_memory_bytes=group.peak_memory_bytes() if group else self.tree.peak_memory_bytes,
            log_bytes_seen=self.log.seen,
            log_truncated=self.log.left_out > 0,
            outputs=tuple(collected.outputs) if collected else (),
            checkpoint_seconds=self._checkpoint_seconds(collected),
            skipped=tuple(collected.skipped) if collected else (),
            detail=detail,
        )

    def _never_began(self) -> RunEnded:
        """What was printed is the sandbox's own complaint, for the operator and not for the job's log."""
        unsent, self.unsent = bytes(self.unsent), bytearray()
        if self.cause is not None:
            reason, detail = self.cause
            return RunEnded(reason, detail=detail)
        said = b"".join(payload for kind, payload in frames.Unpacker().feed(unsent) if kind is Kind.LOG)
        lines = said.decode(errors="replace").strip().splitlines()
        return RunEnded(
            EndReason.EXECUTOR_ERROR, detail=lines[-1] if lines else "the sandbox ended before the job began"
        )

    def _collect(self) -> Collector | None:
        if self.is_agent_gone or self.work is None:
            return None
        while chunk := self.metrics_file.read(self.work, CHUNK):
            self._send_points(self.file_metrics.feed(chunk))
        self._send_points(self.file_metrics.finish())
        collector = Collector(self.outputs, self.spec.caps, self.spec.files)
        collector.collect(self.work)
        return collector

    def _checkpoint_seconds(self, collected: Collector | None) -> float | None:
        """By when a file last changed its state (ctime), which no program can set back as it can a file's time."""
        if collected is None or collected.checkpoint_changed_at is None or self.started_at is None:
            return None
        since_s = time.time() - collected.checkpoint_changed_at
        return min(
            max(time.monotonic() - since_s - self.started_at, 0.0), max(self.tree.ended_at - self.started_at, 0.0)
        )

    def answer(self, ended: RunEnded) -> None:
        """Send what is left and the end, waiting for an agent that reads slowly."""
        if self.is_agent_gone:
            return
        record = asdict(ended)
        record["outputs"] = [{**asdict(output), "file": str(output.file)} for output in ended.outputs]
        self.unsent += frames.pack(Kind.ENDED, json.dumps(record).encode())
        self.channel.setblocking(True)
        with contextlib.suppress(ConnectionError):
            self.channel.sendall(self.unsent)

    def _send_points(self, points: list[Point]) -> None:
        for point in points:
            self._send(Kind.METRIC, json.dumps(point).encode())

    def _send(self, kind: Kind, payload: bytes = b"") -> None:
        if self.is_agent_gone:
            return
        self.unsent += frames.pack(kind, payload)
        self._flush()

    def _flush(self) -> None:
        if self.started_at is None:  # it may yet be the sandbox's own complaint
            return
        try:
            while self.unsent:
                del self.unsent[: self.channel.send(self.unsent[:MIB])]
        except BlockingIOError:
            pass
        except ConnectionError:
            self._on_agent_gone()
        if self.channel in self.selector.get_map():
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
            self.selector.modify(self.channel, events, self._on_channel)


def _lease_clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _peer_pid(channel: socket.socket) -> int:
    pid, _uid, _gid = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)
