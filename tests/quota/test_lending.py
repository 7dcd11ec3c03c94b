"""Lending between siblings: nothing moves until a job needs it, and what no job needs is back at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from labs.quota import api, tasks
from labs.quota.models import Account, Allocation, Lending, Loan
from labs.quota.services import close_lending
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(tree: Tree) -> Account:
    """Another learner of the cohort, with 30 hours."""
    return factories.learner_account(tree.cohort, factories.UserFactory(name="박하윤"), 30 * HOUR)


def lend(account: Account, limit_s: int = 10 * HOUR, **fields: Any) -> Lending:
    given = {"until_at": database_now() + timedelta(days=7), "reason": "exam week", "actor": None} | fields
    return api.lend(account_id=account.pk, limit_s=limit_s, **given)


def hold(account: Account, job_id: int, gpu_seconds: int) -> None:
    api.hold(account_id=account.pk, job_id=job_id, attempt=1, gpu_seconds=gpu_seconds)


def settle(account: Account, job_id: int, held_s: int, charged_s: int) -> None:
    api.settle(account_id=account.pk, job_id=job_id, attempt=1, held_s=held_s, charged_s=charged_s)


def parts(*accounts: Account) -> list[tuple[int, int, int]]:
    rows = [Account.objects.get(pk=account.pk) for account in accounts]
    return [(row.allocated_s, row.borrowed_s, row.lent_s) for row in rows]


def assert_sound() -> None:
    assert api.rebuild() == []


def test_a_hold_that_exceeds_its_own_goes_to_the_loan_and_says_so(tree: Tree, other: Account) -> None:
    lending = lend(other)
    hold(tree.learner, 1, 15 * HOUR)
    assert parts(tree.learner, other) == [(20 * HOUR, 0, 0), (30 * HOUR, 0, 0)]
    hold(tree.learner, 2, 8 * HOUR)
    assert parts(tree.learner, other) == [(23 * HOUR, 3 * HOUR, 0), (27 * HOUR, 0, 3 * HOUR)]
    lines = Allocation.objects.filter(kind="LOAN").order_by("id")
    assert [(line.account, line.delta_s) for line in lines] == [(other, -3 * HOUR), (tree.learner, 3 * HOUR)]
    assert {(line.loan.lending, line.loan.borrower) for line in lines if line.loan} == {(lending, tree.learner)}
    assert tree.fresh()[2].granted_s == 50 * HOUR
    assert_sound()


def test_what_no_job_needs_any_more_is_back_at_once(tree: Tree, other: Account) -> None:
    lend(other)
    hold(tree.learner, 1, 15 * HOUR)
    hold(tree.learner, 2, 8 * HOUR)
    settle(tree.learner, 1, 15 * HOUR, 14 * HOUR)
    assert parts(tree.learner, other) == [(22 * HOUR, 2 * HOUR, 0), (28 * HOUR, 0, 2 * HOUR)]
    api.release(account_id=tree.learner.pk, job_id=2, attempt=1)
    assert parts(tree.learner, other) == [(20 * HOUR, 0, 0), (30 * HOUR, 0, 0)]
    assert Loan.objects.get().out_s == 0
    assert_sound()


def test_a_lenders_own_job_is_never_refused_for_what_is_lent_and_not_held(tree: Tree, other: Account) -> None:
    lend(other, 30 * HOUR)
    hold(other, 1, 30 * HOUR)  # all of it is the lender's, though all of it is offered
    with pytest.raises(OverQuota), transaction.atomic():
        hold(tree.learner, 2, 20 * HOUR + 1)
    api.release(account_id=other.pk, job_id=1, attempt=1)
    hold(tree.learner, 2, 25 * HOUR)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(other, 3, 25 * HOUR + 1)
    assert caught.value.facts["available_s"] == 25 * HOUR
    hold(other, 3, 25 * HOUR)
    assert_sound()


def test_the_limit_and_what_the_lender_needs_itself_bound_the_loan(tree: Tree, other: Account) -> None:
    lend(other, 5 * HOUR)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(tree.learner, 1, 25 * HOUR + 1)
    assert caught.value.facts["available_s"] == 25 * HOUR
    assert not Loan.objects.exists()
    hold(other, 9, 28 * HOUR)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(tree.learner, 1, 22 * HOUR + 1)
    assert caught.value.facts["available_s"] == 22 * HOUR
    hold(tree.learner, 1, 22 * HOUR)
    assert_sound()


def test_several_lend_together_the_one_meant_for_the_borrower_first(tree: Tree, other: Account) -> None:
    third = factories.learner_account(tree.cohort, factories.UserFactory(), 10 * HOUR)
    lend(other, 4 * HOUR)
    lend(third, 2 * HOUR, borrower_id=tree.learner.pk)
    lend(third, 9 * HOUR, borrower_id=other.pk)  # for somebody else
    hold(tree.learner, 1, 25 * HOUR)
    assert parts(third, other) == [(8 * HOUR, 0, 2 * HOUR), (27 * HOUR, 0, 3 * HOUR)]
    assert_sound()


@pytest.mark.parametrize(
    "offer",
    [
        {"from_at": timedelta(days=1)},
        {"closed_at": timedelta()},
        {"recalled_at": timedelta()},
        {"until_at": -timedelta(hours=1)},
    ],
)
def test_only_an_open_lending_lends(tree: Tree, other: Account, offer: dict[str, timedelta]) -> None:
    lending = lend(other)
    start = database_now()
    Lending.objects.filter(pk=lending.pk).update(
        **{"from_at": start - timedelta(days=2)} | {name: start + offset for name, offset in offer.items()}
    )
    with pytest.raises(OverQuota):
        hold(tree.learner, 1, 21 * HOUR)


def test_recalling_ends_it_now_and_what_is_held_comes_back_when_the_job_is_over(tree: Tree, other: Account) -> None:
    lending = lend(other)
    hold(tree.learner, 1, 26 * HOUR)
    recalled = api.recall(lending_id=lending.pk, actor=None, reason="we need it")
    assert (recalled.closed_at, recalled.out_s) == (None, 6 * HOUR)
    with pytest.raises(Conflict):
        api.recall(lending_id=lending.pk, actor=None, reason="again")
    with pytest.raises(OverQuota), transaction.atomic():
        hold(tree.learner, 2, 1)
    settle(tree.learner, 1, 26 * HOUR, 23 * HOUR)
    assert parts(tree.learner, other) == [(23 * HOUR, 3 * HOUR, 0), (27 * HOUR, 0, 3 * HOUR)]
    tasks.sweep_grants()
    tasks.sweep_grants()
    # Three hours are used up: they are the borrower's for good, and no loan any more.
    lending.refresh_from_db()
    assert lending.closed_at is not None
    assert (lending.out_s, lending.spent_s) == (0, 3 * HOUR)
    assert parts(tree.learner, other) == [(23 * HOUR, 0, 0), (27 * HOUR, 0, 0)]
    assert_sound()


def test_nothing_is_closed_before_its_time(tree: Tree, other: Account) -> None:
    lending = lend(other)
    assert not close_lending(lending_id=lending.pk)
    Lending.objects.filter(pk=lending.pk).update(
        from_at=database_now() - timedelta(days=2), until_at=database_now() - timedelta(days=1)
    )
    assert close_lending(lending_id=lending.pk)
    assert close_lending(lending_id=lending.pk)
    with pytest.raises(NotFound):
        close_lending(lending_id=10**9)


def test_a_borrower_who_gets_more_of_its_own_returns_it(tree: Tree, other: Account) -> None:
    lend(other)
    hold(tree.learner, 1, 26 * HOUR)
    api.allocate(account_id=tree.learner.pk, delta_s=4 * HOUR, reason="more", actor=None)
    tasks.sweep_leftovers()
    assert parts(tree.learner, other) == [(26 * HOUR, 2 * HOUR, 0), (28 * HOUR, 0, 2 * HOUR)]
    assert_sound()


def test_cohorts_lend_what_they_did_not_grant_and_keep_what_ends_by_itself(tree: Tree, other: Account) -> None:
    second = factories.account(Account.Kind.COHORT, tree.campus, tree.campus_scope, 40 * HOUR, name="2기")
    learner = factories.learner_account(second, factories.UserFactory(), 30 * HOUR)
    api.give_grant(
        account_id=second.pk, gpu_seconds=5 * HOUR, label="x", ends_at=database_now() + timedelta(days=3), actor=None
    )
    lend(second, 40 * HOUR)
    api.hold(account_id=tree.cohort.pk, job_id=50, attempt=1, gpu_seconds=100 * HOUR)
    hold(tree.learner, 1, 10 * HOUR)  # the cohort is short, not the learner
    assert parts(tree.cohort, second) == [(110 * HOUR, 10 * HOUR, 0), (35 * HOUR, 0, 10 * HOUR)]
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(tree.learner, 2, 1)
    assert caught.value.facts["short_account_id"] == tree.cohort.pk
    hold(learner, 3, 30 * HOUR)
    assert_sound()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"limit_s": 0}, "limit_s"),
        ({"reason": " "}, "reason"),
        ({"until_at": timedelta(days=-1)}, "until_at"),
        ({"borrower_id": -1}, "borrower"),
    ],
)
def test_what_is_wrong_with_a_lending_names_its_field(
    tree: Tree, other: Account, fields: dict[str, Any], wrong: str
) -> None:
    if isinstance(fields.get("until_at"), timedelta):
        fields = {"until_at": database_now() + fields["until_at"]}
    with pytest.raises(InvalidInput) as caught:
        lend(other, **fields)
    assert list(caught.value.fields) == [wrong]


def test_nobody_lends_to_itself_or_to_a_stranger(tree: Tree, other: Account) -> None:
    for borrower in (other, tree.cohort):
        with pytest.raises(InvalidInput):
            lend(other, borrower_id=borrower.pk)
    with pytest.raises(InvalidInput):
        lend(tree.platform)


def test_the_database_itself_holds_the_limit(tree: Tree, other: Account) -> None:
    lending = lend(other)
    with pytest.raises(DatabaseError, match="lending_out_within_limit"), transaction.atomic():
        Lending.objects.filter(pk=lending.pk).update(out_s=10 * HOUR + 1)
    with pytest.raises(DatabaseError, match="lending_to_another"), transaction.atomic():
        Lending.objects.filter(pk=lending.pk).update(borrower=other)
