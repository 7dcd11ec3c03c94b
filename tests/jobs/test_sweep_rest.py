"""Sweeps and dependencies over REST, and races on their keys and holds."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campus.core.errors import Conflict, OverQuota
from labs.jobs import api as jobs
from labs.jobs.models import Job, Sweep
from labs.quota.models import LedgerEntry
from tests.factories import HOUR
from tests.jobs.build import World, running, settle
from tests.jobs.rush import errors_of, rush
from tests.jobs.sweeping import runs, sweep, try_sweep
from tests.jobs.test_rest import signed_in

FILES = {"main.py": "print('hello')"}
SWEEPS = "/api/v1/sweeps/"


def post(client: Client, to: str = SWEEPS, **said: Any) -> Any:
    return client.post(to, {"files": FILES} | said, content_type="application/json")


@pytest.fixture
def client(world: World) -> Client:
    return signed_in(world.learner)


def test_a_grid_is_submitted_and_read_back(world: World, client: Client) -> None:
    said = {"grid": {"lr": [0.1, 0.01], "name": ["a"]}, "metric": "loss", "direction": "min", "max_running": 2}
    answer = post(client, **said)
    found = answer.json()
    assert answer.status_code == 201
    assert {name: found[name] for name in said} == said
    assert (found["runs"], found["best"], found["states"]) == (2, None, {"QUEUED": 2})
    assert [run["parameters"] for run in found["jobs"]] == [{"lr": 0.1, "name": "a"}, {"lr": 0.01, "name": "a"}]
    assert client.get(f"{SWEEPS}{found['id']}/").json() == found
    (listed,) = client.get(SWEEPS).json()["results"]
    assert (listed["id"], listed["open_runs"]) == (found["id"], 2)
    job = client.get(f"/api/v1/jobs/{found['jobs'][0]['job']}/").json()
    assert (job["sweep"], job["sweep_index"], job["parameters"]) == (found["id"], 1, {"lr": 0.1, "name": "a"})
    world.submit()
    assert len(client.get(f"/api/v1/jobs/?sweep={found['id']}").json()["results"]) == 2


def test_points_are_submitted_as_a_form_with_a_zip_too(client: Client) -> None:
    form = {"files": json.dumps(FILES), "points": json.dumps([{"a": 1}, {"a": True}])}
    answer = client.post(SWEEPS, form)
    assert answer.status_code == 201
    assert [run["parameters"] for run in answer.json()["jobs"]] == [{"a": 1}, {"a": True}]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "grid"),
        ({"grid": []}, "grid"),
        ({"grid": "x"}, "grid"),
        ({"grid": {"lr": 1}}, "grid"),
        ({"grid": {"lr": [{}]}}, "grid"),
        ({"grid": {"LD PRELOAD": [1]}}, "grid"),
        ({"grid": {"a": list(range(257))}}, "grid"),
        ({"points": {}}, "points"),
        ({"points": [1]}, "points"),
        ({"points": [{"a": 1}, {"b": 1}]}, "points"),
        ({"grid": {"a": [1]}, "max_running": 0}, "max_running"),
        ({"grid": {"a": [1]}, "max_running": "many"}, "max_running"),
        ({"grid": {"a": [1]}, "direction": "up"}, "direction"),
        ({"grid": {"a": [1]}, "lab": 1}, "lab"),
        ({"grid": {"a": [1]}, "after": [{"job": 999_999}]}, "after"),
        ({"grid": {"a": [1]}, "after": [{"job": 1, "condition": "later"}]}, "after"),
        ({"grid": {"a": [1]}, "after": "1"}, "after"),
    ],
)
def test_what_is_wrong_is_named(client: Client, said: dict[str, Any], field: str) -> None:
    answer = post(client, **said)
    assert answer.status_code == 400, answer.content
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Job.objects.exists()


def test_all_that_is_wrong_with_a_sweep_is_said_at_once(client: Client) -> None:
    said = {"grid": {"1st": [1]}, "gpus": "two", "wall_s": 1, "environment": "none", "direction": "up", "lab": 1}
    answer = post(client, max_running="x", **said)
    assert answer.status_code == 400
    found = [error["field"] for error in answer.json()["errors"]]
    assert sorted(found) == sorted([*said, "max_running"])
    assert not Sweep.objects.exists()


def test_over_quota_says_how_many_would_fit(client: Client) -> None:
    answer = post(client, grid={"seed": list(range(30))}, wall_s=HOUR)
    assert (answer.status_code, answer.json()["code"]) == (409, "over_quota")
    assert (answer.json()["would_fit"], answer.json()["runs"]) == (20, 30)


def test_the_key_repeats_and_cancelling_stops_the_rest(client: Client) -> None:
    first = post(client, grid={"lr": [1, 2]}, idempotency_key="k")
    assert post(client, grid={"lr": [1, 2]}, idempotency_key="k").status_code == 200
    here = f"{SWEEPS}{first.json()['id']}/"
    assert client.post(f"{here}cancel/").json() == {"cancelled": 2}
    assert client.get(here).json()["states"] == {"CANCELLED": 2}
    assert client.post(f"{here}rerun/").json()["code"] == "nothing_failed"


def test_a_job_says_what_it_waits_for(world: World, client: Client) -> None:
    first, second = world.submit(), world.submit()
    answer = post(client, "/api/v1/jobs/", after=[{"job": first.pk, "condition": "afterany"}, {"job": second.pk}])
    assert answer.status_code == 201
    assert answer.json()["after"] == [
        {"job": first.pk, "condition": "afterany", "state": "QUEUED"},
        {"job": second.pk, "condition": "afterok", "state": "QUEUED"},
    ]


def test_lists_and_one_sweep_cost_the_same_for_1_and_20(world: World, client: Client) -> None:
    counts: dict[str, list[int]] = {SWEEPS: [], "one": []}
    for size in (1, 20):
        for n in range(size):
            made = sweep(world, grid={"seed": list(range(n + 1))}, wall_s=10)
        for name, url in ((SWEEPS, SWEEPS), ("one", f"{SWEEPS}{made.pk}/")):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            counts[name].append(len(queries))
    assert all(first == last <= 10 for first, last in counts.values()), counts


@pytest.mark.django_db(transaction=True)
def test_ten_sweeps_with_one_key_at_once_are_one(world: World) -> None:
    answers = rush(*[lambda: try_sweep(world, idempotency_key="once")] * 10)
    assert errors_of(answers) == []
    assert len({made.pk for made, _created in answers}) == 1
    assert sum(created for _made, created in answers) == 1
    assert Job.objects.count() == LedgerEntry.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_control_the_same_rush_without_a_key_makes_ten(world: World) -> None:
    assert errors_of(rush(*[lambda: try_sweep(world)] * 10)) == []
    assert Sweep.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_of_sweeps_that_fit_only_once_one_holds_all_and_the_others_nothing(world: World) -> None:
    grid = {"seed": list(range(12))}  # 12 of the 20 hours
    answers = rush(*[lambda: try_sweep(world, grid=grid, wall_s=HOUR)] * 4)
    errors = errors_of(answers)
    assert [type(error) for error in errors] == [OverQuota] * 3
    assert {error.facts["would_fit"] for error in errors} == {8}  # type: ignore[attr-defined]
    assert Job.objects.count() == LedgerEntry.objects.count() == 12
    world.account.refresh_from_db()
    assert world.account.held_s == 12 * HOUR


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_a_submission_and_the_failure_of_what_it_follows_leave_nothing_waiting_for_ever(
    world: World, _round: int
) -> None:
    first = world.submit()
    attempt = running(first, world.node())
    follow, _end = rush(lambda: world.submit(after=(jobs.After(first.pk),)), lambda: settle(attempt, exit_code=1))
    if isinstance(follow, Exception):
        assert not Job.objects.exclude(pk=first.pk).exists()
    else:
        follow.refresh_from_db()
        assert (follow.state, follow.end_reason) == ("CANCELLED", "DEPENDENCY")


@pytest.mark.django_db(transaction=True)
def test_failed_runs_are_repeated_once_however_often_it_is_asked(world: World) -> None:
    made, node = sweep(world), world.node(gpus=8)
    for job in runs(made)[:2]:
        settle(running(job, node), exit_code=1)
    answers = rush(*[lambda: jobs.rerun_failed(sweep_id=made.pk, actor=world.learner)] * 4)
    assert [type(error) for error in errors_of(answers)] == [Conflict] * 3
    assert Job.objects.filter(sweep=made).count() == 8
