"""A short folder for state, and a supervisor in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]


def until(condition: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Wait for a condition; fail with `what` when it does not come."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


def alive(pids: set[int]) -> set[int]:
    """Those of `pids` that still run, zombies aside."""
    left = set()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                left.add(pid)
    return left


@dataclass
class Stand:
    """A running supervisor."""

    process: subprocess.Popen[str]
    pids: dict[str, int]
    run: Path

    def everything(self) -> set[int]:
        """The pids of all that it started, the guard and grandchildren too."""
        return {child.pid for child in psutil.Process(self.process.pid).children(recursive=True)}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder below the system's temporary one; pytest's own are too long for a socket."""
    path = Path(tempfile.mkdtemp(prefix="ce-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def stand(folder: Path) -> Iterator[Callable[..., Stand]]:
    """Start a supervisor on `folder / "state"`; whatever is left of it ends with the test."""
    started: list[subprocess.Popen[str]] = []
    seen: set[int] = set()

    def start(*options: str) -> Stand:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.stand", str(folder / "state"), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        told = json.loads(line)
        found = Stand(process, told["pids"], Path(told["run"]))
        seen.update(found.everything())
        return found

    yield start
    for process in started:
        if process.poll() is None:
            seen.update(child.pid for child in psutil.Process(process.pid).children(recursive=True))
            process.kill()
        process.communicate()
    for pid in alive(seen):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(seen), within_s=30, what="end of all that the test started")
