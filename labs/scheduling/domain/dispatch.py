"""One walk down the ordered queue: start what fits, promise GPUs to the first that are blocked, let others fill in."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from labs.scheduling.domain.access import Access
from labs.scheduling.domain.backlog import Backlog, Bools, Ints, Runs
from labs.scheduling.domain.caps import Cap, Caps, site_power
from labs.scheduling.domain.decisions import Start
from labs.scheduling.domain.fair_share import AccountTree, Turns
from labs.scheduling.domain.fragmentation import Mix
from labs.scheduling.domain.held import Held
from labs.scheduling.domain.lending import Lendings
from labs.scheduling.domain.order import Priorities, prioritise
from labs.scheduling.domain.placement import Ask, Blocks, Placement, Spot
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.pool import Pool
from labs.scheduling.domain.preemption import Preemption
from labs.scheduling.domain.promises import Promises
from labs.scheduling.domain.queued import Queued, among
from labs.scheduling.domain.reservations import Reservations
from labs.scheduling.domain.snapshot import WHOLE_GPU, Part, Snapshot

#: The caps that a job is under, and the units it takes of each.
Over = tuple[tuple[Cap, float], ...]

#: The first piece of the queue that is looked through; each further one is twice as long.
LEAST_PIECE = 16


class Dispatch:
    """The snapshot, indexed, and changed as jobs start."""

    def __init__(self, snapshot: Snapshot, policy: Policy, now: float) -> None:
        self.policy, self.now = policy, now
        self.access = Access(snapshot)
        self.tree = AccountTree(snapshot.accounts)
        self.backlog = Backlog(snapshot.pending, self.tree.leaves_of(snapshot.pending), self.access)
        self.runs = Runs(snapshot.running, now)
        self.power = site_power(snapshot, self.runs, now)
        self.pool = Pool(snapshot, self.runs, self.power, now)
        run_leaves = self.tree.charge_running(self.runs)
        self.caps = Caps(snapshot, self.tree, self.runs, run_leaves, policy.max_running_gpus_per_learner, now)
        self.reservations = Reservations(self.access, self.pool, self.runs, policy, now)
        self.lendings = Lendings(self.access, self.pool, self.runs, policy, now)
        self.placement = Placement(
            self.backlog,
            self.pool,
            Mix(self.backlog, self.runs, self.pool.widest_free),
            self.access,
            self.reservations,
            self.lendings,
            policy.environment_probes,
        )
        self.preemption = Preemption(self)
        self.promises = Promises(self.pool, self.placement, self.reservations, self.preemption)
        #: Blocked jobs that the walk at hand keeps GPUs for, at most.
        self._most_kept = policy.reservations
        self.groups = self.backlog.capped_sweeps()
        self._compete()
        self.starts: dict[int, Start] = {}
        #: Caps under which this walk has promised anything.
        self._promised: set[Cap] = set()
        self._rows: dict[tuple[int, bool], Ints] = {}
        #: Classes for which no node has room, promised or not. Room only shrinks while a plan is made.
        self._is_full: Bools = np.zeros(len(self.backlog.classes), dtype=np.bool_)
        #: Classes for which some node had room when this walk looked.
        self._has_room: set[int] = set()
        self.held = Held(self)

    @property
    def blocks(self) -> Blocks:
        """What the walk at hand has found."""
        return self.placement.blocks

    def _compete(self) -> None:
        """Which groups of nodes each spec may use now, and for each two specs whether some node would do for both."""
        shapes = [group.shape for group in self.pool.groups]
        specs = self.backlog.specs
        fits = [[self.is_open_to(spec.access, shape) and shape.fits(spec) for shape in shapes] for spec in specs]
        self.usable: Bools = np.array(fits, dtype=np.bool_).reshape(len(specs), len(shapes))
        self.placement.usable = self.usable
        #: Those among them on which it may be promised GPUs: not what others lend, if it has a site of its own.
        foreign = [self.access.rights[spec.access].foreign_sites for spec in specs]
        is_own = [[shape.site not in sites for shape in shapes] for sites in foreign]
        own: Bools = self.usable & np.array(is_own, dtype=np.bool_).reshape(self.usable.shape)
        self._own = np.where(own.any(axis=1, keepdims=True), own, self.usable) if self.usable.size else self.usable
        as_numbers = self.usable.astype(np.int64)
        self.compete: Bools = np.asarray((as_numbers @ as_numbers.T) > 0)

    def is_open_to(self, access: int, shape: object) -> bool:
        """True if an account with these rights may use nodes of the shape now, on whatever grounds."""
        if self.access.is_plain:
            return True
        rights, site = self.access.rights[access], shape.site  # type: ignore[attr-defined]
        return (
            site not in rights.foreign_sites
            or self.lendings.is_lent(rights, site)
            or bool(self.reservations.upon(rights, shape))  # type: ignore[arg-type]
        )

    def priorities(self, turns: list[Turns] | None = None) -> Priorities:
        """The order of the jobs that have not been started; ``turns`` as for ``fair_order``."""
        is_waiting = np.ones(self.backlog.size, dtype=np.bool_)
        is_waiting[list(self.starts)] = False
        chosen = np.flatnonzero(is_waiting)
        fair_place = self.tree.fair_order(self.backlog, chosen, turns)
        return prioritise(self.backlog, self.policy, self.now, chosen, fair_place)

    def append(self, alone: Backlog) -> int:
        """Let the one job of a backlog of its own join the end of this one; return its index."""
        specs = len(self.backlog.specs)
        number = self.backlog.append(alone)
        if len(self.backlog.specs) > specs:
            self._compete()
        new = len(self.backlog.classes) - len(self._is_full)
        self._is_full = np.r_[self._is_full, np.zeros(new, dtype=np.bool_)]
        self.held.append(number)
        return number

    def give_back(self, row: int) -> None:
        """GPUs of this node have come free: classes that now have enough of them there are to be looked at again."""
        group, free = self.pool.group_of[row], len(self.pool.free[row])
        if group is not None:
            for number, one in enumerate(self.backlog.classes):
                if one.gpus <= free and self.usable[one.spec, group.number]:
                    self._is_full[number] = False

    def walk(self, priorities: Priorities) -> int:
        """Go once down the order; return how many started."""
        blocks = self.placement.blocks = Blocks()
        for profile in (*self.power.values(), *(cap.profile for cap in self._promised)):
            profile.forget_promises()
        self._promised.clear()
        self._has_room.clear()
        self.reservations.stand()
        self.preemption.forget_jobs()
        before, backlog = len(self.starts), self.backlog
        classes, specs = backlog.class_of, backlog.spec_of
        for at, i in self._queue(priorities):
            if len(self.starts) >= self.policy.max_decisions:
                break
            over = self.over(i)
            capped = self._first_capped(i, over) if over else None
            if capped is not None:
                self._block_on_cap(i, capped, over)
                continue
            spot = self._place(i, int(classes[i]))
            if spot is None:
                if len(blocks.reservations) < self._most_kept or backlog.jobs[i].has_room_made:
                    self._promise(i, over)
                blocks.block(int(specs[i]), at)
            else:
                self._start(i, spot, over, priorities, at)
        return len(self.starts) - before

    def _queue(self, priorities: Priorities) -> Iterator[tuple[int, int]]:
        """Jobs that nothing but GPUs and caps may hold back, with their places in the walk.

        Once the promises are made, a job for which there is no room changes nothing, unless it is the first under a
        cap. So the rest is looked through in pieces, each without those that have turned out so.
        """
        order = priorities.order
        is_held = self.held.mask[order]
        if is_held.any():
            order = order[~is_held]
        waiting_gpu_s = float(self.backlog.cost_gpu_s[order].sum())
        self._most_kept = self.policy.reservations_for(waiting_gpu_s, self.pool.gpus)
        made_room = self.backlog.has_room_made[order]
        if made_room.any():
            # The widest first: what was cleared for it holds the narrower ones too, but not the other way round.
            cleared_for = order[made_room]
            cleared_for = cleared_for[np.argsort(-self.backlog.units[cleared_for], kind="stable")]
            order = np.r_[cleared_for, order[~made_room]]
        at = 0
        while at < len(order) and len(self.blocks.reservations) < self._most_kept:
            yield at, int(order[at])
            at += 1
        rest, piece = Queued.of(self.backlog, order, at), LEAST_PIECE
        while len(rest.jobs):
            matters, is_capped = self._matters(rest)
            self._block_others(rest, ~(matters | is_capped))
            rest = rest.chosen(matters)
            yield from zip(rest.places[:piece].tolist(), rest.jobs[:piece].tolist(), strict=True)
            rest, piece = rest.chosen(slice(piece, None)), 2 * piece

    def _block_others(self, rest: Queued, behind: Bools) -> None:
        """Note the first of each spec among the jobs that are behind others. Most specs have one before all of
        these."""
        blocked, backlog = self.blocks.first_blocked, self.backlog
        is_open = np.array([blocked.get(spec, math.inf) > rest.places[0] for spec in range(len(backlog.specs))])
        if is_open.any():
            first = np.full(len(is_open), -1)
            first[backlog.spec_of[rest.jobs[behind]][::-1]] = rest.places[behind][::-1]
            for spec in np.flatnonzero(is_open & (first >= 0)).tolist():
                self.blocks.block(spec, int(first[spec]))

    def _matters(self, rest: Queued) -> tuple[Bools, Bools]:
        """For each of the jobs whether it might start, or be the first that a cap stops before one that might; and
        whether it is under a cap without room for it."""
        is_capped: Bools = rest.units > self.caps.spares(rest.leaves)
        able = np.flatnonzero(self._has_room_for(rest) & ~is_capped)
        near = self.caps.neighbourhoods(rest.leaves)
        may_stop = np.flatnonzero(is_capped)
        spares = self.caps.spares(rest.leaves[may_stop], apart_from=self._promised)
        may_stop = may_stop[rest.units[may_stop] > spares]
        if len(may_stop):
            able = able[~self._turn_out_full(rest.classes[able], among(near[may_stop], near[able]))]
        found: Bools = self._is_of_capped_sweep(rest.jobs) | self.backlog.has_room_made[rest.jobs]
        found[able] = True
        found[may_stop[among(near[able], near[may_stop])]] = True
        return found, is_capped

    def _has_room_for(self, rest: Queued) -> Bools:
        """For each of the jobs whether its class is not known to be full, nor refused for so long a run."""
        has_room: Bools = ~self._is_full[rest.classes]
        for number, refused in self.blocks.refused.items():
            if refused and not self._is_full[number]:
                mine = np.flatnonzero(rest.classes == number)
                wall_s, p90_s = self.backlog.wall_s[rest.jobs[mine]], self.backlog.p90_s[rest.jobs[mine]]
                for wall, p90 in refused:
                    has_room[mine[(wall <= wall_s) & (p90 <= p90_s)]] = False
        return has_room

    def _turn_out_full(self, numbers: Ints, chosen: Bools) -> Bools:
        """For each job whether its class is full, looked up now for those chosen.

        Whether a cap's first job is promised its place must not hang on which classes an earlier walk happened to find
        full, or the same state would be told two reasons.
        """
        for number in set(numbers[chosen].tolist()) - self._has_room:
            if self.placement.has_room(self.backlog.classes[number]):
                self._has_room.add(number)
            else:
                self._is_full[number] = True
        return self._is_full[numbers]

    def _is_of_capped_sweep(self, jobs: Ints) -> Bools:
        if not self.groups:
            return np.zeros(len(jobs), dtype=np.bool_)
        return np.isin(jobs, np.array(list(self.groups), dtype=np.int64))

    def _may_be_capped(self, jobs: Ints) -> Bools:
        """For each of the jobs whether a cap might stop it now."""
        might: Bools = self.backlog.units[jobs] > self.caps.spares(self.backlog.leaves[jobs])
        return might | self._is_of_capped_sweep(jobs)

    def over(self, i: int) -> Over:
        """The caps that a job is under, its sweep's last, and what it takes of each."""
        units = float(self.backlog.units[i])
        over = tuple((cap, units) for cap in self.caps.over(int(self.backlog.leaves[i])))
        if i in self.groups:
            over = (*over, (self.caps.of_group(*self.groups[i]), 1.0))
        return over

    def _first_capped(self, i: int, over: Over) -> Cap | None:
        wall_end_at = self.now + self.backlog.jobs[i].wall_s
        return next((cap for cap, units in over if not cap.profile.admits(units, wall_end_at)), None)

    def _block_on_cap(self, i: int, capped: Cap, over: Over) -> None:
        """Note the cap. The first job that a cap blocks is promised its place under it, or narrow ones would starve
        a wide one there; it does not use up one of the reservations of nodes."""
        self.blocks.caps[i] = capped
        if not capped.profile.promises:
            job = self.backlog.jobs[i]
            units = next(units for cap, units in over if cap is capped)
            at = self.caps.loaded(capped).profile.earliest(units, job.wall_s)
            if at < math.inf:
                for cap, units in over:
                    self.caps.loaded(cap).profile.promise(job.id, units, at, job.wall_s)
                    self._promised.add(cap)

    def settle(self) -> None:
        """Find, when the last walk is done, the cap of each job that one stops: the walk need not look at all."""
        waiting = np.flatnonzero(~self.held.mask)
        promised = {cap.number for cap in self.caps.all if cap.profile.promises}
        leaves = set(self.backlog.leaves[waiting].tolist())
        touched = [leaf for leaf in leaves if any(cap.number in promised for cap in self.caps.over(leaf))]
        might = self._may_be_capped(waiting) | np.isin(self.backlog.leaves[waiting], np.array(touched, dtype=np.int64))
        for i in waiting[might].tolist():
            if i not in self.starts and i not in self.blocks.caps and i not in self.blocks.reservations:
                capped = self._first_capped(i, self.over(i))
                if capped is not None:
                    self.blocks.caps[i] = capped

    def in_the_way(self) -> Bools:
        """For each job of the backlog whether nothing but GPUs holds it back."""
        free = ~self.held.mask
        free[list(self.blocks.caps)] = False
        return free

    def is_full(self, number: int) -> bool:
        """True if no node has room for the class, promised or not."""
        return bool(self._is_full[number])

    def may_start(self, order: Ints) -> bool:
        """False if no node has room for any of these jobs, promised or not: another walk would start none of them."""
        return not self._is_full[self.backlog.class_of[order]].all()

    def _place(self, i: int, number: int) -> Spot | None:
        """Where the job starts now, None if there is nowhere that breaks no promise."""
        if self._is_full[number]:
            return None
        wall_s, p90_s = self.backlog.jobs[i].wall_s, float(self.backlog.p90_s[i])
        refused = self.blocks.refused.setdefault(number, [])
        if any(wall <= wall_s and p90 <= p90_s for wall, p90 in refused):
            return None
        spot, is_room = self.placement.find(self.placement.ask(i, self.now))
        if spot is None:
            self._is_full[number] = not is_room
            refused[:] = [(w, p) for w, p in refused if not (wall_s <= w and p90_s <= p)] + [(wall_s, p90_s)]
        return spot

    def _promise(self, i: int, over: Over) -> None:
        ask = self.placement.ask(i, self.now)
        rows = self.rows_of(ask.asked.spec, own=True)
        caps = [(self.caps.loaded(cap).profile, units) for cap, units in over]
        self.promises.make(i, ask, rows, caps, float(self.backlog.p50_s[i]))
        self._promised |= {cap for cap, _units in over if cap.profile.promises}

    def rows_of(self, spec: int, *, own: bool = False) -> Ints:
        """Rows of the nodes that would do for the spec; those it may be promised GPUs on."""
        rows = self._rows.get((spec, own))
        if rows is None:
            number = self.pool.group_number
            rows = np.flatnonzero(number >= 0)
            if self.pool.groups:
                rows = rows[(self._own if own else self.usable)[spec][number[rows]]]
            self._rows[spec, own] = rows
        return rows

    def _start(self, i: int, spot: Spot, over: Over, priorities: Priorities, at: int) -> None:
        ask, guards = self.placement.ask(i, self.now), self.blocks.guards
        p50_end_at = self.now + float(self.backlog.p50_s[i])
        ends = ask.wall_end_at, p50_end_at, float(self.backlog.variance[i])
        for row in spot.rows:
            if row in guards and spot.shared is not None:
                guards[row].extend(spot.shared, ask.wall_end_at, p50_end_at)
            elif row in guards:
                guards[row].hold(ask.asked.gpus, ask.wall_end_at, p50_end_at)
        self._hold(ask, spot, over, ends)
        parts = self._take(ask, spot, ends)
        self.tree.charge(int(self.backlog.leaves[i]), float(self.backlog.cost_gpu_s[i]))
        first = self.blocks.first_blocked
        self.starts[i] = Start(
            job_id=ask.job.id,
            node_id=parts[0].node_id,
            gpu_indices=parts[0].gpu_indices,
            factors=priorities.factors(i),
            is_backfilled=any(at > place and self.compete[ask.asked.spec, other] for other, place in first.items()),
            parts=parts,
            gpu_milli=ask.asked.milli,
            gpu_memory_mib=self._memory_of(ask, spot) if ask.asked.milli < WHOLE_GPU else 0,
            reservation_id=None if spot.grant.kept is None else spot.grant.kept.state.id,
            is_borrowed=spot.grant.lent is not None,
        )

    def _hold(self, ask: Ask, spot: Spot, over: Over, ends: tuple[float, float, float]) -> None:
        """Note what the start takes of caps, power, classes and lendings."""
        for cap, units in over:
            cap.hold(units, *ends)
        group = self.pool.group_of[spot.rows[0]]
        assert group is not None  # noqa: S101
        if group.power is not None:
            for row in spot.rows:  # each on its own, as ``site_power`` has it and a step gives it back
                watts = ask.asked.units / ask.asked.nodes * self.pool.nodes[row].watts_per_gpu
                group.power.hold(watts, ask.wall_end_at)
        whole, grant = ask.asked.gpus * ask.asked.nodes, spot.grant
        if grant.kept is not None:
            self.reservations.start_upon(grant.kept, group.shape, whole, ask.wall_end_at, spot.shared)
        else:
            self.reservations.start(
                group.shape, whole, ask.wall_end_at, is_preemptible=ask.is_preemptible, shared=spot.shared
            )
        if grant.lent is not None:
            grant.lent.used += ask.asked.units

    def _take(self, ask: Ask, spot: Spot, ends: tuple[float, float, float]) -> tuple[Part, ...]:
        """Take the GPUs."""
        pool, milli = self.pool, ask.asked.milli
        if spot.shared is not None:
            taken = [pool.join(spot.shared, milli, self._memory_of(ask, spot), ends)]
        elif milli < WHOLE_GPU:
            taken = [pool.share(spot.rows[0], milli, self._memory_of(ask, spot), spot.grant.tenant(ask), ends)]
        else:
            taken = [pool.take(row, ask.asked.gpus, *ends) for row in spot.rows]
        return tuple(Part(pool.nodes[row].id, gpus) for row, gpus in zip(spot.rows, taken, strict=True))

    def _memory_of(self, ask: Ask, spot: Spot) -> int:
        """The memory in MiB that goes with the share that starts there."""
        return ask.memory_on(self.pool.nodes[spot.rows[0]].gpu_memory_mib)
