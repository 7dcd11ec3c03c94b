"""When waiting jobs will start, as a P50 and a P90: the first by walking runs' ends forward, the rest by throughput.

Means and variances of runs add up along a chain of runs on a GPU. The P90 lies 1.28 standard deviations later; both
are stretched by a share of the wait for newcomers that go ahead. Within the walk, jobs take GPUs in queue order
and leave no holes for later ones, so backfill makes it better than said rather than worse.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints
from labs.scheduling.domain.caps import Cap
from labs.scheduling.domain.decisions import WaitReason
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.predict import P90_SIGMAS
from labs.scheduling.domain.snapshot import WHOLE_GPU


class CapQueue:
    """GPUs under a cap as jobs take them one after another; its clock only goes forward."""

    def __init__(self, cap: Cap, now: float) -> None:
        self._cap = cap.profile.capacity
        self._free = cap.profile.capacity - cap.profile.used
        self._ends = list(cap.runs)
        heapq.heapify(self._ends)
        self._at, self._variance = now, 0.0

    def earliest(self, gpus: float) -> tuple[float, float]:
        """When that many may run, and the variance of it; infinite if that is more than the cap."""
        if gpus > self._cap:
            return math.inf, 0.0
        while self._free < gpus and self._ends:
            end, units, variance = heapq.heappop(self._ends)
            self._free += units
            if end > self._at:
                self._at, self._variance = end, variance
        return (self._at, self._variance) if self._free >= gpus else (math.inf, 0.0)

    def run(self, gpus: float, end_at: float, variance: float) -> None:
        """Let a job take its GPUs until then."""
        self._free -= gpus
        heapq.heappush(self._ends, (end_at, gpus, variance))


@dataclass(slots=True)
class Opened:
    """A GPU on which a share is expected to start, and what is left of it (thousandths) for others of its kind."""

    row: int
    left: float
    start: float
    variance: float
    end: float


class Estimator:
    """Start times of all waiting jobs, in seconds since the epoch; NaN where nobody can say."""

    def __init__(self, dispatch: Dispatch, order: Ints) -> None:
        self._d = dispatch
        self._order = order
        n = dispatch.backlog.size
        self.mean: Floats = np.full(n, np.nan)
        self.variance: Floats = np.zeros(n)
        self._ends = dispatch.pool.p50_end.copy()
        self._var = dispatch.pool.variance.copy()
        self._rows = {spec: dispatch.rows_of(spec) for spec in set(dispatch.backlog.spec_of[order].tolist())}
        self._cap_queues: dict[int, CapQueue] = {}
        #: The GPUs that shares of the walk have opened: by those that are not preemptible, and by those that are.
        self._opened: tuple[list[Opened], list[Opened]] = [], []
        self._ration_power()

    def _ration_power(self) -> None:
        """Where a site lacks the power for all its free GPUs, those beyond it wait for what runs there to end."""
        d = self._d
        for site_id, power in d.power.items():
            rows = [r for r, g in enumerate(d.pool.group_of) if g is not None and g.shape.site == site_id]
            watts = max((d.pool.nodes[r].watts_per_gpu for r in rows), default=0.0)
            if watts <= 0:
                continue
            free = [(r, k) for r in rows for k in range(len(d.pool.free[r]))]
            powered = max(0, int((power.capacity - power.used + 1e-6) // watts))
            ends = self._ends[rows]
            coming = np.sort(ends[(ends > d.now) & np.isfinite(ends)]).tolist()
            for nth, (row, column) in enumerate(free[powered:]):
                self._ends[row, column] = coming[nth] if nth < len(coming) else np.inf
            for row in rows:
                self._sort(row)

    def _sort(self, row: int) -> None:
        by_end = np.argsort(self._ends[row], kind="stable")
        self._ends[row], self._var[row] = self._ends[row][by_end], self._var[row][by_end]

    def estimate(self) -> tuple[Floats, Floats]:
        """P50 and P90 of the start for each job of the backlog, as planned: before any fit."""
        first = self._d.policy.estimate_jobs
        for i in self._order[:first].tolist():
            self._walk_to(i)
        self._by_throughput(self._order[first:])
        now, p50 = self._d.now, np.maximum(self.mean, self._d.now)
        policy, wait_s = self._d.policy, p50 - now
        p90 = p50 + policy.overtaking_p90 * wait_s + P90_SIGMAS * np.sqrt(self.variance)
        p50 = p50 + policy.overtaking_p50 * wait_s
        return p50, np.maximum(p50, p90)

    def _is_unknowable(self, i: int) -> bool:
        return bool(self._d.held.mask[i]) and self._d.held.why(i)[0] is not WaitReason.NOT_BEFORE

    def _floor(self, i: int) -> float:
        not_before = float(self._d.backlog.not_before[i])
        return self._d.now if math.isnan(not_before) else max(self._d.now, not_before)

    def _queues(self, i: int) -> list[tuple[CapQueue, float]]:
        found = []
        for cap, units in self._d.over(i):
            queue = self._cap_queues.get(cap.number)
            if queue is None:
                queue = self._cap_queues[cap.number] = CapQueue(self._d.caps.loaded(cap), self._d.now)
            found.append((queue, units))
        return found

    def _room(self, i: int, rows: Ints) -> tuple[Ints, float, float]:
        """The nodes where the job finds its GPUs together first, when, and the variance of it."""
        b = self._d.backlog
        gpus, nodes = int(b.gpus[i]), int(b.nodes[i])
        at_node = self._ends[rows, gpus - 1]
        if nodes == 1:
            chosen = rows[[int(np.argmin(at_node))]]
        else:
            chosen, best = rows[:0], math.inf
            for family in self._d.placement.families(int(b.spec_of[i]), None):
                numbers = [group.number for group in family]
                here = np.flatnonzero(np.isin(self._d.pool.group_number[rows], numbers))
                first = here[np.argsort(at_node[here], kind="stable")[:nodes]]
                if len(first) == nodes and float(at_node[first].max()) < best:
                    chosen, best = rows[first], float(at_node[first].max())
            if not len(chosen):
                return chosen, math.inf, 0.0
        ends = self._ends[chosen, gpus - 1]
        last = int(np.argmax(ends))
        return chosen, float(ends[last]), float(self._var[chosen[last], gpus - 1])

    def _walk_to(self, i: int) -> None:
        if self._is_unknowable(i):
            return
        b = self._d.backlog
        gpus = int(b.gpus[i])
        rows = self._rows[int(b.spec_of[i])]
        if not len(rows):
            return
        chosen, room_at, room_variance = self._room(i, rows)
        opened = self._to_join(i, room_at)
        if opened is not None:
            room_at, room_variance = opened.start, opened.variance
        start, variance = room_at, room_variance
        queues = self._queues(i)
        for bound, spread in [(self._floor(i), 0.0), *(queue.earliest(units) for queue, units in queues)]:
            if bound > start:
                start, variance = bound, spread
        if start == math.inf:
            return
        self.mean[i], self.variance[i] = start, variance
        end, end_variance = start + float(b.mean_s[i]), variance + float(b.variance[i])
        for queue, units in queues:
            queue.run(units, end, end_variance)
        # A job that a cap or a date holds back leaves the node to others until then.
        if start > room_at:
            return
        if opened is not None:
            self._join(i, opened, end, end_variance)
        else:
            for row in chosen.tolist():
                self._ends[row, :gpus], self._var[row, :gpus] = end, end_variance
                self._sort(row)
            if b.milli[i] < WHOLE_GPU:
                left = WHOLE_GPU - self._used_of(i, int(chosen[0]))
                self._opened_like(i).append(Opened(int(chosen[0]), left, start, variance, end))

    def _opened_like(self, i: int) -> list[Opened]:
        b = self._d.backlog
        return self._opened[b.classes[int(b.class_of[i])].grace_s is not None]

    def _used_of(self, i: int, row: int) -> float:
        """Thousandths of a GPU of the node that a share uses up, by its part of it or by its memory."""
        b, gpu_mib = self._d.backlog, self._d.pool.nodes[row].gpu_memory_mib
        wanted_mib = b.specs[int(b.spec_of[i])].min_gpu_memory_mib
        by_memory = WHOLE_GPU * wanted_mib / gpu_mib if wanted_mib and gpu_mib else 0.0
        return max(float(b.milli[i]), by_memory)

    def _to_join(self, i: int, before: float) -> Opened | None:
        """The first GPU that others of its kind have opened with room for a share, if that is no later than a free
        one; it must end before whoever takes that GPU after them."""
        b = self._d.backlog
        if b.milli[i] >= WHOLE_GPU:
            return None
        rows, run_s = self._rows[int(b.spec_of[i])], float(b.mean_s[i])
        able = (one for one in self._opened_like(i) if one.start <= before and self._used_of(i, one.row) <= one.left)
        return next(
            (
                one
                for one in able
                if one.row in rows and (one.start + run_s <= one.end or (self._ends[one.row] == one.end).any())
            ),
            None,
        )

    def _join(self, i: int, opened: Opened, end: float, end_variance: float) -> None:
        """Let a share run beside others: the GPU comes free when the last of them ends."""
        row = opened.row
        opened.left -= self._used_of(i, row)
        if opened.left <= 0:
            self._opened_like(i).remove(opened)
        if end > opened.end:
            column = int(np.flatnonzero(self._ends[row] == opened.end)[0])
            self._ends[row, column], self._var[row, column] = end, end_variance
            self._sort(row)
            opened.end = end

    def _by_throughput(self, rest: Ints) -> None:
        """Work ahead over capacity, from where the walk left each kind of GPU."""
        d, b = self._d, self._d.backlog
        if not len(rest):
            return
        specs = b.spec_of[rest]
        free_to_go = d.in_the_way()[rest]
        cost = np.where(free_to_go, b.units[rest] * b.mean_s[rest], 0.0)
        spread = np.where(free_to_go, b.units[rest] ** 2 * b.variance[rest], 0.0)
        for spec in set(specs.tolist()):
            rows, mine = self._rows[spec], np.flatnonzero(specs == spec)
            ends, known = self._ends[rows], np.isfinite(self._ends[rows])
            capacity = int(known.sum())
            if not capacity:
                continue
            rivals = d.compete[spec][specs]
            ahead = np.cumsum(np.where(rivals, cost, 0.0)) - np.where(rivals, cost, 0.0)
            spread_ahead = np.cumsum(np.where(rivals, spread, 0.0)) - np.where(rivals, spread, 0.0)
            self.mean[rest[mine]] = filled_to(np.sort(ends[known]), ahead[mine])
            base_variance = float(self._var[rows][known].mean())
            self.variance[rest[mine]] = base_variance + spread_ahead[mine] / capacity**2
        self._floor_rest(rest)

    def _floor_rest(self, rest: Ints) -> None:
        """No start before a date; none that nobody can know; under a cap, work ahead of it there over the cap."""
        d, b = self._d, self._d.backlog
        self.mean[rest] = np.fmax(self.mean[rest], b.not_before[rest])
        self.mean[[i for i in np.flatnonzero(d.held.mask).tolist() if self._is_unknowable(i)]] = np.nan
        work: dict[int, float] = {}
        for i in (i for i in rest.tolist() if i in d.blocks.caps):
            cap = d.blocks.caps[i]
            capacity = int(cap.profile.capacity)
            units = next(units for over, units in d.over(i) if over is cap)
            if units > capacity:
                self.mean[i] = np.nan
                continue
            if cap.number not in work:
                queue = self._cap_queues.get(cap.number) or CapQueue(d.caps.loaded(cap), d.now)
                begin = queue.earliest(capacity)[0]
                work[cap.number] = begin if begin < math.inf else math.nan
            self.mean[i] = max(float(self.mean[i]), work[cap.number])
            work[cap.number] += units * float(b.mean_s[i]) / capacity


def filled_to(ends: Floats, work: Floats) -> Floats:
    """When GPUs that come free at ``ends`` (sorted seconds) will have done ``work`` (GPU-seconds) between them.

    Water filling: the time T at which the sum of ``T - end`` over all ends before T is the work.
    """
    so_far = np.cumsum(ends)
    count = np.arange(1, len(ends) + 1)
    done_at_end = count * ends - so_far
    busy = np.maximum(1, np.searchsorted(done_at_end, work, side="right"))
    return np.asarray((work + so_far[busy - 1]) / busy, dtype=np.float64)
