"""The nodes while a plan is made: free GPUs by how well they fit, and when each GPU comes free."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import NamedTuple

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints, Runs, Spec, id_key
from labs.scheduling.domain.profile import Profile
from labs.scheduling.domain.shared import Shared, SharedGpus, Tenant
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, NodeState, RunningJob, Snapshot


class Shape(NamedTuple):
    """What nodes of one group have in common."""

    memory_mib: int
    gpu_type: str
    watts: float
    site: Id
    is_shareable: bool = True

    @property
    def family(self) -> tuple[Id, str]:
        """Nodes that a gang may be put together from: one site, one type."""
        return self.site, self.gpu_type

    def fits(self, spec: Spec) -> bool:
        """True if GPUs of this shape are what the spec asks for."""
        return (
            (spec.gpu_type is None or spec.gpu_type == self.gpu_type)
            and (spec.min_gpu_memory_mib is None or spec.min_gpu_memory_mib <= self.memory_mib)
            and (spec.site_id is None or spec.site_id == self.site)
            and (self.is_shareable or not spec.is_share)
        )


class Group:
    """Usable nodes of one shape. ``buckets[k]`` are the rows of the nodes with exactly k GPUs free, in node order."""

    __slots__ = ("buckets", "number", "power", "shape")

    def __init__(self, shape: Shape, widest: int, power: Profile | None) -> None:
        self.shape = shape
        self.power = power
        self.number = -1
        self.buckets: list[list[int]] = [[] for _ in range(widest + 1)]

    def with_free(self, gpus: int) -> int:
        """How many nodes have so many GPUs free."""
        return sum(map(len, self.buckets[gpus:]))


class Guard:
    """What is promised on one node: by wall limits, which is a guarantee, and by predictions, which is a hope."""

    __slots__ = ("by_prediction", "by_wall", "is_cleared")

    def __init__(self, by_wall: Profile, by_prediction: Profile) -> None:
        #: Runs were asked to end there, so GPUs come free sooner than the pool says.
        self.is_cleared = False
        self.by_wall = by_wall
        self.by_prediction = by_prediction

    def profile(self, *, by_wall: bool) -> Profile:
        """What is promised, by wall limits or by predictions."""
        return self.by_wall if by_wall else self.by_prediction

    def refused_for(self, gpus: int, wall_end_at: float, p90_end_at: float, shared: Shared | None = None) -> Id | None:
        """The job whose promise a start would break, None if it breaks none. A shared GPU is held already until its
        other fractions end."""
        held_wall, held_p50 = (shared.wall_end, shared.p50_end) if shared else (-math.inf, -math.inf)
        refused = self.by_wall.refused_for(gpus, wall_end_at, held_wall)
        return self.by_prediction.refused_for(gpus, p90_end_at, held_p50) if refused is None else refused

    def hold(self, gpus: int, wall_end_at: float, p50_end_at: float) -> None:
        """Note a start on the node."""
        self.by_wall.hold(gpus, wall_end_at)
        self.by_prediction.hold(gpus, p50_end_at)

    def clear(self, ends: tuple[float, float], until_at: float) -> None:
        """Note that a GPU held until then (by wall limit, by prediction) is being cleared."""
        self.is_cleared = True
        self.by_wall.shorten(1, ends[0], until_at)
        self.by_prediction.shorten(1, ends[1], until_at)

    def extend(self, shared: Shared, wall_end_at: float, p50_end_at: float) -> None:
        """Note a start on a GPU that is shared already."""
        self.by_wall.extend(1, shared.wall_end, wall_end_at)
        self.by_prediction.extend(1, shared.p50_end, p50_end_at)


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
        self.closed = {site.id for site in snapshot.sites if not site.is_open}
        self._power = power
        self._group()
        self._share(runs)
        self._lay_out(runs)

    def _group(self) -> None:
        groups: dict[Shape, Group] = {}
        #: For each shape, and whether it is schedulable: how many nodes have so many GPUs.
        self.sizes: dict[tuple[Shape, bool], dict[int, int]] = {}
        self.group_of: list[Group | None] = []
        widest = max((max(node.gpus_total, len(node.free_gpus)) for node in self.nodes), default=0)
        for row, node in enumerate(self.nodes):
            shape = Shape(node.gpu_memory_mib, node.gpu_type, node.watts_per_gpu, node.site_id, node.is_shareable)
            sizes = self.sizes.setdefault((shape, node.is_schedulable), {})
            sizes[node.gpus_total] = sizes.get(node.gpus_total, 0) + 1
            if not node.is_schedulable or node.site_id in self.closed:
                self.group_of.append(None)
                continue
            group = groups.get(shape)
            if group is None:
                group = groups[shape] = Group(shape, widest, self._power.get(node.site_id))
            group.buckets[len(self.free[row])].append(row)
            self.group_of.append(group)
        self.groups = sorted(
            groups.values(), key=lambda g: (g.shape[:3], id_key(g.shape.site), g.shape.is_shareable)
        )  # the GPU with the least memory first: the scarce ones stay for those that need them
        for number, group in enumerate(self.groups):
            group.number = number
        #: GPUs of the nodes that may start something, busy ones too.
        self.gpus = sum(node.gpus_total for node, group in zip(self.nodes, self.group_of, strict=True) if group)
        self.group_number: Ints = np.array([-1 if g is None else g.number for g in self.group_of], dtype=np.int64)
        self.widest_free = self.columns = widest

    def _share(self, runs: Runs) -> None:
        """Find the GPUs that fractions share."""
        self.shared = SharedGpus(len(self.groups))
        fractions: dict[int, list[tuple[RunningJob, float, float, float]]] = {}
        for i in np.flatnonzero(runs.milli < WHOLE_GPU).tolist():
            row = self.row_of.get(runs.runs[i].node_id)
            if row is not None:
                held = float(runs.wall_end_at[i]), float(runs.p50_end_at[i]), float(runs.variance[i])
                fractions.setdefault(row, []).append((runs.runs[i], *held))
        for row, node in enumerate(self.nodes):
            if node.partly_free or row in fractions:
                self.shared.load(row, node, fractions.get(row, []), self.now)
        for shared in self.shared.at.values():
            group = self.group_of[shared.row]
            if group is not None:
                self.shared.offer(group.number, shared)

    def _lay_out(self, runs: Runs) -> None:
        free = np.array([len(gpus) for gpus in self.free], dtype=np.int64)
        whole = np.flatnonzero(runs.milli >= WHOLE_GPU)
        further = [(i, self.row_of.get(part.node_id, -1), len(part.gpu_indices)) for i, part in runs.further]
        rows = [self.row_of.get(runs.runs[i].node_id, -1) for i in whole.tolist()]
        run: Ints = np.r_[whole, np.array([i for i, _, _ in further], dtype=np.int64)]
        row: Ints = np.r_[np.array(rows, dtype=np.int64), np.array([r for _, r, _ in further], dtype=np.int64)]
        units: Ints = np.r_[runs.gpus[whole], np.array([gpus for _, _, gpus in further], dtype=np.int64)]
        is_here = row >= 0
        run, row, units = run[is_here], row[is_here], units[is_here]
        shared = list(self.shared.at.values())
        at: Ints = np.r_[np.repeat(row, units), np.array([one.row for one in shared], dtype=np.int64)]
        held = np.bincount(at, minlength=len(free)) if len(at) else np.zeros(len(free), dtype=np.int64)
        self.columns = max(self.columns, int((free + held).max(initial=0)))

        def of_each(of_runs: Floats, name: str) -> Floats:
            return np.r_[np.repeat(of_runs[run], units), np.array([getattr(one, name) for one in shared])]

        variance = of_each(runs.variance, "variance")
        nobody = np.full((len(free), self.columns), np.inf)
        nobody[np.arange(self.columns)[None, :] < free[:, None]] = self.now
        # Who holds GPUs of a row comes after its free ones, in any order: the rows are short, so each is sorted alone.
        order = np.argsort(at, kind="stable")
        at_row = at[order]
        columns = free[at_row] + np.arange(len(at_row)) - np.repeat(np.cumsum(held) - held, held)

        def laid_out(matrix: Floats, of_entry: Floats) -> Floats:
            matrix[at_row, columns] = of_entry[order]
            return matrix

        self.wall_end = np.sort(laid_out(nobody.copy(), of_each(runs.wall_end_at, "wall_end")), axis=1)
        p50_end = laid_out(nobody, of_each(runs.p50_end_at, "p50_end"))
        spread = laid_out(np.zeros(nobody.shape), variance)
        by_end = np.lexsort((spread, p50_end), axis=1)
        self.p50_end = np.take_along_axis(p50_end, by_end, axis=1)
        self.variance = np.take_along_axis(spread, by_end, axis=1)

    def take(self, row: int, gpus: int, wall_end_at: float, p50_end_at: float, variance: float) -> tuple[int, ...]:
        """Take the lowest free GPUs of a node, and return their indices. Raises ValueError if it may start nothing."""
        group = self._usable(row)
        free = self.free[row]
        taken, self.free[row] = tuple(free[:gpus]), free[gpus:]
        bucket = group.buckets[len(free)]
        del bucket[bisect_left(bucket, row)]
        insort(group.buckets[len(free) - gpus], row)
        self.wall_end[row, :gpus] = wall_end_at
        self.wall_end[row].sort()
        self.p50_end[row, :gpus] = p50_end_at
        self.variance[row, :gpus] = variance
        resort(self.p50_end, self.variance, row)
        return taken

    def give_back(
        self, row: int, gpus: tuple[int, ...], wall_end_at: float, p50_end_at: float, variance: float
    ) -> None:
        """Let GPUs that were held whole until then be free now."""
        group, free = self.group_of[row], self.free[row]
        if group is not None:
            bucket = group.buckets[len(free)]
            del bucket[bisect_left(bucket, row)]
            insort(group.buckets[len(free) + len(gpus)], row)
        self.free[row] = sorted([*free, *gpus])
        held = np.flatnonzero(self.wall_end[row] == wall_end_at)[: len(gpus)]
        self.wall_end[row, held] = self.now
        self.wall_end[row].sort()
        likely = (self.p50_end[row] == p50_end_at) & (self.variance[row] == variance)
        held = np.flatnonzero(likely)[: len(gpus)]
        self.p50_end[row, held], self.variance[row, held] = self.now, 0.0
        resort(self.p50_end, self.variance, row)

    def share(
        self, row: int, milli: int, memory_mib: int, tenant: Tenant, ends: tuple[float, float, float]
    ) -> tuple[int, ...]:
        """Take a fraction of the lowest free GPU of a node; ``ends`` are wall end, P50 end and its variance."""
        group = self._usable(row)
        (index,) = self.take(row, 1, *ends)
        shared = self.shared.open(group.number, row, index, group.shape.memory_mib, tenant)
        shared.hold(*ends)
        self.shared.take(group.number, shared, milli, memory_mib)
        return (index,)

    def join(self, shared: Shared, milli: int, memory_mib: int, ends: tuple[float, float, float]) -> tuple[int, ...]:
        """Take a fraction of a GPU that is shared already."""
        row = shared.row
        self.shared.take(self._usable(row).number, shared, milli, memory_mib)
        wall, p50, variance = shared.wall_end, shared.p50_end, shared.variance
        shared.hold(*ends)
        shared.is_joined = True
        if shared.wall_end > wall:
            self.wall_end[row, int(np.flatnonzero(self.wall_end[row] == wall)[0])] = shared.wall_end
            self.wall_end[row].sort()
        if (shared.p50_end, shared.variance) != (p50, variance):
            held = (self.p50_end[row] == p50) & (self.variance[row] == variance)
            column = int(np.flatnonzero(held)[0])
            self.p50_end[row, column], self.variance[row, column] = shared.p50_end, shared.variance
            resort(self.p50_end, self.variance, row)
        return (shared.index,)

    def _usable(self, row: int) -> Group:
        group = self.group_of[row]
        if group is None:
            raise ValueError(f"Node {self.nodes[row].id} may start nothing.")
        return group

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
    order = np.lexsort((variance[row], ends[row]))
    ends[row] = ends[row][order]
    variance[row] = variance[row][order]
