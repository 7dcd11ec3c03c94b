"""Locking accounts: always by ascending id, so that no two transactions wait for each other in a ring.

FOR NO KEY UPDATE: a row that points to an account (a job, an entry) takes FOR KEY SHARE on it when it is written,
before the account is locked here. Against FOR UPDATE two submissions to one account would wait for each other.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, F, Func, QuerySet

from campus.core.errors import NotFound
from labs.quota.models import Account


class _ClockTimestamp(Func):
    function = "clock_timestamp"
    output_field = DateTimeField()


def require_transaction() -> None:
    """Refuse to post outside a transaction: half a posting would be a wrong balance. Raises RuntimeError."""
    if not connection.in_atomic_block:
        raise RuntimeError("quota services must be called inside a transaction")


def path_ids(account_id: int) -> QuerySet[Account, Any]:
    """The ids of an account and of everything above it, as a subquery."""
    return Account.objects.filter(pk=account_id).annotate(up=Func(F("path"), function="unnest")).values("up")


def lock_path(account_id: int) -> tuple[list[Account], datetime]:
    """Lock an account and everything above it, in one query.

    Returns the accounts from root to leaf, and the database's time. Raises NotFound.
    """
    require_transaction()
    # A parent is older than its child, so ascending ids run from the root to the leaf.
    rows = (
        Account.objects.filter(pk__in=path_ids(account_id)).order_by("pk").select_for_update(of=("self",), no_key=True)
    )
    timed = sorted(rows.annotate(locked_at=_ClockTimestamp()), key=lambda account: len(account.path))
    if not timed:
        raise NotFound()
    return list(timed), timed[-1].locked_at


def lock_accounts(ids: Iterable[int] | None = None) -> dict[int, Account]:
    """Lock these accounts, or all of them, in one query; by id."""
    require_transaction()
    rows = Account.objects.order_by("pk").select_for_update(of=("self",), no_key=True)
    return {account.pk: account for account in (rows if ids is None else rows.filter(pk__in=list(ids)))}
