"""Judging many changes at once, by what would stand when all of them were made: their order does not matter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .allocation import MOST_S, Refusal, Standing


@dataclass(frozen=True)
class Node:
    """An account's figures and the account above it, None for the root or where that one is not changed with it."""

    standing: Standing
    parent_id: int | None


@dataclass(frozen=True)
class Wanted:
    """A change: GPU-seconds to add, and the overcommit to set in percent (None leaves it)."""

    delta_s: int = 0
    overcommit_pct: int | None = None


@dataclass(frozen=True)
class Refused:
    """Why a row may not be. `limit_s` is what it could be at most (at least, when it takes back), all else as asked."""

    refusal: Refusal
    limit_s: int


@dataclass(frozen=True)
class Judged:
    """What would stand, by account, and the rows that may not be so."""

    after: Mapping[int, Standing]
    refused: Mapping[int, Refused]


def judge_all(accounts: Mapping[int, Node], wanted: Mapping[int, Wanted]) -> Judged:
    """Judge changes to `wanted`'s accounts; `accounts` holds them and the account above each."""
    after = {key: node.standing for key, node in accounts.items()}
    for key, change in wanted.items():
        own = after[key]
        pct = own.overcommit_pct if change.overcommit_pct is None else change.overcommit_pct
        after[key] = replace(own, allocated_s=own.allocated_s + change.delta_s, overcommit_pct=pct)
        parent_id = accounts[key].parent_id
        if parent_id is not None:
            above = after[parent_id]
            after[parent_id] = replace(above, granted_s=above.granted_s + change.delta_s)
    refused: dict[int, Refused] = {}
    for key, change in wanted.items():
        found = _own_refusal(accounts[key].standing, after[key], change) or _from_above(key, accounts, after, wanted)
        if found:
            refused[key] = found
    return Judged(after, refused)


def _own_refusal(before: Standing, after: Standing, change: Wanted) -> Refused | None:
    if after.allocated_s > MOST_S:
        return Refused(Refusal.TOO_MUCH, MOST_S - before.allocated_s)
    taken = min(0, after.least_s - before.allocated_s)
    if change.delta_s < 0 and after.allocated_s < after.used_s + after.held_s:
        return Refused(Refusal.BELOW_USE, taken)
    if change.delta_s < 0 and after.allocated_s < after.used_s + after.held_s + after.dated_s:
        return Refused(Refusal.BELOW_DATED, taken)
    gives_less_room = change.delta_s < 0 or after.overcommit_pct < before.overcommit_pct
    if gives_less_room and after.grantable_s < 0:
        return Refused(Refusal.BELOW_GRANTS, taken)
    return None


def _from_above(
    key: int, accounts: Mapping[int, Node], after: Mapping[int, Standing], wanted: Mapping[int, Wanted]
) -> Refused | None:
    parent_id = accounts[key].parent_id
    if wanted[key].delta_s <= 0 or parent_id is None or after[parent_id].grantable_s >= 0:
        return None
    # What the account above could give this row if the other rows got what they ask for.
    return Refused(Refusal.PARENT_SHORT, max(0, wanted[key].delta_s + after[parent_id].grantable_s))
