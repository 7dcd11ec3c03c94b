"""Sweeps on a real database: all or none, one bundle, cancelling and running again."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from campus.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from labs.environments.models import DataSet
from labs.jobs import api as jobs
from labs.jobs.models import Dependency, Job, JobEvent, SourceBundle, Sweep
from labs.quota.models import LedgerEntry
from tests.factories import HOUR
from tests.jobs.agent import Agent
from tests.jobs.build import World, assign, entries, running, settle
from tests.jobs.sweeping import GRID, runs, sweep, try_sweep


def test_a_grid_becomes_one_job_a_combination_with_one_bundle_and_a_hold_each(world: World) -> None:
    made = sweep(world, metric="accuracy", max_running=2)
    found = runs(made)
    assert [job.sweep_index for job in found] == [1, 2, 3, 4, 5, 6]
    assert [job.parameters for job in found[:2]] == [{"lr": 0.1, "optimizer": "adam"}, {"lr": 0.1, "optimizer": "sgd"}]
    assert (made.runs, made.names, made.grid) == (6, ["lr", "optimizer"], GRID)
    assert SourceBundle.objects.count() == 1
    assert {tuple(entries(job)) for job in found} == {((1, "HOLD", 600),)}
    assert JobEvent.objects.filter(kind="SUBMITTED").count() == 6
    world.account.refresh_from_db()
    assert world.account.held_s == 3600


def test_a_list_of_points_runs_as_listed(world: World) -> None:
    made = sweep(world, points=[{"lr": 1, "note": "b"}, {"note": "a", "lr": 2}])
    assert [job.parameters for job in runs(made)] == [{"lr": 1, "note": "b"}, {"lr": 2, "note": "a"}]
    assert made.grid == {}


def test_data_sets_come_with_every_run(world: World) -> None:
    one = DataSet.objects.create(slug="digits", name_ko="숫자", digest="0" * 64, size_bytes=1, file_count=1)
    made = sweep(world, data_set_ids=[one.pk])
    assert all([found.slug for found in job.data_sets.all()] == ["digits"] for job in runs(made))


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"grid": {"lr": []}}, "grid", "no values"),
        ({"grid": {"PATH/x": [1]}}, "grid", "Begin with a letter"),
        ({"grid": {"seed": list(range(256)), "lr": [1, 2]}}, "grid", "makes 512 runs; a sweep has at most 256"),
        ({"points": [{"a": 1}, {"a": 1}]}, "points", "Point 2 is there twice"),
        ({"grid": {"a": [1]}, "points": [{"a": 1}]}, "points", "not both"),
        ({"max_running": 0}, "max_running", "at least one run"),
        ({"direction": "up"}, "direction", "max, min"),
        ({"metric": "x" * 65}, "metric", "64"),
        ({"gpus": 99}, "gpus", "between 1 and 8"),
        ({"files": {}}, "files", "no file"),
    ],
)
def test_what_is_wrong_is_named_with_its_fix_and_nothing_is_left(
    world: World, changes: dict[str, Any], field: str, words: str
) -> None:
    with translation.override("en"):
        with pytest.raises(InvalidInput) as error:
            sweep(world, **changes)
        assert list(error.value.fields) == [field]
        assert words in str(error.value.fields[field][0])
    assert not Sweep.objects.exists()
    assert not Job.objects.exists()


def test_a_sweep_that_does_not_fit_whole_holds_nothing_and_says_how_many_would(world: World) -> None:
    with translation.override("en"), pytest.raises(OverQuota) as error:
        sweep(world, grid={"seed": list(range(30))}, wall_s=HOUR)
    assert (error.value.facts["would_fit"], error.value.facts["runs"]) == (20, 30)
    assert "20 of the 30 runs would fit. None was submitted." in str(error.value.message)
    assert not Job.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert not Sweep.objects.exists()
    assert sweep(world, grid={"seed": list(range(20))}, wall_s=HOUR).runs == 20  # as it said


def test_what_would_fit_is_counted_with_the_tightest_account_above(world: World) -> None:
    world.another_learner(allocated_s=380 * HOUR)  # the cohort has all of it promised; its own room is what counts
    with pytest.raises(OverQuota) as error:
        sweep(world, grid={"seed": list(range(256))}, wall_s=24 * HOUR)
    assert error.value.facts["would_fit"] == 0


def test_a_learner_may_not_have_more_open_jobs_than_the_cap_with_a_sweep_either(world: World, settings: Any) -> None:
    settings.LABS_MAX_OPEN_JOBS = 6
    world.submit()
    with pytest.raises(Conflict) as error:
        sweep(world)
    assert error.value.code == "too_many_open_jobs"
    assert Job.objects.count() == 1


def test_the_same_key_gives_the_first_sweep_and_another_request_a_conflict(world: World) -> None:
    first, created = try_sweep(world, idempotency_key="k")
    assert created
    assert try_sweep(world, idempotency_key="k") == (first, False)
    for change in ({"grid": {"lr": [1]}}, {"metric": "loss"}, {"max_running": 3}, {"wall_s": 60}):
        with pytest.raises(Conflict) as error:
            sweep(world, idempotency_key="k", **change)
        assert error.value.code == "idempotency_key_reused"
    assert Job.objects.count() == 6


def test_submitting_costs_the_same_queries_for_any_number_of_runs(world: World) -> None:
    counts = []
    for size in (1, 20, 200):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            sweep(world, grid={"seed": list(range(size))}, wall_s=10, files={"main.py": f"print({size})".encode()})
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 40


def test_a_node_gets_params_json_and_variables_with_the_claim_and_by_the_source(world: World) -> None:
    node = world.node(gpus=2)
    world_agent = Agent(node, world.tokens[node.name])
    own = {"main.py": b"pass", "params.json": b'{"epochs": 3, "lr": 9}'}
    for job in runs(sweep(world, grid={"lr": [0.5], "seed": [1, 2]}, files=own)):
        assign(job, node)
    orders = world_agent.claim()
    told = [json.loads(order["files"]["params.json"]["text"]) for order in orders]
    assert told == [{"epochs": 3, "lr": 0.5, "seed": 1}, {"epochs": 3, "lr": 0.5, "seed": 2}]
    assert (orders[0]["env"]["PARAM_LR"], orders[1]["env"]["PARAM_SEED"]) == ("0.5", "2")
    fetched = world_agent.get(f"attempts/{orders[1]['attempt_id']}/source", fence=orders[1]["fence"]).json()
    assert json.loads(fetched["files"]["params.json"]["text"])["seed"] == 2


def test_a_job_of_no_sweep_is_told_nothing_more_than_before(world: World) -> None:
    node = world.node()
    assign(world.submit(), node)
    (order,) = Agent(node, world.tokens[node.name]).claim()
    assert set(order["files"]) == {"main.py"}
    assert not [name for name in order["env"] if name.startswith("PARAM_")]


def test_cancelling_the_rest_ends_what_is_open_and_leaves_what_is_over(world: World) -> None:
    made, node = sweep(world), world.node(gpus=2)
    done, under_way, *_waiting = runs(made)
    settle(running(done, node))
    running(under_way, node)
    assert jobs.cancel_sweep(sweep_id=made.pk, actor=world.learner) == 5
    states = [job.state for job in runs(made)]
    assert states == ["SUCCEEDED", "RUNNING", *["CANCELLED"] * 4]
    assert runs(made)[1].cancel_requested_at is not None  # its node is asked to stop it
    assert jobs.cancel_sweep(sweep_id=made.pk, actor=world.learner) == 0
    settle(Job.objects.get(pk=under_way.pk).attempts.get(), reason="STOPPED", exit_code=None)


def test_failed_places_run_again_together_and_the_newest_run_of_a_place_counts(world: World) -> None:
    made, node = sweep(world, metric="loss"), world.node(gpus=8)
    found = runs(made)
    settle(running(found[0], node))
    settle(running(found[1], node), exit_code=1)
    settle(running(found[2], node), reason="TIMED_OUT", exit_code=None)
    jobs.cancel(job_id=found[3].pk, actor=world.learner)
    again = jobs.rerun_failed(sweep_id=made.pk, actor=world.learner)
    assert [(job.sweep_index, job.parameters, job.rerun_of_id) for job in again] == [
        (2, found[1].parameters, found[1].pk),
        (3, found[2].parameters, found[2].pk),
    ]
    assert [entries(job) for job in again] == [[(1, "HOLD", 600)]] * 2
    with pytest.raises(Conflict) as error:
        jobs.rerun_failed(sweep_id=made.pk, actor=world.learner)  # they wait now
    assert error.value.code == "nothing_failed"


def test_only_the_owner_runs_a_sweep_again(world: World) -> None:
    made = sweep(world)
    with pytest.raises(NotFound):
        jobs.rerun_failed(sweep_id=made.pk, actor=world.another_learner()[0])


def test_failed_places_run_again_all_or_none(world: World) -> None:
    made, node = sweep(world, grid={"seed": [1, 2, 3]}, wall_s=6 * HOUR), world.node(gpus=8)
    for job in runs(made):
        settle(running(job, node), exit_code=1, run_s=6 * HOUR)
    with pytest.raises(OverQuota) as error:
        jobs.rerun_failed(sweep_id=made.pk, actor=world.learner)
    assert error.value.facts["would_fit"] == 0
    assert Job.objects.count() == 3


def test_one_run_that_is_run_again_keeps_its_place(world: World) -> None:
    made, node = sweep(world), world.node()
    job = runs(made)[4]
    settle(running(job, node), exit_code=1)
    again = jobs.rerun(job_id=job.pk, actor=world.learner)
    assert (again.sweep, again.sweep_index, again.parameters) == (made, 5, job.parameters)


def test_every_run_of_a_sweep_may_wait_for_another_job(world: World) -> None:
    first = world.submit()
    made = sweep(world, after=(jobs.After(first.pk),))
    assert Dependency.objects.filter(after=first, job__sweep=made).count() == 6
