"""Package environments on this node: built one after the other in the background, each once, progress reported."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from infra.agent.datasets import Cut
from infra.agent.wire import DIGEST, EnvironmentOrder, EnvironmentReport
from infra.executors.contract import EnvironmentBuildFailed, EnvironmentSpec, Executor, ExecutorError

log = structlog.get_logger("infra.agent")

RETRY_AFTER_S = 30.0
"""A failed build is not tried again for this long: a hundred jobs that wait for it would each try."""
LAST_LINES = 20
DETAIL_LIMIT = 4000
BUILDING, READY, FAILED = "BUILDING", "READY", "FAILED"


class EnvironmentFailed(Exception):
    """The environment cannot be built; the message is the last of what the builder said."""


@dataclass(slots=True)
class _Build:
    """One environment's way to being built."""

    report: EnvironmentReport
    done: threading.Event = field(default_factory=threading.Event)
    ended_at: float = 0.0


class Environments:
    """Safe to use from several threads; `run` builds, in a thread of its own."""

    def __init__(self, *, executor: Executor, folder: Path, tell: Callable[[EnvironmentReport], None]) -> None:
        self._executor = executor
        self._folder = folder
        self._tell = tell
        self._lock = threading.Lock()
        self._builds: dict[str, _Build] = {}
        self._orders: queue.SimpleQueue[EnvironmentOrder | None] = queue.SimpleQueue()
        folder.mkdir(parents=True, exist_ok=True)

    def known(self) -> tuple[EnvironmentReport, ...]:
        """What this node has said of its environments, from this and earlier starts."""
        reports = {report.digest: report for report in map(_read, self._folder.glob("*.json")) if report}
        with self._lock:
            reports |= {digest: build.report for digest, build in self._builds.items()}
        # What was being built when the agent died is not being built now.
        return tuple(report for report in reports.values() if report.state in (READY, FAILED))

    def ensure(self, order: EnvironmentOrder, *, cut: threading.Event) -> None:
        """Return when the environment lies here. Raises EnvironmentFailed, or Cut when `cut` is set first."""
        build = self._build_of(order)
        while not build.done.wait(0.1):
            if cut.is_set():
                raise Cut
        if build.report.state == FAILED:
            raise EnvironmentFailed(build.report.detail)

    def run(self, stopping: threading.Event) -> None:
        """Build what is ordered until told to stop."""
        while not stopping.is_set():
            order = self._orders.get()
            if order is not None:
                self._build(order)

    def close(self) -> None:
        """Wake `run`."""
        self._orders.put(None)

    def _build_of(self, order: EnvironmentOrder) -> _Build:
        with self._lock:
            build = self._builds.get(order.digest)
            is_stale = (
                build is not None
                and build.report.state == FAILED
                and build.done.is_set()
                and time.monotonic() - build.ended_at > RETRY_AFTER_S
            )
            if build is None or is_stale:
                build = self._builds[order.digest] = _Build(EnvironmentReport(order.digest, BUILDING))
                self._orders.put(order)
            return build

    def _build(self, order: EnvironmentOrder) -> None:
        build = self._builds[order.digest]
        began_at = time.monotonic()
        self._say(build.report)
        report = self._prepare(order)
        log.info("environment", digest=order.digest[:12], state=report.state, seconds=time.monotonic() - began_at)
        build.report, build.ended_at = report, time.monotonic()
        _write(self._folder / f"{order.digest}.json", report)
        build.done.set()
        self._say(report)

    def _prepare(self, order: EnvironmentOrder) -> EnvironmentReport:
        spec = EnvironmentSpec(order.requirements, order.python_version)
        report = EnvironmentReport(order.digest, FAILED)
        if spec.digest != order.digest:
            return replace(report, detail="the requirements do not have the digest that they were ordered by")
        try:
            prepared = self._executor.prepare(spec)
        except EnvironmentBuildFailed as error:
            return replace(report, detail=last_lines(error.output or str(error)))
        except (ExecutorError, OSError) as error:
            return replace(report, detail=last_lines(str(error)))
        return EnvironmentReport(order.digest, READY, f"Python {prepared.python_version}", prepared.size_bytes)

    def _say(self, report: EnvironmentReport) -> None:
        try:
            self._tell(report)
        except Exception as error:
            # The next hello says it again; a build must not fail because its news did not arrive.
            log.warning("the campus was not told of an environment", digest=report.digest[:12], why=str(error))


def last_lines(output: str, most: int = DETAIL_LIMIT) -> str:
    """The end of a builder's output, where the reason stands: whole lines, at most `most` characters of them."""
    kept: list[str] = []
    left = most
    for line in reversed(output.replace("\0", "").splitlines()):
        if line.strip():
            left -= len(line.rstrip()) + 1
            if kept and (left < -1 or len(kept) == LAST_LINES):
                break
            kept.insert(0, line.rstrip())
    return "\n".join(kept)[:most]


def _read(path: Path) -> EnvironmentReport | None:
    try:
        report = EnvironmentReport(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return report if DIGEST.match(report.digest) else None


def _write(path: Path, report: EnvironmentReport) -> None:
    new = path.with_suffix(".new")
    record = {"digest": report.digest, "state": report.state, "detail": report.detail, "size_bytes": report.size_bytes}
    new.write_text(json.dumps(record), encoding="utf-8")
    os.replace(new, path)
