"""What-if on a real database: what staff see before quota, nodes, caps or classes are changed, and that nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campus.core.errors import InvalidInput
from campus.people.access import standing_of
from campus.people.models import RoleGrant, User
from infra.pool.models import Gpu, Site
from labs.jobs.models import Job
from labs.quota.models import Account
from labs.scheduling.api import reserve_class, run_cycle
from labs.scheduling.what_if import Answer, Wish, answer
from tests import factories
from tests.jobs.build import World, running, settle

PATH = "/scheduling/what-if/"


@pytest.fixture
def instructor(world: World) -> User:
    return factories.staff(RoleGrant.Role.INSTRUCTOR, world.cohort_account.scope)


@pytest.fixture
def queue(world: World) -> World:
    """Two GPUs, and eight jobs of ten minutes by one learner."""
    world.node(gpus=2)
    for _ in range(8):
        world.submit(wall_s=600)
    run_cycle()
    return world


def ask(user: User, wish: Wish, basis: str = "queue") -> Answer:
    return answer(standing=standing_of(user), basis=basis, wish=wish)


def everything() -> list:
    return [list(model.objects.order_by("pk").values()) for model in (Job, Account, Site)]


def test_more_nodes_shorten_the_waits_and_nothing_is_changed(queue: World, instructor: User) -> None:
    before = everything()
    node = Site.objects.get().nodes.get()
    found = ask(instructor, Wish(nodes_added=2, like=node))
    assert found.whole.jobs == 6
    assert found.whole.mean_after_s < found.whole.mean_before_s
    assert found.whole.sooner > 0
    assert found.whole.later == 0
    assert everything() == before


def test_a_cap_and_a_drained_node_lengthen_them(queue: World, instructor: User) -> None:
    capped = ask(instructor, Wish(account=queue.cohort_account, max_running_gpus=1))
    assert capped.whole.mean_after_s > capped.whole.mean_before_s
    drained = ask(instructor, Wish(drained=(Site.objects.get().nodes.get(),)))
    assert (drained.whole.not_started_before, drained.whole.not_started_after) == (0, 6)


def test_more_gpu_time_is_jobs_like_those_of_late_and_others_wait_for_them(queue: World, instructor: User) -> None:
    found = ask(instructor, Wish(account=queue.cohort_account, gpu_hours=Decimal(2)))
    assert found.added is not None
    assert found.added.jobs == 4  # nothing has ended yet: half an hour on one GPU each
    assert found.whole.mean_after_s >= found.whole.mean_before_s


def test_a_class_keeps_its_gpus_from_the_others(world: World, instructor: User) -> None:
    world.node(gpus=2)
    with transaction.atomic():
        other = factories.account("COHORT", world.cohort_account.parent, world.cohort_account.scope, 3600)
    for _ in range(4):
        world.submit(wall_s=3600)
    run_cycle()
    wish = Wish(
        account=other, class_site=Site.objects.get(), class_gpus=2,
        class_from=timezone.now() + timedelta(minutes=5), class_minutes=120,
    )  # fmt: skip
    found = ask(instructor, wish)
    assert found.whole.mean_after_s > found.whole.mean_before_s + 1800


def test_a_class_that_is_given_up_lets_the_others_start(world: World, instructor: User) -> None:
    world.node(gpus=2)
    with transaction.atomic():
        other = factories.account("COHORT", world.cohort_account.parent, world.cohort_account.scope, 3600)
    start_at = timezone.now() - timedelta(minutes=1)
    kept = reserve_class(
        account_id=other.pk, site_id=Site.objects.get().pk, gpus=2, start_at=start_at,
        end_at=start_at + timedelta(hours=3), release_after_s=3 * 3600, title="Reading week", actor=instructor,
    )  # fmt: skip
    for _ in range(2):
        world.submit(wall_s=3600)
    run_cycle()
    found = ask(instructor, Wish(given_up=(kept,)))
    assert found.whole.mean_before_s > 3600
    assert found.whole.mean_after_s == 0
    client = Client()
    client.force_login(instructor)
    client.cookies["campus_language"] = "en"
    page = client.get(PATH, {"given_up": kept.pk}).content.decode()
    assert "“Reading week” given up" in page


def test_the_last_week_is_replayed_as_its_jobs_came(world: World, instructor: User) -> None:
    node = world.node(gpus=1)
    for _ in range(5):
        settle(running(world.submit(), node))
    begun = timezone.now() - timedelta(hours=5)
    Job.objects.update(submitted_at=begun, started_at=begun, ended_at=begun + timedelta(minutes=10))
    as_it_was = ask(instructor, Wish(), "week")
    # One GPU, five jobs of ten minutes at once: they wait 0, 10, 20, 30 and 40 minutes.
    assert as_it_was.whole.mean_before_s == pytest.approx(1200, abs=60)
    assert as_it_was.whole.mean_after_s == as_it_was.whole.mean_before_s
    with_more = ask(instructor, Wish(nodes_added=4, like=node), "week")
    assert with_more.whole.mean_after_s == 0


def test_a_power_cap_lengthens_the_waits_before_anybody_sets_it(queue: World, instructor: User) -> None:
    Gpu.objects.update(watts=700)
    site, before = Site.objects.get(), everything()
    found = ask(instructor, Wish(power_site=site, power_cap_w=1_000))
    assert found.whole.later > 0
    assert found.whole.sooner == 0
    assert ask(instructor, Wish(power_site=site, power_cap_w=1_400)).whole.later == 0
    assert everything() == before
    with pytest.raises(InvalidInput) as error:
        ask(instructor, Wish(power_cap_w=1_000))
    assert list(error.value.fields) == ["power_site"]
    client = Client()
    client.force_login(instructor)
    client.cookies["campus_language"] = "en"
    page = client.get(PATH, {"basis": "queue", "power_site": site.pk, "power_cap_w": 1000}).content.decode()
    assert "at most 1,000 W (no cap now)" in page


def test_shares_are_replayed_as_shares(world: World, instructor: User) -> None:
    node = world.node(gpus=1, shares_gpus=True)
    for _ in range(4):
        settle(running(world.submit(gpu_milli=250), node))
    begun = timezone.now() - timedelta(hours=5)
    Job.objects.update(submitted_at=begun, started_at=begun, ended_at=begun + timedelta(minutes=10))
    assert ask(instructor, Wish(), "week").whole.mean_before_s == 0  # four quarters of one GPU at once


def test_more_gpu_time_of_those_who_use_shares_is_more_of_shares(world: World, instructor: User) -> None:
    node = world.node(gpus=1, shares_gpus=True)
    for _ in range(3):
        settle(running(world.submit(gpu_milli=500), node), run_s=600)
    found = ask(instructor, Wish(account=world.cohort_account, gpu_hours=Decimal("0.5")))
    assert found.added is not None
    assert found.added.jobs == 6  # half an hour of a GPU is six times ten minutes of half of one


def test_others_cohorts_are_told_as_one(queue: World) -> None:
    with transaction.atomic():
        scope = factories.cohort_scope(queue.campus, "2기")
        theirs = factories.account("COHORT", queue.cohort_account.parent, scope, 3600 * 10)
    stranger = factories.staff(RoleGrant.Role.INSTRUCTOR, theirs.scope)
    (row,) = ask(stranger, Wish()).rows
    assert (row.is_own, queue.cohort_account.name in row.name) == (False, False)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish(max_running_gpus=1), "account"),
        (Wish(gpu_hours=Decimal(1)), "account"),
        (Wish(nodes_added=1), "like"),
        (Wish(class_gpus=1), "class_site"),
    ],
)
def test_half_a_change_is_refused_by_its_field(world: World, instructor: User, wish: Wish, field: str) -> None:
    if wish.class_gpus:
        wish = replace(wish, account=world.cohort_account)
    with pytest.raises(InvalidInput) as refused:
        ask(instructor, wish)
    assert field in refused.value.fields


def test_the_page_says_it_in_a_sentence_and_asks_the_same_of_the_database_at_any_length(
    queue: World, instructor: User
) -> None:
    client = Client()
    client.force_login(instructor)
    asked = {"basis": "queue", "account": queue.cohort_account.pk, "max_running_gpus": 1, "gpu_hours": 1}
    client.get(PATH, asked)
    with CaptureQueriesContext(connection) as few:
        page = client.get(PATH, asked).content.decode()
    assert queue.cohort_account.name in page
    for _ in range(20):
        queue.submit()
    Job.objects.filter(state="QUEUED").update(started_at=Now())  # a start that was lost: no reason to count it as run
    with CaptureQueriesContext(connection) as many:
        assert client.get(PATH, asked).status_code == 200
    # Twelve for a snapshot, six for who asks and what the form offers, three for what the change is about.
    assert len(many) == len(few) <= 20
    with CaptureQueriesContext(connection) as replayed:
        assert client.get(PATH, asked | {"basis": "week"}).status_code == 200
    assert len(replayed) == len(few) + 1
