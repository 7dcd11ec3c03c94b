"""Which runs are asked to end: for a job that goes first, for a campus that takes back what it lent, or for a class.

Only runs that their owners marked preemptible, never one that runs upon a class reservation, and never more than what
really makes room. Least lost work first: the GPU-seconds that a run has used so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from labs.scheduling.domain.backlog import Ints
from labs.scheduling.domain.decisions import Preempt, PreemptReason
from labs.scheduling.domain.placement import Ask
from labs.scheduling.domain.pool import Group
from labs.scheduling.domain.profile import TOLERANCE
from labs.scheduling.domain.reservations import Kept
from labs.scheduling.domain.snapshot import Id
from labs.scheduling.domain.victims import Victim, enough, victims

if TYPE_CHECKING:
    from labs.scheduling.domain.dispatch import Dispatch


class Preemption:
    """Jobs ask during a walk, at the moment at which they would be promised GPUs, so that nothing is started in their
    way; lendings and classes ask when nothing more can start."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._d = dispatch
        #: Jobs that have runs end for them in this walk, with these runs; and the nodes where they find room.
        self._of_jobs: dict[Id, list[Victim]] = {}
        self._rows: set[int] = set()

    @cached_property
    def _able(self) -> list[Victim]:
        d = self._d
        return victims(d.runs, d.pool, d.reservations, d.now)

    @cached_property
    def _being_cleared(self) -> set[Id | None]:
        return {run.ending_for_job_id for run in self._d.runs.runs if run.is_ending}

    def forget_jobs(self) -> None:
        """Begin a walk."""
        self._of_jobs, self._rows = {}, set()

    def preempts(self) -> tuple[Preempt, ...]:
        """All runs to ask, each once."""
        if not self._able:
            return ()
        asked = Asked(self._d, self._able)
        for job_id, chosen in self._of_jobs.items():
            for is_borrowed, reason in ((True, PreemptReason.TAKEN_BACK), (False, PreemptReason.FOR_JOB)):
                mine = [victim for victim in chosen if victim.is_borrowed is is_borrowed]
                asked.ask(mine, reason, for_job_id=job_id)
        asked.for_lendings()
        for kept in self._d.reservations.kept:
            asked.for_class(kept)
        return tuple(asked.made.values())

    def for_job(self, ask: Ask, natural_at: float, rows: Ints) -> tuple[list[int], float] | None:
        """The nodes to clear for a job that GPUs block, and when they are; None if nothing is to be gained.

        A job that is not preemptible may have any preemptible run end on nodes of its own campus or everybody's, and
        any job what its campus has lent. ``natural_at`` is when it would start otherwise, at the latest.
        """
        if not self._able or ask.job.id in self._being_cleared or not self._d.is_full(ask.number):
            return None
        found = self._cheapest(ask, natural_at, rows)
        if found is None:
            return None
        rows_cleared, chosen = found
        self._rows |= set(rows_cleared)
        self._of_jobs[ask.job.id] = chosen
        self._d.blocks.cleared |= {(one.shared.row, one.shared.index) for one in chosen if one.shared is not None}
        return rows_cleared, self._d.now + max(victim.grace_s for victim in chosen)

    def ends_on(self, job_id: Id, row: int) -> list[tuple[float, float]]:
        """When the GPUs that are cleared on a node for a job would have come free (by wall limit, by prediction)."""
        chosen = self._of_jobs[job_id]
        return [ends for victim in chosen if row in victim.gpus for ends in [victim.ends] * victim.gpus[row]]

    def _cheapest(self, ask: Ask, natural_at: float, rows: Ints) -> tuple[list[int], list[Victim]] | None:
        """The nodes to clear, and of what, at the least lost work; None if that makes no room in time."""
        d = self._d
        options = self._options(ask, natural_at, rows)
        best: tuple[float, list[int], list[Victim]] | None = None
        for family in d.placement.families(ask.asked.spec, ask.job.preferred_site_id):
            numbers = {group.number for group in family}
            here = [row for row in options if int(d.pool.group_number[row]) in numbers]
            nearest = sorted(here, key=lambda row: (options[row][0], row))[: ask.asked.nodes]
            lost = sum(options[row][0] for row in nearest)
            if len(nearest) == ask.asked.nodes and (best is None or lost < best[0]):
                chosen = list({victim.key: victim for row in nearest for victim in options[row][1]}.values())
                if chosen and self._would_start(ask, family, nearest, chosen):
                    best = lost, sorted(nearest), chosen
        return None if best is None else (best[1], best[2])

    def _options(self, ask: Ask, natural_at: float, rows: Ints) -> dict[int, tuple[float, list[Victim]]]:
        """For each node that can be made to have room: the GPU-seconds lost, and the runs to ask."""
        d, policy = self._d, self._d.policy
        on_row: dict[int, list[Victim]] = {}
        for victim in self._able:
            if (
                victim.comes_free
                and d.now - victim.started_at >= policy.least_run_s
                and d.now + victim.grace_s + policy.least_gain_s <= natural_at
                and (victim.is_borrowed or not ask.job.is_preemptible)
                and not self._rows & set(victim.gpus)
            ):
                for row in victim.gpus:
                    on_row.setdefault(row, []).append(victim)
        options: dict[int, tuple[float, list[Victim]]] = {}
        for row in rows.tolist() if on_row else ():
            group, lacking = d.pool.group_of[row], ask.asked.gpus - len(d.pool.free[row])
            if row in self._rows or group is None or (lacking > 0 and row not in on_row):
                continue
            if group.shape.site in ask.rights.foreign_sites or self._is_promised(row, ask.job.id):
                continue
            chosen = enough(on_row.get(row, []), lacking, partial(_gpus_on, row))
            if chosen is not None:
                options[row] = sum(victim.lost for victim in chosen), chosen
        return options

    def _is_promised(self, row: int, job_id: Id) -> bool:
        """True if the node is promised to another job."""
        guard = self._d.blocks.guards.get(row)
        return guard is not None and any(promise.job_id != job_id for promise in guard.by_wall.promises)

    def _would_start(self, ask: Ask, family: list[Group], rows: list[int], chosen: list[Victim]) -> bool:
        """True if nothing but these GPUs holds the job back: not power, and no class either."""
        d, power = self._d, family[0].power
        if power is not None:
            watts = {row: node.watts_per_gpu for row, node in enumerate(d.pool.nodes)}
            wanted = sum(watts[row] for row in rows) * ask.asked.units / ask.asked.nodes
            freed = sum(gpus * watts[row] for victim in chosen for row, gpus in victim.gpus.items())
            if power.used - freed + wanted > power.capacity + TOLERANCE:
                return False
        whole = ask.asked.gpus * ask.asked.nodes
        refused_for = d.reservations.refused_for(
            family[0].shape, whole, ask.wall_end_at, is_preemptible=ask.is_preemptible
        )
        return refused_for is None


