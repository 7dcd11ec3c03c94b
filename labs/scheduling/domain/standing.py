"""What a full pass leaves standing, so that a submit or an end is planned in milliseconds and not in a second.

The clock stands still at the full pass, and so does the order of who waits: who comes is put where he would stand in
it. A step then starts exactly what walks down that order over the pool as it is now would start, with every cap, every
promise and all room as a full pass counts them. What moves with time (age, slack, decay, corrected predictions, waits)
and what a start or an end changes in the fair order wait for the next full pass, which is due every few seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from labs.scheduling.domain.backlog import Backlog, Floats, Ints
from labs.scheduling.domain.decisions import Start
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.fair_share import AccountTree, Turns
from labs.scheduling.domain.growing import Growing
from labs.scheduling.domain.order import Priorities, prioritise
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, Part, PendingJob


@dataclass(frozen=True, slots=True)
class Delta:
    """What has happened since the last pass or step. GPUs of what ended are healthy and free, or a full pass is due."""

    submitted: tuple[PendingJob, ...] = ()
    #: Pending jobs that were cancelled, or started by somebody else.
    withdrawn: tuple[Id, ...] = ()
    #: Jobs whose runs are over.
    ended: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hold:
    """What a run holds. ``number`` is that of a run of the snapshot; ``ends`` as ``Cap.hold`` takes them."""

    number: int | None
    leaf: int
    parts: tuple[Part, ...]
    ends: tuple[float, float, float]
    group_id: Id | None

    @property
    def gpus(self) -> int:
        return sum(len(part.gpu_indices) for part in self.parts)


class FairPlaces:
    """Where a newcomer stands in the fair order of a full pass. Those behind him keep their turns."""

    def __init__(self, tree: AccountTree, turns: Iterable[Turns], leaves: Iterable[int], cost: Floats) -> None:
        self._tree, self._use, self._cost = tree, tree.use(), cost
        self._turns = {one.level: one for one in turns}
        self._leaves = set(leaves)
        self._growing = Growing()

    def join(self, leaf: int, cost: float) -> tuple[int, int]:
        """Put a job of this leaf behind its owner's others; its place (0 first), and how many learners wait with it."""
        branch, size = self._tree.branch(leaf), len(self._cost)
        ahead = np.zeros(size, dtype=np.bool_)
        own: dict[int, tuple[int, int, float]] = {}
        for level, (node, parent, weight) in zip(range(len(branch) - 1, -1, -1), branch, strict=True):
            known = self._turns.get(level) or Turns.of(level, size, *(np.zeros(0, dtype=np.int64),) * 3, np.zeros(0))
            with_him = known.child == node
            before = float(self._cost[ahead if own else with_him].sum())
            turn = ((float(self._use[node]) if node < len(self._use) else 0.0) + before) / weight
            if own:
                ahead |= (known.parent == parent) & ~with_him & (known.turn <= turn)
            else:
                ahead = (known.parent == parent) & (with_him | (known.turn <= turn))
            self._turns[level], own[level] = known, (parent, node, turn)
        for level, known in self._turns.items():
            parent, node, turn = own.get(level, (-2, -2, 0.0))
            grown = (
                self._growing.append(f"{name} {level}", getattr(known, name), value)
                for name, value in (("parent", parent), ("child", node), ("turn", turn))
            )
            self._turns[level] = Turns(level, *grown)
        self._cost = self._growing.append("cost", self._cost, cost)
        self._leaves.add(leaf)
        return int(ahead.sum()), len(self._leaves)


