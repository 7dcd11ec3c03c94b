"""The pages of quota: who sees what, allocating with and without JavaScript, query counts."""

from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campus.people.models import RoleGrant, User
from labs.quota import api
from labs.quota.models import Account, Allocation
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db
Role = RoleGrant.Role


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = "en"
    return client


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(Role.PLATFORM_ADMIN, tree.platform.scope)


@pytest.fixture
def campus_admin(tree: Tree) -> User:
    return factories.staff(Role.CAMPUS_ADMIN, tree.campus_scope)


@pytest.fixture
def instructor(tree: Tree) -> User:
    return factories.staff(Role.INSTRUCTOR, tree.cohort_scope)


def url(name: str, account: Account) -> str:
    return reverse(f"quota:{name}", args=[account.pk])


def test_an_account_is_seen_by_its_owner_and_its_staff_and_no_one_else(
    tree: Tree, admin: User, campus_admin: User, instructor: User
) -> None:
    stranger = factories.UserFactory()
    elsewhere = factories.staff(Role.CAMPUS_ADMIN, factories.campus("jeonbuk", "전북").scope)
    seen = {
        user: [page_of(user).get(url("account", account)).status_code for account in tree.path]
        for user in (admin, campus_admin, instructor, tree.owner, stranger, elsewhere)
    }
    assert seen == {
        admin: [200, 200, 200, 200],
        campus_admin: [404, 200, 200, 200],
        instructor: [404, 404, 200, 200],
        tree.owner: [404, 404, 404, 200],
        stranger: [404, 404, 404, 404],
        elsewhere: [404, 404, 404, 404],
    }


def test_who_may_allocate_where(tree: Tree, admin: User, campus_admin: User, instructor: User) -> None:
    may = {
        user: [page_of(user).get(url("allocate", account)).status_code for account in tree.path]
        for user in (admin, campus_admin, instructor, tree.owner)
    }
    assert may == {
        admin: [200, 200, 200, 200],
        campus_admin: [404, 403, 200, 200],
        instructor: [404, 404, 403, 403],
        tree.owner: [404, 404, 404, 403],
    }


def test_signed_out_people_are_asked_to_sign_in(tree: Tree) -> None:
    for address in (reverse("quota:tree"), url("account", tree.learner), url("allocate", tree.learner)):
        response = Client().get(address)
        assert (response.status_code, response.headers["Location"].split("?")[0]) == (302, reverse("account_login"))


def test_the_tree_shows_each_what_is_theirs(tree: Tree, admin: User, instructor: User) -> None:
    def names(user: User) -> list[str]:
        return [row.account.name for row in page_of(user).get(reverse("quota:tree")).context["rows"]]

    assert names(admin) == ["AI Campus", "용인 캠퍼스", "AI 엔지니어 1기"]
    assert names(instructor) == ["AI 엔지니어 1기"]
    assert names(tree.owner) == ["이서준"]
    assert names(factories.UserFactory()) == []


def test_learners_lines_open_for_staff_only(tree: Tree, instructor: User) -> None:
    response = page_of(instructor).get(url("learners", tree.cohort))
    assert [row.account for row in response.context["rows"]] == [tree.learner]
    assert "/allocate/" not in response.content.decode()
    assert page_of(tree.owner).get(url("learners", tree.cohort)).status_code == 404


