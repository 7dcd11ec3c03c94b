"""What is given until a day: an approval that ends, and a term's grant, by the campus's own calendar."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from campus.core.errors import InvalidInput, NotAllowed
from campus.core.models import Notice
from campus.people.access import standing_of
from campus.people.models import RoleGrant, User
from courses.catalog import api as catalog
from labs.quota import api
from labs.quota.models import Account, Grant, QuotaRequest
from labs.quota.services import requests, sweep
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.quota.test_pages import page_of
from tests.quota.test_rest import LIST, api_of

pytestmark = pytest.mark.django_db
SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(RoleGrant.Role.CAMPUS_ADMIN, tree.campus_scope)


def asked(tree: Tree, hours: int = 10, account: Account | None = None) -> QuotaRequest:
    return requests.ask(
        account_id=(account or tree.learner).pk, asker=tree.owner, wanted_s=hours * HOUR, until=soon(), reason="Exam"
    )


def soon(days: int = 30) -> date:
    return timezone.localdate() + timedelta(days=days)


def time_flies(*grants: Grant) -> None:
    """Let these grants have ended, and sweep."""
    past = timezone.now() - timedelta(minutes=1)
    for grant in grants:
        Grant.objects.filter(pk=grant.pk).update(begins_at=past - timedelta(days=1), ends_at=past)
    sweep()


def test_what_is_approved_until_a_day_is_a_grant_that_ends_with_it(tree: Tree, admin: User) -> None:
    found = asked(tree)
    done = requests.approve(request_id=found.pk, actor=admin, standing=standing_of(admin), until=soon())
    grant = Grant.objects.get()
    assert (done.given_until, done.given_s, grant.account_id, grant.planned_s) == (
        soon(), 10 * HOUR, tree.learner.pk, 10 * HOUR,
    )  # fmt: skip
    assert grant.ends_at == datetime.combine(soon(31), datetime.min.time(), SEOUL)
    assert f"#{found.pk}" in grant.label
    assert tree.fresh()[3].allocated_s == 30 * HOUR
    notice = Notice.objects.get(recipient=tree.owner)
    assert (notice.kind, notice.facts["given_until_on"]) == ("quota.request_approved_until", soon().isoformat())
    time_flies(grant)
    assert tree.fresh()[3].allocated_s == 20 * HOUR
    with transaction.atomic():
        assert api.rebuild() == []


def test_what_came_down_from_further_up_goes_all_the_way_back(tree: Tree, admin: User) -> None:
    with transaction.atomic():
        api.allocate(account_id=tree.cohort.pk, delta_s=-80 * HOUR, reason="as good as nothing", actor=None)
    before = [account.allocated_s for account in tree.fresh()]
    requests.approve(request_id=asked(tree).pk, actor=admin, standing=standing_of(admin), until=soon())
    grants = list(Grant.objects.order_by("id"))
    assert [grant.account_id for grant in grants] == [tree.cohort.pk, tree.learner.pk]
    time_flies(*grants)
    assert [account.allocated_s for account in tree.fresh()] == before


def test_a_day_that_is_past_is_refused_and_nothing_is_given(tree: Tree, admin: User) -> None:
    found = asked(tree)
    with pytest.raises(InvalidInput) as refused:
        requests.approve(request_id=found.pk, actor=admin, standing=standing_of(admin), until=soon(-1))
    assert list(refused.value.fields) == ["until"]
    assert not Grant.objects.exists()


def test_the_pages_give_until_the_day_asked_for_and_an_empty_one_gives_for_good(tree: Tree, admin: User) -> None:
    client, found = page_of(admin), asked(tree)
    listed = client.get(reverse("quota:requests")).content.decode()
    assert f'name="until" value="{soon().isoformat()}"' in listed
    client.post(reverse("quota:request-approve", args=[found.pk]), {"until": soon().isoformat()})
    assert Grant.objects.count() == 1
    assert "It ends on" in client.get(reverse("quota:request", args=[found.pk])).content.decode()
    for_good = asked(tree)
    client.post(reverse("quota:request-approve", args=[for_good.pk]), {"given_s": "2", "until": ""})
    assert (Grant.objects.count(), tree.fresh()[3].allocated_s) == (1, 32 * HOUR)


def test_the_api_gives_until_a_day(tree: Tree, admin: User) -> None:
    found = asked(tree)
    answer = api_of(admin).post(f"{LIST}requests/{found.pk}/approve/", {"until": soon().isoformat()}, format="json")
    assert (answer.status_code, answer.json()["given_until"]) == (200, soon().isoformat())
    assert Grant.objects.count() == 1


def test_a_terms_grant_lasts_from_its_first_day_to_the_end_of_its_last(tree: Tree, admin: User) -> None:
    first, last = soon(5), soon(100)
    term = catalog.open_term(
        slug="2027-1", name_ko="2027년 1학기", name_en="Term 1", starts_on=first, ends_on=last, actor=None
    )
    grant = catalog.grant_for_term(
        term_id=term.pk,
        account_id=tree.cohort.pk,
        gpu_seconds=HOUR,
        carry_pct=20,
        carry_until_on=soon(200),
        actor=admin,
    )
    assert (grant.label, grant.state, grant.carry_pct) == ("2027년 1학기", "PLANNED", 20)
    assert grant.begins_at == datetime.combine(first, datetime.min.time(), SEOUL)
    assert grant.ends_at == datetime.combine(last + timedelta(days=1), datetime.min.time(), SEOUL)
    assert grant.carry_until_at == datetime.combine(soon(201), datetime.min.time(), SEOUL)
    with pytest.raises(NotAllowed):
        catalog.grant_for_term(term_id=term.pk, account_id=tree.learner.pk, gpu_seconds=1, actor=tree.owner)
    with pytest.raises(InvalidInput) as refused:
        catalog.grant_for_term(
            term_id=term.pk, account_id=tree.cohort.pk, gpu_seconds=HOUR, carry_until_on=first, actor=admin
        )
    assert list(refused.value.fields) == ["carry_until_on"]
