"""Where a job starts now: a node, several for a gang, or a share of one GPU; and what stands in the way if nowhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from labs.jobs.domain.shares import memory_of_share
from labs.scheduling.domain.access import Access, Rights
from labs.scheduling.domain.backlog import Backlog, Bools, JobClass
from labs.scheduling.domain.caps import Cap
from labs.scheduling.domain.decisions import Reservation, WaitReason
from labs.scheduling.domain.fragmentation import Mix
from labs.scheduling.domain.lending import Lendings, Lent, No
from labs.scheduling.domain.pool import Group, Guard, Pool
from labs.scheduling.domain.reservations import Kept, Reservations
from labs.scheduling.domain.shared import Shared, Tenant
from labs.scheduling.domain.snapshot import WHOLE_GPU, Id, PendingJob


@dataclass(slots=True)
class Blocks:
    """What one walk found about those that did not start. Jobs and classes are indices into the backlog."""

    #: The cap that stopped the job.
    caps: dict[int, Cap] = field(default_factory=dict)
    #: What stopped the class where there was room: the job, the class reservation or the site that is named with it.
    stops: dict[int, dict[WaitReason, Id]] = field(default_factory=dict)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    #: The node where a blocked job is expected to start, which may be another than the reserved one.
    expected_node: dict[int, Id] = field(default_factory=dict)
    #: Wall and P90 seconds for which a class was refused; a longer run of the class is refused too.
    refused: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    #: Specs of blocked jobs, with the place in the walk of the first: a later start that competes is a backfill.
    first_blocked: dict[int, int] = field(default_factory=dict)
    guards: dict[int, Guard] = field(default_factory=dict)
    #: Shared GPUs (row, index) that are being cleared for a job: nobody joins them.
    cleared: set[tuple[int, int]] = field(default_factory=set)

    def block(self, spec: int, at: int) -> None:
        """Note that a job of the spec is blocked at that place of the walk."""
        self.first_blocked[spec] = min(at, self.first_blocked.get(spec, at))

    def stop(self, number: int, reason: WaitReason, named: Id) -> None:
        """Note what stopped a class, the first of each kind."""
        self.stops.setdefault(number, {}).setdefault(reason, named)


@dataclass(frozen=True, slots=True)
class Ask:
    """What one job wants, now."""

    job: PendingJob
    number: int
    asked: JobClass
    rights: Rights
    wall_end_at: float
    p90_end_at: float

    @property
    def is_preemptible(self) -> bool:
        return self.asked.grace_s is not None

    def memory_on(self, gpu_memory_mib: int) -> int:
        """The memory that goes with its share of such a GPU."""
        wanted_mib = self.job.min_gpu_memory_mib
        return memory_of_share(milli=self.asked.milli, gpu_memory_mib=gpu_memory_mib, wanted_mib=wanted_mib)


@dataclass(frozen=True, slots=True)
class Grant:
    """On what grounds a job may use a site: it is free to, its class is on, or the site lends."""

    kept: Kept | None = None
    lent: Lent | None = None

    def tenant(self, ask: Ask) -> Tenant:
        """Whose shared GPUs it may join."""
        reservation_id = None if self.kept is None else self.kept.state.id
        return Tenant(reservation_id, self.lent is not None, ask.is_preemptible)


FREE = Grant()
#: More than any job lacks on a node.
LAST_CHOICE = 1_000_000


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a job starts: rows of the pool, or the shared GPU that it joins."""

    rows: tuple[int, ...]
    grant: Grant
    shared: Shared | None = None


