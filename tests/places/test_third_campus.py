"""A third campus opens from the administrator's page, without code, and is used at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from campus.core.errors import InvalidInput
from campus.core.models import AuditEntry
from campus.people.models import Scope
from campus.places import api as places
from campus.places.models import Building, Campus, Room
from courses.catalog import api as catalog
from infra.pool.models import Site
from labs.quota.models import Account
from tests import factories
from tests.access import world as worlds

HALL = {"name_ko": "본관", "name_en": "Main hall"}
ROOM = {"name_ko": "201호", "floor": "2", "capacity": "30", "equipment": "projector, camera", "is_active": "on"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.browser
def test_a_platform_administrator_opens_jeju_and_gives_it_a_room(new_page: Callable[..., Page]) -> None:
    made = worlds.build()
    page = new_page(made.people["platform_admin"])
    page.goto("/campuses/")
    page.locator("a[href='/campuses/new/']").click()
    for name, text in {"name_ko": "제주", "name_en": "Jeju", "slug": "jeju", "address": "제주시 첨단로 1"}.items():
        page.locator(f"[name={name}]").fill(text)
    page.locator("main form .btn-primary").click()
    page.wait_for_url("**/campuses/jeju/")
    page.locator("a[href='/campuses/jeju/buildings/']").click()
    page.locator("[name=name_ko]").fill("본관")
    page.locator("main form .btn-primary").click()
    page.wait_for_url("**/campuses/jeju/")
    page.locator("a[href$='/rooms/']").click()
    page.locator("[name=name_ko]").fill("101호")
    page.locator("[name=capacity]").fill("0")
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.locator("main form .btn-primary").click()
    expect(page.locator(".field:has([name=capacity])")).to_contain_text("1")
    expect(page.locator("[name=name_ko]")).to_have_value("101호")
    page.locator("[name=capacity]").fill("40")
    page.locator("[name=equipment]").fill("빔프로젝터, 카메라")
    page.locator("main form .btn-primary").click()
    page.wait_for_url("**/campuses/jeju/")
    room = Room.objects.get(building__campus__slug="jeju")
    assert (room.name_ko, room.capacity, room.equipment) == ("101호", 40, ["빔프로젝터", "카메라"])


@pytest.mark.django_db
def test_a_campus_opens_with_its_scope_account_and_site_and_takes_a_cohort(client: Client) -> None:
    made = worlds.build()
    client.force_login(made.people["platform_admin"])
    opened = client.post(
        "/campuses/new/",
        {"name_ko": "제주", "name_en": "Jeju", "slug": "jeju", "address": "", "timezone": "Asia/Seoul"},
    )
    assert opened.status_code == 302
    jeju = Campus.objects.select_related("scope").get(slug="jeju")
    assert jeju.scope.path == [factories.platform_scope().pk, jeju.scope_id]
    account = Account.objects.get(scope=jeju.scope)
    assert (account.kind, account.allocated_s) == (Account.Kind.CAMPUS, 0)
    assert Site.objects.get(campus=jeju).slug == "jeju"
    assert AuditEntry.objects.filter(verb="campus.opened", actor=made.people["platform_admin"]).count() == 1
    given = client.post(
        f"/api/v1/quota/{account.pk}/allocate/", {"gpu_seconds": 360_000, "reason": "개교"}, "application/json"
    )
    assert given.status_code == 201
    cohort = catalog.open_cohort(
        run_id=made.run.pk, campus_id=jeju.pk, name="제주 1반", seats=5, learner_quota_s=3600, actor=None,
        self_enrolment_opens_at=timezone.now(),
    )  # fmt: skip
    seat = catalog.enrol(cohort_id=cohort.pk, user=made.people["stranger"], mode="ONLINE", actor=None)
    assert seat.account.path[:2] == [account.parent_id, account.pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"slug": "yongin"}, "slug"),
        ({"slug": "with space"}, "slug"),
        ({"name_ko": ""}, "name_ko"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_half_done_stays(
    client: Client, fields: dict[str, str], wrong: str
) -> None:
    made = worlds.build()
    client.force_login(made.people["platform_admin"])
    good = {"name_ko": "제주", "name_en": "", "slug": "jeju", "address": "", "timezone": "Asia/Seoul"}
    before = (Scope.objects.count(), Account.objects.count())
    answer = client.post("/campuses/new/", good | fields)
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {wrong}
    assert (Scope.objects.count(), Account.objects.count()) == before


@pytest.mark.django_db
def test_a_room_is_added_and_changed_and_both_are_told(client: Client) -> None:
    made = worlds.build()
    client.force_login(made.people["campus_admin"])
    client.post("/campuses/yongin/buildings/", HALL | {"name_ko": "별관"})
    annex = Building.objects.get(name_ko="별관")
    assert client.post(f"/campuses/yongin/buildings/{annex.pk}/rooms/", ROOM).status_code == 302
    room = Room.objects.get(building=annex)
    client.post(f"/campuses/yongin/rooms/{room.pk}/", ROOM | {"capacity": "24", "equipment": ""})
    room.refresh_from_db()
    assert (room.capacity, room.equipment) == (24, [])
    changed = AuditEntry.objects.get(verb="room.changed")
    assert changed.changes == {"capacity": [30, 24], "equipment": [["projector", "camera"], []]}
    again = client.post(f"/campuses/yongin/buildings/{annex.pk}/rooms/", ROOM)
    assert again.status_code == 400
    assert set(again.context["form"].errors) == {"name_ko"}


@pytest.mark.django_db
@pytest.mark.parametrize("given", [{"capacity": 0}, {"capacity": 5001}, {"equipment": ["x"] * 31}])
def test_a_room_has_bounds(given: dict[str, Any]) -> None:
    made = worlds.build()
    with pytest.raises(InvalidInput) as refused:
        places.save_room(**{"building_id": made.building.pk, "actor": None, "name_ko": "큰방", "capacity": 10} | given)
    assert set(refused.value.fields) == set(given)
