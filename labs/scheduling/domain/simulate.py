"""A pool in fast motion: arrivals and ends as events, the same ``plan`` as in production, nothing known beforehand."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from labs.scheduling.domain.decisions import Plan
from labs.scheduling.domain.effects import after, ended
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import Id, PendingJob, Snapshot

Planner = Callable[[Snapshot, Policy, float], Plan]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job that is submitted at ``job.submitted_at`` and would run for ``run_s`` seconds if nothing ended it."""

    job: PendingJob
    run_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: when it ran and where, and what it was first told about its start."""

    job_id: Id
    started_at: float
    ended_at: float
    node_id: Id
    promised_p50_at: float | None
    promised_p90_at: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """One pass of the planner in the simulation: the state it saw, when, and what it answered."""

    at: float
    state: Snapshot
    plan: Plan


class Simulation:
    """Replays arrivals on a pool. ``state`` gives sites, nodes and accounts; what runs there never ends by itself."""

    def __init__(self, state: Snapshot, arrivals: Iterable[Arrival], policy: Policy, planner: Planner = plan) -> None:
        self.state = state
        self._policy, self._planner = policy, planner
        self._arrivals = sorted(arrivals, key=lambda a: (a.job.submitted_at, str(a.job.id)))
        self._run_s = {a.job.id: min(a.run_s, a.job.wall_s) for a in self._arrivals}
        self._ends: list[tuple[float, str, Id]] = []
        self._told: dict[Id, tuple[float | None, float | None]] = {}
        self._decayed_at: float | None = None
        self.outcomes: dict[Id, Outcome] = {}

    def steps(self) -> Iterator[Step]:
        """Go from event to event until nothing more can happen; each step is a pass of the planner."""
        coming = iter(self._arrivals)
        arrival = next(coming, None)
        while arrival is not None or self._ends:
            due = [self._ends[0][0]] if self._ends else []
            now = min([*due, *([arrival.job.submitted_at] if arrival is not None else [])])
            while self._ends and self._ends[0][0] <= now:
                self._end(heapq.heappop(self._ends)[2], now)
            arrived = []
            while arrival is not None and arrival.job.submitted_at <= now:
                arrived.append(arrival.job)
                arrival = next(coming, None)
            self.state = replace(self.state, pending=(*self.state.pending, *arrived))
            seen = self.state
            made = self._planner(seen, self._policy, now)
            for job in arrived:
                wait = made.waits.get(job.id)
                self._told[job.id] = (now, now) if wait is None else (wait.start_p50_at, wait.start_p90_at)
            self._begin(made, now)
            yield Step(now, seen, made)

    def run(self) -> dict[Id, Outcome]:
        """Replay to the end; the outcome of each job that started."""
        for _ in self.steps():
            pass
        return self.outcomes

    def _begin(self, made: Plan, now: float) -> None:
        self.state = after(self.state, made.starts, now)
        for start in made.starts:
            end_at = now + self._run_s[start.job_id]
            heapq.heappush(self._ends, (end_at, str(start.job_id), start.job_id))
            told = self._told[start.job_id]
            self.outcomes[start.job_id] = Outcome(start.job_id, now, end_at, start.node_id, *told)

    def _end(self, job_id: Id, now: float) -> None:
        since = now if self._decayed_at is None else self._decayed_at
        self.state = ended(self.state, job_id, now, self._policy, since)
        self._decayed_at = now
