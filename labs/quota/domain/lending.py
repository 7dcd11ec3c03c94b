"""Lending between siblings: who lends how much, and what comes back. Whole GPU-seconds.

A loan is what a borrower's use and holds exceed its own allocation by; so nothing that is merely lent lies idle.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .allocation import Standing


@dataclass(frozen=True)
class Offer:
    """A lending that is open to the borrower: what is left of its limit."""

    lending_id: int
    lender_id: int
    room_s: int


def lendable_s(lender: Standing) -> int:
    """Return what an account could lend: not what is used, held or granted below, nor what it must give back itself."""
    for_grants = -(-lender.granted_s * 100 // lender.overcommit_pct)
    spoken_for = max(lender.used_s + lender.held_s, for_grants)
    return max(0, lender.allocated_s - spoken_for - lender.dated_s)


def share_out(wanted_s: int, offers: Sequence[Offer], lendable: dict[int, int]) -> list[tuple[int, int]]:
    """Return (lending, seconds) that together make `wanted_s`, in the order of the offers; empty when they do not."""
    left = dict(lendable)
    shares: list[tuple[int, int]] = []
    for offer in offers:
        part = min(wanted_s, offer.room_s, left.get(offer.lender_id, 0))
        if part > 0:
            shares.append((offer.lending_id, part))
            left[offer.lender_id] -= part
            wanted_s -= part
    return [] if wanted_s else shares


def most_offered_s(offers: Sequence[Offer], lendable: dict[int, int]) -> int:
    """Return the most that the offers could make together."""
    left = dict(lendable)
    total = 0
    for offer in offers:
        part = max(0, min(offer.room_s, left.get(offer.lender_id, 0)))
        left[offer.lender_id] = left.get(offer.lender_id, 0) - part
        total += part
    return total


def to_repay_s(*, free_s: int, dated_s: int, borrowed_s: int) -> int:
    """Return what a borrower no longer needs of its loans: what is free of its allocation, but for its own grants."""
    return max(0, min(borrowed_s, free_s - dated_s))


def spent_s(*, allocated_s: int, borrowed_s: int, used_s: int) -> int:
    """Return what of its loans a borrower's jobs have used up: by so much use alone exceeds its own."""
    return max(0, min(borrowed_s, used_s - (allocated_s - borrowed_s)))
