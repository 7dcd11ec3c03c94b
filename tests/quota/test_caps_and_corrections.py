"""What one learner may use in a day and a week; and staff's corrections of what a job was charged."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, OverQuota
from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.domain.caps import Span
from labs.quota.models import Account, LedgerEntry, UsageDay
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db
SEOUL = ZoneInfo("Asia/Seoul")


def cap(account: Account, *, day_s: int | None = None, week_s: int | None = None) -> None:
    settings = {"learner_day_cap_s": day_s, "learner_week_cap_s": week_s}
    api.apply_changes(changes=[api.AccountChange(account.pk, 0, settings)], reason="fair to all", actor=None)


def hold(account: Account, job_id: int, gpu_seconds: int, attempt: int = 1) -> None:
    api.hold(account_id=account.pk, job_id=job_id, attempt=attempt, gpu_seconds=gpu_seconds)


def settle(account: Account, job_id: int, held_s: int, charged_s: int, **more: Any) -> None:
    api.settle(
        account_id=account.pk, job_id=job_id, attempt=1, held_s=held_s, charged_s=charged_s, day_zone="Asia/Seoul",
        **more,
    )  # fmt: skip


def test_use_and_holds_count_and_the_refusal_says_when_it_renews(tree: Tree) -> None:
    cap(tree.cohort, day_s=5 * HOUR)
    hold(tree.learner, 1, 3 * HOUR)
    settle(tree.learner, 1, 3 * HOUR, HOUR)
    hold(tree.learner, 2, 3 * HOUR)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(tree.learner, 3, HOUR + 1)
    facts = caught.value.facts
    assert caught.value.code == "day_cap"
    assert (facts["cap_s"], facts["used_s"], facts["held_s"], facts["wanted_s"]) == (
        5 * HOUR, HOUR, 3 * HOUR, HOUR + 1,
    )  # fmt: skip
    renews = datetime.fromisoformat(facts["renews_at"]).astimezone(SEOUL)
    tomorrow = database_now().astimezone(SEOUL).date() + timedelta(days=1)
    assert (renews.date(), renews.hour, renews.minute) == (tomorrow, 0, 0)
    assert facts["short_account_id"] == tree.cohort.pk
    hold(tree.learner, 3, HOUR)


def test_a_week_begins_on_monday_and_counts_all_of_a_learners_accounts_below_the_cap(tree: Tree) -> None:
    second = factories.account(Account.Kind.COHORT, tree.campus, tree.campus_scope, 50 * HOUR)
    mine = factories.learner_account(second, tree.owner, 10 * HOUR)
    others = factories.learner_account(second, factories.UserFactory(), 10 * HOUR)
    cap(tree.campus, week_s=6 * HOUR)
    monday = database_now().astimezone(SEOUL)
    monday -= timedelta(days=monday.weekday())
    for day, used in ((monday - timedelta(days=1), 4 * HOUR), (monday, 2 * HOUR)):
        UsageDay.objects.create(account=mine, path=mine.path, day=day.date(), charged_s=used)
    hold(tree.learner, 1, 3 * HOUR)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(mine, 2, HOUR + 1)
    assert (caught.value.code, caught.value.facts["used_s"]) == ("week_cap", 2 * HOUR)
    assert datetime.fromisoformat(caught.value.facts["renews_at"]).astimezone(SEOUL).weekday() == 0
    hold(mine, 2, HOUR)
    hold(others, 3, 6 * HOUR)


def test_a_cap_above_binds_below_and_the_nearest_is_named_first(tree: Tree) -> None:
    cap(tree.platform, day_s=HOUR)
    cap(tree.cohort, day_s=2 * HOUR)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(tree.learner, 1, 3 * HOUR)
    assert caught.value.facts["short_account_id"] == tree.cohort.pk
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        hold(tree.learner, 1, 2 * HOUR)
    assert caught.value.facts["short_account_id"] == tree.platform.pk


def test_what_the_platform_owes_passes_the_cap_and_staffs_own_jobs_know_none(tree: Tree) -> None:
    cap(tree.platform, day_s=HOUR)
    hold(tree.learner, 1, HOUR)
    settle(tree.learner, 1, HOUR, HOUR)
    hold(tree.learner, 1, HOUR, attempt=2)
    hold(tree.cohort, 9, 9 * HOUR)


def test_many_jobs_at_once_say_how_many_would_fit_the_cap(tree: Tree) -> None:
    cap(tree.cohort, day_s=5 * HOUR)
    with pytest.raises(OverQuota) as caught:
        api.hold_all(account_id=tree.learner.pk, holds=[(number, 2 * HOUR) for number in range(1, 6)])
    assert (caught.value.code, caught.value.facts["would_fit"]) == ("day_cap", 2)


def test_a_learners_caps_can_be_read(tree: Tree) -> None:
    cap(tree.cohort, day_s=5 * HOUR, week_s=9 * HOUR)
    hold(tree.learner, 1, HOUR)
    lines = api.cap_lines(tree.fresh(), database_now())
    assert [(line.window.span, line.cap_s, line.held_s, line.left_s) for line in lines] == [
        (Span.DAY, 5 * HOUR, HOUR, 4 * HOUR),
        (Span.WEEK, 9 * HOUR, HOUR, 8 * HOUR),
    ]


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)


def correct(tree: Tree, admin: User, seen_s: int, charged_s: int, reason: str = "the node was slow") -> LedgerEntry:
    return api.correct(
        account_id=tree.learner.pk, job_id=1, attempt=1, seen_s=seen_s, charged_s=charged_s, reason=reason, actor=admin
    )


@pytest.fixture
def settled(tree: Tree) -> Tree:
    """Job 1: 100 held, 60 charged, of which a grant paid 50."""
    api.give_grant(
        account_id=tree.learner.pk, gpu_seconds=50, label="x", ends_at=database_now() + timedelta(days=9), actor=None
    )
    hold(tree.learner, 1, 100)
    settle(tree.learner, 1, 100, 60)
    return tree


def test_corrections_are_lines_of_their_own_and_everything_adds_up(settled: Tree, admin: User) -> None:
    credit = correct(settled, admin, 60, 45)
    debit = correct(settled, admin, 45, 80)
    assert [(entry.kind, entry.gpu_seconds, entry.actor, entry.reason) for entry in (credit, debit)] == [
        ("CREDIT", 15, admin, "the node was slow"),
        ("DEBIT", 35, admin, "the node was slow"),
    ]
    assert [(account.used_s, account.held_s) for account in settled.fresh()] == [(80, 0)] * 4
    day = UsageDay.objects.get()
    assert (day.charged_s, day.refunded_s, day.jobs) == (95, 15, 1)
    grant = settled.learner.grants.get()
    assert (grant.used_s, grant.left_s) == (50, 0)
    assert api.rebuild() == []


def test_a_correction_of_what_somebody_else_corrected_is_refused(settled: Tree, admin: User) -> None:
    correct(settled, admin, 60, 45)
    with pytest.raises(Conflict) as caught:
        correct(settled, admin, 60, 45)
    assert (caught.value.code, caught.value.facts) == ("charge_changed", {"charged_s": 45})


@pytest.mark.parametrize(
    ("charged_s", "reason", "field"),
    [
        (60, "why", "charged_s"),
        (101, "why", "charged_s"),
        (-1, "why", "charged_s"),
        (10, " ", "reason"),
        (10, "x" * 201, "reason"),
    ],
)
def test_a_correction_that_cannot_be_names_its_field(
    settled: Tree, admin: User, charged_s: int, reason: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        correct(settled, admin, 60, charged_s, reason)
    assert list(caught.value.fields) == [field]


def test_only_what_is_over_is_corrected(tree: Tree, admin: User) -> None:
    hold(tree.learner, 1, 100)
    with pytest.raises(Conflict) as caught:
        correct(tree, admin, 0, 10)
    assert caught.value.code == "not_settled"


def test_charging_again_needs_room_on_every_level(settled: Tree, admin: User) -> None:
    hold(settled.learner, 2, 20 * HOUR - 40)
    with pytest.raises(OverQuota):
        correct(settled, admin, 60, 100)
    correct(settled, admin, 60, 0)
    assert settled.fresh()[3].used_s == 0


def test_the_database_itself_wants_to_know_who_corrected_and_why(settled: Tree, admin: User) -> None:
    lines: dict[str, Any] = {
        "account": settled.learner, "path": settled.learner.path, "job_id": 1, "attempt": 1, "gpu_seconds": 5,
        "day": "2026-11-21",
    }  # fmt: skip
    for wrong in (
        {"kind": "CREDIT", "reason": "x"},
        {"kind": "DEBIT", "actor": admin},
        {"kind": "REFUND", "actor": admin},
    ):
        with pytest.raises(DatabaseError, match="ledger_correction_says_who_and_why"), transaction.atomic():
            LedgerEntry.objects.create(**lines | wrong)
