"""Races about caps, grants, loans and undo, with real threads and connections; and what happens without the locks."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from campus.core.clock import database_now
from campus.core.errors import CampusError, Conflict, OverQuota
from labs.quota import api
from labs.quota.models import Account, Allocation, Grant, LedgerEntry, Lending
from labs.quota.services import close_lending, expire_grant
from tests import factories
from tests.quota.conftest import Tree, plant
from tests.quota.test_races import SECONDS, rush

pytestmark = pytest.mark.django_db(transaction=True)


def capped(cap_s: int) -> tuple[Tree, Account]:
    """A learner with two accounts below a campus that lets one learner use `cap_s` a day."""
    tree = plant()
    with transaction.atomic():
        second = factories.account(Account.Kind.COHORT, tree.campus, tree.campus_scope, 50 * 3600)
        mine = factories.learner_account(second, tree.owner, 20 * 3600)
    change = api.AccountChange(tree.campus.pk, 0, {"learner_day_cap_s": cap_s})
    api.apply_changes(changes=[change], reason="fair", actor=None)
    return tree, mine


def assert_sound() -> None:
    with transaction.atomic():
        assert api.rebuild() == []


def test_two_submissions_at_once_from_two_accounts_do_not_pass_one_cap_together() -> None:
    tree, mine = capped(SECONDS)

    def submit(number: int) -> str:
        account = mine if number % 2 else tree.learner
        api.hold(account_id=account.pk, job_id=number + 1, attempt=1, gpu_seconds=SECONDS)
        return "held"

    ends = rush(12, submit)
    assert ends.count("held") == 1
    assert {error.code for error in ends if isinstance(error, OverQuota)} == {"day_cap"}
    assert LedgerEntry.objects.filter(kind="HOLD").count() == 1


def test_without_the_lock_they_do() -> None:
    tree, mine = capped(SECONDS)
    gate = threading.Barrier(2)

    def naive_submit(number: int) -> str:
        account = mine if number else tree.learner
        path = list(Account.objects.filter(pk__in=account.path).order_by("pk"))
        lines = api.cap_lines(path, database_now())
        if any(line.left_s < SECONDS for line in lines):
            return "refused"
        gate.wait(timeout=60)  # both have read before either writes: the window that the lock closes
        Account.objects.filter(pk=account.pk).update(held_s=SECONDS)
        return "held"

    assert rush(2, naive_submit) == ["held", "held"]
    held = Account.objects.filter(owner=tree.owner).values_list("held_s", flat=True)
    assert sum(held) == 2 * SECONDS  # of the one that the cap allows


def test_a_grant_expired_by_eight_sweeps_while_jobs_submit_is_given_back_once() -> None:
    tree = plant()
    with transaction.atomic():
        grant = api.give_grant(
            account_id=tree.learner.pk, gpu_seconds=50 * SECONDS, label="x", actor=None,
            ends_at=database_now() + timedelta(days=1),
        )  # fmt: skip
        for number in range(5):
            api.hold(account_id=tree.learner.pk, job_id=100 + number, attempt=1, gpu_seconds=SECONDS)
    past = database_now() - timedelta(days=9)
    Grant.objects.filter(pk=grant.pk).update(begins_at=past, ends_at=past + timedelta(days=1))

    def act(number: int) -> Any:
        if number % 2:
            return expire_grant(grant_id=grant.pk)
        job_id = 100 + number // 2
        if number < 10:
            return api.settle(account_id=tree.learner.pk, job_id=job_id, attempt=1, held_s=SECONDS, charged_s=10)
        return api.hold(account_id=tree.learner.pk, job_id=500 + number, attempt=1, gpu_seconds=SECONDS)

    ends = rush(16, act)
    assert not [end for end in ends if isinstance(end, Exception)]
    with transaction.atomic():
        expire_grant(grant_id=grant.pk)
    grant.refresh_from_db()
    assert (grant.used_s, grant.held_s, grant.returned_s, grant.left_s) == (50, 0, 50 * SECONDS - 50, 0)
    returned = Allocation.objects.filter(grant=grant, kind="EXPIRY").values_list("delta_s", flat=True)
    assert sum(returned) == -(50 * SECONDS - 50)
    assert tree.fresh()[3].allocated_s == 20 * 3600 + 50
    assert_sound()


def naive_expire(grant_id: int, gate: threading.Barrier) -> str:
    """Taking back without the lock: everybody reads what is left, and everybody takes it."""
    grant = Grant.objects.get(pk=grant_id)
    left_s = grant.left_s
    gate.wait(timeout=60)
    account = Account.objects.select_for_update().get(pk=grant.account_id)
    account.allocated_s -= left_s
    account.save(update_fields=["allocated_s"])
    return "taken"


def test_without_the_lock_it_is_given_back_twice() -> None:
    tree = plant()
    with transaction.atomic():
        grant = api.give_grant(
            account_id=tree.learner.pk, gpu_seconds=SECONDS, label="x", actor=None,
            ends_at=database_now() + timedelta(days=1),
        )  # fmt: skip
    gate = threading.Barrier(3)
    assert rush(3, lambda _number: naive_expire(grant.pk, gate)) == ["taken"] * 3
    assert tree.fresh()[3].allocated_s == 20 * 3600 - 2 * SECONDS  # and not the twenty hours that were there before


def test_siblings_who_borrow_from_each_other_and_recall_at_once_wait_in_no_ring() -> None:
    tree = plant(learner_s=10 * SECONDS)
    with transaction.atomic():
        leaves = [tree.learner, *(
            factories.learner_account(tree.cohort, factories.UserFactory(), 10 * SECONDS) for _n in range(2)
        )]  # fmt: skip
        until = database_now() + timedelta(days=1)
        lendings = [
            api.lend(account_id=leaf.pk, limit_s=10 * SECONDS, until_at=until, reason="x", actor=None)
            for leaf in leaves
        ]

    def act(number: int) -> Any:
        leaf = leaves[number % 3]
        if number >= 24:
            return api.recall(lending_id=lendings[number % 3].pk, actor=None, reason="back")
        api.hold(account_id=leaf.pk, job_id=number + 1, attempt=1, gpu_seconds=4 * SECONDS)
        api.settle(account_id=leaf.pk, job_id=number + 1, attempt=1, held_s=4 * SECONDS, charged_s=SECONDS)
        return "ran"

    ends = rush(27, act)
    assert all(isinstance(end, str | Lending | CampusError) for end in ends), ends
    assert "ran" in ends  # how many are refused while others hold is a matter of timing; what is booked is not
    for lending in lendings:
        with transaction.atomic():
            assert close_lending(lending_id=lending.pk)
    assert sum(account.used_s for account in Account.objects.filter(kind="LEARNER")) == ends.count("ran") * SECONDS
    assert not Account.objects.exclude(borrowed_s=0, lent_s=0).exists()
    assert_sound()


def test_a_batch_undone_by_six_at_once_is_undone_once() -> None:
    tree = plant()
    batch = api.apply_changes(changes=[api.AccountChange(tree.learner.pk, SECONDS)], reason="x", actor=None)
    ends = rush(6, lambda _number: api.undo(batch_id=batch.pk, actor=None))
    assert sum(isinstance(end, Conflict) for end in ends) == 5
    assert tree.fresh()[3].allocated_s == 20 * 3600
    assert_sound()


def test_a_job_corrected_by_six_at_once_is_corrected_once() -> None:
    tree = plant()
    with transaction.atomic():
        api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=SECONDS)
        api.settle(account_id=tree.learner.pk, job_id=1, attempt=1, held_s=SECONDS, charged_s=40)
    ends = rush(6, lambda _number: api.correct(
        account_id=tree.learner.pk, job_id=1, attempt=1, seen_s=40, charged_s=30, reason="slow", actor=tree.owner
    ))  # fmt: skip
    assert sum(isinstance(end, Conflict) for end in ends) == 5
    assert tree.fresh()[3].used_s == 30
