"""Requests for more GPU time: who asks, who decides, what is allocated, who is told."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from campus.core.errors import Conflict, InvalidInput, OverQuota, TooManyAttempts
from campus.core.models import AuditEntry, Notice
from campus.people.access import Standing, standing_of
from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.access_requests import may_ask, may_decide, requests_for
from labs.quota.models import Account, Allocation, QuotaRequest
from labs.quota.services import requests
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db
Role = RoleGrant.Role


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(Role.PLATFORM_ADMIN, tree.platform.scope, name="본부장")


@pytest.fixture
def campus_admin(tree: Tree) -> User:
    return factories.staff(Role.CAMPUS_ADMIN, tree.campus_scope, name="용인장")


@pytest.fixture
def instructor(tree: Tree) -> User:
    return factories.staff(Role.INSTRUCTOR, tree.cohort_scope, name="이선생")


@pytest.fixture(autouse=True)
def balances_hold(tree: Tree) -> Iterator[None]:
    yield
    with transaction.atomic():
        assert api.rebuild() == []


def soon() -> date:
    return timezone.localdate() + timedelta(days=30)


def asked(account: Account, asker: User, hours: int = 10, **wishes: Any) -> QuotaRequest:
    given = {"wanted_s": hours * HOUR, "until": soon(), "reason": "기말 프로젝트 학습"}
    return requests.ask(account_id=account.pk, asker=asker, **(given | wishes))


def approved(found: QuotaRequest, actor: User, **wishes: Any) -> QuotaRequest:
    return requests.approve(request_id=found.pk, actor=actor, standing=standing_of(actor), **wishes)


def told(user: User) -> list[str]:
    return list(Notice.objects.filter(recipient=user).order_by("id").values_list("kind", flat=True))


def test_who_may_ask_for_what(tree: Tree, admin: User, campus_admin: User, instructor: User) -> None:
    stranger, assistant = factories.UserFactory(), factories.staff(Role.ASSISTANT, tree.cohort_scope)
    accounts = list(Account.objects.select_related("scope", "parent__scope").order_by("pk"))
    may = {
        user.name: [may_ask(standing_of(user), account) for account in accounts]
        for user in (tree.owner, stranger, assistant, instructor, campus_admin, admin)
    }
    assert may == {
        tree.owner.name: [False, False, False, True],
        stranger.name: [False, False, False, False],
        assistant.name: [False, False, False, False],
        instructor.name: [False, False, True, False],
        campus_admin.name: [False, True, False, False],  # what lies below they allocate themselves
        admin.name: [False, False, False, False],
    }


def test_approving_allocates_and_tells_the_asker(tree: Tree, campus_admin: User) -> None:
    found = asked(tree.learner, tree.owner)
    assert told(campus_admin) == ["quota.request_made"]
    done = approved(found, campus_admin, answer="힘내세요")
    assert (done.state, done.given_s, done.decided_by) == ("APPROVED", 10 * HOUR, campus_admin)
    assert tree.fresh()[3].allocated_s == 30 * HOUR
    history = Allocation.objects.filter(account=tree.learner).first()
    assert history is not None
    assert (history.delta_s, history.actor, history.reason) == (10 * HOUR, campus_admin, f"#{found.pk} · 힘내세요")
    assert told(tree.owner) == ["quota.request_approved"]
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"quota.requested", "quota.request_approved", "quota.allocated"} <= verbs


def test_a_part_can_be_given_but_not_more_than_was_asked_for(tree: Tree, campus_admin: User) -> None:
    found = asked(tree.learner, tree.owner)
    for wrong in (0, -1, 10 * HOUR + 1):
        with pytest.raises(InvalidInput) as refused, transaction.atomic():
            approved(found, campus_admin, given_s=wrong)
        assert "given_s" in refused.value.fields
    assert approved(found, campus_admin, given_s=4 * HOUR).given_s == 4 * HOUR
    assert tree.fresh()[3].allocated_s == 24 * HOUR


def test_what_the_parent_lacks_is_moved_down_in_the_same_moment(tree: Tree, campus_admin: User) -> None:
    # The cohort has 80 h left to grant, the campus 300 h.
    found = asked(tree.learner, tree.owner, hours=200)
    approved(found, campus_admin)
    assert [account.allocated_s for account in tree.fresh()] == [1000 * HOUR, 400 * HOUR, 220 * HOUR, 220 * HOUR]
    deltas = list(Allocation.objects.order_by("-id").values_list("account_id", "delta_s")[:2])
    assert deltas == [(tree.learner.pk, 200 * HOUR), (tree.cohort.pk, 120 * HOUR)]


def test_an_approver_gives_no_more_than_is_theirs_to_give(tree: Tree, campus_admin: User, admin: User) -> None:
    found = asked(tree.learner, tree.owner, hours=500)
    with pytest.raises(OverQuota) as refused, transaction.atomic():
        approved(found, campus_admin)
    assert refused.value.facts["short_account_id"] == tree.campus.pk
    assert refused.value.facts["available_s"] == 380 * HOUR
    assert Allocation.objects.filter(account=tree.learner).count() == 1
    # Who may allocate to the campus too gives it from the platform.
    assert approved(found, admin).state == "APPROVED"
    assert tree.fresh()[1].allocated_s == 520 * HOUR


def test_what_is_short_is_passed_up_and_comes_back(tree: Tree, campus_admin: User, admin: User) -> None:
    found = asked(tree.learner, tree.owner, hours=500)
    raised = requests.pass_up(
        request_id=found.pk, actor=campus_admin, standing=standing_of(campus_admin), note="대회 준비"
    )
    found.refresh_from_db()
    assert (found.state, raised.account_id, raised.wanted_s) == ("PASSED_UP", tree.campus.pk, 120 * HOUR)
    assert told(tree.owner) == ["quota.request_passed_up"]
    assert told(admin) == ["quota.request_made"]
    with pytest.raises(Conflict) as waits, transaction.atomic():
        approved(found, campus_admin)
    assert waits.value.code == "request_passed_up"
    approved(raised, admin)
    found.refresh_from_db()
    assert found.state == "OPEN"
    assert told(campus_admin) == ["quota.request_made", "quota.request_approved"]
    assert Notice.objects.filter(recipient=campus_admin).latest("id").url == f"/quota/requests/{found.pk}/"
    assert approved(found, campus_admin).state == "APPROVED"
    assert tree.fresh()[3].allocated_s == 520 * HOUR


def test_what_was_declined_further_up_is_open_again(tree: Tree, campus_admin: User, admin: User) -> None:
    found = asked(tree.learner, tree.owner, hours=500)
    raised = requests.pass_up(request_id=found.pk, actor=campus_admin, standing=standing_of(campus_admin))
    requests.decline(request_id=raised.pk, actor=admin, answer="이번 학기에는 어렵습니다")
    found.refresh_from_db()
    assert found.state == "OPEN"
    # It may be passed up once more, or declined in turn.
    requests.pass_up(request_id=found.pk, actor=campus_admin, standing=standing_of(campus_admin))
    assert QuotaRequest.objects.filter(raised_for=found).count() == 2


def test_where_there_is_enough_nothing_is_passed_up_and_above_the_platform_is_nobody(
    tree: Tree, campus_admin: User, admin: User
) -> None:
    found = asked(tree.learner, tree.owner)
    with pytest.raises(Conflict) as enough, transaction.atomic():
        requests.pass_up(request_id=found.pk, actor=campus_admin, standing=standing_of(campus_admin))
    assert enough.value.code == "enough_left"
    requests.withdraw(request_id=found.pk, actor=tree.owner)
    large = asked(tree.learner, tree.owner, hours=5000)
    with pytest.raises(Conflict) as nobody, transaction.atomic():
        requests.pass_up(request_id=large.pk, actor=admin, standing=standing_of(admin))
    assert nobody.value.code == "nobody_above"


def test_withdrawing_takes_back_what_was_asked_further_up(tree: Tree, campus_admin: User, admin: User) -> None:
    found = asked(tree.learner, tree.owner, hours=500)
    raised = requests.pass_up(request_id=found.pk, actor=campus_admin, standing=standing_of(campus_admin))
    requests.withdraw(request_id=found.pk, actor=tree.owner)
    for one in (found, raised):
        one.refresh_from_db()
        assert one.state == "WITHDRAWN"
    assert told(admin) == ["quota.request_made", "quota.request_withdrawn"]
    with pytest.raises(Conflict), transaction.atomic():
        approved(raised, admin)


def test_an_answer_is_given_once(tree: Tree, campus_admin: User) -> None:
    found = asked(tree.learner, tree.owner)
    requests.decline(request_id=found.pk, actor=campus_admin, answer="다음 주에 다시 요청해 주세요")
    for act in (
        lambda: approved(found, campus_admin),
        lambda: requests.decline(request_id=found.pk, actor=campus_admin, answer="no"),
        lambda: requests.withdraw(request_id=found.pk, actor=tree.owner),
    ):
        with pytest.raises(Conflict) as late, transaction.atomic():
            act()
        assert late.value.code == "request_decided"
    assert tree.fresh()[3].allocated_s == 20 * HOUR


def test_declining_needs_a_reason(tree: Tree, campus_admin: User) -> None:
    found = asked(tree.learner, tree.owner)
    with pytest.raises(InvalidInput), transaction.atomic():
        requests.decline(request_id=found.pk, actor=campus_admin, answer="  ")


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"wanted_s": 0}, "wanted_s"),
        ({"wanted_s": 100_001 * HOUR}, "wanted_s"),
        ({"until": date(2020, 1, 1)}, "until"),
        ({"until": date(2090, 1, 1)}, "until"),
        ({"reason": "   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_what_cannot_be_asked(tree: Tree, wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked(tree.learner, tree.owner, **wishes)
    assert list(refused.value.fields) == [field]


def test_one_request_at_a_time_and_so_many_a_day(tree: Tree) -> None:
    first = asked(tree.learner, tree.owner)
    with pytest.raises(Conflict) as second, transaction.atomic():
        asked(tree.learner, tree.owner)
    assert second.value.code == "request_waiting"
    requests.withdraw(request_id=first.pk, actor=tree.owner)
    for _ in range(requests.MOST_A_DAY - 1):
        requests.withdraw(request_id=asked(tree.learner, tree.owner).pk, actor=tree.owner)
    with pytest.raises(TooManyAttempts):
        asked(tree.learner, tree.owner)


def test_a_closed_account_asks_for_nothing_and_is_given_nothing(tree: Tree, campus_admin: User) -> None:
    found = asked(tree.learner, tree.owner)
    Account.objects.filter(pk=tree.learner.pk).update(is_open=False)
    with pytest.raises(Conflict) as closed, transaction.atomic():
        approved(found, campus_admin)
    assert closed.value.code == "account_closed"
    with pytest.raises(Conflict):
        asked(tree.learner, tree.owner)


def test_who_sees_and_who_decides(tree: Tree, admin: User, campus_admin: User, instructor: User) -> None:
    elsewhere = factories.staff(Role.CAMPUS_ADMIN, factories.campus("jeonbuk", "전북").scope)
    own = asked(tree.learner, tree.owner)
    large = asked(tree.campus, campus_admin, hours=900)

    def rights(user: User) -> list[str]:
        standing: Standing = standing_of(user)
        seen = {one.pk: one for one in requests_for(standing)}
        return [
            "" if pk not in seen else "decides" if may_decide(standing, seen[pk]) else "sees"
            for pk in (own.pk, large.pk)
        ]

    assert rights(tree.owner) == ["sees", ""]
    assert rights(instructor) == ["sees", ""]
    assert rights(campus_admin) == ["decides", "sees"]
    assert rights(admin) == ["decides", "decides"]
    assert rights(elsewhere) == ["", ""]
    assert rights(factories.UserFactory()) == ["", ""]


def test_the_nearest_who_may_decide_are_told_and_nobody_else(
    tree: Tree, admin: User, campus_admin: User, instructor: User
) -> None:
    asked(tree.learner, tree.owner)
    assert (told(campus_admin), told(admin), told(instructor)) == (["quota.request_made"], [], [])
    asked(tree.campus, campus_admin)
    assert told(admin) == ["quota.request_made"]
