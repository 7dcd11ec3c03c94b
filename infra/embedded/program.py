"""What a supervisor runs: one program, as a value."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .spawn import Account


@dataclass(frozen=True, slots=True)
class Program:
    """One program. Times in seconds; `env` is its whole environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    """Whom to become when we are root."""
    reaches: tuple[Path, ...] = ()
    """Paths that `account` must get at."""
    pass_fds: tuple[int, ...] = ()
    before: Callable[[], None] | None = None
    """Called before every start, restarts too."""
    ready: Callable[[int], bool] | None = None
    """Given the pid; a program without it is ready when it runs."""
    ready_within_s: float = 60.0
    stop_signal: int = signal.SIGTERM
    stop_within_s: float = 6.0
    """After this it is killed, with all of its process group."""
