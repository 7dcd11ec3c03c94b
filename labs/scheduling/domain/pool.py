"""The nodes while a plan is made: free GPUs by how well they fit, and when each GPU comes free."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import NamedTuple

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints, Runs, Spec, id_key
from labs.scheduling.domain.decisions import WaitReason
from labs.scheduling.domain.profile import Profile
from labs.scheduling.domain.snapshot import Id, NodeState, Snapshot


class Shape(NamedTuple):
    """What nodes of one group have in common."""

    memory_mib: int
    gpu_type: str
    watts: float
    site: Id


class Group:
    """Usable nodes of one shape. ``buckets[k]`` are the rows of the nodes with exactly k GPUs free, in node order."""

    __slots__ = ("buckets", "power", "shape")

    def __init__(self, shape: Shape, widest: int, power: Profile | None) -> None:
        self.shape = shape
        self.power = power
        self.buckets: list[list[int]] = [[] for _ in range(widest + 1)]


class Guard:
    """What is promised on one node: by wall limits, which is a guarantee, and by predictions, which is a hope."""

    __slots__ = ("by_prediction", "by_wall")

    def __init__(self, by_wall: Profile, by_prediction: Profile) -> None:
        self.by_wall = by_wall
        self.by_prediction = by_prediction

    def refused_for(self, gpus: int, wall_end_at: float, p90_end_at: float) -> Id | None:
        """The job whose promise a start would break, None if it breaks none."""
        refused = self.by_wall.refused_for(gpus, wall_end_at)
        return self.by_prediction.refused_for(gpus, p90_end_at) if refused is None else refused

    def hold(self, gpus: int, wall_end_at: float, p50_end_at: float) -> None:
        """Note a start on the node."""
        self.by_wall.hold(gpus, wall_end_at)
        self.by_prediction.hold(gpus, p50_end_at)


class Pool:
    """All nodes as rows in one canonical order. Rows of nodes that may start nothing belong to no group.

    ``wall_end`` and ``p50_end`` have a row for each node and a column for each of its GPUs: when it comes free, by wall
    limits and by predictions, soonest first (``now`` if free, infinite if broken or not there). Column ``g - 1`` is
    thus when g GPUs are free together. ``variance`` goes with ``p50_end``.
    """

    def __init__(self, snapshot: Snapshot, runs: Runs, power: dict[Id, Profile], now: float) -> None:
        self.now = now
        self.nodes: list[NodeState] = sorted(snapshot.nodes, key=lambda node: (node.name, id_key(node.id)))
        self.row_of = {node.id: row for row, node in enumerate(self.nodes)}
        self.free: list[list[int]] = [sorted(node.free_gpus) for node in self.nodes]
        self._closed = {site.id for site in snapshot.sites if not site.is_open}
        self._power = power
        self._group()
        self._lay_out(runs)

    def _group(self) -> None:
        groups: dict[Shape, Group] = {}
        self.widest_of: dict[tuple[Shape, bool], int] = {}
        self.group_of: list[Group | None] = []
        widest = max((max(node.gpus_total, len(node.free_gpus)) for node in self.nodes), default=0)
        for row, node in enumerate(self.nodes):
            shape = Shape(node.gpu_memory_mib, node.gpu_type, node.watts_per_gpu, node.site_id)
            kind = (shape, node.is_schedulable)
            self.widest_of[kind] = max(self.widest_of.get(kind, 0), node.gpus_total)
            if not node.is_schedulable or node.site_id in self._closed:
                self.group_of.append(None)
                continue
            group = groups.get(shape)
            if group is None:
                group = groups[shape] = Group(shape, widest, self._power.get(node.site_id))
            group.buckets[len(self.free[row])].append(row)
            self.group_of.append(group)
        self.groups = sorted(
            groups.values(), key=lambda g: (g.shape[:3], id_key(g.shape.site))
        )  # the GPU with the least memory first: the scarce ones stay for those that need them
        number = {id(group): i for i, group in enumerate(self.groups)}
        self.group_number: Ints = np.array([-1 if g is None else number[id(g)] for g in self.group_of], dtype=np.int64)
        self.widest_free = self.columns = widest

    def _lay_out(self, runs: Runs) -> None:
        free = np.array([len(gpus) for gpus in self.free], dtype=np.int64)
        row: Ints = np.array([self.row_of.get(run.node_id, -1) for run in runs.runs], dtype=np.int64)
        here = np.flatnonzero(row >= 0)
        units = runs.gpus[here]
        at = np.repeat(row[here], units)
        held = np.bincount(at, minlength=len(free)) if len(at) else np.zeros(len(free), dtype=np.int64)
        self.columns = max(self.columns, int((free + held).max(initial=0)))
        self.wall_end, _ = self._matrix(free, at, np.repeat(runs.wall_end_at[here], units))
        self.p50_end, (rows, columns, entry) = self._matrix(free, at, np.repeat(runs.p50_end_at[here], units))
        self.variance = np.zeros(self.p50_end.shape)
        self.variance[rows, columns] = np.repeat(runs.variance[here], units)[entry]

    def _matrix(self, free: Ints, at: Ints, ends: Floats) -> tuple[Floats, tuple[Ints, Ints, Ints]]:
        """Lay out when GPUs come free, and say (row, column, entry) of each one that is held."""
        matrix = np.full((len(free), self.columns), np.inf)
        matrix[np.arange(self.columns)[None, :] < free[:, None]] = self.now
        order = np.lexsort((ends, at))
        rows = at[order]
        counts = np.bincount(rows, minlength=len(free)) if len(rows) else np.zeros(len(free), dtype=np.int64)
        columns = free[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        matrix[rows, columns] = ends[order]
        return matrix, (rows, columns, order)

    def fits(self, shape: Shape, spec: Spec) -> bool:
        """True if GPUs of this shape are what the spec asks for."""
        return (
            (spec.gpu_type is None or spec.gpu_type == shape.gpu_type)
            and (spec.min_gpu_memory_mib is None or spec.min_gpu_memory_mib <= shape.memory_mib)
            and (spec.site_id is None or spec.site_id == shape.site)
        )

    def never(self, spec: Spec, gpus: int) -> WaitReason | None:
        """Why no node can run this as the pool stands, even if all of it were idle; None if one can."""
        able = [kind for kind, widest in self.widest_of.items() if widest >= gpus and self.fits(kind[0], spec)]
        if not able:
            return WaitReason.NO_SUCH_NODE
        if all(shape.site in self._closed for shape, _ in able):
            return WaitReason.SITE_CLOSED
        if not any(is_schedulable for shape, is_schedulable in able if shape.site not in self._closed):
            return WaitReason.NODES_DRAINING
        return None

    def widest(self, spec: Spec) -> int:
        """The most GPUs that any node has of those the spec asks for, usable now or not."""
        return max((widest for (shape, _), widest in self.widest_of.items() if self.fits(shape, spec)), default=0)

    def tiers(self, spec: Spec, preferred_site: Id | None) -> list[list[Group]]:
        """The groups that the spec may use, best first; within a tier the closest fit decides."""
        tiers: dict[tuple[bool, int], list[Group]] = {}
        for group in self.groups:
            if self.fits(group.shape, spec):
                tiers.setdefault((group.shape.site != preferred_site, group.shape.memory_mib), []).append(group)
        return [tiers[key] for key in sorted(tiers)]

    def most_free(self, spec: Spec) -> tuple[int, int]:
        """The most GPUs free on one node, and the GPUs free on all nodes, that the spec may use."""
        groups = [group for group in self.groups if self.fits(group.shape, spec)]
        best = max((k for group in groups for k, rows in enumerate(group.buckets) if rows), default=0)
        return best, sum(k * len(rows) for group in groups for k, rows in enumerate(group.buckets))

    def take(self, row: int, gpus: int, wall_end_at: float, p50_end_at: float, variance: float) -> tuple[int, ...]:
        """Take the lowest free GPUs of a node, and return their indices. Raises ValueError if it may start nothing."""
        group = self.group_of[row]
        if group is None:
            raise ValueError(f"Node {self.nodes[row].id} may start nothing.")
        free = self.free[row]
        taken, self.free[row] = tuple(free[:gpus]), free[gpus:]
        bucket = group.buckets[len(free)]
        del bucket[bisect_left(bucket, row)]
        insort(group.buckets[len(free) - gpus], row)
        if group.power is not None:
            group.power.hold(gpus * group.shape.watts, wall_end_at)
        self.wall_end[row, :gpus] = wall_end_at
        self.wall_end[row].sort()
        self.p50_end[row, :gpus] = p50_end_at
        self.variance[row, :gpus] = variance
        resort(self.p50_end, self.variance, row)
        return taken

    def guard(self, row: int) -> Guard:
        """What is held on a node, ready to take promises."""
        return Guard(self._profile(self.wall_end[row]), self._profile(self.p50_end[row]))

    def _profile(self, ends: Floats) -> Profile:
        profile = Profile(float(np.isfinite(ends).sum()), self.now)
        for end in ends:
            if self.now < end < math.inf:
                profile.hold(1, float(end))
        return profile


def resort(ends: Floats, variance: Floats, row: int) -> None:
    """Put a node's GPUs back in the order in which they come free."""
    order = np.argsort(ends[row], kind="stable")
    ends[row] = ends[row][order]
    variance[row] = variance[row][order]
