"""REST: one's own use, and the use below an account."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from campus.people.models import RoleGrant, User
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.usage.conftest import SEOUL, ran

pytestmark = pytest.mark.django_db


def usage(user: User | None, **query: Any) -> Any:
    client = APIClient(headers={"Accept-Language": "en"})
    if user:
        client.force_authenticate(user)
    return client.get("/api/v1/usage/", query)


@pytest.fixture
def busy(tree: Tree) -> Tree:
    today = datetime.now(SEOUL).date()
    ran(tree.learner, tree.owner, 2 * HOUR, today, refunded_s=HOUR)
    ran(tree.learner, tree.owner, 60, today - timedelta(days=40))
    return tree


def test_one_reads_ones_own_use_to_the_second(busy: Tree) -> None:
    body = usage(busy.owner).json()
    assert body["total"] == {"charged_s": 7200, "refunded_s": 3600, "used_s": 3600, "jobs": 1}
    assert [day["used_s"] for day in body["days"]] == [3600]
    assert body["timezone"] == "Asia/Seoul"
    assert body["accounts"][0]["id"] == busy.learner.pk
    assert body["accounts"][0]["used_s"] == 3660


def test_the_period_can_be_named(busy: Tree) -> None:
    first = datetime.now(SEOUL).date() - timedelta(days=45)
    body = usage(busy.owner, **{"from": first.isoformat()}).json()
    assert (body["first_day"], body["total"]["used_s"]) == (first.isoformat(), 3660)


def test_staff_group_the_use_below_an_account(busy: Tree) -> None:
    staff = factories.staff(RoleGrant.Role.INSTRUCTOR, busy.cohort_scope)
    body = usage(staff, account=busy.cohort.pk, by="learner").json()
    assert [(row["group"], row["used_s"]) for row in body["groups"]] == [("이서준", 3600)]


def test_somebody_without_an_account_has_used_nothing(busy: Tree) -> None:
    body = usage(factories.UserFactory()).json()
    assert (body["total"]["used_s"], body["days"], body["accounts"]) == (0, [], [])


def test_strangers_get_404_and_the_signed_out_401(busy: Tree) -> None:
    assert usage(factories.UserFactory(), account=busy.learner.pk).status_code == 404
    assert usage(busy.owner, account=busy.cohort.pk).status_code == 404
    assert usage(None).status_code == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "2000-01-01", "to": "2026-01-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"from": "9999-12-31"}, "from"),
        ({"account": "mine"}, "account"),
        ({"account": "9" * 30}, "account"),
        ({"by": "learner"}, "by"),
    ],
)
def test_what_is_wrong_names_its_field(busy: Tree, query: dict[str, str], field: str) -> None:
    response = usage(busy.owner, **query)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
