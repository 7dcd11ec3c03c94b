"""Whether a class's GPUs fit beside what a site keeps already, and when they would: sums over time, nothing else.

Times are seconds since the epoch. A reservation of any type takes GPUs that no typed one needs, so it is enough that at
each instant the typed ones fit their type and all of them the site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

FAR_S = 14 * 86_400.0
"""How far from the wished time another is looked for."""


@dataclass(frozen=True, slots=True)
class Booked:
    """GPUs that are kept, or are to be, from `start_at` until just before `end_at`; no type means any."""

    gpus: int
    gpu_type: str
    start_at: float
    end_at: float

    def overlaps(self, other: Booked) -> bool:
        """True if there is an instant at which both hold."""
        return self.start_at < other.end_at and other.start_at < self.end_at


@dataclass(frozen=True, slots=True)
class Stock:
    """The GPUs that a site has, by type."""

    by_type: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_type.values())


def free_at_least(booked: Iterable[Booked], stock: Stock, wish: Booked) -> int:
    """The most GPUs of the wished type that are free all of the wished time; negative where it is overbooked."""
    near = [one for one in booked if one.overlaps(wish)]
    moments = [wish.start_at, *(one.start_at for one in near if one.start_at > wish.start_at)]
    return min(_free_at(near, stock, wish.gpu_type, at) for at in moments)


def _free_at(booked: Sequence[Booked], stock: Stock, gpu_type: str, at: float) -> int:
    now = [one for one in booked if one.start_at <= at < one.end_at]
    free = stock.total - sum(one.gpus for one in now)
    if gpu_type:
        free = min(free, stock.by_type.get(gpu_type, 0) - sum(one.gpus for one in now if one.gpu_type == gpu_type))
    return free


def fits(booked: Iterable[Booked], stock: Stock, wish: Booked) -> bool:
    """True if the site may keep that, too."""
    return wish.gpus <= free_at_least(booked, stock, wish)


def nearest(
    booked: Sequence[Booked], stock: Stock, wish: Booked, *, not_before: float, most: int = 3
) -> list[tuple[float, float]]:
    """Times of the same length in which the wish would fit, the nearest first; each begins or ends with another's.

    Within FAR_S of the wished time and no sooner than `not_before`. Empty if it is more than the site has.
    """
    length = wish.end_at - wish.start_at
    starts = {one.end_at for one in booked} | {one.start_at - length for one in booked} | {not_before}
    near = [at for at in starts if at >= not_before and abs(at - wish.start_at) <= FAR_S]
    found: list[tuple[float, float]] = []
    for at in sorted(near, key=lambda at: (abs(at - wish.start_at), at)):
        other = replace(wish, start_at=at, end_at=at + length)
        if fits(booked, stock, other):
            found.append((other.start_at, other.end_at))
            if len(found) == most:
                break
    return found
