"""One replay or one packing, from a file to figures: what a process of ``make replay`` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from labs.scheduling.domain.policy import Policy
from labs.scheduling.replay import packing
from labs.scheduling.replay.baselines import Easy, FirstCome, Greedy
from labs.scheduling.replay.cluster import Cluster
from labs.scheduling.replay.metrics import Coverage, Measures, bounded_slowdown, coverage, measure
from labs.scheduling.replay.multifactor import Multifactor
from labs.scheduling.replay.ours import Ours
from labs.scheduling.replay.simulator import Scheduler, replay
from labs.scheduling.replay.traces import Trace, TraceError, openb, openb_nodes, philly, wagap

#: About so many jobs are asked what they were promised; estimates are made for them alone.
MOST_PROMISES = 10_000

READERS: dict[str, Callable[..., Trace]] = {"philly": philly, "wagap": wagap, "openb": openb}
BASELINES: dict[str, Callable[[Cluster], Scheduler]] = {
    "fifo": FirstCome,
    "greedy": Greedy,
    "easy": Easy,
    "slurm": Multifactor,
}


@dataclass(frozen=True, slots=True)
class Task:
    """One replay: a process does it by itself."""

    kind: str
    path: Path
    policy: str
    interval_s: float
    first: int | None
    nodes: int | None
    gpus_per_node: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay gave, and the waits and slowdowns that are plotted."""

    task: Task
    gpus: int
    notes: tuple[str, ...]
    measures: Measures
    coverage: Coverage | None
    passes: int
    decide_s: float
    longest_queue: int
    waits_s: list[float]
    slowdowns: list[float]


def read(task: Task) -> Trace:
    """The trace of a task, on the pool that was asked for. Raises TraceError."""
    sizes = {"nodes": task.nodes, "gpus_per_node": task.gpus_per_node}
    trace = READERS[task.kind](task.path, **{name: size for name, size in sizes.items() if size})
    return trace.first(task.first)


def run(task: Task) -> Result:
    """Replay a trace under a policy. Raises TraceError."""
    trace = read(task)
    cluster = Cluster([node.gpus for node in trace.nodes])
    too_wide = [job for job in trace.jobs if not cluster.could(job)]
    trace = replace(trace, jobs=tuple(job for job in trace.jobs if cluster.could(job)))
    if not trace.jobs:
        raise TraceError(f"{task.path}: no job of it fits {len(trace.nodes)} nodes.")
    notes = (*trace.notes, f"{len(too_wide)} jobs wider than the pool left out") if too_wide else trace.notes
    every = max(1, len(trace.jobs) // MOST_PROMISES)
    ours = Ours(cluster, trace, Policy(), sample_every=every) if task.policy == "ours" else None
    scheduler: Scheduler = ours or BASELINES[task.policy](cluster)
    done = replay(trace, cluster, scheduler, policy=task.policy, interval_s=task.interval_s)
    waits = [done.started_s[job.number] - job.submit_s for job in trace.jobs]
    runs = [job.run_s for job in trace.jobs]
    return Result(
        task=task,
        gpus=trace.gpus,
        notes=notes,
        measures=measure(done),
        coverage=coverage(ours.promises, task.interval_s) if ours is not None else None,
        passes=done.passes,
        decide_s=done.decide_s,
        longest_queue=done.longest_queue,
        waits_s=waits,
        slowdowns=bounded_slowdown(np.array(waits), np.array(runs)).tolist(),
    )


def packed(pods: Path, nodes_path: Path, seed: int, most: int | None) -> dict[str, packing.Packed]:
    """Unallocated GPUs by policy, for one draw of tasks. Raises TraceError."""
    nodes = openb_nodes(nodes_path)[:most]
    trace = openb(pods, nodes=len(nodes), gpus_per_node=max(node.gpus for node in nodes))
    tasks = packing.tasks_until_full(trace, sum(node.gpus for node in nodes), seed)
    return {
        "ours": packing.pack_planned(nodes, trace, tasks),
        "best-fit": packing.pack(nodes, tasks, packing.best_fit),
        "random": packing.pack(nodes, tasks, packing.random_fit(seed)),
    }


def as_json(result: Result) -> dict[str, object]:
    """A result without what is only plotted."""
    return {
        "trace": result.task.kind,
        "policy": result.task.policy,
        "gpus": result.gpus,
        "interval_s": result.task.interval_s,
        "notes": result.notes,
        "measures": asdict(result.measures),
        "coverage": asdict(result.coverage) if result.coverage is not None else None,
        "passes": result.passes,
        "decide_s": round(result.decide_s, 3),
        "longest_queue": result.longest_queue,
    }
