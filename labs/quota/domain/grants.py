"""Grants that end: which of them pays for a job, and what becomes of what is unused. Whole GPU-seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .allocation import MOST_S, Standing


@dataclass(frozen=True)
class Source:
    """A grant that a job could draw from. `level` counts from the root of the job's path, which is 0."""

    grant_id: int
    level: int
    is_sponsored: bool
    ends_at: datetime
    left_s: int


def draw(wanted_s: int, sources: Iterable[Source]) -> dict[int, int]:
    """Say how much of `wanted_s` each grant pays; grants that pay nothing are left out.

    Sponsors pay first, the grant that ends first before the others; a second is paid by one sponsor at most. What they
    leave is drawn, on each level for itself, from that level's own grants in the order in which they end. A sponsor's
    seconds were new on its level and on all above, so there they are no draw on own grants; below they are.

    Each grant's part grows with `wanted_s`, never shrinks: what a charge of n draws is a part of what its hold drew.
    """
    ordered = sorted(sources, key=lambda s: (not s.is_sponsored, s.ends_at, -s.level, s.grant_id))
    drawn: dict[int, int] = {}
    covered: dict[int, int] = {}  # by level: what is paid for there
    for source in ordered:
        open_s = wanted_s - (max(covered.values(), default=0) if source.is_sponsored else covered.get(source.level, 0))
        part = min(open_s, source.left_s)
        if part <= 0:
            continue
        drawn[source.grant_id] = part
        if source.is_sponsored:
            for level in range(source.level + 1):
                covered[level] = covered.get(level, 0) + part
        else:
            covered[source.level] = covered.get(source.level, 0) + part
    return drawn


def moved(before: Mapping[int, int], after: Mapping[int, int]) -> dict[int, int]:
    """Return by how much each grant's part changes, where it does."""
    changes = {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}
    return {key: change for key, change in changes.items() if change}


@dataclass(frozen=True)
class CarryOver:
    """What is carried over of the unused: `pct` percent, and no more than `most_s`."""

    pct: int = 0
    most_s: int | None = None


@dataclass(frozen=True)
class Closing:
    """What of a grant's rest is carried over, and what is due back."""

    carry_s: int
    due_s: int


def close(*, left_s: int, carried_s: int, returned_s: int, rule: CarryOver) -> Closing:
    """Divide what an ended grant has left, now or again when a hold came free: the rule holds for all of it together.

    Nothing is lost: `carry_s + due_s = left_s`.
    """
    may_carry = (left_s + carried_s + returned_s) * rule.pct // 100
    if rule.most_s is not None:
        may_carry = min(may_carry, rule.most_s)
    carry = max(0, min(left_s, may_carry - carried_s))
    return Closing(carry, left_s - carry)


def returnable_s(due_s: int, account: Standing, other_dated_s: int, above: Iterable[Standing] = ()) -> int:
    """Return how much of `due_s` the account can give back now: not what is used, held, granted below or of others.

    `other_dated_s` is what its other grants have left. `above` are the levels that a sponsor's seconds are taken
    from as well.
    """
    room = [account.free_s - other_dated_s, account.allocated_s + (-account.granted_s * 100 // account.overcommit_pct)]
    for level in above:
        room.append(level.free_s)
        slack = level.allocated_s * level.overcommit_pct - level.granted_s * 100
        if level.overcommit_pct > 100:  # its room to grant shrinks faster than what was granted
            room.append(slack // (level.overcommit_pct - 100))
    return max(0, min(due_s, *room))


def most_added_s(above: Iterable[Standing]) -> int:
    """Return how much a sponsor can add below these levels before one of them would have granted too much."""
    room = [MOST_S]
    for level in above:
        room.append(MOST_S - level.allocated_s)
        slack = level.allocated_s * level.overcommit_pct - level.granted_s * 100
        if level.overcommit_pct < 100:
            room.append(slack // (100 - level.overcommit_pct))
    return max(0, min(room))
