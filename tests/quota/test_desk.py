"""The quota desk: what it shows to whom, how many queries that takes, narrowing, and its CSV."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from campus.core.clock import database_now
from campus.people.access import standing_of
from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.models import Account, UsageDay
from labs.quota.selectors_desk import Concern, Search, desk
from labs.quota.services import requests
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.quota.test_pages import page_of

pytestmark = pytest.mark.django_db
Role = RoleGrant.Role
QUERIES = 17


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(Role.CAMPUS_ADMIN, tree.campus_scope)


def address(query: str = "") -> str:
    return reverse("quota:desk") + query


def use(account: Account, hours: int = 1) -> None:
    """Let an account have used so much each day of the last four weeks."""
    Account.objects.filter(pk=account.pk).update(created_at=timezone.now() - timedelta(days=60))
    today = timezone.localdate()
    UsageDay.objects.bulk_create(
        UsageDay(account=account, path=account.path, day=today - timedelta(days=ago), charged_s=hours * HOUR, jobs=1)
        for ago in range(1, 29)
    )


def more_learners(tree: Tree, count: int) -> list[Account]:
    with transaction.atomic():
        return [factories.learner_account(tree.cohort, factories.UserFactory(), HOUR // 10) for _ in range(count)]


def test_a_line_says_what_is_left_who_runs_out_who_asks_what_ends_and_who_lends(tree: Tree, admin: User) -> None:
    use(tree.learner)
    until = database_now() + timedelta(days=9)
    beside = factories.account(Account.Kind.COHORT, tree.campus, tree.campus_scope, HOUR, name="2기")
    with transaction.atomic():
        api.give_grant(account_id=tree.cohort.pk, gpu_seconds=2 * HOUR, label="RISE", ends_at=until, actor=None)
        api.lend(account_id=beside.pk, limit_s=600, until_at=until, reason="x", actor=None)
    requests.ask(account_id=tree.learner.pk, asker=tree.owner, wanted_s=HOUR, until=timezone.localdate(), reason="more")
    found = {row.account.name: row for row in desk(standing_of(admin), Search()).rows}
    assert list(found) == ["용인 캠퍼스", "2기", "AI 엔지니어 1기"]
    cohort = found["AI 엔지니어 1기"]
    assert (cohort.learners, cohort.requests, cohort.ending_s, cohort.ends_soon) == (1, 1, 2 * HOUR, True)
    assert cohort.outlook is not None
    assert cohort.outlook.daily[-2:] == (HOUR, 0)
    assert (found["2기"].lending_s, found["용인 캠퍼스"].requests) == (600, 1)
    assert [found[name].may_change for name in found] == [False, True, True]
    html = page_of(admin).get(address()).content.decode()
    for words in ("1 request", "2 end", "lent 0 of 0.17", "1 learner"):
        assert words in html


def test_the_desk_is_for_administrators_and_shows_only_what_they_administer(tree: Tree, admin: User) -> None:
    elsewhere = factories.staff(Role.CAMPUS_ADMIN, factories.campus("jeonbuk", "전북").scope)
    instructor = factories.staff(Role.INSTRUCTOR, tree.cohort_scope)
    platform = factories.staff(Role.PLATFORM_ADMIN, tree.platform.scope)
    assert "용인 캠퍼스" not in page_of(elsewhere).get(address()).content.decode()
    assert [page_of(user).get(address()).status_code for user in (instructor, tree.owner)] == [403, 403]
    assert [row.account.pk for row in desk(standing_of(platform), Search()).rows] == [
        tree.platform.pk, tree.campus.pk, tree.cohort.pk,
    ]  # fmt: skip


def test_the_desk_takes_as_many_queries_with_three_hundred_learners(
    tree: Tree, admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = page_of(admin)
    # session, user, standing; campuses, learners counted, accounts, learners; zones, terms' ends, use by day; terms,
    # decayed use, idle GPUs, requests, grants, lendings. Use this term is a query where a term runs.
    opened = address(f"?open={tree.cohort.pk}")
    client.get(opened)
    with django_assert_num_queries(QUERIES - 1):
        assert client.get(opened).content.decode().count("data-depth=") == 3
    more_learners(tree, 300)
    with django_assert_num_queries(QUERIES - 1):
        assert client.get(opened).content.decode().count("data-depth=") == 303


def test_learners_open_in_place_and_by_a_reload(
    tree: Tree, admin: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client, part = page_of(admin), reverse("quota:desk-learners", args=[tree.cohort.pk]) + "?depth=3"
    more_learners(tree, 20)
    assert tree.owner.name not in client.get(address()).content.decode()
    assert tree.owner.name in client.get(address(f"?open={tree.cohort.pk}")).content.decode()
    with django_assert_max_num_queries(QUERIES):
        html = client.get(part).content.decode()
    assert (html.count("<tr"), html.count('data-depth="3"')) == (21, 21)
    assert page_of(tree.owner).get(part).status_code == 403


def test_it_is_narrowed_to_a_name_or_a_concern_with_what_lies_above(tree: Tree, admin: User) -> None:
    more_learners(tree, 3)
    standing = standing_of(admin)
    named = desk(standing, Search(text=tree.owner.name)).rows
    assert [(row.account.pk, row.is_match) for row in named] == [
        (tree.campus.pk, False), (tree.cohort.pk, False), (tree.learner.pk, True),
    ]  # fmt: skip
    assert desk(standing, Search(text="nobody")).rows == []
    with transaction.atomic():
        api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=20 * HOUR)
    out = [row.account.pk for row in desk(standing, Search(concern=Concern.RUNS_OUT)).rows if row.is_match]
    assert out == [tree.learner.pk]
    html = page_of(admin).get(address("?show=runs-out")).content.decode()
    assert tree.owner.name in html
    assert "Nothing left" in html
    assert page_of(admin).get(address("?show=nonsense&within=x&open=x")).status_code == 200


def test_the_csv_has_every_learner_and_runs_no_formula(tree: Tree, admin: User) -> None:
    Account.objects.filter(pk=tree.learner.pk).update(name="=HYPERLINK(1)")
    answer = page_of(admin).get(reverse("quota:desk-csv"))
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = {row["account_id"]: row for row in csv.DictReader(StringIO(answer.content.decode("utf-8-sig")))}
    assert set(rows) == {str(account.pk) for account in (tree.campus, tree.cohort, tree.learner)}
    learner, cohort = rows[str(tree.learner.pk)], rows[str(tree.cohort.pk)]
    assert (learner["account"], learner["above"], learner["granted_gpu_hours"], learner["granted_s"]) == (
        "'=HYPERLINK(1)", "AI 엔지니어 1기", "20", str(20 * HOUR),
    )  # fmt: skip
    assert (cohort["learner_day_cap_gpu_hours"], cohort["left_to_grant_gpu_hours"]) == ("none", "80")
