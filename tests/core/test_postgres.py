"""The database backend: no integer is cut on its way, and a query that comes again is planned once."""

import pytest
from django.db import DataError, connection, transaction
from django.db.models import Count, F, Sum

from campus.core.postgres.base import PARAMETERS, PLANS_KEPT
from labs.quota.models import Account
from labs.scheduling.models import Cycle
from tests.factories import platform_account

pytestmark = pytest.mark.django_db
LARGE = 2**31  # GPU-seconds of 600,000 GPU-hours need more than 32 bits


@pytest.mark.parametrize("seconds", [1, LARGE - 1, LARGE, 2 * LARGE + 5, 2**53])
def test_what_is_added_to_a_balance_arrives_whole(seconds: int) -> None:
    account = platform_account(0)
    Account.objects.filter(pk=account.pk).update(allocated_s=F("allocated_s") + seconds)
    account.refresh_from_db()
    assert account.allocated_s == seconds


def test_what_a_small_column_cannot_hold_is_refused() -> None:
    account = platform_account(0)
    with pytest.raises(DataError), transaction.atomic():
        Account.objects.filter(pk=account.pk).update(weight=F("weight") + 2 * LARGE)
    account.refresh_from_db()
    assert account.weight == 1


def test_a_query_that_comes_again_is_planned_once() -> None:
    for pk in range(20):
        Account.objects.filter(pk=pk, name="planned once").first()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE %s",
            ["%quota_account%LIMIT%"],
        )
        used = [count for (count,) in cursor.fetchall()]
    assert max(used) >= 15
    assert connection.connection.prepared_max == PLANS_KEPT


def test_thousands_of_rows_are_written_and_found_in_parts() -> None:
    """Six values a row: more than one statement may have."""
    rows = Cycle.objects.bulk_create([Cycle(pending=n, started=0, plan_ms=1, total_ms=1) for n in range(15_000)])
    assert Cycle.objects.aggregate(n=Count("pk"), sum=Sum("pending")) == {"n": 15_000, "sum": 112_492_500}
    assert len(Cycle.objects.in_bulk([row.pk for row in rows] * 5)) == 15_000


@pytest.mark.parametrize("changed", [1, 2, 7, 40])
def test_an_update_of_many_rows_has_no_more_values_than_a_statement_may(changed: int) -> None:
    """Of each row come, for every column, its key and the value, and the key once more."""
    rows = connection.ops.bulk_batch_size(["pk", "pk", *["column"] * changed], range(10**6))
    assert PARAMETERS / 2 < rows * (2 * changed + 4) <= PARAMETERS
    assert rows * (2 * changed + 1) <= PARAMETERS
