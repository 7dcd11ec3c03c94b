"""What is kept for blocked jobs: nodes by wall limits, which holds whatever happens, and nodes by predictions."""

from __future__ import annotations

import math

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints
from labs.scheduling.domain.decisions import Reservation
from labs.scheduling.domain.placement import Ask, Placement
from labs.scheduling.domain.pool import Guard, Pool
from labs.scheduling.domain.preemption import Preemption
from labs.scheduling.domain.profile import Profile
from labs.scheduling.domain.reservations import Reservations

#: A capacity that a promised job uses beside its nodes, and how many units of it.
Shares = list[tuple[Profile, float]]


class Promises:
    """Makes promises on the nodes of a pool; those of the walk at hand are in ``placement.blocks``."""

    def __init__(self, pool: Pool, placement: Placement, reservations: Reservations, preemption: Preemption) -> None:
        self._pool, self._placement, self._reservations = pool, placement, reservations
        self._preemption = preemption

    def make(self, i: int, ask: Ask, rows: Ints, caps: Shares, p50_s: float) -> None:
        """Reserve by wall limits, and by predictions, which keeps backfill from filling the nodes that will most likely
        come free long before that. ``rows`` are the nodes that would do, ``caps`` what the job is under."""
        blocks, pool = self._placement.blocks, self._pool
        wall_s = ask.job.wall_s
        by_wall = self._earliest(ask, rows, wall_s, by_wall=True)
        if by_wall is None:
            return
        chosen, at = by_wall
        cleared = self._preemption.for_job(ask, at, rows)
        if cleared is not None:
            chosen, at = cleared
            self._clear(ask, chosen, at)
        shares = self._shares(ask, chosen, caps)
        on_nodes: Shares = [(self._guard(row).by_wall, ask.asked.gpus) for row in chosen]
        if cleared is None:
            at = together([*on_nodes, *shares], at, wall_s)
        if at == math.inf:
            return
        for profile, units in (*on_nodes, *shares):
            profile.promise(ask.job.id, units, at, wall_s)
        names = tuple(pool.nodes[row].id for row in chosen)
        gang = names if len(names) > 1 else ()
        blocks.reservations[i] = Reservation(ask.job.id, names[0], ask.asked.gpus, at, gang)
        expected = cleared or self._earliest(ask, rows, p50_s, by_wall=False)
        if expected is not None:
            chosen, at = expected
            likely: Shares = [(self._guard(row).by_prediction, ask.asked.gpus) for row in chosen]
            at = together(likely, at, p50_s)
            if at < math.inf:
                for profile, units in likely:
                    profile.promise(ask.job.id, units, at, p50_s)
                blocks.expected_node[i] = pool.nodes[chosen[0]].id

    def _guard(self, row: int) -> Guard:
        guards = self._placement.blocks.guards
        if row not in guards:
            guards[row] = self._pool.guard(row)
        return guards[row]

    def _clear(self, ask: Ask, rows: list[int], until_at: float) -> None:
        """Let what is asked to end for the job on these nodes be gone by then."""
        for row in rows:
            for ends in self._preemption.ends_on(ask.job.id, row):
                self._guard(row).clear(ends, until_at)

    def _shares(self, ask: Ask, rows: list[int], caps: Shares) -> Shares:
        shares = list(caps)
        group = self._pool.group_of[rows[0]]
        if group is not None:
            if group.power is not None:
                watts = sum(self._pool.nodes[row].watts_per_gpu for row in rows)
                shares.append((group.power, ask.asked.units / ask.asked.nodes * watts))
            whole = ask.asked.gpus * ask.asked.nodes
            shares += ((profile, whole) for profile in self._reservations.profiles(group.shape))
        return shares

    def _earliest(self, ask: Ask, rows: Ints, duration_s: float, *, by_wall: bool) -> tuple[list[int], float] | None:
        """The nodes where that many GPUs come free together first, and when; None if that cannot be said."""
        if not len(rows):
            return None
        gpus, wanted = ask.asked.gpus, ask.asked.nodes
        ends = (self._pool.wall_end if by_wall else self._pool.p50_end)[rows, gpus - 1]
        guarded = self._guarded(rows)
        if wanted == 1:
            best = _first_of(ends, guarded, gpus, duration_s, by_wall=by_wall)
            return ([int(rows[best])], float(ends[best])) if ends[best] < math.inf else None
        for at, guard in guarded:
            ends[at] = guard.profile(by_wall=by_wall).earliest(gpus, duration_s)
        found: tuple[list[int], float] | None = None
        for family in self._placement.families(ask.asked.spec, None):
            numbers = [group.number for group in family]
            here = np.flatnonzero(np.isin(self._pool.group_number[rows], numbers))
            if len(here) >= wanted:
                first = here[np.argsort(ends[here], kind="stable")[:wanted]]
                at_all = float(ends[first].max())
                if at_all < (math.inf if found is None else found[1]):
                    found = sorted(rows[first].tolist()), at_all
        return found

    def _guarded(self, rows: Ints) -> list[tuple[int, Guard]]:
        """Where among these rows (ascending) something is promised already."""
        guards = self._placement.blocks.guards
        if not guards:
            return []
        at = np.minimum(np.searchsorted(rows, list(guards)), len(rows) - 1)
        is_here = rows[at] == np.array(list(guards))
        return [(i, guard) for i, is_one, guard in zip(at.tolist(), is_here, guards.values(), strict=True) if is_one]


def _first_of(ends: Floats, guarded: list[tuple[int, Guard]], gpus: int, duration_s: float, *, by_wall: bool) -> int:
    """Where the GPUs come free first. What is promised on a node only makes that later there, so most need no look."""
    known = sorted(
        ((-math.inf if guard.is_cleared else float(ends[at]), at, guard) for at, guard in guarded),
        key=lambda one: one[:2],
    )
    for _end, at, _guard in known:
        ends[at] = math.inf
    best = int(np.argmin(ends))
    for end, at, guard in known:
        if end > ends[best]:
            break
        ends[at] = guard.profile(by_wall=by_wall).earliest(gpus, duration_s)
        if (ends[at], at) < (ends[best], best):
            best = at
    return best


def together(shares: Shares, not_before: float, duration_s: float) -> float:
    """The first time, at or after ``not_before``, from which all units are free for so long; infinite if never."""
    at, settled = not_before, 0
    while at < math.inf and settled < len(shares):
        for profile, units in shares:
            later = profile.earliest(units, duration_s, at)
            settled = settled + 1 if later == at else 1
            at = later
            if settled >= len(shares) or at == math.inf:
                break
    return at
