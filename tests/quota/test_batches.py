"""Many changes at once: a preview row by row, all or nothing, undone by the reverse; and rates."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.core.models import AuditEntry
from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.api import AccountChange
from labs.quota.models import Account, Allocation, Batch, Rate, SettingChange
from labs.quota.services import change_account, rates_now
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(tree: Tree) -> Account:
    """The rest of the cohort's hours: it has nothing left to grant."""
    return factories.learner_account(tree.cohort, factories.UserFactory(), 80 * HOUR)


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)


def test_hours_move_between_accounts_whatever_the_order_of_rows(tree: Tree, other: Account, admin: User) -> None:
    changes = [AccountChange(tree.learner.pk, 5 * HOUR), AccountChange(other.pk, -5 * HOUR, {"weight": 3})]
    preview = api.preview_changes(changes=changes, actor=admin)
    assert preview.is_possible
    first = preview.rows[0]
    assert first.before is not None
    assert first.after is not None
    assert (first.before.allocated_s, first.after.allocated_s) == (20 * HOUR, 25 * HOUR)
    assert preview.rows[1].settings == {"weight": (1, 3)}
    assert preview.above == []  # what the cohort granted in all is the same
    assert tree.fresh()[3].allocated_s == 20 * HOUR
    batch = api.apply_changes(changes=changes, reason=" exam week ", actor=admin)
    other.refresh_from_db()
    assert (tree.fresh()[3].allocated_s, other.allocated_s, other.weight) == (25 * HOUR, 75 * HOUR, 3)
    lines = Allocation.objects.filter(batch=batch)
    assert {(line.account_id, line.delta_s, line.reason, line.actor) for line in lines} == {
        (tree.learner.pk, 5 * HOUR, "exam week", admin),
        (other.pk, -5 * HOUR, "exam week", admin),
    }
    assert SettingChange.objects.get().after == 3
    assert AuditEntry.objects.filter(verb="quota.changed", actor=admin).count() == 2
    assert api.rebuild() == []


def test_one_row_that_cannot_be_keeps_all_others(tree: Tree, other: Account, admin: User) -> None:
    changes = [
        AccountChange(other.pk, -HOUR),
        AccountChange(tree.learner.pk, 2 * HOUR),
        AccountChange(tree.campus.pk, HOUR),
        AccountChange(tree.platform.pk, HOUR),
        AccountChange(tree.cohort.pk, 0, {"overcommit_pct": 0, "weight": None, "colour": 1}),
        AccountChange(other.pk, HOUR),
    ]
    with pytest.raises(api.ChangesRefused) as caught:
        api.apply_changes(changes=changes, reason="all", actor=admin)
    errors = [[error.code for error in row.errors] for row in caught.value.preview.rows]
    assert errors == [
        [],
        ["parent_short"],
        ["not_allowed"],
        ["not_found"],  # a campus administrator does not see the platform's
        ["invalid", "invalid", "unknown"],
        ["twice"],
    ]
    assert "changes.1.delta_s" in caught.value.fields
    assert {(fact["row"], fact["code"]) for fact in caught.value.facts["rows"]} >= {(1, "parent_short"), (5, "twice")}
    assert not Batch.objects.exists()
    assert tree.fresh()[3].allocated_s == 20 * HOUR


def test_a_preview_that_is_no_longer_true_is_refused(tree: Tree) -> None:
    change = AccountChange(tree.learner.pk, HOUR, seen_allocated_s=20 * HOUR)
    api.apply_changes(changes=[change], reason="first", actor=None)
    with pytest.raises(api.ChangesRefused) as caught:
        api.apply_changes(changes=[change], reason="second", actor=None)
    assert [error.code for error in caught.value.preview.rows[0].errors] == ["changed"]