class Asked:
    """The runs that are asked to end, as they add up."""

    def __init__(self, dispatch: Dispatch, able: Iterable[Victim]) -> None:
        self._d = dispatch
        self._able = list(able)
        self._asked: list[Victim] = []
        self.made: dict[Id, Preempt] = {}

    def ask(
        self,
        chosen: Iterable[Victim],
        reason: PreemptReason,
        *,
        for_job_id: Id | None = None,
        for_reservation_id: Id | None = None,
    ) -> None:
        """Ask all of these to end."""
        for victim in chosen:
            for run in victim.runs:
                self.made[run.job_id] = Preempt(run.job_id, reason, for_job_id, for_reservation_id)
            self._asked.append(victim)
            self._able.remove(victim)

    def _is_due(self, victim: Victim, at: float) -> bool:
        return self._d.now + victim.grace_s + self._d.policy.clear_ahead_s >= at

    def for_lendings(self) -> None:
        """What is borrowed is back when the window ends."""
        d = self._d
        for victim in [victim for victim in self._able if victim.is_borrowed]:
            lent = [d.lendings.of_run.get(run.job_id) for run in victim.runs]
            until_at = min(d.now if one is None else one.state.until_at for one in lent)
            if victim.ends[0] > until_at and self._is_due(victim, until_at):
                self.ask([victim], PreemptReason.LENDING_ENDS)

    def for_class(self, kept: Kept) -> None:
        """What a class needs is free when it begins: all of it, or as much as can be had."""
        d = self._d
        start_at = max(d.now, kept.state.start_at)
        gpus = partial(self._gpus_for, kept, start_at)
        lacking = d.reservations.lacking(kept) - sum(map(gpus, self._asked))
        if lacking > 0:
            able = [victim for victim in self._able if gpus(victim)]
            chosen = enough(able, lacking, gpus)
            due = [v for v in (able if chosen is None else chosen) if self._is_due(v, kept.state.start_at)]
            self.ask(due, PreemptReason.FOR_CLASS, for_reservation_id=kept.state.id)

    def _gpus_for(self, kept: Kept, start_at: float, victim: Victim) -> int:
        """GPUs that a victim would still hold when the class begins, of those that the class may use."""
        if victim.ends[0] <= start_at or not victim.comes_free:
            return 0
        groups = ((self._d.pool.group_of[row], gpus) for row, gpus in victim.gpus.items())
        return sum(gpus for group, gpus in groups if group is not None and kept.covers(group.shape))


def _gpus_on(row: int, victim: Victim) -> int:
    return victim.gpus[row]
