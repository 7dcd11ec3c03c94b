"""REST: accounts one may see, and allocating."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from campus.people.models import RoleGrant, User
from labs.quota.models import Account
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db
LIST = "/api/v1/quota/"


def api_of(user: User) -> APIClient:
    client = APIClient(headers={"Accept-Language": "en"})
    client.force_authenticate(user)
    return client


def give(user: User, account: Account, **body: Any) -> Any:
    return api_of(user).post(f"{LIST}{account.pk}/allocate/", body)


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)


def test_one_lists_ones_own_accounts_and_those_one_looks_after(tree: Tree, admin: User) -> None:
    own = api_of(tree.owner).get(LIST).json()["results"]
    assert [(row["id"], row["allocated_s"], row["available_s"]) for row in own] == [
        (tree.learner.pk, 20 * HOUR, 20 * HOUR)
    ]
    theirs = {row["id"] for row in api_of(admin).get(LIST).json()["results"]}
    assert theirs == {tree.campus.pk, tree.cohort.pk, tree.learner.pk}
    assert api_of(factories.UserFactory()).get(LIST).json()["results"] == []


def test_the_list_narrows_by_kind_and_parent(tree: Tree, admin: User) -> None:
    assert [row["id"] for row in api_of(admin).get(LIST, {"kind": "COHORT"}).json()["results"]] == [tree.cohort.pk]
    below = api_of(admin).get(LIST, {"parent": tree.cohort.pk}).json()["results"]
    assert [row["id"] for row in below] == [tree.learner.pk]
    wrong = api_of(admin).get(LIST, {"kind": "CLUB"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "kind")


def test_an_administrator_allocates(tree: Tree, admin: User) -> None:
    response = give(admin, tree.learner, gpu_seconds=3600, reason="more")
    assert response.status_code == 201
    body = response.json()
    assert (body["before_s"], body["after_s"], body["reason"]) == (20 * HOUR, 21 * HOUR, "more")
    assert body["account"]["allocated_s"] == 21 * HOUR


def test_strangers_get_404_readers_403_the_signed_out_401(tree: Tree, admin: User) -> None:
    body = {"gpu_seconds": 1, "reason": "why"}
    assert give(factories.UserFactory(), tree.learner, **body).status_code == 404
    assert give(tree.owner, tree.learner, **body).status_code == 403
    assert give(admin, tree.campus, **body).status_code == 403
    assert APIClient().post(f"{LIST}{tree.learner.pk}/allocate/", body).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"gpu_seconds": 0, "reason": "why"}, "gpu_seconds"),
        ({"gpu_seconds": "many", "reason": "why"}, "gpu_seconds"),
        ({"gpu_seconds": 10**19, "reason": "why"}, "gpu_seconds"),
        ({"gpu_seconds": -21 * HOUR, "reason": "why"}, "gpu_seconds"),
        ({"gpu_seconds": 1, "reason": " "}, "reason"),
        ({"gpu_seconds": 1}, "reason"),
    ],
)
def test_what_is_wrong_names_its_field(tree: Tree, admin: User, body: dict[str, Any], field: str) -> None:
    response = give(admin, tree.learner, **body)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_over_quota_says_who_is_short_and_who_can_help(tree: Tree, admin: User) -> None:
    response = give(admin, tree.learner, gpu_seconds=81 * HOUR, reason="why")
    body = response.json()
    assert (response.status_code, body["code"], body["short_account_id"]) == (409, "over_quota", tree.cohort.pk)
    assert body["available_s"] == 80 * HOUR
    assert body["helpers"][0]["email"] == admin.email
