"""A capacity over time: what is held until when, what is promised from when, and whether more would still fit.

One class serves a node's GPUs, an account's or a learner's cap, and a site's power: backfill means the same for all
of them. It may use what is free now as long as every promise can still be kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from labs.scheduling.domain.snapshot import Id

#: Watts are floats; a rounding error must not refuse the last GPU.
TOLERANCE = 1e-6


@dataclass(slots=True)
class Promise:
    """Units kept for a job from ``start_at`` to ``end_at``; ``spare`` is what is left beside it at ``start_at``."""

    job_id: Id
    units: float
    start_at: float
    end_at: float
    spare: float


class Profile:
    """Capacity in units (GPUs or watts). What is held only shrinks with time, so promises' starts are all to check."""

    __slots__ = ("_always", "_held", "_now", "capacity", "promises", "used")

    def __init__(self, capacity: float, now: float, used: float = 0.0) -> None:
        self.capacity = capacity
        #: Units in use now; what was given as ``used`` is never given back.
        self.used = used
        self._always = used
        self._now = now
        self._held: list[tuple[float, float]] = []
        self.promises: list[Promise] = []

    def hold(self, units: float, until_at: float) -> None:
        """Use units from now until at most ``until_at``."""
        self.used += units
        self._held.append((until_at, units))
        for promise in self.promises:
            if until_at > promise.start_at:
                promise.spare -= units

    def extend(self, units: float, from_at: float, until_at: float) -> None:
        """Let units that are held until ``from_at`` be held until ``until_at``, if that is later."""
        if until_at <= from_at:
            return
        self._held.remove((from_at, units))
        self._held.append((until_at, units))
        for promise in self.promises:
            if from_at <= promise.start_at < until_at:
                promise.spare -= units

    def shorten(self, units: float, from_at: float, until_at: float) -> None:
        """Let units that are held until ``from_at`` be given back at ``until_at``, if that is sooner."""
        if until_at >= from_at:
            return
        self._held.remove((from_at, units))
        self._held.append((until_at, units))
        for promise in self.promises:
            if until_at <= promise.start_at < from_at:
                promise.spare += units

    def release(self, units: float, until_at: float) -> None:
        """Give back what was held until then. Promises are forgotten before they are next asked for."""
        self.used -= units
        self._held.remove((until_at, units))

    def preload(self, held: list[tuple[float, float]]) -> None:
        """Say until when units are held that ``used`` counts already: (end, units) of each."""
        self._held.extend(held)

    def could(self, units: float) -> bool:
        """True if the units fit once all that is held has been given back."""
        return self._always + units <= self.capacity + TOLERANCE

    def admits(self, units: float, until_at: float) -> bool:
        """True if that many units can be used from now until ``until_at`` and all promises kept."""
        if self.used + units > self.capacity + TOLERANCE:
            return False
        return self.refused_for(units, until_at) is None

    def refused_for(self, units: float, until_at: float, held_until_at: float = -math.inf) -> Id | None:
        """The job whose promise would break if the units were used until then, None if there is none.

        Units that are held until some time already break only promises from then on.
        """
        for promise in self.promises:
            if held_until_at <= promise.start_at < until_at and promise.spare + TOLERANCE < units:
                return promise.job_id
        return None

    def earliest(self, units: float, duration_s: float, not_before: float = -math.inf) -> float:
        """The first time from which the units are free for ``duration_s`` if everything held lasts as long as it may.

        Infinite if they never are.
        """
        if not self.promises:
            return self._earliest_unpromised(units, not_before)
        held = sorted(self._held, reverse=True)
        in_use = self.used
        first = max(self._now, not_before)
        for at in sorted({first, *(end for end, _ in held), *(p.end_at for p in self.promises)}):
            if at < first:
                continue
            while held and held[-1][0] <= at:
                in_use -= held.pop()[1]
            promised = sum(p.units for p in self.promises if p.start_at <= at < p.end_at)
            if in_use + promised + units > self.capacity + TOLERANCE:
                continue
            coming = (p for p in self.promises if at < p.start_at < at + duration_s)
            if all(p.spare + TOLERANCE >= units for p in coming):
                return at
        return math.inf

    def _earliest_unpromised(self, units: float, not_before: float) -> float:
        at, in_use = max(self._now, not_before), self.used
        most = self.capacity + TOLERANCE - units
        for end, held in sorted(self._held):
            if end > at:
                if in_use <= most:
                    return at
                at = end
            in_use -= held
        return at if in_use <= most else math.inf

    def promise(self, job_id: Id, units: float, start_at: float, duration_s: float) -> None:
        """Keep units for a job from ``start_at`` on. The caller has asked ``earliest`` for that time."""
        end_at = start_at + duration_s
        in_use = self.used - sum(held for end, held in self._held if end <= start_at)
        promised = sum(p.units for p in self.promises if p.start_at <= start_at < p.end_at)
        for other in self.promises:
            if start_at <= other.start_at < end_at:
                other.spare -= units
        self.promises.append(Promise(job_id, units, start_at, end_at, self.capacity - in_use - promised - units))

    def forget_promises(self) -> None:
        """Drop all promises: each pass over the queue makes its own."""
        self.promises.clear()
