"""Hold, settle, release, refund: each posts once and moves every balance on the way up."""

from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campus.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from campus.people.models import RoleGrant
from labs.quota import api
from labs.quota.models import Account, Allocation, LedgerEntry, UsageDay
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db
Kind = LedgerEntry.Kind


def hold(tree: Tree, job_id: int = 1, attempt: int = 1, gpu_seconds: int = 100) -> None:
    api.hold(account_id=tree.learner.pk, job_id=job_id, attempt=attempt, gpu_seconds=gpu_seconds)


def settle(
    tree: Tree, job_id: int = 1, attempt: int = 1, held_s: int = 100, charged_s: int = 40, **more: object
) -> None:
    api.settle(account_id=tree.learner.pk, job_id=job_id, attempt=attempt, held_s=held_s, charged_s=charged_s, **more)  # type: ignore[arg-type]


def balances(tree: Tree) -> list[tuple[int, int]]:
    return [(account.used_s, account.held_s) for account in tree.fresh()]


def test_a_hold_counts_for_the_account_and_everything_above_it(tree: Tree) -> None:
    hold(tree)
    assert balances(tree) == [(0, 100)] * 4


def test_settling_charges_what_ran_and_releases_the_rest(tree: Tree) -> None:
    hold(tree)
    settle(tree, reason="EXITED")
    assert balances(tree) == [(40, 0)] * 4
    lines = [(entry.kind, entry.gpu_seconds, entry.reason) for entry in api.ledger_of_job(1)]
    assert lines == [(Kind.HOLD, 100, ""), (Kind.CHARGE, 40, "EXITED"), (Kind.RELEASE, 60, "EXITED")]


def test_releasing_gives_the_whole_hold_back_without_a_charge(tree: Tree) -> None:
    hold(tree)
    assert api.release(account_id=tree.learner.pk, job_id=1, attempt=1, reason="cancelled") == 100
    assert balances(tree) == [(0, 0)] * 4
    assert [entry.kind for entry in api.ledger_of_job(1)] == [Kind.HOLD, Kind.RELEASE]


def test_a_refund_gives_back_what_the_platform_lost_and_the_next_attempt_holds_anew(tree: Tree) -> None:
    hold(tree)
    settle(tree)
    api.refund(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=40, reason="node lost")
    hold(tree, attempt=2)
    assert balances(tree) == [(0, 100)] * 4


@pytest.mark.parametrize("attempted", ["hold", "settle", "release", "refund"])
def test_each_posting_happens_once(tree: Tree, attempted: str) -> None:
    hold(tree)
    settle(tree)
    leaf = {"account_id": tree.learner.pk, "job_id": 1, "attempt": 1}
    api.refund(**leaf, gpu_seconds=1)
    again = {
        "hold": lambda: hold(tree),
        "settle": lambda: settle(tree),
        "release": lambda: api.release(**leaf),
        "refund": lambda: api.refund(**leaf, gpu_seconds=1),
    }
    before = balances(tree), LedgerEntry.objects.count()
    with pytest.raises(Conflict) as caught:
        again[attempted]()
    assert caught.value.code == "already_posted"
    assert (balances(tree), LedgerEntry.objects.count()) == before


def test_settling_needs_the_very_hold(tree: Tree) -> None:
    with pytest.raises(Conflict) as caught:
        settle(tree)
    assert (caught.value.code, caught.value.facts) == ("not_held", {"held_s": 0})
    hold(tree)
    with pytest.raises(Conflict) as caught:
        settle(tree, held_s=101)
    assert caught.value.facts == {"held_s": 100}


@pytest.mark.parametrize("charged_s", [-1, 101])
def test_a_charge_lies_between_nothing_and_the_hold(tree: Tree, charged_s: int) -> None:
    hold(tree)
    with pytest.raises(InvalidInput) as caught:
        settle(tree, charged_s=charged_s)
    assert "charged_s" in caught.value.fields


@pytest.mark.parametrize("gpu_seconds", [0, -5, 41])
def test_a_refund_is_at_most_the_charge(tree: Tree, gpu_seconds: int) -> None:
    hold(tree)
    settle(tree)
    with pytest.raises(InvalidInput):
        api.refund(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=gpu_seconds)


def test_what_was_never_charged_cannot_be_refunded(tree: Tree) -> None:
    hold(tree)
    with pytest.raises(Conflict) as caught:
        api.refund(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=1)
    assert caught.value.code == "not_charged"


def test_a_job_stays_on_one_account(tree: Tree) -> None:
    hold(tree)
    with pytest.raises(Conflict) as caught:
        api.hold(account_id=tree.cohort.pk, job_id=1, attempt=2, gpu_seconds=1)
    assert caught.value.code == "other_account"


