"""One walk down the ordered queue: start what fits, promise GPUs to the first that are blocked, let others fill in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from labs.scheduling.domain.backlog import Backlog, Bools, Ints, Runs, Spec
from labs.scheduling.domain.caps import Cap, Caps, site_power
from labs.scheduling.domain.decisions import Reservation, Start, WaitReason
from labs.scheduling.domain.fair_share import AccountTree
from labs.scheduling.domain.order import Priorities
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.pool import Group, Guard, Pool
from labs.scheduling.domain.profile import Profile
from labs.scheduling.domain.snapshot import Id, Snapshot


@dataclass(slots=True)
class Blocks:
    """What one walk found about those that did not start. Jobs and classes are indices into the backlog."""

    #: The cap that stopped the job.
    caps: dict[int, Cap] = field(default_factory=dict)
    #: The site whose power stopped the class.
    power: dict[int, Id] = field(default_factory=dict)
    #: The job whose promise stopped the class.
    refused_for: dict[int, Id] = field(default_factory=dict)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    #: The node where a blocked job is expected to start, which may be another than the reserved one.
    expected_node: dict[int, Id] = field(default_factory=dict)
    #: Wall and P90 seconds for which a class was refused; a longer run of the class is refused too.
    refused: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    #: Specs of blocked jobs so far: a later start that competes with one of them is a backfill.
    specs: set[int] = field(default_factory=set)
    guards: dict[int, Guard] = field(default_factory=dict)


class Dispatch:
    """The snapshot, indexed, and changed as jobs start."""

    def __init__(self, snapshot: Snapshot, policy: Policy, now: float) -> None:
        self.policy, self.now = policy, now
        self.backlog = Backlog(snapshot.pending)
        runs = Runs(snapshot.running, now)
        self.power = site_power(snapshot, runs, now)
        self.pool = Pool(snapshot, runs, self.power, now)
        self.tree = AccountTree(snapshot.accounts)
        run_leaves = self.tree.charge_running(runs)
        self.caps = Caps(snapshot, self.tree, runs, run_leaves, policy.max_running_gpus_per_learner, now)
        self.leaves: Ints = np.array(
            [self.tree.leaf(job.account_id, job.owner_id) for job in self.backlog.jobs], dtype=np.int64
        )
        self.compete = self._competition()
        self.starts: dict[int, Start] = {}
        self.blocks = Blocks()
        self._tiers: dict[tuple[int, Id | None], list[list[Group]]] = {}
        #: Classes for which no node has room, promised or not. Room only shrinks while a plan is made.
        self._full = [False] * len(self.backlog.classes)
        self.held = self._held_back()

    def _competition(self) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
        """For each two specs whether some usable node would do for both."""
        groups = [group.shape for group in self.pool.groups]
        usable = np.array(
            [[self.pool.fits(shape, spec) for shape in groups] for spec in self.backlog.specs], dtype=np.int64
        ).reshape(len(self.backlog.specs), len(groups))
        self.usable = usable.astype(np.bool_)
        return np.asarray((usable @ usable.T) > 0)

    def _held_back(self) -> dict[int, tuple[WaitReason, Id | None]]:
        """Jobs that no free GPU would help, with the reason and the closed account."""
        never = [self._never(self.backlog.specs[c.spec], c.gpus) for c in self.backlog.classes]
        closed: dict[Id, Id | None] = {}
        held: dict[int, tuple[WaitReason, Id | None]] = {}
        not_yet = (self.backlog.not_before > self.now).tolist()
        for i, (job, number) in enumerate(zip(self.backlog.jobs, self.backlog.class_of.tolist(), strict=True)):
            if job.account_id not in closed:
                closed[job.account_id] = self.caps.closed_account(job.account_id)
            reason = never[number]
            if closed[job.account_id] is not None:
                held[i] = (WaitReason.ACCOUNT_CLOSED, closed[job.account_id])
            elif reason is not None:
                held[i] = (reason, None)
            elif not_yet[i]:
                held[i] = (WaitReason.NOT_BEFORE, None)
        return held

    def _never(self, spec: Spec, gpus: int) -> WaitReason | None:
        reason = self.pool.never(spec, gpus)
        if reason is not None or not self.power:
            return reason
        groups = [group for tier in self.pool.tiers(spec, None) for group in tier]
        powered = (g.power is None or g.power.could(gpus * g.shape.watts) for g in groups)
        return None if any(powered) else WaitReason.POWER_CAP

    def walk(self, priorities: Priorities) -> int:
        """Go once down the order; return how many started."""
        blocks = self.blocks = Blocks()
        for profile in (*self.power.values(), *(cap.profile for cap in self.caps.all)):
            profile.forget_promises()
        before, backlog = len(self.starts), self.backlog
        leaves, classes, specs = self.leaves.tolist(), backlog.class_of.tolist(), backlog.spec_of.tolist()
        for i in priorities.order.tolist():
            if i in self.held:
                continue
            if len(self.starts) >= self.policy.max_decisions:
                break
            over = self.caps.over(leaves[i])
            capped = self._first_capped(i, over) if over else None
            if capped is not None:
                self._block_on_cap(i, capped, over)
                continue
            row = self._place(i, classes[i])
            if row is None:
                if len(blocks.reservations) < self.policy.reservations:
                    self._promise(i, over)
                blocks.specs.add(specs[i])
            else:
                self._start(i, row, over, priorities)
        return len(self.starts) - before

    def _first_capped(self, i: int, over: tuple[Cap, ...]) -> Cap | None:
        job = self.backlog.jobs[i]
        for cap in over:
            if not cap.profile.admits(job.gpus, self.now + job.wall_s):
                return cap
        return None

    def in_the_way(self) -> Bools:
        """For each job of the backlog whether nothing but GPUs holds it back."""
        free = np.ones(self.backlog.size, dtype=np.bool_)
        free[list(self.held)] = False
        free[list(self.blocks.caps)] = False
        return free

    def _block_on_cap(self, i: int, capped: Cap, over: tuple[Cap, ...]) -> None:
        """Note the cap. The first job that a cap blocks is promised its place under it, or narrow ones would starve
        a wide one there; it does not use up one of the reservations of nodes."""
        self.blocks.caps[i] = capped
        if not capped.profile.promises:
            job = self.backlog.jobs[i]
            at = self.caps.loaded(capped).profile.earliest(job.gpus, job.wall_s)
            if at < math.inf:
                for cap in over:
                    self.caps.loaded(cap).profile.promise(job.id, job.gpus, at, job.wall_s)

    def _place(self, i: int, number: int) -> int | None:
        """The row of the node where the job starts now, None if there is none that breaks no promise."""
        if self._full[number]:
            return None
        wall_s, p90_s = self.backlog.jobs[i].wall_s, float(self.backlog.p90_s[i])
        refused = self.blocks.refused.setdefault(number, [])
        if any(wall <= wall_s and p90 <= p90_s for wall, p90 in refused):
            return None
        row, is_room = self._search(i, number, self.now + wall_s, self.now + p90_s)
        if row is None:
            self._full[number] = not is_room
            refused[:] = [(w, p) for w, p in refused if not (wall_s <= w and p90_s <= p)] + [(wall_s, p90_s)]
        return row

    def _search(self, i: int, number: int, wall_end_at: float, p90_end_at: float) -> tuple[int | None, bool]:
        """The best row, and whether any node had room at all."""
        job, blocks = self.backlog.jobs[i], self.blocks
        probes, is_room = self.policy.environment_probes, False
        for tier in self._tiers_for(int(self.backlog.spec_of[i]), job.preferred_site_id):
            fallback: int | None = None
            for group, rows in ((g, g.buckets[k]) for k in range(job.gpus, self.pool.widest_free + 1) for g in tier):
                if not rows:
                    continue
                is_room = True
                if group.power is not None and not group.power.admits(job.gpus * group.shape.watts, wall_end_at):
                    blocks.power[number] = group.shape.site
                    continue
                for row in rows:
                    guard = blocks.guards.get(row)
                    refused_for = guard.refused_for(job.gpus, wall_end_at, p90_end_at) if guard else None
                    if refused_for is not None:
                        blocks.refused_for[number] = refused_for
                        continue
                    if job.environment is None or job.environment in self.pool.nodes[row].environments:
                        return row, True
                    fallback = row if fallback is None else fallback
                    probes -= 1
                    if probes <= 0:
                        return fallback, True
            if fallback is not None:
                return fallback, True
        return None, is_room

    def _tiers_for(self, spec: int, preferred_site: Id | None) -> list[list[Group]]:
        found = self._tiers.get((spec, preferred_site))
        if found is None:
            found = self._tiers[spec, preferred_site] = self.pool.tiers(self.backlog.specs[spec], preferred_site)
        return found

    def _start(self, i: int, row: int, over: tuple[Cap, ...], priorities: Priorities) -> None:
        job, blocks = self.backlog.jobs[i], self.blocks
        p50_s = float(self.backlog.p50_s[i])
        wall_end_at, p50_end_at = self.now + job.wall_s, self.now + p50_s
        variance = float(self.backlog.variance[i])
        taken = self.pool.take(row, job.gpus, wall_end_at, p50_end_at, variance)
        for cap in over:
            cap.hold(job.gpus, wall_end_at, p50_end_at, variance)
        guard = blocks.guards.get(row)
        if guard is not None:
            guard.hold(job.gpus, wall_end_at, p50_end_at)
        self.tree.charge(int(self.leaves[i]), float(self.backlog.cost_gpu_s[i]))
        spec = int(self.backlog.spec_of[i])
        self.starts[i] = Start(
            job_id=job.id,
            node_id=self.pool.nodes[row].id,
            gpu_indices=taken,
            factors=priorities.factors(i),
            is_backfilled=any(self.compete[spec, other] for other in blocks.specs),
        )

    def _promise(self, i: int, over: tuple[Cap, ...]) -> None:
        """Reserve by wall limits, which holds whatever happens, and by predictions, which keeps backfill from
        filling the node that will most likely come free long before that."""
        job = self.backlog.jobs[i]
        rows = self.rows_of(int(self.backlog.spec_of[i]))
        by_wall = self._earliest(job.gpus, job.wall_s, rows, by_wall=True)
        if by_wall is None:
            return
        row, at = by_wall
        for profile, units in self._shared(job.gpus, row, over):
            at = max(at, profile.earliest(units, job.wall_s))
        if at == math.inf:
            return
        guards = self.blocks.guards
        guards.setdefault(row, self.pool.guard(row)).by_wall.promise(job.id, job.gpus, at, job.wall_s)
        for profile, units in self._shared(job.gpus, row, over):
            profile.promise(job.id, units, at, job.wall_s)
        node_id = self.pool.nodes[row].id
        self.blocks.reservations[i] = Reservation(job.id, node_id, job.gpus, at)
        p50_s = float(self.backlog.p50_s[i])
        expected = self._earliest(job.gpus, p50_s, rows, by_wall=False)
        if expected is not None:
            row, at = expected
            guards.setdefault(row, self.pool.guard(row)).by_prediction.promise(job.id, job.gpus, at, p50_s)
            self.blocks.expected_node[i] = self.pool.nodes[row].id

    def _shared(self, gpus: int, row: int, over: tuple[Cap, ...]) -> list[tuple[Profile, float]]:
        """What else the job takes on that node: its caps, and the site's power, with the units it takes of each."""
        shared: list[tuple[Profile, float]] = [(self.caps.loaded(cap).profile, gpus) for cap in over]
        group = self.pool.group_of[row]
        if group is not None and group.power is not None:
            shared.append((group.power, gpus * group.shape.watts))
        return shared

    def rows_of(self, spec: int) -> Ints:
        """Rows of the usable nodes that would do for the spec."""
        number = self.pool.group_number
        if not self.pool.groups:
            return np.flatnonzero(number >= 0)
        return np.flatnonzero((number >= 0) & self.usable[spec][number])

    def _earliest(self, gpus: int, duration_s: float, rows: Ints, *, by_wall: bool) -> tuple[int, float] | None:
        """The node where that many GPUs come free together first, and when; None if that cannot be said."""
        guards = self.blocks.guards
        ends = (self.pool.wall_end if by_wall else self.pool.p50_end)[rows, gpus - 1]
        for row, guard in guards.items():
            at = np.flatnonzero(rows == row)
            if len(at):
                profile = guard.by_wall if by_wall else guard.by_prediction
                ends[at[0]] = profile.earliest(gpus, duration_s)
        if not len(ends):
            return None
        best = int(np.argmin(ends))
        return (int(rows[best]), float(ends[best])) if ends[best] < math.inf else None
