"""Giving and ending grants, lending, sponsors and rates by form; what a sponsor gave is shown as theirs."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from campus.core.clock import database_now
from campus.people.models import RoleGrant, User
from courses.catalog import api as catalog
from labs.quota import api
from labs.quota.models import Account, Grant, LedgerEntry, Lending, Rate, Sponsor
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.quota.test_pages import page_of
from tests.usage.conftest import ran

pytestmark = pytest.mark.django_db
Role = RoleGrant.Role


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(Role.CAMPUS_ADMIN, tree.campus_scope)


def day(ahead: int) -> date:
    return timezone.localdate() + timedelta(days=ahead)


def province() -> Sponsor:
    return api.add_sponsor(name_ko="전북특별자치도", name_en="Jeonbuk State", kind="PUBLIC", actor=None)


def grant_of(account: Account, **wishes: Any) -> Grant:
    given = {"gpu_seconds": HOUR, "label": "RISE", "ends_at": database_now() + timedelta(days=9), "actor": None}
    with transaction.atomic():
        return api.give_grant(account_id=account.pk, **(given | wishes))


def test_a_grant_is_given_for_a_term_with_a_sponsor_and_carry_over(tree: Tree, admin: User) -> None:
    client, address = page_of(admin), reverse("quota:grant-new", args=[tree.cohort.pk])
    term = catalog.open_term(
        slug="t", name_ko="2027년 1학기", name_en="Spring 2027", starts_on=day(-3), ends_on=day(60), actor=None
    )
    sponsor = province()
    assert "Spring 2027" in client.get(address).content.decode()
    wrong = client.post(address, {"gpu_seconds": "1.25", "carry_pct": "20", "reason": "x"})
    assert wrong.status_code == 400
    assert {"gpu_seconds", "last_on", "label"} == set(wrong.context["form"].errors)
    lasting = {"gpu_seconds": "5", "term": term.pk, "sponsor": sponsor.pk, "carry_pct": "20", "reason": "agreement"}
    assert list(client.post(address, lasting).context["form"].errors) == ["carry_until_on"]  # a sponsor's never stays
    assert client.post(address, lasting | {"carry_until_on": day(90)}).status_code == 302
    grant = Grant.objects.get()
    assert (grant.label, grant.sponsor, grant.state, grant.carry_pct) == ("Spring 2027", sponsor, "ACTIVE", 20)
    assert timezone.localdate(grant.last_at) == day(60)
    assert page_of(tree.owner).get(reverse("quota:grant-new", args=[tree.learner.pk])).status_code == 403


def test_an_open_grant_is_ended_and_one_that_begins_later_cancelled(tree: Tree, admin: User) -> None:
    client = page_of(admin)
    for begins, state, words in ((None, "ENDED", "go back now"), (5, "CANCELLED", "has not begun")):
        begins_at = database_now() + timedelta(days=begins) if begins else None
        grant = grant_of(tree.cohort, begins_at=begins_at)
        address = reverse("quota:grant-end", args=[grant.pk])
        assert words in client.get(address).content.decode()
        assert client.post(address, {"reason": ""}).status_code == 400
        assert client.post(address, {"reason": "a mistake"}).status_code == 302
        grant.refresh_from_db()
        assert grant.state == state
        assert "over already" in client.get(address).content.decode()
    assert tree.fresh()[2].allocated_s == 100 * HOUR


def test_an_account_lends_to_one_beside_it_and_recalls(tree: Tree, admin: User) -> None:
    client, address = page_of(admin), reverse("quota:lend", args=[tree.cohort.pk])
    beside = factories.account(Account.Kind.COHORT, tree.campus, tree.campus_scope, HOUR, name="2기")
    asked = {"limit_s": "2", "borrower": beside.pk, "last_on": day(9), "reason": "exams"}
    assert list(client.post(address, asked | {"last_on": day(-2)}).context["form"].errors) == ["last_on"]
    assert list(client.post(address, asked | {"borrower": tree.learner.pk}).context["form"].errors) == ["borrower"]
    assert client.post(address, asked).status_code == 302
    lending = Lending.objects.get()
    assert (lending.borrower, lending.limit_s) == (beside, 2 * HOUR)
    assert client.post(reverse("quota:recall", args=[lending.pk]), {"reason": "over"}).status_code == 302
    lending.refresh_from_db()
    assert lending.recalled_at is not None


def test_sponsors_are_added_and_show_what_is_left_in_as_many_queries_at_twenty(
    tree: Tree, admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, address = page_of(admin), reverse("quota:sponsors")
    assert client.post(address, {"name_ko": "한빛", "name_en": "Hanbit", "kind": "COMPANY"}).status_code == 302
    again = client.post(address, {"name_ko": "한빛", "kind": "COMPANY"})
    assert (again.status_code, "of this name already" in again.content.decode()) == (400, True)
    grant_of(tree.cohort, sponsor=Sponsor.objects.get(), label="First")
    with django_assert_num_queries(5):  # session, user, roles; sponsors, their grants
        assert "First" in client.get(address).content.decode()
    for number in range(20):
        sponsor = api.add_sponsor(name_ko=f"회사 {number}", actor=None)
        grant_of(tree.cohort, sponsor=sponsor, label=f"Grant {number}", gpu_seconds=360)
    with django_assert_num_queries(5):
        assert "Grant 19" in client.get(address).content.decode()
    elsewhere = page_of(factories.staff(Role.CAMPUS_ADMIN, factories.campus("jeonbuk", "전북").scope))
    assert "First" not in elsewhere.get(address).content.decode()


def test_only_the_platform_sets_a_rate_by_form(tree: Tree, admin: User) -> None:
    platform = page_of(factories.staff(Role.PLATFORM_ADMIN, tree.platform.scope))
    address = reverse("quota:rates")
    assert platform.post(address, {"gpu_type": "H100", "rate": "2.5"}).status_code == 302
    assert Rate.objects.get().rate == Decimal("2.5")
    assert platform.post(address, {"gpu_type": "H100", "rate": "0"}).status_code == 400
    html = page_of(admin).get(address).content.decode()
    assert "× 2.5" in html
    assert "Set a rate" not in html
    assert page_of(admin).post(address, {"gpu_type": "H100", "rate": "1"}).status_code == 403


def test_a_learner_sees_whose_hours_they_use(tree: Tree) -> None:
    grant_of(tree.campus, sponsor=province(), gpu_seconds=30 * HOUR)
    client = page_of(tree.owner)
    for address in (reverse("usage:mine"), reverse("quota:account", args=[tree.learner.pk])):
        assert "from Jeonbuk State: 30 GPU-h left" in client.get(address).content.decode()


def test_a_charge_is_corrected_by_form_after_a_preview(tree: Tree, admin: User) -> None:
    with transaction.atomic():
        job = ran(tree.learner, tree.owner, 60, timezone.localdate())
    client, address = page_of(admin), reverse("jobs:correct", args=[job.pk])
    assert "It stays charged 60 GPU-seconds; it held 120" in client.get(address).content.decode()
    given = {"attempt": "1", "seen_s": "60", "charged_s": "45", "reason": "slow node"}
    seen = client.post(address, given | {"preview": "1"}).content.decode()
    assert "A line that gives back 15 GPU-seconds is written." in seen
    assert not LedgerEntry.objects.filter(kind="CREDIT").exists()
    too_much = client.post(address, given | {"charged_s": "121", "preview": "1"})
    assert list(too_much.context["form"].errors) == ["charged_s"]
    assert client.post(address, given).status_code == 302
    assert LedgerEntry.objects.get(kind="CREDIT").gpu_seconds == 15
    stale = client.post(address, given | {"charged_s": "30"})
    assert "corrected this job meanwhile" in stale.content.decode()
    assert page_of(tree.owner).get(address).status_code == 403