@pytest.mark.parametrize("language", ["ko", "en"])
def test_tree_and_account_cost_the_same_queries_at_one_and_at_twenty_rows(
    tree: Tree, admin: User, language: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # tree: session, user, roles; learners' counts, accounts, own, last changes; zones, terms, use of the last weeks.
    # account: session, user, roles; the account, zone, use by day, helpers 1, sponsors, children's count, children,
    # last changes; zones, terms, use of the last weeks.
    # ledger: session, user, roles; the account, count, lines. history: the same.
    budgets = {
        reverse("quota:tree"): 10,
        url("account", tree.cohort): 14,
        url("account", tree.cohort) + "?tab=ledger": 6,
        url("account", tree.cohort) + "?tab=history": 6,
        url("learners", tree.cohort): 9,
    }
    client = page_of(admin)
    client.cookies["campus_language"] = language
    api.hold(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=5)

    def measure() -> None:
        for address, budget in budgets.items():
            with django_assert_num_queries(budget, info=address):
                assert client.get(address).status_code == 200

    measure()
    for number in range(19):
        user = factories.UserFactory()
        learner = factories.learner_account(tree.cohort, user, HOUR)
        api.hold(account_id=learner.pk, job_id=number + 2, attempt=1, gpu_seconds=5)
        factories.account(Account.Kind.SPONSOR, tree.campus, tree.campus_scope, HOUR, name=f"Sponsor {number}")
        api.allocate(account_id=tree.cohort.pk, delta_s=HOUR, reason="more", actor=admin)
    measure()


def test_a_learners_line_leads_back_to_the_tree_it_opened_in(tree: Tree, campus_admin: User) -> None:
    html = page_of(campus_admin).get(url("learners", tree.cohort)).content.decode()
    assert f"{url('allocate', tree.learner)}?next={reverse('quota:tree')}" in html


def test_allocating_from_the_form_writes_history_and_goes_back(tree: Tree, campus_admin: User) -> None:
    client = page_of(campus_admin)
    response = client.post(
        url("allocate", tree.learner), {"gpu_hours": "2.5", "reason": "term project", "next": reverse("quota:tree")}
    )
    assert (response.status_code, response.headers["Location"]) == (302, reverse("quota:tree"))
    change = Allocation.objects.filter(account=tree.learner).first()
    assert change is not None
    assert (change.delta_s, change.reason, change.actor) == (9000, "term project", campus_admin)
    assert "22.5 GPU-h" in client.get(url("account", tree.learner) + "?tab=history").content.decode()


def test_htmx_gets_the_form_alone_and_is_sent_back_by_header(tree: Tree, campus_admin: User) -> None:
    client = page_of(campus_admin)
    form = client.get(url("allocate", tree.learner), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in form
    assert f'hx-target="#allocate-{tree.learner.pk}"' in form
    response = client.post(
        url("allocate", tree.learner), {"gpu_hours": "1", "reason": "why"}, headers={"HX-Request": "true"}
    )
    assert (response.status_code, response.headers["HX-Redirect"]) == (204, url("account", tree.learner))


def test_a_preview_says_what_would_stand_and_changes_nothing(tree: Tree, campus_admin: User) -> None:
    client = page_of(campus_admin)
    asked = {"gpu_hours": "-5", "preview": "1"}
    html = client.post(url("allocate", tree.learner), asked).content.decode()
    # Of its 20 hours 15 stay, and the cohort could grant 85 then.
    for figure in ('<td class="num">20</td>', "<strong>15</strong>", "<strong>85</strong>"):
        assert figure in html
    part = client.post(url("allocate", tree.learner), asked, headers={"HX-Request": "true"}).content.decode()
    assert "<form" not in part
    assert "<strong>15</strong>" in part
    assert tree.fresh()[3].allocated_s == 20 * HOUR


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gpu_hours": "90", "reason": "why"}, "has 80 GPU-h left"),
        ({"gpu_hours": "-21", "reason": "why"}, "take back at most 20 GPU-h"),
        ({"gpu_hours": "0", "reason": "why"}, "Enter how much to add"),
        ({"gpu_hours": "0.05", "reason": "why"}, "1 decimal place"),
        ({"gpu_hours": "many", "reason": "why"}, "Enter a number"),
        ({"gpu_hours": "1", "reason": ""}, "required"),
    ],
)
def test_what_is_refused_stays_in_the_form_with_the_reason(
    tree: Tree, campus_admin: User, given: dict[str, str], said: str
) -> None:
    response = page_of(campus_admin).post(url("allocate", tree.learner), given)
    html = response.content.decode()
    assert response.status_code == 200
    assert said in html
    assert f'value="{given["gpu_hours"]}"' in html
    assert tree.fresh()[3].allocated_s == 20 * HOUR


def test_a_preview_that_would_be_refused_says_so(tree: Tree, campus_admin: User) -> None:
    html = (
        page_of(campus_admin).post(url("allocate", tree.learner), {"gpu_hours": "90", "preview": "1"}).content.decode()
    )
    assert "This would be refused" in html
    assert "has 80 GPU-h left" in html


def test_going_back_never_leaves_the_campus(tree: Tree, campus_admin: User) -> None:
    asked = {"gpu_hours": "1", "reason": "why", "next": "https://elsewhere.example/"}
    response = page_of(campus_admin).post(url("allocate", tree.learner), asked)
    assert response.headers["Location"] == url("account", tree.learner)


def test_an_instructor_cannot_post_what_they_cannot_open(tree: Tree, instructor: User) -> None:
    response = page_of(instructor).post(url("allocate", tree.learner), {"gpu_hours": "1", "reason": "why"})
    assert response.status_code == 403
    assert tree.fresh()[3].allocated_s == 20 * HOUR


def test_the_ledger_shows_every_line_below_the_account(tree: Tree, instructor: User) -> None:
    api.hold(account_id=tree.learner.pk, job_id=77, attempt=1, gpu_seconds=1234)
    api.settle(
        account_id=tree.learner.pk, job_id=77, attempt=1, held_s=1234, charged_s=1000, reason="WALL_LIMIT",
        at=datetime(2026, 11, 20, 3, tzinfo=UTC),
    )  # fmt: skip
    html = page_of(instructor).get(url("account", tree.cohort) + "?tab=ledger").content.decode()
    for text in ("1,234", "1,000", "234", "#77", "Reached its time limit", "이서준"):
        assert text in html
    with transaction.atomic():
        assert api.rebuild() == []
