"""Locking accounts: always by ascending id, so that no two transactions wait for each other in a ring.

FOR NO KEY UPDATE: a row that points to an account (a job, an entry) takes FOR KEY SHARE on it when it is written,
before the account is locked here. Against FOR UPDATE two submissions to one account would wait for each other.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, F, Func, QuerySet

from campus.core.compiled import Compiled, Given
from campus.core.errors import NotFound
from labs.quota.models import Account


class _ClockTimestamp(Func):
    function = "clock_timestamp"
    output_field = DateTimeField()


def require_transaction() -> None:
    """Refuse to post outside a transaction: half a posting would be a wrong balance. Raises RuntimeError."""
    if not connection.in_atomic_block:
        raise RuntimeError("quota services must be called inside a transaction")


def path_ids(account_id: Any) -> QuerySet[Account, Any]:
    """The ids of an account and of everything above it, as a subquery."""
    return Account.objects.filter(pk=account_id).annotate(up=Func(F("path"), function="unnest")).values("up")


def path_of(account_id: int) -> list[Account]:
    """Return an account and everything above it, from root to leaf, as they stand; empty where there is none."""
    return sorted(_PATH.models(account_id=account_id), key=_depth)


def lock_path(account_id: int) -> tuple[list[Account], datetime]:
    """Lock an account and everything above it, in one query.

    Returns the accounts from root to leaf, and the database's time. Raises NotFound.
    """
    require_transaction()
    path = sorted(_LOCKED_PATH.models(account_id=account_id), key=_depth)
    if not path:
        raise NotFound()
    return path, path[-1].locked_at


def _depth(account: Account) -> int:
    return len(account.path)


_PATH = Compiled(lambda: Account.objects.filter(pk__in=path_ids(Given("account_id"))).order_by("pk"))
# A parent is older than its child, so ascending ids run from the root to the leaf.
_LOCKED_PATH = Compiled(
    lambda: (
        Account.objects.filter(pk__in=path_ids(Given("account_id")))
        .annotate(locked_at=_ClockTimestamp())
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )
)


def lock_accounts(ids: Iterable[int] | None = None) -> dict[int, Account]:
    """Lock these accounts, or all of them, in one query; by id."""
    require_transaction()
    rows = Account.objects.order_by("pk").select_for_update(of=("self",), no_key=True)
    return {account.pk: account for account in (rows if ids is None else rows.filter(pk__in=list(ids)))}
