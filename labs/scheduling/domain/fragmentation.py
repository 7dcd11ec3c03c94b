"""Where a job leaves the least behind that nobody can use: fragmentation over the shapes that jobs ask for.

After Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent"
(USENIX ATC 2023). The fragmentation of a node is the GPU capacity on it that a job drawn from the mix of jobs could
not use, and a job goes where it adds the least. Whole free GPUs are lost to jobs that want more of them on one node; a
shared GPU's rest is lost to jobs that want whole ones, or a larger share. Both parts depend on counts only, so the
order of choice is found once for each width, not for each node.
"""

from __future__ import annotations

import numpy as np

from labs.scheduling.domain.backlog import Backlog, Ints, Runs
from labs.scheduling.domain.snapshot import WHOLE_GPU


class Mix:
    """The shapes asked for by what waits and what runs, as shares of all jobs."""

    def __init__(self, backlog: Backlog, runs: Runs, widest: int) -> None:
        gpus, milli = np.r_[backlog.gpus, runs.gpus], np.r_[backlog.milli, runs.milli]
        is_whole = milli >= WHOLE_GPU
        count = max(1, len(gpus))
        widths = np.bincount(np.minimum(gpus[is_whole], widest + 1), minlength=widest + 2)
        #: For each number of free GPUs the share of jobs that want more whole ones than that on a node.
        wider = (np.cumsum(widths[::-1])[::-1][1:]) / count
        free: Ints = np.arange(widest + 1)
        #: Expected GPUs lost on a node with so many whole free ones.
        self._lost = free * wider[: widest + 1]
        self._whole_share = float(is_whole.sum()) / count
        shares, counts = np.unique(milli[~is_whole], return_counts=True)
        self._shares, self._share_of = shares, counts / count
        self._orders: dict[int, list[int]] = {}
        self._rest_cost: dict[int, float] = {}

    def counts(self, gpus: int) -> list[int]:
        """Numbers of whole free GPUs on a node, best first, from which to take ``gpus``; ties: the closest fit."""
        order = self._orders.get(gpus)
        if order is None:
            free = np.arange(gpus, len(self._lost))
            added = np.round(self._lost[free - gpus] - self._lost[free], 9)
            order = self._orders[gpus] = free[np.lexsort((free, added))].tolist()
        return order

    def rest(self, free_milli: int) -> float:
        """Expected thousandths lost on a shared GPU of which so many are free."""
        cost = self._rest_cost.get(free_milli)
        if cost is None:
            larger = float(self._share_of[self._shares > free_milli].sum())
            cost = self._rest_cost[free_milli] = round(free_milli * (self._whole_share + larger), 6)
        return cost
