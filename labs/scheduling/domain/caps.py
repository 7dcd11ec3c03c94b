"""Caps that a start must respect beside room: accounts up the tree, the learner's own, and power per site."""

from __future__ import annotations

from collections.abc import Collection
from itertools import zip_longest

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints, Runs
from labs.scheduling.domain.decisions import WaitReason
from labs.scheduling.domain.fair_share import AccountTree
from labs.scheduling.domain.profile import Profile
from labs.scheduling.domain.snapshot import WHOLE_GPU, AccountState, Id, Snapshot


class Rooms:
    """GPUs that may still be started under each cap, by its number plus one; under no cap at all, which is 0."""

    def __init__(self) -> None:
        self.of: Floats = np.full(64, np.inf)

    def note(self, at: int, room: float) -> None:
        if at >= len(self.of):
            self.of = np.r_[self.of, np.full(len(self.of), np.inf)]
        self.of[at] = room


class Cap:
    """A bound on the GPUs that run at once, of an account (with all below it) or of a learner; or on a sweep's jobs."""

    __slots__ = ("_rooms", "account_id", "is_loaded", "number", "profile", "reason", "runs")

    def __init__(self, number: int, reason: WaitReason, account_id: Id | None, profile: Profile, rooms: Rooms) -> None:
        self._rooms = rooms
        self.number = number
        self.reason = reason
        self.account_id = account_id
        self.profile = profile
        #: What runs under it: predicted end, GPUs, variance of the end. All of it once loaded.
        self.runs: list[tuple[float, float, float]] = []
        self.is_loaded = False
        self.note_room()

    def hold(self, gpus: float, wall_end_at: float, p50_end_at: float, variance: float) -> None:
        """Note that so many GPUs run under it."""
        self.profile.hold(gpus, wall_end_at)
        self.runs.append((p50_end_at, gpus, variance))
        self.note_room()

    def release(self, gpus: float, ends: tuple[float, float, float], *, is_listed: bool) -> None:
        """Note that what ran under it has ended."""
        if is_listed:
            self.profile.release(gpus, ends[0])
            self.runs.remove((ends[1], gpus, ends[2]))
        else:
            self.profile.used -= gpus
        self.note_room()

    def note_room(self) -> None:
        """Bring along the room that ``Caps`` keeps of all caps."""
        self._rooms.note(self.number + 1, self.profile.capacity - self.profile.used)


