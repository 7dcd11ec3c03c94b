"""Until which day an account is needed. Only courses know terms: they say so here, and labs does not ask further."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from .models import Account

# Given each account's path (root to itself) by its id, returns the last day for those that it knows, in one query.
Horizon = Callable[[Mapping[int, list[int]]], dict[int, date]]

_HORIZONS: list[Horizon] = []


def register(horizon: Horizon) -> None:
    """Add one who knows until when accounts are needed; call it from `AppConfig.ready()`. The latest day counts."""
    if horizon not in _HORIZONS:
        _HORIZONS.append(horizon)


def ends_of(accounts: Iterable[Account]) -> dict[int, date]:
    """Return the last day on which each account is needed; accounts of which nobody knows are left out."""
    paths = {account.pk: account.path for account in accounts}
    ends: dict[int, date] = {}
    for horizon in _HORIZONS:
        for account_id, day in horizon(paths).items():
            ends[account_id] = max(day, ends.get(account_id, day))
    return ends
