"""Readers of traces: rows of a CSV file into jobs and nodes, with an error that names what is wrong with a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from labs.scheduling.domain.snapshot import WHOLE_GPU
from labs.scheduling.replay.requests import requested_s

PHILLY = ("submit_time", "duration_s", "num_gpus", "virtual_cluster")
WAGAP = ("submit_epoch_s", "run_s", "procs", "requested_s", "user")
OPENB_NODES = ("sn", "gpu", "model")
OPENB_PODS = ("name", "num_gpu", "gpu_milli", "creation_time", "deletion_time", "scheduled_time")


class TraceError(Exception):
    """A file is not a trace of the kind that was asked for; the text says which file, line and column."""


@dataclass(frozen=True, slots=True)
class TraceJob:
    """A job as it was submitted, and how long it ran. Times in seconds; ``gpus`` are those on each of its ``nodes``."""

    number: int
    submit_s: float
    run_s: float
    gpus: int
    owner: str
    #: What predictions go by, beside the owner.
    work: str
    requested_s: float
    nodes: int = 1
    gpu_milli: int = WHOLE_GPU

    @property
    def width(self) -> float:
        """GPUs in all; a fraction counts as its share."""
        return self.gpus * self.nodes * self.gpu_milli / WHOLE_GPU


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A node of the pool that a trace is replayed on."""

    name: str
    gpus: int
    gpu_type: str = "GPU"


@dataclass(frozen=True, slots=True)
class Trace:
    """Jobs by submission, the pool, and what was done to the rows on the way."""

    name: str
    jobs: tuple[TraceJob, ...]
    nodes: tuple[TraceNode, ...]
    notes: tuple[str, ...] = ()

    @property
    def gpus(self) -> int:
        return sum(node.gpus for node in self.nodes)

    def first(self, count: int | None) -> Trace:
        """Only its first jobs; all of them for None."""
        return self if count is None else replace(self, jobs=self.jobs[:count])


def pool_of(count: int, gpus: int, gpu_type: str = "GPU") -> tuple[TraceNode, ...]:
    """So many nodes that are all alike."""
    return tuple(TraceNode(f"node-{number:05}", gpus, gpu_type) for number in range(count))


