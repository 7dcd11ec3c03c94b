"""How many GPUs stay unallocated when tasks keep coming and never leave, as the FGD paper measures it.

Weng et al. (ATC 2023, "Beware of Fragmentation", section 6): tasks are drawn from the trace at random and placed one
after another until as many GPUs have been asked for as the cluster has; what is left over by then is fragmentation.
Processors and memory of the nodes are left out here: GPUs alone decide.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from labs.scheduling.domain.policy import Policy
from labs.scheduling.replay.cluster import Cluster, Parts
from labs.scheduling.replay.ours import Ours
from labs.scheduling.replay.traces import Trace, TraceJob, TraceNode

Fit = Callable[[Cluster, TraceJob], Parts | None]


@dataclass(frozen=True, slots=True)
class Packed:
    """The share of GPUs that is not allocated after so much was asked for: (asked ÷ GPUs, unallocated ÷ GPUs)."""

    curve: tuple[tuple[float, float], ...]
    refused: int

    @property
    def unallocated(self) -> float:
        return self.curve[-1][1]


def tasks_until_full(trace: Trace, gpus: int, seed: int) -> list[TraceJob]:
    """Tasks drawn with replacement until together they ask for as many GPUs as there are."""
    rng, drawn, asked = random.Random(seed), list[TraceJob](), 0.0  # noqa: S311
    while asked < gpus:
        job = replace(rng.choice(trace.jobs), number=len(drawn))
        drawn.append(job)
        asked += job.width
    return drawn


def pack(nodes: tuple[TraceNode, ...], tasks: list[TraceJob], fit: Fit, points: int = 100) -> Packed:
    """Place each task where ``fit`` says, or nowhere, in order of arrival."""
    cluster = Cluster([node.gpus for node in nodes])
    asked, refused, curve = 0.0, 0, list[tuple[float, float]]()
    every = max(1, len(tasks) // points)
    for number, task in enumerate(tasks):
        asked += task.width
        parts = fit(cluster, task)
        if parts is None:
            refused += 1
        else:
            cluster.take(task, parts, 0.0)
        if number % every == 0 or number == len(tasks) - 1:
            curve.append((asked / cluster.gpus, 1.0 - cluster.used_gpus / cluster.gpus))
    return Packed(tuple(curve), refused)


def best_fit(cluster: Cluster, task: TraceJob) -> Parts | None:
    """The shared GPU with the least room that will do, else the node with the fewest free GPUs that will."""
    return cluster.fit(task)


def random_fit(seed: int) -> Fit:
    """Any node and GPU that will do."""
    rng = random.Random(seed)  # noqa: S311

    def fit(cluster: Cluster, task: TraceJob) -> Parts | None:
        fitting = [node for bucket in cluster.buckets[task.gpus :] for node in bucket]
        shared = [key for key, free in cluster.partly.items() if free >= task.gpu_milli]
        chosen = rng.randrange(len(fitting) + len(shared)) if fitting or shared else None
        if chosen is None or task.nodes > 1:
            return cluster.fit(task)
        if chosen >= len(fitting):
            node, index = shared[chosen - len(fitting)]
            return ((node, (index,)),)
        return ((fitting[chosen], cluster.lowest(fitting[chosen], task.gpus)),)

    return fit


def pack_planned(nodes: tuple[TraceNode, ...], trace: Trace, tasks: list[TraceJob], batch: int = 50) -> Packed:
    """Let production's ``plan`` place them, so many between two passes; what finds no room then is turned away.

    It knows the shapes that run and wait, as in production, and nothing of those to come.
    """
    cluster = Cluster([node.gpus for node in nodes])
    planner = Ours(cluster, replace(trace, nodes=nodes), Policy(), sample_every=len(tasks) + 1)
    asked, refused, curve = 0.0, 0, list[tuple[float, float]]()
    for first in range(0, len(tasks), batch):
        coming = {task.number for task in tasks[first : first + batch]}
        for task in tasks[first : first + batch]:
            asked += task.width
            planner.submitted(replace(task, submit_s=0.0))
        for task, parts in planner.decide(0.0):
            cluster.take(task, parts, 0.0)
            coming.discard(task.number)
        for number in coming:
            planner.forget(number)
        refused += len(coming)
        curve.append((asked / cluster.gpus, 1.0 - cluster.used_gpus / cluster.gpus))
    return Packed(tuple(curve), refused)