class Standing:
    """The dispatch of a full pass, and the order of who waits. Each step changes both."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._d = dispatch
        turns: list[Turns] = []
        self._priorities = dispatch.priorities(turns)
        order = self._priorities.order
        waiting = np.sort(order)  # as ``turns`` has them
        self._places = FairPlaces(
            dispatch.tree, turns, dispatch.backlog.leaves[waiting].tolist(), dispatch.backlog.cost_gpu_s[waiting]
        )
        jobs = dispatch.backlog.jobs
        self._index = {jobs[i].id: i for i in order.tolist()}
        self._growing = Growing()
        self._holds: dict[Id, _Hold] = {}
        self._note_starts()
        self._runs = {run.job_id: number for number, run in enumerate(dispatch.runs.runs)}

    @classmethod
    def of(cls, dispatch: Dispatch) -> Standing | None:
        """What a dispatch that starts nothing more leaves standing; None where a step could not decide as a pass does:
        where sites lend or classes are kept, GPUs are shared, or runs may be asked to end."""
        runs = dispatch.runs
        is_plain = dispatch.access.is_plain and not (runs.milli < WHOLE_GPU).any()
        is_plain = is_plain and not (dispatch.backlog.milli < WHOLE_GPU).any()
        may_clear = any(run.is_preemptible or run.is_ending for run in runs.runs)
        return cls(dispatch) if is_plain and not may_clear else None

    @property
    def waiting(self) -> tuple[Id, ...]:
        """Who waits, first to go first."""
        return tuple(self._d.backlog.jobs[i].id for i in self._priorities.order.tolist())

    def step(self, delta: Delta) -> tuple[Start, ...] | None:
        """Take in what happened and start what may start now, with the factors of the full pass.

        None where that takes a full pass: nothing was taken in then.
        """
        return self.start() if self.take(delta) else None

    def take(self, delta: Delta) -> bool:
        """Take in what happened; False, and nothing is taken in, where that takes a full pass."""
        if not self._can_take(delta):
            return False
        for job_id in delta.ended:
            self._end(self._take_hold(job_id))
        self._leave([self._index.pop(job_id) for job_id in delta.withdrawn])
        for job in delta.submitted:
            self._join(job)
        return True

    def start(self) -> tuple[Start, ...]:
        """Walk down the order until nothing more starts."""
        made: list[Start] = []
        while True:
            self._d.starts.clear()
            if not self._d.walk(self._priorities):
                return tuple(made)
            self._note_starts()
            self._leave([self._index.pop(start.job_id) for start in self._d.starts.values()])
            made += self._d.starts.values()
            if not self._d.may_start(self._priorities.order):
                return tuple(made)

    def _can_take(self, delta: Delta) -> bool:
        d = self._d
        known = all(job_id in self._holds or job_id in self._runs for job_id in delta.ended)
        if not known or any(job_id not in self._index for job_id in delta.withdrawn):
            return False
        # The cap of a sweep counts jobs, and is not among what a leaf is under.
        if any(self._group_of(job_id) is not None for job_id in delta.ended):
            return False
        return all(
            job.account_id in d.tree.number
            and job.id not in self._index
            and job.gpu_milli >= WHOLE_GPU
            and job.max_running_of_group is None
            and not job.has_room_made
            for job in delta.submitted
        )

    def _group_of(self, job_id: Id) -> Id | None:
        hold = self._holds.get(job_id)
        return hold.group_id if hold is not None else self._d.runs.runs[self._runs[job_id]].group_id

    def _note_starts(self) -> None:
        """Remember what has been started holds, so that it can be given back."""
        d = self._d
        for i, start in d.starts.items():
            job = d.backlog.jobs[i]
            ends = d.now + job.wall_s, d.now + float(d.backlog.p50_s[i]), float(d.backlog.variance[i])
            self._holds[start.job_id] = _Hold(None, int(d.backlog.leaves[i]), start.places, ends, job.group_id)

    def _take_hold(self, job_id: Id) -> _Hold:
        if job_id in self._holds:
            return self._holds.pop(job_id)
        number, runs, tree = self._runs.pop(job_id), self._d.runs, self._d.tree
        run = runs.runs[number]
        ends = float(runs.wall_end_at[number]), float(runs.p50_end_at[number]), float(runs.variance[number])
        return _Hold(number, tree.leaf(run.account_id, run.owner_id), run.places, ends, run.group_id)

    def _end(self, hold: _Hold) -> None:
        d = self._d
        d.caps.end(hold.number, hold.leaf, float(hold.gpus), hold.ends)
        for part in hold.parts:
            row = d.pool.row_of.get(part.node_id)
            if row is None:
                continue
            node = d.pool.nodes[row]
            power = d.power.get(node.site_id)
            if power is not None:
                power.release(len(part.gpu_indices) * node.watts_per_gpu, hold.ends[0])
            d.pool.give_back(row, part.gpu_indices, *hold.ends)
            d.give_back(row)

    def _leave(self, jobs: list[int]) -> None:
        """Take these out of the order."""
        if jobs:
            order = self._priorities.order
            self._priorities = replace(self._priorities, order=order[~np.isin(order, jobs)])

    def _join(self, job: PendingJob) -> None:
        """Put a job at the end of the backlog, and where it belongs in the order."""
        d = self._d
        leaf = d.tree.leaf(job.account_id, job.owner_id)
        alone = Backlog([job], np.array([leaf]), d.access)
        place, learners = self._places.join(leaf, float(alone.cost_gpu_s[0]))
        first = np.zeros(1, dtype=np.int64)
        # ``alone`` has one learner, so the place is told as a share of all that wait.
        own = prioritise(alone, d.policy, d.now, first, np.array([place / learners]))
        number = d.append(alone)
        self._index[job.id] = number
        self._priorities = self._inserted(own, number)

    def _inserted(self, own: Priorities, number: int) -> Priorities:
        """The order with one job more, behind all that are as urgent."""
        grown: dict[str, Floats] = {
            one.name: self._growing.append(one.name, getattr(self._priorities, one.name), getattr(own, one.name)[0])
            for one in fields(Priorities)
            if one.name != "order"
        }
        total, order = grown["total"], self._priorities.order
        at = bisect_right(order, -float(total[number]), key=lambda job: -float(total[job]))
        joined: Ints = np.insert(order, at, number)
        whole: dict[str, Any] = {**grown, "order": joined}
        return Priorities(**whole)
