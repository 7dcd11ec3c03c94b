"""Pages of kept and lent GPUs: what staff see and administrators change, and that a longer week costs no more."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.core.models import AuditEntry
from campus.people.models import RoleGrant
from infra.pool.models import Gpu, Site
from labs.jobs.models import GpuLease, Job
from labs.scheduling import lending
from labs.scheduling.api import reserve_class, run_cycle
from labs.scheduling.models import ClassReservation, SiteLending, SiteOwner
from tests import factories
from tests.jobs.build import World

PATH = "/scheduling/classes/"
SignIn = Callable[[str], Client]


@pytest.fixture
def sign_in(world: World) -> SignIn:
    """A client of somebody who holds a role at the campus."""
    world.node(gpus=4)

    def as_role(role: str) -> Client:
        client = Client()
        client.force_login(factories.staff(role, world.campus.scope))
        client.cookies["campus_language"] = "en"
        return client

    return as_role


def wish(world: World, **fields: object) -> dict[str, object]:
    begins = timezone.localtime() + timedelta(hours=1)
    asked: dict[str, object] = {
        "title": "Deep learning, 3rd week", "account": world.cohort_account.pk, "site": Site.objects.get().pk,
        "gpus": 2, "gpu_type": "", "start_at": f"{begins:%Y-%m-%dT%H:%M}",
        "end_at": f"{begins + timedelta(hours=2):%Y-%m-%dT%H:%M}", "release_minutes": 15,
    }  # fmt: skip
    return asked | fields


def book(world: World, **fields: object) -> ClassReservation:
    start_at = timezone.now()
    asked: dict[str, object] = {
        "account_id": world.cohort_account.pk, "site_id": Site.objects.get().pk, "gpus": 1, "start_at": start_at,
        "end_at": start_at + timedelta(hours=1), "title": "Vision lab", "actor": world.learner,
    }  # fmt: skip
    return reserve_class(**(asked | fields))  # type: ignore[arg-type]


def test_an_administrator_keeps_moves_and_gives_up(world: World, sign_in: SignIn) -> None:
    admin = sign_in(RoleGrant.Role.CAMPUS_ADMIN)
    assert admin.post(f"{PATH}new/", wish(world)).status_code == 302
    row = ClassReservation.objects.get()
    assert (row.gpus, row.account, row.release_after_s) == (2, world.cohort_account, 900)
    week = admin.get(f"{PATH}?week={timezone.localdate(row.start_at)}").content.decode()
    assert "Deep learning, 3rd week" in week
    assert admin.post(f"{PATH}{row.pk}/", wish(world, gpus=3)).status_code == 302
    row.refresh_from_db()
    assert row.gpus == 3
    assert admin.post(f"{PATH}{row.pk}/cancel/").status_code == 302
    row.refresh_from_db()
    assert row.state == "CANCELLED"
    left = admin.get(f"{PATH}?week={timezone.localdate(row.start_at)}").content.decode()
    assert "Nothing is kept for a class this week." in left


def test_a_clash_keeps_what_was_typed_and_says_what_is_free(world: World, sign_in: SignIn) -> None:
    admin = sign_in(RoleGrant.Role.CAMPUS_ADMIN)
    admin.post(f"{PATH}new/", wish(world, gpus=3))
    refused = admin.post(f"{PATH}new/", wish(world, title="Another class", gpus=2))
    page = refused.content.decode()
    assert refused.status_code == 400
    assert "At that time 1 GPUs are left" in page
    assert 'value="Another class"' in page
    assert ClassReservation.objects.count() == 1


def test_a_site_gets_an_owner_and_is_lent_until_that_is_ended(world: World, sign_in: SignIn) -> None:
    admin, site = sign_in(RoleGrant.Role.CAMPUS_ADMIN), Site.objects.get()
    assert admin.post(f"/scheduling/sites/{site.pk}/owner/", {"account": world.cohort_account.pk}).status_code == 302
    asked = {
        "borrower": "", "max_gpus": 2, "first_day": f"{timezone.localdate()}", "last_day": "", "opens_at": "20:00",
        "closes_at": "08:00",
    }  # fmt: skip
    assert admin.post(f"/scheduling/sites/{site.pk}/lendings/", asked).status_code == 302
    page = admin.get(PATH).content.decode()
    assert "belongs to " + world.cohort_account.name in page
    assert "Lent to everybody" in page
    assert "20:00–08:00" in page
    assert admin.post(f"/scheduling/lendings/{SiteLending.objects.get().pk}/end/").status_code == 302
    assert "Lent to everybody" not in admin.get(PATH).content.decode()


def test_a_site_gets_a_power_cap_and_is_closed_and_opened(world: World, sign_in: SignIn) -> None:
    admin, site = sign_in(RoleGrant.Role.CAMPUS_ADMIN), Site.objects.get()
    Gpu.objects.update(watts=700)
    address = f"/scheduling/sites/{site.pk}/limits/"
    assert "All its GPUs at full load draw 2,800 W." in admin.get(address).content.decode()
    for nonsense in ("-1", "many", "99999999999"):
        assert admin.post(address, {"power_cap_w": nonsense}).status_code == 400
    assert admin.post(address, {"power_cap_w": "1500"}).status_code == 302
    for _ in range(4):
        world.submit()
    run_cycle()
    assert list(Job.objects.filter(state="QUEUED").values_list("wait_reason", flat=True)) == ["power_cap"] * 2
    assert "at most 1,500 W" in admin.get(PATH).content.decode()
    assert admin.post(address, {"is_closed": "on"}).status_code == 302
    site.refresh_from_db()
    assert (site.power_cap_w, site.is_open) == (None, False)
    assert "Closed for jobs" in admin.get(PATH).content.decode()
    run_cycle()
    assert set(Job.objects.filter(state="QUEUED").values_list("wait_reason", flat=True)) == {"site_closed"}
    assert admin.post(address, {}).status_code == 302
    run_cycle()
    assert not Job.objects.filter(state="QUEUED").exists()
    assert AuditEntry.objects.filter(verb="site.limited").count() == 3
    assert admin.post(address, {}).status_code == 302  # nothing changes, so nothing is noted
    assert AuditEntry.objects.filter(verb="site.limited").count() == 3


def test_an_instructor_sees_the_week_and_changes_nothing(world: World, sign_in: SignIn) -> None:
    row, instructor = book(world), sign_in(RoleGrant.Role.INSTRUCTOR)
    page = instructor.get(PATH).content.decode()
    assert "Vision lab" in page
    assert f"{PATH}{row.pk}/" not in page
    assert instructor.post(f"{PATH}{row.pk}/cancel/").status_code == 403
    assert instructor.post(f"{PATH}new/", wish(world)).status_code == 403


@pytest.mark.parametrize("address", [PATH, "/pool/"])
def test_twenty_classes_and_lendings_cost_as_many_queries_as_one(world: World, sign_in: SignIn, address: str) -> None:
    admin, site = sign_in(RoleGrant.Role.CAMPUS_ADMIN), Site.objects.get()
    lending.set_owner(site_id=site.pk, account_id=world.cohort_account.pk, actor=world.learner)

    def grow(more: int) -> None:
        for n in range(more):
            start_at = timezone.now() + timedelta(minutes=30 * (ClassReservation.objects.count() + 1))
            book(world, title=f"Class {n}", start_at=start_at, end_at=start_at + timedelta(minutes=20))
            hours = {"opens_at": "20:00", "closes_at": "08:00", "first_day": timezone.localdate(), "last_day": None}
            borrower = world.cohort_account.parent_id
            lending.lend(site_id=site.pk, borrower_id=borrower, max_gpus=1, actor=world.learner, **hours)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert admin.get(address).status_code == 200
        return len(seen)

    grow(1)
    few = queries()
    grow(19)
    assert queries() == few <= 20


def test_the_pool_says_what_is_kept_for_whom_and_what_is_borrowed(world: World, sign_in: SignIn) -> None:
    instructor, site = sign_in(RoleGrant.Role.INSTRUCTOR), Site.objects.get()
    book(world, gpus=2)
    job = world.submit()
    run_cycle()
    assert Job.objects.get(pk=job.pk).attempts.get().reservation_id == ClassReservation.objects.get().pk
    SiteOwner.objects.create(site=site, account=world.cohort_account.parent)
    GpuLease.objects.get().attempt.__class__.objects.update(is_borrowed=True)
    page = instructor.get("/pool/").content.decode()
    assert "class now" in page
    assert "2 GPUs kept, 1 in use" in page
    assert "Vision lab" in page
    assert "(for a class)" in page
    assert "1 GPU runs jobs of others than its owner" in page
