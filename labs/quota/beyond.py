"""What only packages above know of accounts: use as the queue counts it, idle GPUs, the campus's terms.

They say so here when they are ready, and quota does not ask further; where nobody did, the desk shows none of it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Figure(StrEnum):
    """A figure of an account and of everything below it."""

    DECAYED_S = "decayed_s"  # GPU-seconds with a half-life, by which the queue is ordered
    IDLE_GPUS = "idle_gpus"  # GPUs that are allocated to running jobs and idle, long after their owners were told


@dataclass(frozen=True)
class Term:
    """A term as people know it: `key` is stable, the days are its first and its last."""

    key: str
    name: str
    first_on: date
    last_on: date


# Given ids of accounts, returns the figure of those that have one, in one query.
Reader = Callable[[Collection[int]], Mapping[int, float]]
Terms = Callable[[], list[Term]]

_READERS: dict[Figure, Reader] = {}
_TERMS: list[Terms] = []


def register_figure(figure: Figure, reader: Reader) -> None:
    """Add who knows a figure; call it from `AppConfig.ready()`."""
    _READERS[figure] = reader


def register_terms(terms: Terms) -> None:
    """Add who knows the terms that are not over, the first to begin before the others; call it from `ready()`."""
    if terms not in _TERMS:
        _TERMS.append(terms)


def figures_of(figure: Figure, account_ids: Collection[int]) -> Mapping[int, float]:
    """Return the figure of each of these accounts that has one. One query at most."""
    reader = _READERS.get(figure)
    return reader(account_ids) if reader and account_ids else {}


def terms() -> list[Term]:
    """Return the terms that run or come. One query."""
    return [term for known in _TERMS for term in known()]
