"""Lending between campuses while a plan is made: who may use a site that belongs to others, how much, until when."""

from __future__ import annotations

from enum import Enum

from labs.scheduling.domain.access import Access, Rights
from labs.scheduling.domain.backlog import Runs
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.pool import Pool
from labs.scheduling.domain.profile import TOLERANCE
from labs.scheduling.domain.snapshot import Id, LendingState, RunningJob


class Lent:
    """One lending, with the GPUs that run under it (fractions count as their share)."""

    __slots__ = ("number", "state", "used")

    def __init__(self, number: int, state: LendingState) -> None:
        self.number, self.state = number, state
        self.used = 0.0

    def is_open(self, now: float) -> bool:
        """True within its window."""
        return self.state.from_at <= now < self.state.until_at

    def has_room(self, units: float) -> bool:
        """True if that many more GPUs may be lent."""
        return self.used + units <= self.state.max_gpus + TOLERANCE


class No(Enum):
    """Why nothing is lent."""

    CLOSED = "closed"
    FULL = "full"


class Lendings:
    """All lendings. Runs that borrow count for the first one that covers them and has room, the oldest run first."""

    def __init__(self, access: Access, pool: Pool, runs: Runs, policy: Policy, now: float) -> None:
        self._now, self._clearing_s = now, policy.clearing_s
        self._access = access
        self.all = [Lent(number, state) for number, state in enumerate(access.lendings)]
        #: The lending of each run that borrows, by job; None for one whose window is over.
        self.of_run: dict[Id, Lent | None] = {}
        sites = {node.id: node.site_id for node in pool.nodes}
        borrowers = [i for i, run in enumerate(runs.runs) if run.is_borrowed]
        borrowers.sort(key=lambda i: (runs.runs[i].started_at, str(runs.runs[i].job_id)))
        for i in borrowers:
            run, units = runs.runs[i], float(runs.units[i])
            self.of_run[run.job_id] = self._attribute(run, units, sites.get(run.node_id))

    def _attribute(self, run: RunningJob, units: float, site: Id | None) -> Lent | None:
        rights = self._access.rights[self._access.number(run.account_id)]
        able = [
            lent
            for lent in self._of(rights, site)
            if run.is_preemptible or run.started_at + run.wall_s <= lent.state.until_at
        ]
        if not able:
            return None
        chosen = next((lent for lent in able if lent.has_room(units)), able[0])
        chosen.used += units
        return chosen

    def _of(self, rights: Rights, site: Id | None) -> list[Lent]:
        """Open lendings of a site to an account with these rights."""
        return [
            self.all[number]
            for number in sorted(rights.lendings)
            if self.all[number].state.lender_site_id == site and self.all[number].is_open(self._now)
        ]

    def is_lent(self, rights: Rights, site: Id) -> bool:
        """True if the site lends anything to an account with these rights now."""
        return bool(self._of(rights, site))

    def lent(self, rights: Rights, site: Id) -> tuple[int, float]:
        """How many GPUs the site lends to such an account at most now, and how many of them run."""
        found = self._of(rights, site)
        return sum(lent.state.max_gpus for lent in found), sum(lent.used for lent in found)

    def opens_at(self, rights: Rights, site: Id | None) -> float | None:
        """When the next window opens in which the site (None: any) lends to an account with these rights."""
        ahead = [
            self.all[number].state.from_at
            for number in rights.lendings
            if self.all[number].state.from_at > self._now
            and (site is None or self.all[number].state.lender_site_id == site)
        ]
        return min(ahead, default=None)

    def borrow(self, rights: Rights, site: Id, units: float, wall_end: float, *, is_preemptible: bool) -> Lent | No:
        """The lending under which a job may start now: it ends within the window, or can be taken back in time."""
        fitting = [
            lent
            for lent in self._of(rights, site)
            if wall_end <= lent.state.until_at
            or (is_preemptible and self._now + self._clearing_s <= lent.state.until_at)
        ]
        if not fitting:
            return No.CLOSED
        return next((lent for lent in fitting if lent.has_room(units)), No.FULL)
