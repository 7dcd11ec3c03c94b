"""How an account gets more when its parent is short too: what each level above must be raised by, or who is short."""

from collections.abc import Sequence
from dataclasses import dataclass

from .allocation import Standing


@dataclass(frozen=True)
class Level:
    """An account on the way up. `may_raise`: whoever approves may give it more of what lies above it."""

    account_id: int
    standing: Standing
    may_raise: bool


@dataclass(frozen=True)
class Raising:
    """What to allocate, (account id, GPU-seconds) from the top down; or nothing, and who must grow by how much.

    `most_s` is the most that the same approver could give.
    """

    steps: tuple[tuple[int, int], ...]
    short_id: int | None = None
    short_s: int = 0
    most_s: int = 0


def raising(account_id: int, wanted_s: int, above: Sequence[Level]) -> Raising:
    """Say how `account_id` gets `wanted_s` more GPU-seconds; `above` runs from its parent up to the root.

    A parent gives what it has left to grant. What is lacking it is given first, as far up as the approver may.
    Raises ValueError for nothing.
    """
    if wanted_s <= 0:
        raise ValueError("nothing is wanted")
    steps = [(account_id, wanted_s)]
    need_s = wanted_s
    for level in above:
        lacking_s = lacks_s(level.standing, need_s)
        if lacking_s <= 0:
            return Raising(tuple(reversed(steps)), most_s=most_s(above))
        if not level.may_raise or level is above[-1]:
            return Raising((), level.account_id, lacking_s, most_s(above))
        steps.append((level.account_id, lacking_s))
        need_s = lacking_s
    return Raising(tuple(reversed(steps)), most_s=most_s(above))


def lacks_s(parent: Standing, need_s: int) -> int:
    """Return by how much a parent must grow to grant `need_s`, at least; nothing or less where it has enough."""
    return -(-(need_s + parent.granted_s) * 100 // parent.overcommit_pct) - parent.allocated_s


def most_s(above: Sequence[Level]) -> int:
    """Return the most that an account below these levels can be given by whoever may raise them."""
    found = 0
    for level in reversed(_within_reach(above)):
        standing = level.standing
        found = max((standing.allocated_s + found) * standing.overcommit_pct // 100 - standing.granted_s, 0)
    return found


def _within_reach(above: Sequence[Level]) -> Sequence[Level]:
    """The levels up to the first that the approver may not raise; that one still gives what it has."""
    for count, level in enumerate(above, start=1):
        if not level.may_raise:
            return above[:count]
    return above
