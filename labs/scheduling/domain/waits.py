"""Why each waiting job waits: reason, queue place and facts, kept as arrays and made into values when asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints, Spec
from labs.scheduling.domain.caps import Cap
from labs.scheduling.domain.decisions import Start, Wait, WaitFacts, WaitReason
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.estimates import Estimator
from labs.scheduling.domain.order import Priorities
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, RunningJob

#: What stopped a class that would have had room: the first of these that did is the reason.
STOPS = (
    WaitReason.RESERVED_FOR_WIDE_JOB,
    WaitReason.CLASS_RESERVATION,
    WaitReason.POWER_CAP,
    WaitReason.LENDING_CAP,
    WaitReason.LENDING_CLOSED,
)


def queue_places(dispatch: Dispatch, order: Ints) -> Ints:
    """For each job of the backlog its place, 1 first (0 for jobs not in ``order``).

    One more than the jobs before it in the order that could use a GPU that this one could use, and that nothing but
    GPUs holds back: who is stopped by a cap, a date or a closed account is in nobody's way.
    """
    b = dispatch.backlog
    places = np.zeros(b.size, dtype=np.int64)
    specs = b.spec_of[order]
    in_the_way = dispatch.in_the_way()[order]
    for spec in set(specs.tolist()):
        mine = np.flatnonzero(specs == spec)
        rivals = (dispatch.compete[spec][specs] & in_the_way).astype(np.int64)
        places[order[mine]] = 1 + (np.cumsum(rivals) - rivals)[mine]
    return places


def gpus_said(gpus: float) -> float:
    """GPUs as people are told them: a whole number where they are one; shares add up to a part."""
    said = round(gpus, 3)
    return int(said) if said.is_integer() else said


class Waits(Mapping[Id, Wait]):
    """A wait for every job that did not start. All is found on demand: a caller that asks nothing pays nothing."""

    def __init__(self, dispatch: Dispatch, priorities: Callable[[], Priorities]) -> None:
        self._d, self._make_priorities = dispatch, priorities
        self._class_reasons: dict[int, tuple[WaitReason, WaitFacts]] = {}

    @cached_property
    def _priorities(self) -> Priorities:
        return self._make_priorities()

    @cached_property
    def _index(self) -> dict[Id, int]:
        self._d.settle()
        jobs = self._d.backlog.jobs
        return {jobs[i].id: i for i in self._priorities.order.tolist()}

    @cached_property
    def _places(self) -> Ints:
        return queue_places(self._d, self._priorities.order)

    @cached_property
    def _cleared_at(self) -> dict[Id, float]:
        """For each job for which runs were asked to end, when they have."""
        at: dict[Id, float] = {}
        for run, until_at in zip(self._d.runs.runs, self._d.runs.wall_end_at.tolist(), strict=True):
            if run.is_ending and run.ending_for_job_id is not None:
                at[run.ending_for_job_id] = max(until_at, at.get(run.ending_for_job_id, until_at))
        return at | self._cleared_for_classes()

    def _cleared_for_classes(self) -> dict[Id, float]:
        """For the first jobs of a class that is on, as many as what was asked to end for it has room for, when it has
        ended."""
        d, b = self._d, self._d.backlog
        leaving: dict[int, list[tuple[float, float]]] = {}
        for i, run in enumerate(d.runs.runs):
            if run.is_ending and run.ending_for_job_id is None:
                rows = (d.pool.row_of.get(part.node_id) for part in run.places)
                for group in {int(d.pool.group_number[row]) for row in rows if row is not None}:
                    leaving.setdefault(group, []).append((float(d.runs.units[i]), float(d.runs.wall_end_at[i])))
        at: dict[Id, float] = {}
        if not leaving:
            return at
        kept = [
            tuple(g.number for g in d.pool.groups if d.reservations.upon(d.access.rights[spec.access], g.shape))
            for spec in b.specs
        ]
        room = {groups: sum(units for g in groups for units, _ in leaving.get(g, ())) for groups in set(kept)}
        for i in self._priorities.order.tolist():
            groups, units = kept[int(b.spec_of[i])], float(b.units[i])
            if 0 < units <= room[groups]:
                room[groups] -= units
                at[b.jobs[i].id] = max(until_at for g in groups for _, until_at in leaving.get(g, ()))
        return at

    @cached_property
    def _planned_s(self) -> tuple[Floats, Floats]:
        p50, p90 = Estimator(self._d, self._priorities.order).estimate()
        return p50 - self._d.now, p90 - self._d.now

    @cached_property
    def _starts_at(self) -> tuple[Floats, Floats]:
        """The planned waits as the last promises came true; nothing starts before its date."""
        now, not_before = self._d.now, self._d.backlog.not_before
        p50_s, p90_s = self._d.policy.fit.fitted(*self._planned_s)
        is_known = np.isfinite(p50_s)
        earliest = np.where(is_known, not_before, np.nan)
        return np.fmax(now + p50_s, earliest), np.fmax(now + p90_s, earliest)

    def __len__(self) -> int:
        return self._d.backlog.size - len(self._d.starts)

    def __iter__(self) -> Iterator[Id]:
        return iter(self._index)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self._index

    def __getitem__(self, job_id: Id) -> Wait:
        i = self._index[job_id]
        reason, facts = self._why(i)
        p50, p90 = (float(at[i]) for at in self._starts_at)
        is_by_queue = reason not in (WaitReason.PREEMPTING, WaitReason.NOT_BEFORE) and not math.isnan(p50)
        if reason is WaitReason.PREEMPTING and facts.until_at is not None:
            p50, p90 = min(facts.until_at, p50), min(facts.until_at, p90)  # what is not known (NaN) is by then, too
        return Wait(
            reason=reason,
            place=int(self._places[i]),
            start_p50_at=None if math.isnan(p50) else p50,
            start_p90_at=None if math.isnan(p90) else p90,
            facts=facts,
            factors=self._priorities.factors(i),
            planned_p50_s=float(self._planned_s[0][i]) if is_by_queue else None,
            planned_p90_s=float(self._planned_s[1][i]) if is_by_queue else None,
        )

    def _why(self, i: int) -> tuple[WaitReason, WaitFacts]:
        d = self._d
        if d.held.mask[i]:
            return self._held(i)
        cap = d.blocks.caps.get(i)
        if cap is not None:
            return cap.reason, self._cap_facts(i, cap)
        number = int(d.backlog.class_of[i])
        if number not in self._class_reasons:
            self._class_reasons[number] = self._class_reason(number)
        reason, facts = self._class_reasons[number]
        cleared_at = self._cleared_at.get(d.backlog.jobs[i].id)
        if cleared_at is not None:
            return WaitReason.PREEMPTING, replace(facts, until_at=cleared_at)
        if reason in (WaitReason.RESOURCES, WaitReason.LENT_OUT) and self._places[i] > 1:
            reason = WaitReason.BEHIND_OTHERS
        reserved = d.blocks.reservations.get(i)
        if reserved is not None:
            node_id = d.blocks.expected_node.get(i, reserved.node_id)
            facts = replace(facts, node_id=node_id, until_at=reserved.start_at)
        return reason, facts

    def _cap_facts(self, i: int, cap: Cap) -> WaitFacts:
        used = gpus_said(cap.profile.used)
        is_sweep = cap.reason is WaitReason.GROUP_CAP
        return WaitFacts(
            gpus_wanted=self._d.backlog.jobs[i].gpus,
            account_id=cap.account_id,
            cap=int(cap.profile.capacity),
            running_gpus=None if is_sweep else used,
            running_jobs=int(used) if is_sweep else None,
        )

    def _held(self, i: int) -> tuple[WaitReason, WaitFacts]:
        d, job = self._d, self._d.backlog.jobs[i]
        reason, account_id = d.held.why(i)
        spec = d.backlog.specs[int(d.backlog.spec_of[i])]
        facts = self._wanted(int(d.backlog.class_of[i]), spec)
        watts: float | None = None
        if reason is WaitReason.POWER_CAP:
            groups = [group for group in d.pool.groups if group.shape.fits(spec)]
            units = float(d.backlog.units[i])
            watts = min((round(units * group.shape.watts, 1) for group in groups), default=None)
        opens_at: float | None = None
        if reason is WaitReason.LENDING_CLOSED:
            opens_at = d.lendings.opens_at(d.access.rights[spec.access], spec.site_id)
        widest = (max(sizes) for (shape, _), sizes in d.pool.sizes.items() if shape.fits(spec))
        return reason, replace(
            facts,
            gpus_most_on_one_node=max(widest, default=0),
            account_id=account_id,
            until_at=job.not_before if reason is WaitReason.NOT_BEFORE else None,
            from_at=opens_at,
            watts_wanted=watts,
            jobs_open=len(job.waits_for) or None,
            job_id=min(job.waits_for, default=None),
        )

    def _wanted(self, number: int, spec: Spec) -> WaitFacts:
        """What the class asks for."""
        asked = self._d.backlog.classes[number]
        return WaitFacts(
            gpus_wanted=asked.gpus,
            gpu_type=spec.gpu_type,
            min_gpu_memory_mib=spec.min_gpu_memory_mib,
            site_id=spec.site_id,
            nodes_wanted=asked.nodes if asked.nodes > 1 else None,
            gpu_milli=asked.milli if asked.milli < WHOLE_GPU else None,
        )

    def _class_reason(self, number: int) -> tuple[WaitReason, WaitFacts]:
        """The reason for which no job of the class starts, as far as GPUs go."""
        d = self._d
        asked = d.backlog.classes[number]
        spec = d.backlog.specs[asked.spec]
        here = [group for group in d.pool.groups if d.usable[asked.spec][group.number]]
        free = {k: sum(len(group.buckets[k]) for group in here) for k in range(d.pool.widest_free + 1)}
        facts = replace(
            self._wanted(number, spec),
            gpus_free_on_one_node=max((k for k, nodes in free.items() if nodes), default=0),
            gpus_free_in_all=sum(k * nodes for k, nodes in free.items()),
        )
        if asked.nodes > 1:
            facts = replace(facts, nodes_free=sum(nodes for k, nodes in free.items() if k >= asked.gpus))
        if not d.is_full(number):
            return self._stopped(number, facts)
        elsewhere = spec._replace(gpu_type=None)
        if spec.gpu_type is not None and not facts.gpus_free_in_all:
            others = [g for g in d.pool.groups if g.shape.fits(elsewhere) and d.is_open_to(spec.access, g.shape)]
            if any(group.with_free(asked.gpus) for group in others):
                return WaitReason.GPU_TYPE_BUSY, facts
        if self._is_lent_out(number):
            return WaitReason.LENT_OUT, facts
        closed = [g for g in d.pool.groups if g.shape.fits(spec) and not d.is_open_to(spec.access, g.shape)]
        lender = next((g.shape.site for g in closed if g.with_free(asked.gpus) >= asked.nodes), None)
        if lender is not None:
            opens_at = d.lendings.opens_at(d.access.rights[spec.access], lender)
            return WaitReason.LENDING_CLOSED, replace(facts, site_id=lender, from_at=opens_at)
        return WaitReason.RESOURCES, facts

    @cached_property
    def _lent_on(self) -> dict[int, int]:
        """GPUs that borrowers hold, by row of the pool."""
        held: dict[int, set[int]] = {}
        pool = self._d.pool
        holders: list[RunningJob | Start] = [*self._d.runs.runs, *self._d.starts.values()]
        for part in (part for one in holders if one.is_borrowed for part in one.places):
            if part.node_id in pool.row_of:
                held.setdefault(pool.row_of[part.node_id], set()).update(part.gpu_indices)
        return {row: len(gpus) for row, gpus in held.items()}

    def _is_lent_out(self, number: int) -> bool:
        """True if a node of its own campus would have room, had it lent nothing."""
        d, asked = self._d, self._d.backlog.classes[number]
        foreign = d.access.rights[d.backlog.specs[asked.spec].access].foreign_sites
        return any(
            d.usable[asked.spec][group.number]
            and group.shape.site not in foreign
            and len(d.pool.free[row]) + lent >= asked.gpus
            for row, lent in self._lent_on.items()
            if (group := d.pool.group_of[row]) is not None
        )

    def _stopped(self, number: int, facts: WaitFacts) -> tuple[WaitReason, WaitFacts]:
        """What stopped a class that would have had room."""
        d, stops = self._d, self._d.blocks.stops.get(number, {})
        reason = next((reason for reason in STOPS if reason in stops), WaitReason.NEXT_PASS)
        named = stops.get(reason)
        if reason is WaitReason.RESERVED_FOR_WIDE_JOB:
            return reason, replace(facts, job_id=named)
        if reason is WaitReason.CLASS_RESERVATION and named is not None:
            kept = d.reservations.of_id(named)
            begins = kept.state.start_at if kept is not None and not kept.is_active else None
            ends = kept.state.end_at if kept is not None else None
            return reason, replace(facts, reservation_id=named, from_at=begins, until_at=ends)
        if named is None:
            return reason, facts
        facts = replace(facts, site_id=named)
        if reason is WaitReason.POWER_CAP:
            per_gpu = max(g.shape.watts for g in d.pool.groups if g.shape.site == named)
            power, units = d.power[named], d.backlog.classes[number].units
            spare = max(0.0, power.capacity - power.used)
            facts = replace(facts, watts_wanted=round(units * per_gpu, 1), watts_free=round(spare, 1))
        rights = d.access.rights[d.backlog.specs[d.backlog.classes[number].spec].access]
        if reason is WaitReason.LENDING_CAP:
            cap, used = d.lendings.lent(rights, named)
            facts = replace(facts, cap=cap, running_gpus=gpus_said(used))
        elif reason is WaitReason.LENDING_CLOSED:
            facts = replace(facts, from_at=d.lendings.opens_at(rights, named))
        return reason, facts
