"""The machine that figures come from, and whether it was quiet enough for them."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
BUSY_PCT = 10.0
_LOOK_S = 1.0
_YARDSTICK_STEPS = 400_000


def describe() -> dict[str, Any]:
    """Cores, memory, load, kernel, Python, revision; looks for a second at what else runs here."""
    busy_pct = psutil.cpu_percent(interval=_LOOK_S)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "memory_free_gib": round(psutil.virtual_memory().available / 2**30, 1),
        "load_1_min": round(os.getloadavg()[0], 2),
        "busy_pct": busy_pct,
        "yardstick_ms": yardstick_ms(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "revision": revision(),
    }


def is_quiet(machine: dict[str, Any]) -> bool:
    """Whether next to nothing ran beside us: a tenth of the processors' time, and no load that just ended."""
    return bool(machine["busy_pct"] <= BUSY_PCT and machine["load_1_min"] <= 0.5 * machine["cores"])


def yardstick_ms() -> float:
    """The best of five times of a fixed piece of Python, in ms: runs on machines of other speed compare by it."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        total = 0
        for step in range(_YARDSTICK_STEPS):
            total += step & 7
        best = min(best, time.perf_counter() - begun)
    return round(best * 1e3, 2)


def revision() -> str:
    """The commit of the checkout, with a plus when files differ from it; empty where there is no git."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
