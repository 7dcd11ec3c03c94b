"""Fragments of pages that a process keeps: HTML that nothing but its arguments, the language and the zone decide."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language

_KEPT: list[Callable[[], None]] = []


def fragment(most: int) -> Callable[[Callable[..., SafeString]], Callable[..., SafeString]]:
    """Keep what a function writes by its arguments, for the `most` used last: 1 to 10 KiB each.

    For what a page shows by the hundred. The function must show nothing but what it is given: no request, no reader,
    no clock (give it the day, where words depend on it). Arguments are plain values and tuples of them, as a database
    gives them. Markup is an argument of its own and not inside a tuple, for the type is told apart only there. Decimals
    are given as their text: 90.0 and 90.00 are equal.
    """

    def keep(write: Callable[..., SafeString]) -> Callable[..., SafeString]:
        # By type, too: markup and the text of the same letters are equal, and so are 1 and True.
        @functools.lru_cache(maxsize=most, typed=True)
        def kept(_language: str | None, _zone: str, *shown: Any) -> SafeString:
            return write(*shown)

        @functools.wraps(write)
        def fragment_of(*shown: Any) -> SafeString:
            return kept(get_language(), get_current_timezone_name(), *shown)

        _KEPT.append(kept.cache_clear)
        return fragment_of

    return keep


def require_plain(value: Any) -> None:
    """Raise TypeError for what is more than its value: a model is equal to itself after it was changed."""
    if isinstance(value, tuple):
        for one in value:
            require_plain(one)
    elif value is not None and not isinstance(value, str | int | float | Decimal | date):
        raise TypeError(f"a fragment is kept by plain values, not by {type(value).__name__}")


def forget_fragments() -> None:
    """Let go of all that is kept in this process: for tests and measurements."""
    for forget in _KEPT:
        forget()