def test_no_order_of_single_steps_could_lower_a_whole_tree_but_one_batch_does(tree: Tree, other: Account) -> None:
    accounts = {tree.campus: -350 * HOUR, tree.cohort: -60 * HOUR, other: -60 * HOUR}
    api.apply_changes(changes=[AccountChange(a.pk, delta) for a, delta in accounts.items()], reason="less", actor=None)
    assert [account.allocated_s // HOUR for account in tree.fresh()] == [1000, 50, 40, 20]
    assert api.rebuild() == []


def test_undoing_posts_the_reverse_once(tree: Tree, other: Account, admin: User) -> None:
    changes = [
        AccountChange(tree.learner.pk, 5 * HOUR, {"learner_day_cap_s": HOUR}),
        AccountChange(other.pk, -5 * HOUR),
        AccountChange(tree.cohort.pk, 0, {"overcommit_pct": 150}),
    ]
    batch = api.apply_changes(changes=changes, reason="exam week", actor=admin)
    undone = api.undo(batch_id=batch.pk, actor=admin)
    assert undone.undoes == batch
    other.refresh_from_db()
    learner, cohort = tree.fresh()[3], tree.fresh()[2]
    assert (learner.allocated_s, learner.learner_day_cap_s, other.allocated_s) == (20 * HOUR, None, 80 * HOUR)
    assert cohort.overcommit_pct == 100
    with pytest.raises(Conflict) as caught:
        api.undo(batch_id=batch.pk, actor=admin)
    assert caught.value.code == "already_undone"
    again = api.undo(batch_id=undone.pk, actor=admin, reason="it was right")
    assert (tree.fresh()[3].allocated_s, again.reason) == (25 * HOUR, "it was right")
    assert api.rebuild() == []


def test_what_was_used_or_changed_since_cannot_be_undone_and_then_nothing_is(tree: Tree, other: Account) -> None:
    changes = [AccountChange(tree.learner.pk, 5 * HOUR), AccountChange(other.pk, -5 * HOUR, {"weight": 2})]
    batch = api.apply_changes(changes=changes, reason="exam week", actor=None)
    api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=25 * HOUR)
    change_account(account_id=other.pk, settings={"weight": 7}, reason="more", actor=None)
    with pytest.raises(api.ChangesRefused) as caught:
        api.undo(batch_id=batch.pk, actor=None)
    errors = {error.code for row in caught.value.preview.rows for error in row.errors}
    assert errors == {"below_use", "changed"}
    other.refresh_from_db()
    assert (tree.fresh()[3].allocated_s, other.allocated_s, other.weight) == (25 * HOUR, 75 * HOUR, 7)


def test_settings_of_one_account(tree: Tree, admin: User) -> None:
    batch = change_account(
        account_id=tree.cohort.pk, settings={"overcommit_pct": 150, "max_running_gpus": 8}, reason="why", actor=admin
    )
    cohort = tree.fresh()[2]
    assert (cohort.overcommit_pct, cohort.max_running_gpus) == (150, 8)
    assert batch.setting_changes.count() == 2
    with pytest.raises(InvalidInput) as caught:
        change_account(account_id=tree.cohort.pk, settings={"overcommit_pct": 10}, reason="why", actor=admin)
    assert list(caught.value.fields) == ["overcommit_pct"]
    with pytest.raises(NotFound):
        change_account(account_id=tree.platform.pk, settings={"weight": 2}, reason="why", actor=admin)
    with pytest.raises(InvalidInput) as caught:
        change_account(account_id=tree.cohort.pk, settings={"weight": 2}, reason=" ", actor=admin)
    assert list(caught.value.fields) == ["reason"]


def test_no_rows_or_too_many_are_refused(tree: Tree) -> None:
    for changes in ([], [AccountChange(tree.learner.pk, 1)] * 2001):
        with pytest.raises(InvalidInput) as caught:
            api.preview_changes(changes=changes, actor=None)
        assert list(caught.value.fields) == ["changes"]
    with pytest.raises(NotFound):
        api.undo(batch_id=10**9, actor=None)


def test_a_rate_counts_from_its_time_on_and_for_its_type_alone(tree: Tree) -> None:
    assert api.rates_of(["H100", ""]) == {"H100": 1, "": 1}
    api.set_rate(gpu_type="H100", rate=Decimal("2.5"), actor=None)
    api.set_rate(gpu_type="H100", rate=Decimal(3), from_at=database_now() + timedelta(days=1), actor=None)
    assert api.rates_of(["H100", "A100"]) == {"H100": Decimal("2.5"), "A100": 1}
    assert api.rate_of("H100", database_now() + timedelta(days=2)) == 3
    assert [(rate.gpu_type, rate.rate) for rate in rates_now()] == [("H100", Decimal("2.5")), ("H100", 3)]
    entry = AuditEntry.objects.filter(verb="quota.rate_set").earliest("id")
    assert entry.changes == {"rate H100": ["1", "2.5"]}


@pytest.mark.parametrize(
    ("rate", "days", "field"), [("0", 0, "rate"), ("1.0001", 0, "rate"), ("NaN", 0, "rate"), ("2", -1, "from_at")]
)
def test_a_rate_that_cannot_be_names_its_field(rate: str, days: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        api.set_rate(
            gpu_type="H100",
            rate=Decimal(rate),
            from_at=database_now() + timedelta(days=days) if days else None,
            actor=None,
        )
    assert list(caught.value.fields) == [field]


def test_rates_and_settings_history_are_append_only(tree: Tree) -> None:
    api.set_rate(gpu_type="H100", rate=Decimal(2), actor=None)
    change_account(account_id=tree.cohort.pk, settings={"weight": 2}, reason="why", actor=None)
    for model in (Rate, SettingChange):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            model.objects.all()._raw_delete(using="default")
