"""GPUs that are held and not used: told to the owner first, then to staff; nothing is claimed where unmeasured."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from campus.core.models import Notice
from campus.people.models import User
from infra.pool import api as pool
from infra.pool.models import Node
from labs.jobs.models import Attempt
from labs.usage.domain.idleness import Idle, idle
from labs.usage.idleness import idle_gpus_of, idle_runs_at, idle_runs_below, watch
from labs.usage.models import GpuActivity
from tests import factories
from tests.jobs import build

AFTER = 20


def judged(samples: Sequence[int]) -> Idle | None:
    return idle(samples, below_pct=5, least_minutes=AFTER)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([0] * 19, None),
        ([0] * 20, Idle(20, 0)),
        ([90] * 30 + [0] * 25, Idle(26, 90 / 26)),  # the longest stretch whose average is below, not only the zeros
        ([0] * 40 + [100], Idle(41, 100 / 41)),  # one busy second does not hide forty minutes
        ([3] * 60, Idle(60, 3)),
        ([5] * 60, None),
        ([0] * 30 + [60] * 3, None),
        ([], None),
    ],
)
def test_a_run_is_idle_by_its_average(samples: Sequence[int], expected: Idle | None) -> None:
    assert judged(samples) == expected


@given(st.lists(st.integers(0, 100), max_size=60))
def test_an_idle_stretch_is_what_it_says_and_none_is_longer(samples: list[int]) -> None:
    def low(count: int) -> bool:
        return sum(samples[-count:]) < 5 * count

    counts = [count for count in range(AFTER, len(samples) + 1) if low(count)]
    found = judged(samples)
    assert (found.minutes if found else None) == max(counts, default=None)


pytestmark: list[Any] = []


@pytest.fixture
def world(db: Any) -> build.World:
    return build.world()


def beat(node: Node, *percents: int | None) -> None:
    """A heartbeat with these utilisations, a minute after the last sample."""
    GpuActivity.objects.update(sampled_at=F("sampled_at") - timedelta(minutes=1))
    gpus = [
        {"index": index, "utilisation_pct": pct, "memory_used_mib": None, "power_w": None, "is_healthy": True}
        for index, pct in enumerate(percents)
    ]
    assert pool.record_heartbeat(node=node, boot_id=node.boot_id, gpus=gpus)


def running(world: build.World, node: Node, gpus: int = 2) -> Attempt:
    """An attempt that started ten minutes ago."""
    attempt = build.running(world.submit(gpus=gpus), node)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=Now() - timedelta(minutes=10))
    return attempt


def watched(node: Node, *minutes: tuple[int | None, ...]) -> None:
    for percents in minutes:
        beat(node, *percents)
        watch()


def page_of(user: User, address: str) -> str:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = "en"
    return client.get(address).content.decode()


@pytest.mark.django_db
def test_an_owner_is_told_once_and_staff_after_a_while(world: build.World) -> None:
    node = world.node()
    attempt = running(world, node)
    watched(node, *[(2, 4)] * 19)
    assert not Notice.objects.exists()
    watched(node, *[(2, 4)] * 3)
    notice = Notice.objects.get()
    assert (notice.recipient, notice.kind) == (world.learner, "usage.gpus_idle")
    assert (notice.facts["pct"], notice.facts["minutes"]) == (3, 20)
    activity = GpuActivity.objects.get(attempt=attempt)
    assert (activity.samples, activity.idle_pct) == ([3] * 22, 3)
    assert "This job holds 2 GPUs and used them 3% for 22 minutes." in page_of(world.learner, notice.url)
    account = attempt.job.account
    assert idle_runs_below(account.path[0]) == []
    GpuActivity.objects.update(told_at=Now() - timedelta(minutes=31))
    assert [(run.job_id, run.pct) for run in idle_runs_below(account.path[0])] == [(attempt.job_id, 3)]
    assert idle_runs_below(account.pk) == idle_runs_at([world.campus.scope_id]) == idle_runs_below(account.path[0])
    staff = factories.staff("CAMPUS_ADMIN", world.campus.scope)
    assert "hardly used for" in page_of(staff, "/pool/")
    elsewhere = factories.staff("CAMPUS_ADMIN", factories.campus("jeonbuk", "전북").scope)
    assert "hardly used for" not in page_of(elsewhere, "/pool/")


@pytest.mark.django_db
def test_shares_of_an_idle_gpu_are_idle_and_of_a_busy_one_nothing_is_said(world: build.World) -> None:
    node = world.node(shares_gpus=True)
    quarter, half = (world.submit(gpu_milli=milli) for milli in (250, 500))
    for job in (quarter, half):
        build.running(job, node)
    Attempt.objects.update(started_at=Now() - timedelta(minutes=10))
    watched(node, *[(60, 0)] * 20)
    assert not Notice.objects.exists()
    assert "how busy one share of it is cannot be told" in page_of(world.learner, f"/jobs/{half.pk}/")
    watched(node, *[(1, 0)] * 60)
    assert {(notice.recipient, notice.facts["gpus"]) for notice in Notice.objects.all()} == {
        (world.learner, f"{node.name}/0 (1/4)"),
        (world.learner, f"{node.name}/0 (1/2)"),
    }
    page = page_of(world.learner, f"/jobs/{half.pk}/")
    assert "All who share that GPU used it 1% for 60 minutes." in page
    GpuActivity.objects.update(told_at=Now() - timedelta(minutes=31))
    account = world.account
    assert sorted(run.gpus for run in idle_runs_below(account.pk)) == [Decimal("0.25"), Decimal("0.5")]
    assert idle_gpus_of([account.pk, world.cohort_account.pk]) == {account.pk: 0.75, world.cohort_account.pk: 0.75}
    staff = factories.staff("CAMPUS_ADMIN", world.campus.scope)
    assert page_of(staff, "/pool/").count("hardly used for 60 minutes") == 2
    desk = page_of(staff, "/quota/desk/")
    assert (
        '<span aria-hidden="true">3/4 GPU</span><span class="visually-hidden">three quarters of a GPU</span> idle'
        in desk
    )


@pytest.mark.django_db
def test_a_run_that_works_again_is_idle_no_more(world: build.World) -> None:
    node = world.node()
    attempt = running(world, node)
    watched(node, *[(0, 0)] * 20)
    assert GpuActivity.objects.get().idle_since is not None
    watched(node, *[(90, 90)] * 2)
    activity = GpuActivity.objects.get(attempt=attempt)
    assert (activity.idle_since, activity.idle_pct, activity.told_at) == (None, None, None)
    watched(node, *[(0, 0)] * 40)
    assert GpuActivity.objects.get().idle_since is not None
    assert Notice.objects.count() == 1


@pytest.mark.django_db
def test_where_nothing_is_measured_nothing_is_claimed(world: build.World) -> None:
    node = world.node()
    attempt = running(world, node)
    watched(node, *[(None, None)] * 25)
    assert not GpuActivity.objects.exists()
    assert "is not measured on this node" in page_of(world.learner, f"/jobs/{attempt.job_id}/")


@pytest.mark.django_db
def test_only_fresh_figures_of_running_attempts_count_once_a_minute(world: build.World) -> None:
    node = world.node(gpus=4)
    attempt = running(world, node)
    young = build.running(world.submit(), node)
    beat(node, 50, 70, 10, 10)
    assert watch() == 1
    assert watch() == 0  # a second sweep in the same minute
    assert GpuActivity.objects.get().samples == [60]
    assert not GpuActivity.objects.filter(attempt=young).exists()  # it still loads its data
    beat(node, 50, 70, 10, 10)
    node.gpus.update(seen_at=Now() - timedelta(minutes=2))
    assert watch() == 0  # the node fell silent
    assert page_of(world.learner, f"/jobs/{attempt.job_id}/").count("GPUs used 60% in the last minute") == 1


@pytest.mark.django_db
def test_no_more_than_an_hour_is_kept(world: build.World) -> None:
    node = world.node()
    running(world, node)
    watched(node, *[(minute, minute) for minute in range(70)])
    assert GpuActivity.objects.get().samples == list(range(10, 70))


@pytest.mark.django_db
def test_twenty_runs_cost_the_queries_of_one(world: build.World, django_assert_num_queries: Any) -> None:
    budgets = 3  # the samples, their rows, no change
    for more in (1, 9):
        for _number in range(more):
            node = world.node()
            running(world, node, gpus=1)
        for node in Node.objects.all():
            beat(node, 80, 80)
        with django_assert_num_queries(budgets + 2):  # and the savepoint
            assert watch() == GpuActivity.objects.count()
