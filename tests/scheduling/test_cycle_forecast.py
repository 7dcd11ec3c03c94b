"""What a job would hold and when it would start, told before it is submitted."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from campus.core.errors import InvalidInput, OverQuota
from labs.jobs.models import Job
from labs.quota import api as quota
from labs.scheduling.api import forecast, run_cycle
from tests.factories import HOUR
from tests.jobs.build import World


def asked(world: World, **wishes: Any) -> Any:
    wanted: dict[str, Any] = {"account": world.account, "gpus": 1, "gpu_type": "", "wall_s": 600}
    return forecast(user=world.learner, **(wanted | wishes))


def test_on_an_idle_pool_it_starts_at_once_and_says_what_is_held(world: World) -> None:
    world.node(gpus=2)
    found = asked(world, gpus=2)
    assert (found.starts_now, found.hold_s, found.is_affordable, found.place) == (True, 1200, True, 1)
    assert not Job.objects.exists()


def test_behind_others_it_gives_a_range_and_the_reason(world: World) -> None:
    world.node(gpus=1)
    for _ in range(2):
        world.submit()
    run_cycle()
    found = asked(world)
    assert (found.starts_now, found.place, found.reason) == (False, 2, "behind_others")
    assert timezone.now() < found.start_p50_at <= found.start_p90_at < timezone.now() + timedelta(hours=1)


def test_the_tightest_account_above_says_what_is_left(world: World) -> None:
    world.node(gpus=8)
    found = asked(world, gpus=8, wall_s=24 * 3600)
    assert not found.is_affordable
    assert found.available_s == world.account.allocated_s


def test_what_a_hold_would_borrow_from_siblings_counts_as_left(world: World) -> None:
    world.node(gpus=4)
    _other, beside = world.another_learner(allocated_s=5 * HOUR)
    until = timezone.now() + timedelta(days=7)
    own_s = world.account.allocated_s
    with transaction.atomic():
        quota.lend(account_id=beside.pk, limit_s=3 * HOUR, until_at=until, reason="exam week", actor=None)
    little, fits, beyond = (
        asked(world, gpus=4, wall_s=(own_s + more_s) // 4) for more_s in (-HOUR, 2 * HOUR, 4 * HOUR)
    )
    assert (little.available_s, little.is_affordable) == (own_s, True)
    assert (fits.available_s, fits.is_affordable) == (own_s + 3 * HOUR, True)
    assert (beyond.available_s, beyond.is_affordable) == (own_s + 3 * HOUR, False)
    world.submit(gpus=4, wall_s=(own_s + 2 * HOUR) // 4)
    with pytest.raises(OverQuota):
        world.submit(gpus=1, wall_s=2 * HOUR)


@pytest.mark.parametrize(
    ("wishes", "field"),
    [({"gpus": 0}, "gpus"), ({"gpus": 5}, "gpus"), ({"wall_s": 1}, "wall_s"), ({"gpu_type": "abacus"}, "gpu_type"),
     ({"account": None}, "account")],
)  # fmt: skip
def test_what_could_never_run_is_said_at_once(world: World, wishes: dict[str, Any], field: str) -> None:
    world.node(gpus=4)
    with pytest.raises(InvalidInput) as error:
        asked(world, **wishes)
    assert list(error.value.fields) == [field]


def test_the_page_part_and_the_api_say_the_same(world: World, client: Client) -> None:
    world.node(gpus=1)
    client.force_login(world.learner)
    page = client.get(
        "/scheduling/forecast/", {"gpus": "1", "wall_minutes": "10", "gpu_type": "", "preferred_campus": ""}
    )
    assert page.status_code == 200
    assert "600" in page.content.decode() or "0.17" in page.content.decode()
    answer = client.get("/api/v1/forecast/", {"gpus": 1, "wall_s": 600}).json()
    assert (answer["hold_s"], answer["starts_now"], answer["because"]) == (600, True, "")


@pytest.mark.parametrize("query", [{"gpus": "many"}, {"wall_minutes": "NaN"}, {"wall_s": "1e999"}, {"account": "x"}])
def test_a_half_typed_form_is_answered_with_what_is_wrong(world: World, client: Client, query: dict[str, str]) -> None:
    client.force_login(world.learner)
    assert client.get("/scheduling/forecast/", query).status_code == 400


def test_another_persons_account_is_nobodys(world: World, client: Client) -> None:
    other, account = world.another_learner()
    client.force_login(world.learner)
    assert client.get("/scheduling/forecast/", {"account": account.pk}).status_code == 400
    assert other.pk


def test_strangers_to_the_platform_are_sent_to_sign_in(world: World, client: Client) -> None:
    assert client.get("/scheduling/forecast/").status_code == 302
