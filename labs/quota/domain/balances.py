"""Folding a ledger into balances, and finding who on the way up is short."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOLD, CHARGE, RELEASE, REFUND, CREDIT, DEBIT = "HOLD", "CHARGE", "RELEASE", "REFUND", "CREDIT", "DEBIT"

# What a GPU-second of each kind does to (used_s, held_s). A charge turns what was held into what was used.
# Staff's corrections change only what was used.
_EFFECT = {HOLD: (0, 1), CHARGE: (1, -1), RELEASE: (0, -1), REFUND: (-1, 0), CREDIT: (-1, 0), DEBIT: (1, 0)}


@dataclass(frozen=True)
class Posting:
    """GPU-seconds of one kind that count for every account in `path` (root to leaf)."""

    path: tuple[int, ...]
    kind: str
    gpu_seconds: int


@dataclass(frozen=True)
class Change:
    """What postings do to an account: GPU-seconds to add to `used_s` and `held_s`."""

    used_s: int = 0
    held_s: int = 0


@dataclass(frozen=True)
class Room:
    """An account on the way up, and what it alone could still hold, in GPU-seconds."""

    account_id: int
    available_s: int


def change_of(kind: str, gpu_seconds: int) -> Change:
    """Return what one posting does. Raises KeyError for an unknown kind."""
    used, held = _EFFECT[kind]
    return Change(used * gpu_seconds, held * gpu_seconds)


def fold(postings: Iterable[Posting]) -> dict[int, Change]:
    """Sum postings into the balances of every account that one of them names."""
    used: dict[int, int] = {}
    held: dict[int, int] = {}
    for posting in postings:
        change = change_of(posting.kind, posting.gpu_seconds)
        for account_id in posting.path:
            used[account_id] = used.get(account_id, 0) + change.used_s
            held[account_id] = held.get(account_id, 0) + change.held_s
    return {account_id: Change(used[account_id], held[account_id]) for account_id in used}


def first_short(rooms: Sequence[Room], wanted_s: int) -> Room | None:
    """Return the first account, from the leaf up, that cannot hold `wanted_s`; `rooms` run from root to leaf."""
    return next((room for room in reversed(rooms) if room.available_s < wanted_s), None)