def test_nothing_cannot_be_held_and_nobody_cannot_hold(tree: Tree) -> None:
    with pytest.raises(InvalidInput):
        hold(tree, gpu_seconds=0)
    with pytest.raises(NotFound):
        api.hold(account_id=10**12, job_id=1, attempt=1, gpu_seconds=1)


def test_over_quota_names_the_learners_account_and_their_instructor_first(tree: Tree) -> None:
    admin = factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)
    instructor = factories.staff(RoleGrant.Role.INSTRUCTOR, tree.cohort_scope, name="박지우")
    factories.staff(RoleGrant.Role.ASSISTANT, tree.cohort_scope)
    with pytest.raises(OverQuota) as caught:
        hold(tree, gpu_seconds=20 * HOUR + 1)
    facts = caught.value.facts
    assert (facts["short_account"], facts["short_account_id"]) == ("이서준", tree.learner.pk)
    assert (facts["available_s"], facts["wanted_s"]) == (20 * HOUR, 20 * HOUR + 1)
    assert [helper["email"] for helper in facts["helpers"]] == [instructor.email, admin.email]
    assert facts["helpers"][0]["role"]
    assert "박지우" in str(caught.value.message)
    # Twenty hours against twenty hours and a second: rounded, nothing would be short.
    assert "72,000" in str(caught.value.message)
    assert "72,001" in str(caught.value.message)


def test_over_quota_names_the_ancestor_that_is_short_and_its_own_staff(tree: Tree) -> None:
    admin = factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)
    factories.staff(RoleGrant.Role.INSTRUCTOR, tree.cohort_scope)
    api.hold(account_id=tree.campus.pk, job_id=99, attempt=1, gpu_seconds=400 * HOUR - 50)
    with pytest.raises(OverQuota) as caught:
        hold(tree)
    assert caught.value.facts["short_account_id"] == tree.campus.pk
    assert caught.value.facts["available_s"] == 50
    assert [helper["email"] for helper in caught.value.facts["helpers"]] == [admin.email]
    assert not LedgerEntry.objects.filter(job_id=1).exists()


def test_a_closed_account_takes_no_new_job_but_owes_a_lost_one_its_next_attempt(tree: Tree) -> None:
    hold(tree)
    settle(tree)
    Account.objects.filter(pk=tree.learner.pk).update(is_open=False)
    with pytest.raises(Conflict) as caught:
        hold(tree, job_id=2)
    assert caught.value.code == "account_closed"
    hold(tree, attempt=2)
    assert balances(tree) == [(40, 100)] * 4


def test_use_counts_on_the_day_of_the_campus(tree: Tree) -> None:
    late = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)  # half past midnight on the 21st in Seoul
    hold(tree)
    settle(tree, day_zone="Asia/Seoul", at=late)
    hold(tree, job_id=2)
    settle(tree, job_id=2, day_zone="Europe/London", at=late)
    days = list(UsageDay.objects.order_by("day").values_list("day", "charged_s", "jobs"))
    assert days == [(date(2026, 11, 20), 40, 1), (date(2026, 11, 21), 40, 1)]


def test_a_day_counts_a_job_once_however_often_it_was_tried(tree: Tree) -> None:
    for attempt in (1, 2):
        hold(tree, attempt=attempt)
        settle(tree, attempt=attempt)
    api.refund(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=40)
    day = UsageDay.objects.get()
    assert (day.charged_s, day.refunded_s, day.jobs) == (80, 40, 1)
    assert day.path == [account.pk for account in tree.path]


def test_queries_are_few_and_the_same_for_any_depth(tree: Tree) -> None:
    # hold: lock the path, the job's lines, insert and update the balances.
    with CaptureQueriesContext(
        connection,
    ) as queries:
        hold(tree)
    assert len(queries) == 3
    # settle: the same three, and the day.
    with CaptureQueriesContext(connection) as queries:
        settle(tree)
    assert len(queries) == 4
    api.hold(account_id=tree.platform.pk, job_id=3, attempt=1, gpu_seconds=5)
    with CaptureQueriesContext(connection) as queries:
        api.release(account_id=tree.platform.pk, job_id=3, attempt=1)
    assert len(queries) == 3


@pytest.mark.django_db(transaction=True)
def test_posting_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        api.hold(account_id=1, job_id=1, attempt=1, gpu_seconds=1)


@pytest.mark.parametrize("model", [LedgerEntry, Allocation])
@pytest.mark.parametrize("how", ["update", "delete"])
def test_ledger_and_history_are_append_only(tree: Tree, model: type, how: str) -> None:
    hold(tree)
    rows = model.objects.all()
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        rows.update(reason="another") if how == "update" else rows._raw_delete(using="default")
    assert rows.exists()


def test_the_database_itself_refuses_a_balance_below_zero(tree: Tree) -> None:
    with pytest.raises(DatabaseError, match="account_balance_not_negative"), transaction.atomic():
        Account.objects.filter(pk=tree.learner.pk).update(held_s=20 * HOUR + 1)
