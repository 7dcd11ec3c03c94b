"""Grants, lending, rates and batches over REST, and the account's page of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campus.core.clock import database_now
from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.models import Account, Grant
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.quota.test_pages import page_of
from tests.quota.test_rest import LIST, api_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)


def soon(days: int = 9) -> str:
    return (database_now() + timedelta(days=days)).isoformat()


def post(user: User, path: str, **body: Any) -> Any:
    return api_of(user).post(f"{LIST}{path}", body, format="json")


def test_an_administrator_gives_a_grant_and_ends_it(tree: Tree, admin: User) -> None:
    given = post(admin, f"{tree.cohort.pk}/grants/", gpu_seconds=HOUR, label="2026-2", ends_at=soon(), carry_pct=20)
    assert (given.status_code, given.json()["left_s"], given.json()["state"]) == (201, HOUR, "ACTIVE")
    listed = api_of(admin).get(f"{LIST}{tree.campus.pk}/grants/").json()
    assert [row["label"] for row in listed] == ["2026-2"]
    ended = post(admin, f"grants/{given.json()['id']}/end/", reason="a mistake")
    assert (ended.status_code, ended.json()["returned_s"]) == (200, HOUR)
    assert post(tree.owner, f"{tree.learner.pk}/grants/", gpu_seconds=1).status_code == 403
    assert post(factories.UserFactory(), f"grants/{given.json()['id']}/end/", reason="x").status_code == 404


def test_sponsors_are_reported_by_day_to_staff(tree: Tree, admin: User) -> None:
    sponsor = api.add_sponsor(name_ko="전북특별자치도", name_en="Jeonbuk", kind="PUBLIC", actor=None)
    api.give_grant(
        account_id=tree.campus.pk, gpu_seconds=HOUR, label="RISE", sponsor=sponsor, actor=None,
        ends_at=database_now() + timedelta(days=9),
    )  # fmt: skip
    api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=100)
    api.settle(account_id=tree.learner.pk, job_id=1, attempt=1, held_s=100, charged_s=60)
    for account, given_s in ((tree.campus, HOUR), (tree.cohort, 0)):
        (row,) = api_of(admin).get(f"{LIST}{account.pk}/sponsors/").json()
        assert (row["sponsor"], row["given_s"], row["used_s"], sum(row["days"].values())) == (
            "Jeonbuk",
            given_s,
            60,
            60,
        )
    assert api_of(admin).get(f"{LIST}{tree.campus.pk}/sponsors/", {"from": "2099-01-01"}).json()[0]["used_s"] == 0
    assert api_of(admin).get(f"{LIST}{tree.campus.pk}/sponsors/", {"from": "x"}).status_code == 400
    assert api_of(tree.owner).get(f"{LIST}{tree.learner.pk}/sponsors/").status_code == 403


def test_an_account_lends_and_recalls(tree: Tree, admin: User) -> None:
    other = factories.learner_account(tree.cohort, factories.UserFactory(), HOUR)
    lent = post(admin, f"{other.pk}/lendings/", limit_s=600, until_at=soon(), borrower=tree.learner.pk, reason="exam")
    assert (lent.status_code, lent.json()["borrower"]) == (201, tree.learner.pk)
    recalled = post(admin, f"lendings/{lent.json()['id']}/recall/", reason="back")
    assert recalled.json()["closed_at"] is not None
    assert post(tree.owner, f"{tree.learner.pk}/lendings/").status_code == 403


def test_only_the_platform_sets_rates(tree: Tree, admin: User) -> None:
    platform = factories.staff(RoleGrant.Role.PLATFORM_ADMIN, tree.platform.scope)
    assert post(admin, "rates/", gpu_type="H100", rate="2.5").status_code == 403
    assert post(platform, "rates/", gpu_type="H100", rate="2.5").status_code == 201
    assert api_of(tree.owner).get(f"{LIST}rates/").json()[0]["rate"] == "2.500"


def test_many_accounts_change_at_once_with_a_preview_and_undo(tree: Tree, admin: User) -> None:
    changes = [{"account": tree.cohort.pk, "gpu_seconds": HOUR}, {"account": tree.learner.pk, "learner_day_cap_s": 60}]
    preview = post(admin, "changes/", changes=changes, preview=True).json()
    assert preview["is_possible"]
    assert preview["rows"][0]["allocated_s"] == [100 * HOUR, 101 * HOUR]
    made = post(admin, "changes/", changes=changes, reason="exam")
    assert made.status_code == 201
    batch = f"changes/{made.json()['batch']}/"
    whole = api_of(admin).get(f"{LIST}{batch}").json()
    assert (whole["batch"]["reason"], whole["hidden"], whole["changes"]) == (
        "exam",
        0,
        [
            {"account": tree.cohort.pk, "allocated_s": [100 * HOUR, 101 * HOUR], "settings": {}},
            {"account": tree.learner.pk, "allocated_s": None, "settings": {"learner_day_cap_s": [None, 60]}},
        ],
    )
    would = post(admin, f"{batch}undo/", preview=True)
    assert (would.status_code, would.json()["rows"][0]["allocated_s"]) == (200, [101 * HOUR, 100 * HOUR])
    undone = post(admin, f"{batch}undo/", reason="over")
    listed = api_of(admin).get(f"{LIST}changes/").json()["results"]
    assert [(row["reason"], row["undone_by"], row["undoes"]) for row in listed] == [
        ("over", None, made.json()["batch"]), ("exam", undone.json()["batch"], None),
    ]  # fmt: skip
    assert undone.status_code == 201
    assert tree.fresh()[2].allocated_s == 100 * HOUR
    wrong = post(admin, "changes/", changes=[{"account": tree.campus.pk, "gpu_seconds": 1}], reason="x")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "changes_refused")
    assert post(tree.owner, "changes/", changes=changes).status_code == 403
    assert post(factories.UserFactory(), f"changes/{made.json()['batch']}/undo/").status_code == 403


def test_a_csv_changes_accounts_over_the_api_and_names_its_lines(tree: Tree, admin: User) -> None:
    good = f"account_id,granted_gpu_hours\n{tree.learner.pk},21\n"
    assert post(admin, "changes/", csv=good, preview=True).json()["rows"][0]["allocated_s"] == [20 * HOUR, 21 * HOUR]
    assert post(admin, "changes/", csv=good, reason="term").status_code == 201
    assert tree.fresh()[3].allocated_s == 21 * HOUR
    wrong = post(admin, "changes/", csv="account_id,weight\n1,x\n", reason="term")
    assert (wrong.status_code, "line 2" in wrong.json()["errors"][0]["detail"].lower()) == (400, True)
    assert post(admin, "changes/", reason="neither").status_code == 400
    assert post(admin, "changes/", csv=good, changes=[], reason="both").status_code == 400


def test_the_desk_is_read_over_the_api(tree: Tree, admin: User) -> None:
    rows = api_of(admin).get(f"{LIST}desk/", {"learners": "1"}).json()
    assert [(row["account_id"], row["parent_id"]) for row in rows] == [
        (tree.campus.pk, tree.platform.pk), (tree.cohort.pk, tree.campus.pk), (tree.learner.pk, tree.cohort.pk),
    ]  # fmt: skip
    assert (rows[2]["granted_s"], rows[2]["left_gpu_hours"], rows[2]["max_running_gpus"]) == (20 * HOUR, "20", "none")
    assert api_of(admin).get(f"{LIST}desk/", {"q": tree.owner.name}).json()[0]["account_id"] == tree.learner.pk
    assert api_of(admin).get(f"{LIST}desk/", {"show": "idle"}).json() == []
    assert api_of(admin).get(f"{LIST}desk/", {"show": "nonsense"}).status_code == 400


def test_sponsors_are_added_and_listed(tree: Tree, admin: User) -> None:
    made = post(admin, "sponsors/", name_ko="전북특별자치도", name_en="Jeonbuk State", kind="PUBLIC")
    assert (made.status_code, made.json()["kind"]) == (201, "PUBLIC")
    assert post(admin, "sponsors/", name_ko="전북특별자치도").status_code == 409
    assert [row["name_en"] for row in api_of(admin).get(f"{LIST}sponsors/").json()] == ["Jeonbuk State"]


def test_the_page_shows_grants_sponsors_caps_rates_and_loans_in_as_many_queries_at_twenty(
    tree: Tree, admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sponsor = api.add_sponsor(name_ko="전북특별자치도", name_en="Jeonbuk", actor=None)
    api.set_rate(gpu_type="H100", rate=Decimal("2.5"), actor=None)

    def add(number: int) -> None:
        until = database_now() + timedelta(days=9)
        api.give_grant(
            account_id=tree.cohort.pk, gpu_seconds=HOUR, label=f"Term {number}", ends_at=until, actor=None,
            sponsor=sponsor if number % 2 else None,
        )  # fmt: skip
        beside = factories.account(Account.Kind.COHORT, tree.campus, tree.campus_scope, HOUR, name=f"Beside {number}")
        api.lend(account_id=beside.pk, limit_s=60, until_at=until, reason="x", actor=None)

    address = reverse("quota:account", args=[tree.cohort.pk]) + "?tab=grants"
    client = page_of(admin)
    add(1)
    # session, user, roles; the account; the path, grants, sponsors' grants and draws, lendings, rates; asking for more.
    with django_assert_num_queries(QUERIES):
        html = client.get(address).content.decode()
    for text in ("Term 1", "given by Jeonbuk", "H100", "× 2.5", "Beside 1"):
        assert text in html
    for number in range(2, 21):
        add(number)
    with django_assert_num_queries(QUERIES):
        assert "Term 20" in client.get(address).content.decode()
    history = client.get(address.replace("grants", "history")).content.decode()
    assert "Grant: Term 20" in history


QUERIES = 10


def test_settings_change_by_the_form_with_a_reason(tree: Tree, admin: User) -> None:
    client = page_of(admin)
    address = reverse("quota:settings", args=[tree.cohort.pk])
    given = {"weight": "2", "overcommit_pct": "150", "max_running_gpus": "", "day_cap_hours": "1.5",
             "week_cap_hours": "", "reason": "fair"}  # fmt: skip
    assert client.post(address, given).status_code == 302
    cohort = tree.fresh()[2]
    assert (cohort.weight, cohort.overcommit_pct, cohort.learner_day_cap_s, cohort.learner_week_cap_s) == (
        2, 150, 5400, None,
    )  # fmt: skip
    refused = client.post(address, given | {"overcommit_pct": "10"})
    assert "granted below" in refused.content.decode()
    assert page_of(tree.owner).get(reverse("quota:settings", args=[tree.learner.pk])).status_code == 403
    learner = page_of(tree.owner).get(reverse("quota:account", args=[tree.learner.pk]) + "?tab=grants")
    assert "caps each learner" in learner.content.decode()
    assert not Grant.objects.exists()
