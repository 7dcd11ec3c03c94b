"""The executor of one machine: every run in a bubblewrap sandbox of its own."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import socket
import threading
import uuid
from pathlib import Path

from infra.executors import environments
from infra.executors.contract import (
    MIB,
    Confinement,
    ConfinementRefused,
    EndReason,
    EnvironmentMissing,
    EnvironmentSpec,
    InvalidRunSpec,
    Output,
    PreparedEnvironment,
    RunEnded,
    RunListener,
    RunSpec,
)
from infra.executors.domain import validation
from infra.executors.local import cgroups, frames, kernel, probe
from infra.executors.local.frames import Kind
from infra.executors.local.launcher import Launcher
from infra.executors.local.node import Node
from infra.executors.local.runner import Assignment

FIRST_UID, SLOT_COUNT = 61_000, 128  # eighths of sixteen GPUs


class LocalExecutor:
    """Satisfies `contract.Executor` on this machine.

    `root` is where environments and, until a run is closed, its outputs lie. `allow_unconfined` runs jobs
    also where no memory limit can be set; the caller takes it from LABS_ALLOW_UNCONFINED.
    """

    def __init__(
        self, root: Path, *, allow_unconfined: bool = False, first_uid: int = FIRST_UID, slot_count: int = SLOT_COUNT
    ) -> None:
        self._root = root.absolute()
        self._allow_unconfined = allow_unconfined
        self._slots = (first_uid, slot_count)
        self._lock = threading.Lock()
        self._launcher: Launcher | None = None
        self._confinement: Confinement | None = None
        self._node: Node | None = None
        self._runs: set[LocalRun] = set()

    def confinement(self) -> Confinement:
        """What this node can contain, found out once, last by running a program in the sandbox."""
        with self._lock:
            if self._confinement is None:
                self._confinement = self._find_out()
            return self._confinement

    def prepare(self, environment: EnvironmentSpec) -> PreparedEnvironment:
        """Build the environment unless it is there. Raises `EnvironmentBuildFailed`."""
        return environments.prepare(self._root / "environments", environment, self._ready()[0].interpreter)

    def start(self, spec: RunSpec, listener: RunListener) -> LocalRun:
        """Begin a run. Raises `ConfinementRefused`, `InvalidRunSpec`, `EnvironmentMissing`, `OSError`."""
        node, launcher = self._ready()
        if problems := validation.problems(spec):
            raise InvalidRunSpec("; ".join(problems))
        if spec.environment_digest and not environments.find(self._root / "environments", spec.environment_digest):
            raise EnvironmentMissing(f"environment {spec.environment_digest} is not prepared on this node")
        for name, path in spec.datasets:
            if not os.path.isdir(path):
                raise InvalidRunSpec(f"datasets: {name!r} has no folder on this node")
        run = self._launch(node, launcher, spec, listener)
        with self._lock:
            self._runs = {known for known in self._runs if not known.is_closed} | {run}
        return run

    def close(self) -> None:
        """Kill what still runs and drop its outputs."""
        with self._lock:
            runs, self._runs = self._runs, set()
        for run in runs:
            run.close()
        if self._launcher is not None:
            self._launcher.close()

    def _launch(self, node: Node, launcher: Launcher, spec: RunSpec, listener: RunListener) -> LocalRun:
        outputs = node.root / "runs" / f"{_owner()}.{uuid.uuid4().hex[:8]}"
        channel = launcher.launch()
        channel.sendall(frames.pack(Kind.JOB, pickle.dumps(Assignment(spec, outputs))))
        return LocalRun(channel, listener, outputs)

    def _ready(self) -> tuple[Node, Launcher]:
        found = self.confinement()
        if found.level == "refused" or self._node is None or self._launcher is None:
            raise ConfinementRefused("; ".join(found.missing))
        return self._node, self._launcher

    def _find_out(self) -> Confinement:
        findings = probe.look(self._root, self._slots)
        node, missing = findings.node, findings.missing
        version = node.hierarchy.version if node and node.hierarchy else None
        if node is None or (node.hierarchy is None and not self._allow_unconfined):
            return Confinement("refused", version, missing)
        self._sweep(node)
        launcher = Launcher(node)
        if problem := self._try_out(node, launcher):
            launcher.close()
            return Confinement("refused", version, (*missing, f"a trial run failed: {problem}"))
        self._node, self._launcher = node, launcher
        return Confinement("full" if node.hierarchy else "unconfined", version, missing)

    def _try_out(self, node: Node, launcher: Launcher) -> str:
        """Run a program that does nothing; what went wrong, or nothing."""
        spec = RunSpec(run_id=f"trial-{os.getpid()}", files={}, argv=("true",), memory_bytes=64 * MIB, work_bytes=MIB)
        run = self._launch(node, launcher, spec, _Silence())
        try:
            ended = run.wait()
        finally:
            run.close()
        return "" if ended.exit_code == 0 else ended.detail or f"it ended with {ended}"

    def _sweep(self, node: Node) -> None:
        """Remove what dead agents and dead runners left; nothing of the living."""
        if node.hierarchy:
            cgroups.sweep(node.hierarchy)
        for folder in (node.root / "runs").iterdir():
            pid, ticks = folder.name.split(".")[:2]
            if str(kernel.start_ticks(int(pid))) != ticks:
                shutil.rmtree(folder, ignore_errors=True)


def _owner() -> str:
    """This process, in words that no later one will share."""
    return f"{os.getpid()}.{kernel.start_ticks(os.getpid())}"


class _Silence:
    def on_started(self) -> None:
        """Nobody listens."""

    def on_log(self, chunk: bytes) -> None:
        """Nobody listens."""

    def on_metric(self, point: object) -> None:
        """Nobody listens."""


class LocalRun:
    """Satisfies `contract.Run`: the agent's end of the channel to one runner."""

    def __init__(self, channel: socket.socket, listener: RunListener, outputs: Path) -> None:
        self._channel = channel
        self._listener = listener
        self._outputs = outputs
        self._sending = threading.Lock()
        self._unpacker = frames.Unpacker()
        self.is_closed = False

    def stop(self, reason: str, grace_s: float | None = None) -> None:
        """Ask it to end: SIGTERM to the main process, the kill after the grace time."""
        self._tell(Kind.STOP, reason, frames.MOMENT.pack(-1.0 if grace_s is None else grace_s))

    def kill(self, reason: str) -> None:
        """End it now, all of it."""
        self._tell(Kind.KILL, reason)

    def keep(self, until_s: float) -> None:
        """Let it run until then, by CLOCK_BOOTTIME, and no longer unless a later `keep` comes."""
        # Renewals come again and again, so one that would have to wait is left out: nothing may hold up a heartbeat.
        if self._sending.acquire(blocking=False):
            try:
                frame = frames.pack(Kind.KEEP, frames.MOMENT.pack(until_s))
                self._channel.send(frame, socket.MSG_DONTWAIT)
            except OSError:
                return
            finally:
                self._sending.release()

    def wait(self) -> RunEnded:
        """Call the listener until nothing of the run is left. Raises what the listener raised."""
        raised: BaseException | None = None
        ended = None
        while chunk := self._receive():
            for kind, payload in self._unpacker.feed(chunk):
                if kind is Kind.ENDED:
                    ended = _read_ended(payload)
                elif raised is None:
                    try:
                        self._pass_on(kind, payload)
                    except BaseException as error:  # raised again below, once the job is gone
                        raised = error
                        self.kill("its listener failed")
        if raised is not None:
            raise raised
        return ended or RunEnded(EndReason.EXECUTOR_ERROR, detail="the runner died")

    def close(self) -> None:
        """Drop the run's output files; kills it first if it still runs."""
        if self.is_closed:
            return
        self.is_closed = True
        self._tell(Kind.KILL, "closed")
        while self._receive():
            pass
        self._channel.close()
        shutil.rmtree(self._outputs, ignore_errors=True)

    def _pass_on(self, kind: Kind, payload: bytes) -> None:
        if kind is Kind.LOG:
            self._listener.on_log(payload)
        elif kind is Kind.METRIC:
            self._listener.on_metric(json.loads(payload))
        elif kind is Kind.STARTED:
            self._listener.on_started()

    def _tell(self, kind: Kind, reason: str, before: bytes = b"") -> None:
        with self._sending:
            try:
                self._channel.sendall(frames.pack(kind, before + reason.encode()))
            except OSError:
                return  # the runner has ended, so has the run

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(MIB)
        except OSError:
            return b""


def _read_ended(payload: bytes) -> RunEnded:
    record = json.loads(payload)
    record["reason"] = EndReason(record["reason"])
    record["outputs"] = tuple(Output(**{**output, "file": Path(output["file"])}) for output in record["outputs"])
    record["skipped"] = tuple((name, why) for name, why in record["skipped"])
    return RunEnded(**record)