class Caps:
    """All caps, with the GPUs that run under each. Jobs find theirs by their leaf of the account tree."""

    def __init__(
        self, snapshot: Snapshot, tree: AccountTree, runs: Runs, run_leaves: Ints, per_learner: int | None, now: float
    ) -> None:
        self._accounts = {account.id: account for account in snapshot.accounts}
        self._tree, self._runs, self._now = tree, runs, now
        self._per_learner = per_learner
        self.all: list[Cap] = []
        #: GPUs that may still be started under no cap at all, and under each.
        self._rooms = Rooms()
        #: A column for each leaf: the numbers of its caps plus one, filled up with 0.
        self._chain_of_leaf: Ints = np.zeros((1, 0), dtype=np.int64)
        self._label_of_cap: Ints = np.zeros(1, dtype=np.int64)
        self._label_of_leaf: Ints = np.zeros(0, dtype=np.int64)
        #: Runs of the snapshot that have ended since.
        self._over_by_now: set[int] = set()
        self._of_account: dict[Id, Cap] = {}
        self._of_learner: dict[Id, Cap] = {}
        self._chains: dict[Id, tuple[Cap, ...]] = {}
        self._leaves_under: list[list[int]] = []
        self._over: dict[int, tuple[Cap, ...]] = {}
        self._of_group: dict[Id, Cap] = {}
        self._runs_of_group: dict[Id, list[int]] = {}
        for account in snapshot.accounts:
            if account.max_running_gpus is not None:
                self._of_account[account.id] = self._make(WaitReason.ACCOUNT_CAP, account.id, account.max_running_gpus)
        if self.all or per_learner is not None:
            self._count(run_leaves)

    def _make(self, reason: WaitReason, account_id: Id | None, cap: int) -> Cap:
        made = Cap(len(self.all), reason, account_id, Profile(cap, self._now), self._rooms)
        self.all.append(made)
        self._leaves_under.append([])
        return made

    def _count(self, run_leaves: Ints) -> None:
        """Sum up the GPUs that run, leaf by leaf, and keep which runs are of which leaf."""
        self._by_leaf = np.argsort(run_leaves, kind="stable")
        self._sorted_leaves = run_leaves[self._by_leaf]
        leaves, first = np.unique(self._sorted_leaves, return_index=True)
        gpus = np.add.reduceat(self._runs.units[self._by_leaf], first) if len(leaves) else first
        for leaf, used in zip(leaves.tolist(), gpus.tolist(), strict=True):
            for cap in self.over(leaf):
                cap.profile.used += used
                cap.note_room()
                self._leaves_under[cap.number].append(leaf)

    def loaded(self, cap: Cap) -> Cap:
        """The cap with the ends of all that runs under it. Most caps never block anybody and are never asked."""
        if not cap.is_loaded:
            leaves = np.array(self._leaves_under[cap.number], dtype=np.int64)
            begin = np.searchsorted(self._sorted_leaves, leaves, side="left").tolist()
            end = np.searchsorted(self._sorted_leaves, leaves, side="right").tolist()
            chosen = [i for a, b in zip(begin, end, strict=True) for i in self._by_leaf[a:b].tolist()]
            if self._over_by_now:
                chosen = [i for i in chosen if i not in self._over_by_now]
            runs, gpus = self._runs, self._runs.units[chosen].tolist()
            cap.profile.preload(list(zip(runs.wall_end_at[chosen].tolist(), gpus, strict=True)))
            ends, variance = runs.p50_end_at[chosen].tolist(), runs.variance[chosen].tolist()
            cap.runs += zip(ends, gpus, variance, strict=True)
            cap.is_loaded = True
        return cap

    def over(self, leaf: int) -> tuple[Cap, ...]:
        """The caps that a job of this leaf is under, the nearest account first, the learner's last."""
        found = self._over.get(leaf)
        if found is None:
            account_id, owner_id = self._tree.leaves[leaf - self._tree.first_leaf]
            found = self._chain(account_id)
            if self._per_learner is not None:
                learner = self._of_learner.get(owner_id)
                if learner is None:
                    learner = self._of_learner[owner_id] = self._make(WaitReason.LEARNER_CAP, None, self._per_learner)
                found = (*found, learner)
            self._over[leaf] = found
        return found

    def _chain(self, account_id: Id) -> tuple[Cap, ...]:
        chain = self._chains.get(account_id)
        if chain is None:
            account: AccountState = self._accounts[account_id]
            own = self._of_account.get(account_id)
            above = () if account.parent_id is None else self._chain(account.parent_id)
            chain = self._chains[account_id] = above if own is None else (own, *above)
        return chain

    def closed_account(self, account_id: Id) -> Id | None:
        """The nearest account at or above this one that is closed, None if all are open."""
        at: Id | None = account_id
        while at is not None:
            account = self._accounts[at]
            if not account.is_open:
                return at
            at = account.parent_id
        return None

    def of_group(self, group_id: Id, most: int) -> Cap:
        """The cap on how many jobs of a sweep run at once; its units are jobs."""
        cap = self._of_group.get(group_id)
        if cap is None:
            if not self._runs_of_group:
                for i, run in enumerate(self._runs.runs):
                    if run.group_id is not None:
                        self._runs_of_group.setdefault(run.group_id, []).append(i)
            cap = self._of_group[group_id] = self._make(WaitReason.GROUP_CAP, None, most)
            cap.is_loaded = True
            for i in self._runs_of_group.get(group_id, ()):
                ends = float(self._runs.wall_end_at[i]), float(self._runs.p50_end_at[i]), float(self._runs.variance[i])
                cap.hold(1, *ends)
        return cap

    def end(self, run: int | None, leaf: int, gpus: float, ends: tuple[float, float, float]) -> None:
        """Give back what a run held under its caps; ``run`` is its number if the snapshot had it."""
        if run is not None:
            self._over_by_now.add(run)
        for cap in self.over(leaf):
            cap.release(gpus, ends, is_listed=run is None or cap.is_loaded)

    def spares(self, leaves: Ints, apart_from: Collection[Cap] = ()) -> Floats:
        """GPUs that may still be started at most for a job of each of these leaves, as far as caps of accounts and
        learners go."""
        self._chain_leaves()
        rooms = self._rooms.of
        if apart_from:
            rooms = rooms.copy()
            rooms[[cap.number + 1 for cap in apart_from]] = np.inf
        at = leaves - self._tree.first_leaf
        if len(at) < len(self._tree.leaves):
            return rooms[self._chain_of_leaf[:, at]].min(axis=0)
        return rooms[self._chain_of_leaf].min(axis=0)[at]

    def neighbourhoods(self, leaves: Ints) -> Ints:
        """For each of these leaves a number that it shares with all whose jobs could bear upon its own by caps, at once
        or by way of others; 0 for a leaf under no cap."""
        self._chain_leaves()
        return self._label_of_leaf[leaves - self._tree.first_leaf]

    def _chain_leaves(self) -> None:
        """Write down the caps of the leaves that have joined the tree since."""
        (rows, known), leaves = self._chain_of_leaf.shape, len(self._tree.leaves)
        if known == leaves:
            return
        chains = [self.over(self._tree.first_leaf + at) for at in range(known, leaves)]
        made = np.zeros((max(rows, *map(len, chains)), leaves), dtype=np.int64)
        made[:rows, :known] = self._chain_of_leaf
        numbers = [[cap.number + 1 for cap in chain] for chain in chains]
        for row, of_row in enumerate(zip_longest(*numbers, fillvalue=0)):
            made[row, known:] = of_row
        self._chain_of_leaf = made
        self._label_caps(chains)

    def _label_caps(self, chains: list[tuple[Cap, ...]]) -> None:
        """Give caps that some leaf is under both of one label, and each leaf that of its caps."""
        of_cap = np.arange(len(self.all) + 1)
        of_cap[: len(self._label_of_cap)] = self._label_of_cap
        for numbers in {tuple(cap.number + 1 for cap in chain) for chain in chains if len(chain) > 1}:
            labels = of_cap[list(numbers)]
            if (labels != labels[0]).any():
                of_cap[np.isin(of_cap, labels)] = labels.min()
        self._label_of_cap = of_cap
        self._label_of_leaf = of_cap[self._chain_of_leaf[0]]


def site_power(snapshot: Snapshot, runs: Runs, now: float) -> dict[Id, Profile]:
    """For each site with a power cap what it draws, in watts, and until when at most."""
    power = {
        site.id: Profile(site.power_cap_w, now, used=site.base_power_w)
        for site in snapshot.sites
        if site.power_cap_w is not None
    }
    if power:
        nodes = {node.id: node for node in snapshot.nodes if node.site_id in power}
        for run, until_at in zip(runs.runs, runs.wall_end_at.tolist(), strict=True):
            for part in run.places:
                node = nodes.get(part.node_id)
                if node is not None:
                    gpus = len(part.gpu_indices) * run.gpu_milli / WHOLE_GPU
                    power[node.site_id].hold(gpus * node.watts_per_gpu, until_at)
    return power
