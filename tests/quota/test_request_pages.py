"""The pages and the API of requests: asking where it ran short, the queue with one click, the answers, the forecast."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from campus.people.models import RoleGrant, User
from labs.quota.models import Account, QuotaRequest, UsageDay
from labs.quota.services import requests
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db
Role = RoleGrant.Role


def page_of(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = language
    return client


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(Role.PLATFORM_ADMIN, tree.platform.scope, name="본부장")


@pytest.fixture
def campus_admin(tree: Tree) -> User:
    return factories.staff(Role.CAMPUS_ADMIN, tree.campus_scope, name="용인장")


def said(hours: str = "10", **more: str) -> dict[str, str]:
    until = timezone.localdate() + timedelta(days=20)
    return {"wanted_s": hours, "until": until.isoformat(), "reason": "Final project"} | more


def asked(account: Account, asker: User, hours: int = 10) -> QuotaRequest:
    until = timezone.localdate() + timedelta(days=20)
    return requests.ask(account_id=account.pk, asker=asker, wanted_s=hours * HOUR, until=until, reason="Final project")


def spend(account: Account, seconds: int, days: int = 28) -> None:
    """Use so much on each of the last days."""
    today = timezone.localdate()
    Account.objects.filter(pk=account.pk).update(created_at=timezone.now() - timedelta(days=60))
    for ago in range(1, days + 1):
        UsageDay.objects.create(
            account=account, path=account.path, day=today - timedelta(days=ago), charged_s=seconds, jobs=1
        )


def test_a_learner_asks_from_the_account_page_and_sees_the_answer(tree: Tree, campus_admin: User) -> None:
    learner = page_of(tree.owner)
    assert f"/quota/{tree.learner.pk}/ask/" in learner.get(f"/quota/{tree.learner.pk}/").content.decode()
    assert f"/quota/{tree.learner.pk}/ask/" in learner.get("/usage/").content.decode()
    form = learner.get(f"/quota/{tree.learner.pk}/ask/?hours=2.5").content.decode()
    assert 'value="2.5"' in form
    response = learner.post(f"/quota/{tree.learner.pk}/ask/", said())
    found = QuotaRequest.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/quota/requests/{found.pk}/")
    assert "You asked already" in learner.get(f"/quota/{tree.learner.pk}/ask/").content.decode()
    staff = page_of(campus_admin)
    queue = staff.get("/quota/requests/").content.decode()
    assert "Approve 10 GPU-h" in queue
    assert "has 80 GPU-h left to grant" in queue
    response = staff.post(f"/quota/requests/{found.pk}/approve/", {"next": "/quota/requests/"})
    assert response["Location"] == "/quota/requests/"
    page = learner.get(f"/quota/requests/{found.pk}/").content.decode()
    assert "용인장 gave “이서준” 10 GPU-h" in page
    assert "Your answer" not in page


def test_what_was_typed_stays_when_it_is_refused(tree: Tree, campus_admin: User) -> None:
    learner = page_of(tree.owner)
    refused = learner.post(f"/quota/{tree.learner.pk}/ask/", said("0", reason="My words"))
    assert refused.status_code == 400
    assert "My words" in refused.content.decode()
    found = asked(tree.learner, tree.owner)
    late = page_of(campus_admin).post(f"/quota/requests/{found.pk}/approve/", {"given_s": "99", "answer": "Good luck"})
    assert late.status_code == 400
    assert 'value="Good luck"' in late.content.decode()
    assert page_of(campus_admin).post(f"/quota/requests/{found.pk}/decline/", {}).status_code == 400


def test_who_comes_second_is_told_so(tree: Tree, campus_admin: User, admin: User) -> None:
    found = asked(tree.learner, tree.owner)
    assert page_of(admin).post(f"/quota/requests/{found.pk}/approve/").status_code == 302
    late = page_of(campus_admin).post(f"/quota/requests/{found.pk}/approve/")
    assert late.status_code == 409
    assert "It was answered or withdrawn meanwhile." in late.content.decode()


def test_a_short_parent_offers_a_part_and_the_way_up(tree: Tree, campus_admin: User, admin: User) -> None:
    found = asked(tree.learner, tree.owner, hours=500)
    staff = page_of(campus_admin)
    page = staff.get(f"/quota/requests/{found.pk}/").content.decode()
    assert "you can give at most 380 GPU-h" in page
    assert 'value="380.0"' in page
    assert "120 GPU-h are lacking there." in page
    assert staff.post(f"/quota/requests/{found.pk}/pass-up/", {"answer": ""}).status_code == 302
    raised = QuotaRequest.objects.get(raised_for=found)
    assert (
        "Asked to answer the request for “이서준”"
        in page_of(admin).get(f"/quota/requests/{raised.pk}/").content.decode()
    )


def test_withdrawing_asks_once_without_javascript(tree: Tree) -> None:
    found = asked(tree.learner, tree.owner)
    learner = page_of(tree.owner)
    assert "Withdraw this request?" in learner.get(f"/quota/requests/{found.pk}/withdraw/").content.decode()
    assert learner.post(f"/quota/requests/{found.pk}/withdraw/").status_code == 302
    found.refresh_from_db()
    assert found.state == "WITHDRAWN"


def test_the_outlook_is_on_the_account_page_the_tree_and_in_the_queue(tree: Tree, campus_admin: User) -> None:
    spend(tree.learner, 2 * HOUR)  # of 20 h: gone in 10 days, in 8 at the fast pace
    asked(tree.learner, tree.owner)
    staff = page_of(campus_admin)
    for address in (f"/quota/{tree.learner.pk}/", f"/quota/{tree.cohort.pk}/learners/", "/quota/requests/"):
        assert "Runs out " in staff.get(address).content.decode()
    assert "it runs out" in staff.get(f"/quota/{tree.learner.pk}/").content.decode()
    assert "Unused" not in staff.get("/quota/").content.decode()  # what lies below counts for the cohort too


def test_twenty_requests_cost_the_queries_of_one(
    tree: Tree, campus_admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = page_of(campus_admin)
    # session, user, roles; count, requests; zones, use by day, terms; accounts above.
    for more in (1, 19):
        for _number in range(more):
            user = factories.UserFactory()
            asked(factories.learner_account(tree.cohort, user, HOUR), user, hours=1)
        with django_assert_num_queries(9):
            assert client.get("/quota/requests/").status_code == 200


def api(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def post(client: Client, address: str, **body: Any) -> Any:
    return client.post(f"/api/v1/quota/{address}", body, content_type="application/json")


def test_the_whole_way_by_the_api(tree: Tree, campus_admin: User, admin: User) -> None:
    until = (timezone.localdate() + timedelta(days=9)).isoformat()
    wish = {"account": tree.learner.pk, "gpu_seconds": 500 * HOUR, "until": until, "reason": "대회"}
    made = post(api(tree.owner), "requests/", **wish)
    assert made.status_code == 201
    number = made.json()["id"]
    assert made.json()["state"] == "OPEN"
    assert post(api(tree.owner), "requests/", **wish).json()["code"] == "request_waiting"
    assert post(api(tree.owner), f"requests/{number}/approve/").status_code == 403
    short = post(api(campus_admin), f"requests/{number}/approve/")
    assert (short.status_code, short.json()["code"], short.json()["available_s"]) == (409, "over_quota", 380 * HOUR)
    raised = post(api(campus_admin), f"requests/{number}/pass-up/", answer="부족합니다").json()
    assert (raised["account"], raised["raised_for"]) == (tree.campus.pk, number)
    assert post(api(admin), f"requests/{raised['id']}/decline/", answer="다음 학기에").json()["state"] == "DECLINED"
    waiting = api(campus_admin).get("/api/v1/quota/requests/?to_decide=1").json()["results"]
    assert [one["id"] for one in waiting] == [number]
    part = post(api(campus_admin), f"requests/{number}/approve/", gpu_seconds=100 * HOUR).json()
    assert (part["state"], part["given_gpu_seconds"], part["decided_by"]) == ("APPROVED", 100 * HOUR, "용인장")
    mine = api(tree.owner).get(f"/api/v1/quota/requests/{number}/").json()
    assert mine["given_gpu_seconds"] == 100 * HOUR


def test_the_api_names_its_own_fields_in_errors(tree: Tree) -> None:
    wish = {"account": tree.learner.pk, "gpu_seconds": 1, "until": "2020-01-01", "reason": "x"}
    errors = post(api(tree.owner), "requests/", **wish).json()["errors"]
    assert [error["field"] for error in errors] == ["gpu_seconds", "until"]


def test_the_forecast_by_the_api(tree: Tree) -> None:
    spend(tree.learner, HOUR)
    found = api(tree.owner).get(f"/api/v1/quota/{tree.learner.pk}/forecast/").json()
    assert (found["verdict"], found["weeks"], found["week_s"], found["until"]) == ("runs_out", 4, 7 * HOUR, None)
    assert found["earliest_on"] < found["latest_on"]
