"""Why each waiting job waits: reason, queue place and facts, kept as arrays and made into values when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from labs.scheduling.domain.backlog import Floats, Ints
from labs.scheduling.domain.decisions import Wait, WaitFacts, WaitReason
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.order import Priorities
from labs.scheduling.domain.snapshot import Id


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


class Waits(Mapping[Id, Wait]):
    """A wait for every job that did not start. Values are made on demand: a caller that wants ten pays for ten."""

    def __init__(self, dispatch: Dispatch, priorities: Priorities, p50: Floats, p90: Floats) -> None:
        self._d, self._priorities = dispatch, priorities
        self._p50, self._p90 = p50, p90
        self._places = queue_places(dispatch, priorities.order)
        self._index = {dispatch.backlog.jobs[i].id: i for i in priorities.order.tolist()}
        self._class_reasons: dict[int, tuple[WaitReason, WaitFacts]] = {}

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Id]:
        return iter(self._index)

    def __getitem__(self, job_id: Id) -> Wait:
        i = self._index[job_id]
        reason, facts = self._why(i)
        p50, p90 = float(self._p50[i]), float(self._p90[i])
        return Wait(
            reason=reason,
            place=int(self._places[i]),
            start_p50_at=None if np.isnan(p50) else p50,
            start_p90_at=None if np.isnan(p90) else p90,
            facts=facts,
            factors=self._priorities.factors(i),
        )

    def _why(self, i: int) -> tuple[WaitReason, WaitFacts]:
        d, job = self._d, self._d.backlog.jobs[i]
        if i in d.held:
            reason, account_id = d.held[i]
            return reason, self._held_facts(i, reason, account_id)
        cap = d.blocks.caps.get(i)
        if cap is not None:
            return cap.reason, WaitFacts(
                gpus_wanted=job.gpus,
                account_id=cap.account_id,
                cap=int(cap.profile.capacity),
                running_gpus=int(cap.profile.used),
            )
        number = int(d.backlog.class_of[i])
        if number not in self._class_reasons:
            self._class_reasons[number] = self._class_reason(number)
        reason, facts = self._class_reasons[number]
        if reason is WaitReason.RESOURCES and self._places[i] > 1:
            reason = WaitReason.BEHIND_OTHERS
        return reason, self._with_promise(i, facts)

    def _with_promise(self, i: int, facts: WaitFacts) -> WaitFacts:
        reserved = self._d.blocks.reservations.get(i)
        if reserved is None:
            return facts
        return WaitFacts(
            gpus_wanted=facts.gpus_wanted,
            gpus_free_on_one_node=facts.gpus_free_on_one_node,
            gpus_free_in_all=facts.gpus_free_in_all,
            gpu_type=facts.gpu_type,
            min_gpu_memory_mib=facts.min_gpu_memory_mib,
            site_id=facts.site_id,
            job_id=facts.job_id,
            watts_wanted=facts.watts_wanted,
            watts_free=facts.watts_free,
            node_id=self._d.blocks.expected_node.get(i, reserved.node_id),
            until_at=reserved.start_at,
        )

    def _held_facts(self, i: int, reason: WaitReason, account_id: Id | None) -> WaitFacts:
        job = self._d.backlog.jobs[i]
        spec = self._d.backlog.specs[int(self._d.backlog.spec_of[i])]
        watts: float | None = None
        if reason is WaitReason.POWER_CAP:
            groups = [group for tier in self._d.pool.tiers(spec, None) for group in tier]
            watts = min((job.gpus * group.shape.watts for group in groups), default=None)
        return WaitFacts(
            gpus_wanted=job.gpus,
            gpus_most_on_one_node=self._d.pool.widest(spec),
            gpu_type=job.gpu_type,
            min_gpu_memory_mib=job.min_gpu_memory_mib,
            site_id=job.required_site_id,
            account_id=account_id,
            until_at=job.not_before if reason is WaitReason.NOT_BEFORE else None,
            watts_wanted=watts,
        )

    def _class_reason(self, number: int) -> tuple[WaitReason, WaitFacts]:
        """The reason for which no job of the class starts, as far as GPUs go."""
        d = self._d
        spec_number, gpus = d.backlog.classes[number]
        spec = d.backlog.specs[spec_number]
        best, in_all = d.pool.most_free(spec)
        site_id, job_id = spec.site_id, None
        watts: tuple[float, float] | None = None
        reason = WaitReason.RESOURCES
        if best >= gpus:
            reason = WaitReason.NEXT_PASS
            if number in d.blocks.refused_for:
                reason, job_id = WaitReason.RESERVED_FOR_WIDE_JOB, d.blocks.refused_for[number]
            elif number in d.blocks.power:
                reason, site_id = WaitReason.POWER_CAP, d.blocks.power[number]
                watts = self._watts(site_id, gpus)
        elif spec.gpu_type is not None and in_all == 0:
            other, _ = d.pool.most_free(spec._replace(gpu_type=None))
            reason = WaitReason.GPU_TYPE_BUSY if other >= gpus else reason
        return reason, WaitFacts(
            gpus_wanted=gpus,
            gpus_free_on_one_node=best,
            gpus_free_in_all=in_all,
            gpu_type=spec.gpu_type,
            min_gpu_memory_mib=spec.min_gpu_memory_mib,
            site_id=site_id,
            job_id=job_id,
            watts_wanted=None if watts is None else watts[0],
            watts_free=None if watts is None else watts[1],
        )

    def _watts(self, site_id: Id, gpus: int) -> tuple[float, float]:
        per_gpu = max(g.shape.watts for g in self._d.pool.groups if g.shape.site == site_id)
        power = self._d.power[site_id]
        return gpus * per_gpu, max(0.0, power.capacity - power.used)
