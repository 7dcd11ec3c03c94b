"""Looks for a job's processes from outside its sandbox."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil


def are_running(marker: str) -> bool:
    """Whether any process has this text in its command line: the entrypoint's name, chosen by the test."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if any(marker in word for word in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def until(holds: Callable[[], bool], timeout_s: float = 60.0) -> float:
    """The monotonic time at which it first held; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"still waiting after {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic()
