"""Races with real threads and connections. Each has its negative control: the same rush without the lock fails."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from campus.core.errors import CampusError, Conflict, OverQuota
from labs.quota import api
from labs.quota.models import Account, LedgerEntry, UsageDay
from tests import factories
from tests.quota.conftest import Tree, plant

pytestmark = pytest.mark.django_db(transaction=True)

RUSH = 50
SECONDS = 60


def rush(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Call `act(n)` on `count` threads at once, each in a transaction and on a connection of its own."""
    gate = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            with connection.cursor() as cursor:  # connect before the gate, so that all really start together
                cursor.execute("SELECT 1")
            gate.wait(timeout=60)
            with transaction.atomic():
                return act(number)
        except (CampusError, DatabaseError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def hold(tree: Tree, number: int) -> str:
    api.hold(account_id=tree.learner.pk, job_id=number + 1, attempt=1, gpu_seconds=SECONDS)
    return "held"


def naive_hold(tree: Tree, number: int, gate: threading.Barrier) -> str:
    """What `hold` would be without its lock: read, decide, write."""
    path = list(Account.objects.filter(pk__in=tree.learner.path))
    if any(account.available_s < SECONDS for account in path):
        return "refused"
    gate.wait(timeout=60)  # everybody has read before anybody writes: the window that a lock closes
    LedgerEntry.objects.create(
        account=tree.learner, path=tree.learner.path, job_id=number + 1, attempt=1, kind="HOLD", gpu_seconds=SECONDS
    )
    for account in path:
        account.held_s += SECONDS
        account.save(update_fields=["held_s"])
    return "held"


def test_fifty_holds_on_a_balance_for_twenty_give_exactly_twenty() -> None:
    tree = plant(learner_s=20 * SECONDS)
    ends = rush(RUSH, lambda number: hold(tree, number))
    assert ends.count("held") == 20
    assert sum(isinstance(end, OverQuota) for end in ends) == 30
    assert [account.held_s for account in tree.fresh()] == [20 * SECONDS] * 4
    with transaction.atomic():
        assert api.rebuild() == []


def test_without_the_lock_the_same_rush_books_more_than_there_is() -> None:
    tree = plant(learner_s=20 * SECONDS)
    gate = threading.Barrier(RUSH)
    ends = rush(RUSH, lambda number: naive_hold(tree, number, gate))
    assert ends.count("held") == RUSH
    assert LedgerEntry.objects.count() == RUSH  # 50 holds where 20 fit
    with transaction.atomic():
        assert api.rebuild() != []


def test_an_attempt_settled_by_ten_at_once_is_charged_once() -> None:
    tree = plant()
    with transaction.atomic():
        hold(tree, 0)
    ends = rush(10, lambda number: api.settle(
        account_id=tree.learner.pk, job_id=1, attempt=1, held_s=SECONDS, charged_s=40
    ))  # fmt: skip
    assert ends.count(None) == 1
    assert sum(isinstance(end, Conflict) for end in ends) == 9
    assert [(account.used_s, account.held_s) for account in tree.fresh()] == [(40, 0)] * 4
    assert UsageDay.objects.get().charged_s == 40


def test_jobs_settled_at_once_share_one_day_without_losing_a_second() -> None:
    tree = plant()
    for number in range(12):
        with transaction.atomic():
            hold(tree, number)
    rush(12, lambda number: api.settle(
        account_id=tree.learner.pk, job_id=number + 1, attempt=1, held_s=SECONDS, charged_s=number
    ))  # fmt: skip
    day = UsageDay.objects.get()
    assert (day.charged_s, day.jobs) == (sum(range(12)), 11)  # the one that ran 0 s was not charged
    with transaction.atomic():
        assert api.rebuild() == []


def naive_day(tree: Tree, number: int, gate: threading.Barrier) -> None:
    """Counting a day without the account's lock: everybody sees no row, and everybody makes one."""
    updated = UsageDay.objects.filter(account=tree.learner, day="2026-11-21").update(charged_s=F("charged_s") + number)
    gate.wait(timeout=60)
    if not updated:
        UsageDay.objects.create(account=tree.learner, path=tree.learner.path, day="2026-11-21", charged_s=number)


def test_without_the_lock_days_are_lost() -> None:
    tree = plant()
    gate = threading.Barrier(12)
    ends = rush(12, lambda number: naive_day(tree, number, gate))
    assert sum(isinstance(end, DatabaseError) for end in ends) == 11


def test_allocating_and_holding_at_once_never_goes_below_zero() -> None:
    tree = plant(learner_s=20 * SECONDS)

    def act(number: int) -> str:
        if number % 2:
            return hold(tree, number)
        api.allocate(account_id=tree.learner.pk, delta_s=-SECONDS, reason="rush", actor=None)
        return "taken"

    ends = rush(RUSH, act)
    assert ends.count("held") + ends.count("taken") == 20
    assert all(isinstance(end, str | CampusError) for end in ends)
    assert tree.fresh()[3].available_s == 0
    with transaction.atomic():
        assert api.rebuild() == []


def naive_take(tree: Tree, gate: threading.Barrier) -> str:
    """Taking back without the lock: the check reads what others are about to change."""
    account = Account.objects.get(pk=tree.learner.pk)
    if account.available_s < SECONDS:
        return "refused"
    gate.wait(timeout=60)
    account.allocated_s -= SECONDS
    account.save(update_fields=["allocated_s"])
    return "taken"


def test_without_the_lock_what_was_taken_back_is_not_what_is_gone() -> None:
    tree = plant(learner_s=20 * SECONDS)
    gate = threading.Barrier(10)
    ends = rush(10, lambda number: naive_take(tree, gate))
    assert ends.count("taken") == 10
    assert tree.fresh()[3].allocated_s > 10 * SECONDS


def test_cousins_that_hold_at_once_wait_for_each_other_in_one_order() -> None:
    first = plant()
    second = plant()
    ends = rush(24, lambda number: hold(first if number % 2 else second, number))
    assert ends == ["held"] * 24
    assert first.fresh()[0].held_s == 24 * SECONDS


def test_one_learner_who_enrols_twice_at_once_gets_one_account() -> None:
    tree = plant()
    user = factories.UserFactory()
    ends = rush(8, lambda number: factories.learner_account(tree.cohort, user, 60))
    assert sum(isinstance(end, Account) for end in ends) == 1
    assert sum(isinstance(end, Conflict) for end in ends) == 7


def test_those_who_wrote_a_row_of_the_account_first_do_not_lock_each_other_out() -> None:
    tree = plant()
    gate = threading.Barrier(6)

    def submit(number: int) -> str:
        UsageDay.objects.create(account=tree.learner, path=tree.learner.path, day=f"2026-01-{number + 1:02}")
        gate.wait(timeout=60)  # all six share the account's key; FOR UPDATE would now wait in a ring
        return hold(tree, number)

    assert rush(6, submit) == ["held"] * 6
