"""Who goes first: Fair Tree over the account tree with decayed use, charged at once for every start.

Slurm's Fair Tree (Cox and Morrison, 2014) ranks siblings by ``shares / use`` at each level and walks the tree depth
first. We walk it once per job rather than once per pass: the job that is taken charges its predicted GPU-seconds to
its account and all above it before the next is taken (the entry penalty of Kueue's KEP-4136), so that a burst inside
one pass wins nothing. Taking always the sibling of least ``use / weight`` is start-time fair queueing (Goyal, Vin and
Cheng, 1996), and its order can be had by sorting: a child's key before its k-th job depends on its own jobs only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from labs.scheduling.domain import sorting
from labs.scheduling.domain.backlog import Backlog, Floats, Ints, Runs
from labs.scheduling.domain.snapshot import AccountState, Id, PendingJob, RunningJob

LEAST_WEIGHT = 1e-9


def decayed(gpu_seconds: float, age_s: float, half_life_s: float) -> float:
    """What is left of a charge of ``gpu_seconds`` made ``age_s`` seconds ago."""
    return float(gpu_seconds * 2.0 ** (-max(0.0, age_s) / half_life_s))


class Turns(NamedTuple):
    """When each waiting job's turn is among those of its account's siblings on a level; -2 for jobs above it."""

    level: int
    parent: Ints
    child: Ints
    turn: Floats

    @classmethod
    def of(cls, level: int, size: int, jobs: Ints, parent: Ints, child: Ints, turn: Floats) -> Turns:
        """The turns of these jobs, laid out in the order of all of them."""
        made = cls(level, np.full(size, -2), np.full(size, -2), np.zeros(size))
        made.parent[jobs], made.child[jobs], made.turn[jobs] = parent, child, turn
        return made


class _Leaves(dict[tuple[Id, Id], int]):
    """Numbers of leaves by account and owner; what is asked for first is made."""

    def __init__(self, make: Callable[[Id, Id], int]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: tuple[Id, Id]) -> int:
        number = self[key] = self._make(*key)
        return number


class AccountTree:
    """The tree as arrays. Below each account that has jobs is one leaf for each owner, all of the same weight."""

    def __init__(self, accounts: Sequence[AccountState]) -> None:
        self.number = {account.id: i for i, account in enumerate(accounts)}
        self._parent = [-1 if a.parent_id is None else self.number[a.parent_id] for a in accounts]
        self._weight = [max(a.weight, LEAST_WEIGHT) for a in accounts]
        self._own_use = [float(round(a.decayed_use_gpu_s)) for a in accounts]
        self._leaf = _Leaves(self._grow)
        #: Account and owner of each leaf, by its number less ``first_leaf``.
        self.leaves: list[tuple[Id, Id]] = []
        self.first_leaf = len(accounts)
        self._depth: Ints | None = None

    def leaf(self, account_id: Id, owner_id: Id) -> int:
        """The number of the leaf for this owner below this account; made when first asked for."""
        return self._leaf[account_id, owner_id]

    def leaves_of(self, holders: Sequence[PendingJob | RunningJob]) -> Ints:
        """The leaf of each job or run."""
        keys = map(attrgetter("account_id", "owner_id"), holders)
        return np.fromiter(map(self._leaf.__getitem__, keys), dtype=np.int64, count=len(holders))

    def _grow(self, account_id: Id, owner_id: Id) -> int:
        number = len(self._parent)
        self._parent.append(self.number[account_id])
        self._weight.append(1.0)
        self._own_use.append(0.0)
        self.leaves.append((account_id, owner_id))
        return number

    def charge(self, leaf: int, gpu_seconds: float) -> None:
        """Charge what runs, or has just been started, to a leaf. Whole numbers, so that sums are exact."""
        self._own_use[leaf] += gpu_seconds

    def charge_running(self, runs: Runs) -> Ints:
        """Charge open attempts, each with what it has used or is predicted to use; return the leaf of each."""
        leaves = self.leaves_of(runs.runs)
        charged = np.bincount(leaves, weights=runs.cost_gpu_s, minlength=len(self._own_use))
        self._own_use = (np.array(self._own_use) + charged).tolist()
        return leaves

    def _depths(self) -> Ints:
        if self._depth is not None and len(self._depth) == len(self._parent):
            return self._depth
        depth = [-1] * len(self._parent)
        for start in range(len(depth)):
            path, node = [], start
            while node >= 0 and depth[node] < 0:
                path.append(node)
                node = self._parent[node]
            base = depth[node] if node >= 0 else -1
            for above, seen in enumerate(reversed(path), start=1):
                depth[seen] = base + above
        self._depth = np.array(depth, dtype=np.int64)
        return self._depth

    def use(self) -> Floats:
        """What each account and leaf has used, with all below it."""
        depth, parent = self._depths(), np.array(self._parent, dtype=np.int64)
        use = np.array(self._own_use)
        for level in range(int(depth.max(initial=0)), 0, -1):
            at = np.flatnonzero(depth == level)
            np.add.at(use, parent[at], use[at])
        return use

    def branch(self, leaf: int) -> list[tuple[int, int, float]]:
        """A leaf and all above it, each with its parent (-1 for a root) and its weight."""
        branch, node = [], leaf
        while node >= 0:
            branch.append((node, self._parent[node], self._weight[node]))
            node = self._parent[node]
        return branch

    def fair_order(self, backlog: Backlog, chosen: Ints, turns: list[Turns] | None = None) -> Ints:
        """Positions (0 first) of the ``chosen`` jobs (indices into the backlog) in the fair order.

        Each level's turns are added to ``turns``, the deepest first.

        Level by level from the leaves: within a child the order is known; its jobs get the use the child will have
        when it is their turn; sorting siblings' jobs by that over weight merges them into their parent's order.
        """
        depth, parent = self._depths(), np.array(self._parent, dtype=np.int64)
        weight, use = np.array(self._weight), self.use()
        cost = backlog.cost_gpu_s[chosen]
        node = backlog.leaves[chosen]
        place = np.arange(len(chosen), dtype=np.int64)
        for level in range(int(depth[node].max(initial=0)), -1, -1):
            here = np.flatnonzero(depth[node] == level)
            by_child = here[sorting.by_whole_numbers(node[here], place[here])]
            child = node[by_child]
            before = _sum_before(cost[by_child], child)
            turn = (use[child] + before) / weight[child]
            if turns is not None:
                turns.append(Turns.of(level, len(chosen), by_child, parent[child], child, turn))
            merged = by_child[sorting.by_whole_numbers(parent[child] + 1, sorting.ranks(turn), by_child)]
            place[merged] = np.arange(len(merged))
            node[here] = parent[node[here]]
        return place


def _sum_before(values: Floats, segment: Ints) -> Floats:
    """For each entry the sum of those before it in its run of equal segments."""
    if not len(values):
        return values
    before = np.cumsum(values) - values
    first = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    lengths = np.diff(np.r_[first, len(values)])
    return np.asarray(before - np.repeat(before[first], lengths), dtype=np.float64)
