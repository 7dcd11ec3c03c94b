"""Allocating down the tree: what may be given, what may be taken back, and what is written down."""

import pytest

from campus.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from campus.core.models import AuditEntry
from campus.people.models import RoleGrant
from labs.quota import api
from labs.quota.models import Account, Allocation
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db


def give(account: Account, delta_s: int, reason: str = "more lab time") -> Allocation:
    return api.allocate(account_id=account.pk, delta_s=delta_s, reason=reason, actor=None)


def test_giving_moves_the_account_and_its_parents_grants(tree: Tree) -> None:
    give(tree.learner, 10 * HOUR)
    platform, campus, cohort, learner = tree.fresh()
    assert (learner.allocated_s, cohort.granted_s, cohort.allocated_s) == (30 * HOUR, 30 * HOUR, 100 * HOUR)
    assert (campus.granted_s, platform.granted_s) == (100 * HOUR, 400 * HOUR)


def test_taking_back_returns_it_to_the_parent(tree: Tree) -> None:
    give(tree.learner, -5 * HOUR)
    assert (tree.fresh()[3].allocated_s, tree.fresh()[2].granted_s) == (15 * HOUR, 15 * HOUR)


def test_the_platforms_seconds_are_minted(tree: Tree) -> None:
    give(tree.platform, 9 * HOUR)
    assert tree.fresh()[0].allocated_s == 1009 * HOUR


def test_every_change_has_its_history_and_its_audit_entry(tree: Tree) -> None:
    actor = factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)
    api.allocate(account_id=tree.learner.pk, delta_s=HOUR, reason=" term project ", actor=actor)
    row = Allocation.objects.filter(account=tree.learner).first()
    assert row is not None
    assert (row.before_s, row.delta_s, row.after_s) == (20 * HOUR, HOUR, 21 * HOUR)
    assert (row.reason, row.actor) == ("term project", actor)
    entry = AuditEntry.objects.get(verb="quota.allocated")
    assert entry.changes == {"allocated_s": [20 * HOUR, 21 * HOUR]}
    assert (entry.actor, entry.subject, entry.reason) == (actor, tree.owner, "term project")
    assert entry.scope_path == tree.cohort_scope.path


def test_a_parent_that_has_less_to_grant_is_named_with_who_can_help(tree: Tree) -> None:
    admin = factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)
    with pytest.raises(OverQuota) as caught:
        give(tree.learner, 81 * HOUR)
    facts = caught.value.facts
    assert (facts["short_account_id"], facts["available_s"]) == (tree.cohort.pk, 80 * HOUR)
    assert [helper["email"] for helper in facts["helpers"]] == [admin.email]
    give(tree.learner, 80 * HOUR)


def test_overcommit_lets_children_share_slack(tree: Tree) -> None:
    Account.objects.filter(pk=tree.cohort.pk).update(overcommit_pct=150)
    give(tree.learner, 130 * HOUR)
    with pytest.raises(OverQuota):
        give(tree.learner, 1)


def test_an_account_keeps_what_is_used_and_held(tree: Tree) -> None:
    api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=7 * HOUR)
    with pytest.raises(InvalidInput) as caught:
        give(tree.learner, -13 * HOUR - 1)
    assert caught.value.facts["limit_s"] == -13 * HOUR
    give(tree.learner, -13 * HOUR)


def test_an_account_keeps_what_its_children_were_granted(tree: Tree) -> None:
    with pytest.raises(InvalidInput) as caught:
        give(tree.cohort, -80 * HOUR - 1)
    assert caught.value.facts["limit_s"] == -80 * HOUR
    give(tree.cohort, -80 * HOUR)


@pytest.mark.parametrize(
    ("delta_s", "reason", "field"),
    [(0, "why", "delta_s"), (HOUR, "  ", "reason"), (HOUR, "x" * 301, "reason"), (10**15, "why", "delta_s")],
)
def test_nonsense_names_its_field(tree: Tree, delta_s: int, reason: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        give(tree.platform, delta_s, reason)
    assert list(caught.value.fields) == [field]


def test_an_unknown_account_is_not_found(tree: Tree) -> None:
    with pytest.raises(NotFound):
        api.allocate(account_id=10**12, delta_s=1, reason="why", actor=None)


def test_opening_takes_the_allocation_from_the_parent(tree: Tree) -> None:
    other = factories.learner_account(tree.cohort, factories.UserFactory(), 80 * HOUR)
    assert other.path == [*tree.cohort.path, other.pk]
    assert tree.fresh()[2].granted_s == 100 * HOUR
    with pytest.raises(OverQuota):
        factories.learner_account(tree.cohort, factories.UserFactory(), 1)


def test_a_learner_has_one_account_in_a_cohort(tree: Tree) -> None:
    with pytest.raises(Conflict) as caught:
        factories.learner_account(tree.cohort, tree.owner, 1)
    assert caught.value.code == "account_exists"


def test_there_is_one_platform(tree: Tree) -> None:
    with pytest.raises(Conflict):
        factories.account("PLATFORM", None, tree.platform.scope)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "CLUB"}, "kind"),
        ({"kind": "LEARNER"}, "owner"),
        ({"kind": "PLATFORM"}, "parent"),
        ({"name": " "}, "name"),
        ({"name": "가" * 161}, "name"),
        ({"allocated_s": -1}, "allocated_s"),
        ({"overcommit_pct": 0}, "overcommit_pct"),
    ],
)
def test_an_account_that_does_not_fit_names_its_field(tree: Tree, changes: dict[str, object], field: str) -> None:
    asked = {"kind": "SPONSOR", "name": "Sponsor", "parent": tree.campus, "scope": tree.campus_scope} | changes
    with pytest.raises(InvalidInput) as caught:
        api.open_account(**asked)  # type: ignore[arg-type]
    assert list(caught.value.fields) == [field]