def spread(gpus: int, per_node: int) -> tuple[int, int]:
    """GPUs on each node and nodes for a job of so many GPUs: as few nodes as can share them equally."""
    nodes = -(-gpus // per_node)
    while gpus % nodes:
        nodes += 1
    return gpus // nodes, nodes


class _Row:
    """A row that says where it stands when one of its values is not what it should be."""

    def __init__(self, path: Path, line: int, values: dict[str, str]) -> None:
        self._path, self._line, self._values = path, line, values

    def text(self, column: str) -> str:
        value = (self._values[column] or "").strip()
        if not value:
            raise TraceError(f"{self._path}, line {self._line}: {column} is empty.")
        return value

    def number(self, column: str) -> float:
        value = self.text(column)
        try:
            return float(value)
        except ValueError:
            raise TraceError(f"{self._path}, line {self._line}: {column} is {value!r}, not a number.") from None

    def whole(self, column: str) -> int:
        value = self.number(column)
        if value != int(value):
            raise TraceError(f"{self._path}, line {self._line}: {column} is {value}, not a whole number.")
        return int(value)

    def epoch(self, column: str) -> float:
        value = self.text(column)
        try:
            return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise TraceError(f"{self._path}, line {self._line}: {column} is {value!r}, not a date and time.") from None

    def has(self, column: str) -> bool:
        return bool((self._values[column] or "").strip())


def _rows(path: Path, columns: Sequence[str]) -> Iterator[_Row]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                found = ", ".join(reader.fieldnames or ()) or "nothing"
                raise TraceError(f"{path}: the columns {', '.join(missing)} are missing; its first line has {found}.")
            for values in reader:
                yield _Row(path, reader.line_num, values)
    except FileNotFoundError:
        raise TraceError(f"{path}: there is no such file.") from None
    except UnicodeDecodeError:
        raise TraceError(f"{path}: this is not a text file in UTF-8.") from None


def _numbered(jobs: list[TraceJob]) -> tuple[TraceJob, ...]:
    ordered = sorted(jobs, key=lambda job: (job.submit_s, job.number))
    return tuple(replace(job, number=number) for number, job in enumerate(ordered))


def philly(path: Path, *, nodes: int = 70, gpus_per_node: int = 8) -> Trace:
    """Microsoft's Philly. No limits are in it, so each job is given one by the rule of ``requests``."""
    jobs: list[TraceJob] = []
    for row in _rows(path, PHILLY):
        owner, run_s = row.text("virtual_cluster"), max(1.0, row.number("duration_s"))
        wanted = row.whole("num_gpus")
        gpus, count = spread(wanted, gpus_per_node)
        jobs.append(
            TraceJob(
                number=len(jobs),
                submit_s=row.epoch("submit_time"),
                run_s=run_s,
                gpus=gpus,
                nodes=count,
                owner=owner,
                work=f"{owner}:{wanted}",
                requested_s=requested_s(run_s, len(jobs)),
            )
        )
    return Trace("philly", _numbered(jobs), pool_of(nodes, gpus_per_node), ("limits by the rule of requests.py",))


def wagap(path: Path, *, nodes: int = 26, gpus_per_node: int = 32) -> Trace:
    """MetaCentrum's wagap, whose processors stand for GPUs. Limits are those that its users asked for."""
    jobs: list[TraceJob] = []
    dropped = cut = 0
    for row in _rows(path, WAGAP):
        run_s, limit_s = row.number("run_s"), row.number("requested_s")
        if run_s <= 0 or limit_s <= 0:
            dropped += 1
            continue
        cut += run_s > limit_s
        procs = row.whole("procs")
        gpus, count = spread(procs, gpus_per_node)
        jobs.append(
            TraceJob(
                number=len(jobs),
                submit_s=row.number("submit_epoch_s"),
                run_s=max(1.0, min(run_s, limit_s)),
                gpus=gpus,
                nodes=count,
                owner=row.text("user"),
                work=f"{row.text('user')}:{procs}:{limit_s:.0f}",
                requested_s=limit_s,
            )
        )
    notes = (f"{dropped} rows without a run or a limit left out", f"{cut} runs ended at their limit")
    return Trace("wagap", _numbered(jobs), pool_of(nodes, gpus_per_node), notes)


def openb_nodes(path: Path) -> tuple[TraceNode, ...]:
    """The GPU nodes of Alibaba's trace."""
    rows = _rows(path, OPENB_NODES)
    return tuple(TraceNode(row.text("sn"), row.whole("gpu"), row.text("model")) for row in rows)


def openb(path: Path, *, nodes: int = 4, gpus_per_node: int = 8) -> Trace:
    """The tasks of Alibaba's trace that ask for GPUs; a share of one GPU is a fraction. Limits by rule.

    They kept some thirty GPUs busy at a time, so the timed replay has a small pool; packing uses all nodes.
    """
    jobs: list[TraceJob] = []
    unscheduled = 0
    for row in _rows(path, OPENB_PODS):
        wanted = row.whole("num_gpu")
        if not wanted:
            continue
        run_s = 0.0
        if row.has("scheduled_time") and row.has("deletion_time"):
            run_s = row.number("deletion_time") - row.number("scheduled_time")
        if run_s <= 0:
            unscheduled += 1
            run_s = 1.0
        milli = row.whole("gpu_milli") if wanted == 1 else WHOLE_GPU
        gpus, count = spread(wanted, gpus_per_node)
        jobs.append(
            TraceJob(
                number=len(jobs),
                submit_s=row.number("creation_time"),
                run_s=run_s,
                gpus=gpus,
                nodes=count,
                gpu_milli=milli,
                owner=f"{wanted}x{milli}",
                work=f"{wanted}x{milli}",
                requested_s=requested_s(run_s, len(jobs)),
            )
        )
    notes = (
        f"{unscheduled} tasks that never ran last a second",
        "no users in it: tasks of one size stand for one",
        "limits by the rule of requests.py",
    )
    return Trace("openb", _numbered(jobs), pool_of(nodes, gpus_per_node), notes)
