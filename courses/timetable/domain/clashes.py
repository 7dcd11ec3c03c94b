"""What a class would take that is taken already: every clash is named, not only the first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

ROOM, STREAM, TEACHER, COHORT, GPUS = "ROOM", "STREAM", "TEACHER", "COHORT", "GPUS"
#: In this order people are told: what is easiest to change comes first.
ORDER = (ROOM, STREAM, TEACHER, COHORT, GPUS)


@dataclass(frozen=True, slots=True)
class Resource:
    """What one class may have at a time: a room, a stream, a teacher, a cohort."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Busy:
    """A resource that is taken from `starts_at` until just before `ends_at`; `by` names who has it."""

    resource: Resource
    starts_at: datetime
    ends_at: datetime
    by: str = ""
    by_id: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """So many of a pool's, kept for a time."""

    count: int
    starts_at: datetime
    ends_at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class Pool:
    """What is counted: `there` are there, `wanted` are wished, `kept` are kept by others. `id` is a site's."""

    id: int
    there: int
    wanted: int
    kept: tuple[Kept, ...] = ()
    name: str = ""

    def free(self, starts_at: datetime, ends_at: datetime) -> int:
        """The most that are free all of the time; it can only get less where something begins."""
        near = [one for one in self.kept if one.starts_at < ends_at and starts_at < one.ends_at]
        moments = [starts_at, *(one.starts_at for one in near if one.starts_at > starts_at)]
        return self.there - max(sum(k.count for k in near if k.starts_at <= at < k.ends_at) for at in moments)

    def fits(self, starts_at: datetime, ends_at: datetime) -> bool:
        """True if what is wished is free all of the time."""
        return self.wanted <= self.free(starts_at, ends_at)


@dataclass(frozen=True, slots=True)
class Clash:
    """What is taken, by whom and when; of a pool, how many are `left`. `at` is the start of the class that wants it."""

    kind: str
    id: int
    at: datetime
    starts_at: datetime
    ends_at: datetime
    by: str = ""
    by_id: int | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """A class that is to be: when, and what it takes."""

    starts_at: datetime
    ends_at: datetime
    resources: frozenset[Resource] = frozenset()
    pools: tuple[Pool, ...] = ()


def overlaps(a_start: datetime, a_end: datetime, b_start: datetime, b_end: datetime) -> bool:
    """True if there is an instant at which both are; one that ends as the other begins does not."""
    return a_start < b_end and b_start < a_end


def clashes_of(need: Need, busy: Iterable[Busy]) -> list[Clash]:
    """Every clash of a class with what is taken: by kind, then by time. Pools name the largest first."""
    found = [
        Clash(one.resource.kind, one.resource.id, need.starts_at, one.starts_at, one.ends_at, one.by, one.by_id)
        for one in busy
        if one.resource in need.resources and overlaps(need.starts_at, need.ends_at, one.starts_at, one.ends_at)
    ]
    for pool in need.pools:
        found += _of_pool(pool, need)
    return sorted(found, key=lambda clash: (ORDER.index(clash.kind), clash.starts_at, clash.id))


def _of_pool(pool: Pool, need: Need) -> list[Clash]:
    left = max(0, pool.free(need.starts_at, need.ends_at))
    if pool.wanted <= left:
        return []
    near = [kept for kept in pool.kept if overlaps(need.starts_at, need.ends_at, kept.starts_at, kept.ends_at)]
    if not near:
        return [Clash(GPUS, pool.id, need.starts_at, need.starts_at, need.ends_at, left=left)]
    return [
        Clash(GPUS, pool.id, need.starts_at, kept.starts_at, kept.ends_at, kept.by, left=left)
        for kept in sorted(near, key=lambda kept: -kept.count)
    ]


def among_themselves(needs: Sequence[Need]) -> list[Clash]:
    """Clashes of new classes with each other, as of a series that meets twice at a time."""
    ordered = sorted(needs, key=lambda need: need.starts_at)
    found: list[Clash] = []
    for index, need in enumerate(ordered):
        for later in ordered[index + 1 :]:
            if later.starts_at >= need.ends_at:
                break
            found += [
                Clash(one.kind, one.id, later.starts_at, need.starts_at, need.ends_at)
                for one in sorted(need.resources & later.resources, key=lambda one: (ORDER.index(one.kind), one.id))
            ]
    return found
