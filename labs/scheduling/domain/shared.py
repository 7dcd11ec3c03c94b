"""GPUs that fractions share: what is left of each, for whom, and until when it is held."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, NodeState, RunningJob


class Tenant(NamedTuple):
    """Whose fractions may share a GPU. They are kept apart, so that a GPU is given back, cleared or kept as a whole."""

    reservation_id: Id | None = None
    is_borrowed: bool = False
    is_preemptible: bool = False


class Shared:
    """One shared GPU. It is held until the last of its fractions ends."""

    __slots__ = (
        "free_memory_mib",
        "free_milli",
        "index",
        "is_ending",
        "is_joined",
        "p50_end",
        "row",
        "tenant",
        "variance",
        "wall_end",
    )

    def __init__(self, row: int, index: int, free_milli: int, free_memory_mib: int, tenant: Tenant) -> None:
        self.row, self.index = row, index
        self.free_milli, self.free_memory_mib = free_milli, free_memory_mib
        self.tenant = tenant
        self.wall_end = self.p50_end = self.variance = 0.0
        #: What runs on it was asked to end, all of it: nobody may join.
        self.is_ending = False
        #: A share of it was started in this pass, so it does not come free when the runs of before end.
        self.is_joined = False

    def hold(self, wall_end: float, p50_end: float, variance: float) -> None:
        """Let a fraction hold it until then, too."""
        self.wall_end = max(self.wall_end, wall_end)
        if (p50_end, variance) > (self.p50_end, self.variance):
            self.p50_end, self.variance = p50_end, variance

    def take(self, milli: int, memory_mib: int) -> None:
        """Use a share of what is left."""
        self.free_milli -= milli
        self.free_memory_mib -= memory_mib

    @property
    def key(self) -> tuple[int, int, int]:
        """How it is sorted among those of its group."""
        return self.free_milli, self.row, self.index


class SharedGpus:
    """All shared GPUs, and for each group of nodes those with something left, the fullest first."""

    def __init__(self, groups: int) -> None:
        self.at: dict[tuple[int, int], Shared] = {}
        self._of_group: list[list[tuple[int, int, int]]] = [[] for _ in range(groups)]

    def load(self, row: int, node: NodeState, runs: list[tuple[RunningJob, float, float, float]], now: float) -> None:
        """Note a node's shared GPUs: those that the edge names, and those of the runs (run, wall end, P50 end,
        variance) that hold a fraction there."""
        left = {index: (milli, memory) for index, milli, memory in node.partly_free}
        tenants = {
            run.gpu_indices[0]: Tenant(run.reservation_id, run.is_borrowed, run.is_preemptible) for run, *_ in runs
        }
        for index in sorted({*left, *tenants}):
            milli, memory = left.get(index, (0, 0))
            shared = self.at[row, index] = Shared(row, index, milli, memory, tenants.get(index, Tenant()))
            shared.hold(now + 1.0, now + 1.0, 0.0)
        for run, wall_end, p50_end, variance in runs:
            self.at[row, run.gpu_indices[0]].hold(wall_end, p50_end, variance)
        for index in {run.gpu_indices[0] for run, *_ in runs if run.is_ending}:
            self.at[row, index].is_ending = True

    def offer(self, group: int, shared: Shared) -> None:
        """Let others of the same tenant use what is left."""
        if shared.free_milli > 0 and not shared.is_ending:
            insort(self._of_group[group], shared.key)

    def open(self, group: int, row: int, index: int, memory_mib: int, tenant: Tenant) -> Shared:
        """Make a whole free GPU a shared one."""
        shared = self.at[row, index] = Shared(row, index, WHOLE_GPU, memory_mib, tenant)
        insort(self._of_group[group], shared.key)
        return shared

    def take(self, group: int, shared: Shared, milli: int, memory_mib: int) -> None:
        """Use a share of one of them."""
        offered = self._of_group[group]
        del offered[bisect_left(offered, shared.key)]
        shared.take(milli, memory_mib)
        self.offer(group, shared)

    def with_room(self, group: int, milli: int) -> list[Shared]:
        """Those of a group with so much left, the fullest first."""
        offered = self._of_group[group]
        return [self.at[row, index] for _, row, index in offered[bisect_left(offered, (milli, -1, -1)) :]]

    def remainders(self, group: int, milli: int) -> list[int]:
        """The different amounts, of at least so many thousandths, that are left on GPUs of a group."""
        offered = self._of_group[group]
        found, at = [], bisect_left(offered, (milli, -1, -1))
        while at < len(offered):
            found.append(offered[at][0])
            at = bisect_left(offered, (found[-1] + 1, -1, -1))
        return found

    def of_remainder(self, group: int, free_milli: int) -> list[Shared]:
        """Those of a group with exactly so much left, in node order."""
        offered = self._of_group[group]
        begin, end = bisect_left(offered, (free_milli, -1, -1)), bisect_left(offered, (free_milli + 1, -1, -1))
        return [self.at[row, index] for _, row, index in offered[begin:end]]