class Placement:
    """Finds spots. Whatever it is asked, no promise, class, lending or power cap is broken by the answer."""

    def __init__(
        self,
        backlog: Backlog,
        pool: Pool,
        mix: Mix,
        access: Access,
        reservations: Reservations,
        lendings: Lendings,
        probes: int,
    ) -> None:
        self._backlog, self._pool, self._mix = backlog, pool, mix
        self._access, self._reservations, self._lendings = access, reservations, lendings
        self._probes = probes
        self._tiers: dict[tuple[int, Id | None], list[list[Group]]] = {}
        #: For each spec and group of nodes whether it may start there now, if nothing is in the way.
        self.usable: Bools = np.zeros((0, 0), dtype=np.bool_)
        self.blocks = Blocks()

    def ask(self, i: int, now: float) -> Ask:
        """The question for one job of the backlog."""
        job, number = self._backlog.jobs[i], int(self._backlog.class_of[i])
        asked = self._backlog.classes[number]
        rights = self._access.rights[self._backlog.specs[asked.spec].access]
        return Ask(job, number, asked, rights, now + job.wall_s, now + float(self._backlog.p90_s[i]))

    def find(self, ask: Ask) -> tuple[Spot | None, bool]:
        """The best spot, and whether any would have had room, but for what was promised to others."""
        if ask.asked.milli < WHOLE_GPU:
            return self._share(ask)
        return self._gang(ask) if ask.asked.nodes > 1 else self._node(ask)

    def has_room(self, asked: JobClass) -> bool:
        """Whether any node has room for a job of the class, promised or not: what ``find`` says second."""
        groups = [group for group in self._pool.groups if self.usable[asked.spec, group.number]]
        if asked.nodes > 1:
            with_room: dict[tuple[Id, str], int] = {}
            for group in groups:
                family = group.shape.family
                with_room[family] = with_room.get(family, 0) + group.with_free(asked.gpus)
            return any(nodes >= asked.nodes for nodes in with_room.values())
        if any(group.with_free(asked.gpus) for group in groups):
            return True
        wanted_mib, shared_gpus = self._backlog.specs[asked.spec].min_gpu_memory_mib, self._pool.shared
        return asked.milli < WHOLE_GPU and any(
            shared.free_memory_mib
            >= memory_of_share(milli=asked.milli, gpu_memory_mib=group.shape.memory_mib, wanted_mib=wanted_mib)
            for group in groups
            for rest in shared_gpus.remainders(group.number, asked.milli)
            for shared in shared_gpus.of_remainder(group.number, rest)
        )

    def tiers(self, spec: int, preferred_site: Id | None) -> list[list[Group]]:
        """The groups that the spec may use, best first; within a tier fragmentation decides."""
        found = self._tiers.get((spec, preferred_site))
        if found is None:
            asked = self._backlog.specs[spec]
            foreign = self._access.rights[asked.access].foreign_sites
            tiers: dict[tuple[bool, bool, int], list[Group]] = {}
            for group in self._pool.groups:
                if self.usable[spec, group.number]:
                    site = group.shape.site
                    key = (site != preferred_site, site in foreign, group.shape.memory_mib)
                    tiers.setdefault(key, []).append(group)
            found = self._tiers[spec, preferred_site] = [tiers[key] for key in sorted(tiers)]
        return found

    def _node(self, ask: Ask) -> tuple[Spot | None, bool]:
        gpus, is_room, probes = ask.asked.gpus, False, self._probes
        for tier in self.tiers(ask.asked.spec, ask.job.preferred_site_id):
            best: Spot | None = None
            least = math.inf
            grants: dict[int, list[Grant]] = {}
            for group, rows in ((g, g.buckets[k]) for k in self._mix.counts(gpus) for g in tier):
                if not rows:
                    continue
                is_room = True
                if group.number not in grants:
                    grants[group.number] = self._grants(group, ask)
                for row, grant in ((row, grant) for grant in grants[group.number] for row in rows):
                    if self._breaks_promise(row, ask, grant):
                        continue
                    lacks = self._lacks(row, ask.job) + self._is_promised(row, ask, grant)
                    if lacks < least:
                        best, least = Spot((row,), grant), lacks
                    probes -= 1
                    if not lacks or probes <= 0:
                        return best, True
            if best is not None:
                return best, True
        return None, is_room

    def _gang(self, ask: Ask) -> tuple[Spot | None, bool]:
        """Nodes of one site and one type, all of them or none."""
        gpus, wanted, is_room = ask.asked.gpus, ask.asked.nodes, False
        for family in self.families(ask.asked.spec, ask.job.preferred_site_id):
            if sum(group.with_free(gpus) for group in family) < wanted:
                continue
            is_room = True
            worst = max(family, key=lambda group: group.shape.watts)
            for grant in self._grants(worst, ask):
                rows: list[int] = []
                for bucket in (g.buckets[k] for k in self._mix.counts(gpus) for g in family):
                    rows += (row for row in bucket if not self._breaks_promise(row, ask, grant))
                    if len(rows) >= wanted + self._probes:
                        break
                if len(rows) >= wanted:
                    rows.sort(key=lambda row: self._lacks(row, ask.job))
                    return Spot(tuple(sorted(rows[:wanted])), grant), True
        return None, is_room

    def families(self, spec: int, preferred_site: Id | None) -> list[list[Group]]:
        """The groups that the spec may use, put together by site and type, best first."""
        families: dict[tuple[Id, str], list[Group]] = {}
        for tier in self.tiers(spec, preferred_site):
            for group in tier:
                families.setdefault(group.shape.family, []).append(group)
        return list(families.values())

    def _share(self, ask: Ask) -> tuple[Spot | None, bool]:
        """A shared GPU that its job leaves least useless, or else a share of a whole one."""
        milli, is_room, shared_gpus = ask.asked.milli, False, self._pool.shared
        for tier in self.tiers(ask.asked.spec, ask.job.preferred_site_id):
            offers = [
                (self._mix.rest(rest - milli) - self._mix.rest(rest), rest, group.number, group)
                for group in tier
                for rest in shared_gpus.remainders(group.number, milli)
            ]
            for _, rest, number, group in sorted(offers, key=lambda offer: offer[:3]):
                for shared in shared_gpus.of_remainder(number, rest):
                    if shared.free_memory_mib < ask.memory_on(group.shape.memory_mib):
                        continue
                    is_room = True
                    if (shared.row, shared.index) in self.blocks.cleared:
                        continue
                    for grant in self._grants(group, ask, shared):
                        if grant.tenant(ask) == shared.tenant and not self._breaks_promise(
                            shared.row, ask, grant, shared
                        ):
                            return Spot((shared.row,), grant, shared), True
        whole, is_room_whole = self._node(ask)
        return whole, is_room or is_room_whole

    def _lacks(self, row: int, job: PendingJob) -> int:
        """How much of what the job reads is not on the node: its environment and data sets."""
        node = self._pool.nodes[row]
        lacks = int(job.environment is not None and job.environment not in node.environments)
        return lacks + len(job.data_sets - node.data_sets) if job.data_sets else lacks

    def _breaks_promise(self, row: int, ask: Ask, grant: Grant, shared: Shared | None = None) -> bool:
        guard = self.blocks.guards.get(row)
        if guard is None or grant.kept is not None:
            return False
        refused_for = guard.refused_for(ask.asked.gpus, ask.wall_end_at, ask.p90_end_at, shared)
        if refused_for is None:
            return False
        self.blocks.stop(ask.number, WaitReason.RESERVED_FOR_WIDE_JOB, refused_for)
        return True

    def _is_promised(self, row: int, ask: Ask, grant: Grant) -> int:
        """A class begins when it begins: it takes a node that is promised to a job, but as the last choice."""
        guard = self.blocks.guards.get(row) if grant.kept is not None else None
        is_free = guard is None or guard.refused_for(ask.asked.gpus, ask.wall_end_at, ask.p90_end_at) is None
        return 0 if is_free else LAST_CHOICE

    def _grants(self, group: Group, ask: Ask, shared: Shared | None = None) -> list[Grant]:
        """The grounds on which the job may start on nodes of the group now, if any."""
        shape, asked, power = group.shape, ask.asked, group.power
        if power is not None and not power.admits(asked.units * shape.watts, ask.wall_end_at):
            self.blocks.stop(ask.number, WaitReason.POWER_CAP, shape.site)
            return []
        if self._access.is_plain:
            return [FREE]
        whole = asked.gpus * asked.nodes
        found = [
            Grant(kept=kept)
            for kept in self._reservations.upon(ask.rights, shape)
            if self._reservations.room_upon(kept, shape, whole, ask.wall_end_at, shared)
        ]
        refused_for = self._reservations.refused_for(
            shape, whole, ask.wall_end_at, is_preemptible=ask.is_preemptible, shared=shared
        )
        if refused_for is not None:
            is_class = self._reservations.of_id(refused_for) is not None
            reason = WaitReason.CLASS_RESERVATION if is_class else WaitReason.RESERVED_FOR_WIDE_JOB
            self.blocks.stop(ask.number, reason, refused_for)
        elif shape.site not in ask.rights.foreign_sites:
            found.append(FREE)
        else:
            lent = self._lendings.borrow(
                ask.rights, shape.site, asked.units, ask.wall_end_at, is_preemptible=ask.is_preemptible
            )
            if isinstance(lent, No):
                reason = WaitReason.LENDING_CAP if lent is No.FULL else WaitReason.LENDING_CLOSED
                self.blocks.stop(ask.number, reason, shape.site)
            else:
                found.append(Grant(lent=lent))
        return found
