"""Runs programs in the executor under test and remembers all that it said."""

from __future__ import annotations

import os
import textwrap
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.executors.contract import MIB, Executor, Run, RunEnded, RunSpec


@dataclass
class Recorder:
    """A listener that keeps everything; `on` is called with the run and the log so far at each piece of log."""

    log: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    points: list[Mapping[str, float]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    said: threading.Event = field(default_factory=threading.Event)
    on: Callable[[Recorder], None] | None = None

    def on_started(self) -> None:
        self.calls.append("started")

    def on_log(self, chunk: bytes) -> None:
        self.calls.append("log")
        self.chunks.append(chunk)
        self.log += chunk
        self.said.set()
        if self.on:
            self.on(self)

    def on_metric(self, point: Mapping[str, float]) -> None:
        self.calls.append("metric")
        self.points.append(point)

    @property
    def text(self) -> str:
        return self.log.decode(errors="replace")


@dataclass
class Played:
    """One run that is over."""

    ended: RunEnded
    heard: Recorder
    contents: dict[str, bytes]
    """Output bytes by path, read before the run was closed."""

    @property
    def log(self) -> str:
        return self.heard.text

    @property
    def skipped(self) -> dict[str, str]:
        return dict(self.ended.skipped)


def spec_of(source: str, **changes: Any) -> RunSpec:
    """A run of one Python script with small limits; `files` are added beside it."""
    files = {"main.py": textwrap.dedent(source).encode(), **changes.pop("files", {})}
    settings: dict[str, Any] = {
        "run_id": "test",
        "files": files,
        "argv": ("python", "main.py"),
        "memory_bytes": 256 * MIB,
        "work_bytes": 32 * MIB,
        "max_processes": 32,
        "wall_s": 20.0,
        "term_grace_s": 0.3,
        **changes,
    }
    return RunSpec(**settings)


def play(
    executor: Executor, source: str, *, during: Callable[[Run, Recorder], None] | None = None, **changes: Any
) -> Played:
    """Run a script to its end. `during` is called once, when it first prints, on the thread that waits."""
    recorder = Recorder()
    run = executor.start(spec_of(source, **changes), recorder)
    if during is not None:
        pending = [during]
        recorder.on = lambda heard: pending.pop()(run, heard) if pending else None
    try:
        ended = run.wait()
        contents = {output.path: output.file.read_bytes() for output in ended.outputs}
    finally:
        run.close()
    return Played(ended, recorder, contents)


def processes_of(uids: range) -> list[str]:
    """Command lines of this machine's processes that run under one of these user ids."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid in uids:
                found.append(Path(f"/proc/{pid}/cmdline").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
