"""Sweeps and dependencies in the cycle: who starts, who waits by what name, and what a forecast says of a sweep."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from labs.jobs import api as jobs
from labs.jobs.models import Attempt, Job
from labs.quota import api as quota
from labs.scheduling.api import run_cycle, waits_because
from labs.scheduling.snapshot_loader import load
from labs.scheduling.sweep_forecasts import forecast_sweep
from tests.factories import HOUR
from tests.jobs.build import World, running, settle
from tests.jobs.sweeping import runs, sweep


def finish(job: Job, exit_code: int = 0) -> None:
    attempt = Attempt.objects.get(job=job)
    jobs.claim(node=attempt.node, boot_id="boot-1")
    jobs.started(attempt=attempt, fence=attempt.fence)
    settle(attempt, exit_code=exit_code)


def test_a_sweep_runs_no_more_at_once_than_it_may_and_says_so(world: World) -> None:
    world.node(gpus=8)
    made = sweep(world, max_running=2)
    run_cycle()
    assert [job.state for job in runs(made)] == ["RUNNING", "RUNNING", *["QUEUED"] * 4]
    waiting = runs(made)[2]
    assert waiting.wait_reason == "group_cap"
    with translation.override("en"):
        words = waits_because(waiting.wait_reason, waiting.wait_facts)
    assert words == "Its sweep may run 2 jobs at once, and 2 run now."
    finish(runs(made)[0])
    run_cycle()
    assert [job.state for job in runs(made)].count("RUNNING") == 2


def test_a_sweep_without_a_bound_uses_what_is_free(world: World) -> None:
    world.node(gpus=8)
    made = sweep(world)
    run_cycle()
    assert {job.state for job in runs(made)} == {"RUNNING"}


def test_a_job_waits_for_another_by_name_and_starts_when_it_has_ended(world: World) -> None:
    world.node(gpus=8)
    first, other = world.submit(), world.submit()
    second = world.submit(after=(jobs.After(first.pk), jobs.After(other.pk, jobs.Condition.ANY)))
    run_cycle()
    second.refresh_from_db()
    assert (second.state, second.wait_reason) == ("QUEUED", "dependency")
    with translation.override("en"):
        words = waits_because(second.wait_reason, second.wait_facts)
    assert words == f"It comes after job #{first.pk} and 1 other that have not ended yet."
    finish(first)
    run_cycle()
    second.refresh_from_db()
    with translation.override("en"):
        words = waits_because(second.wait_reason, second.wait_facts)
    assert words == f"It comes after job #{other.pk}, which has not ended yet."
    finish(other, exit_code=1)  # however it ends
    run_cycle()
    second.refresh_from_db()
    assert second.state == "RUNNING"


def test_what_can_never_be_met_does_not_start_before_it_is_cancelled(world: World) -> None:
    world.node(gpus=8)
    first = world.submit()
    second = world.submit(after=(jobs.After(first.pk),))
    settle(running(first, world.node()), exit_code=1)
    run_cycle()  # the transaction of this test is never committed, so nothing has cancelled it yet
    second.refresh_from_db()
    assert (second.state, second.wait_reason) == ("QUEUED", "dependency")


def test_its_age_begins_when_the_last_of_the_others_ended(world: World) -> None:
    world.node(gpus=1)
    first = world.submit()
    second = world.submit(after=(jobs.After(first.pk),))
    settle(running(first, world.node()))
    first.refresh_from_db()
    (pending,) = load(first.ended_at).snapshot.pending  # type: ignore[arg-type]
    assert pending.id == second.pk
    assert pending.eligible_at == pytest.approx(first.ended_at.timestamp())  # type: ignore[union-attr]


def test_loading_costs_the_same_queries_with_dependencies_and_sweeps(world: World) -> None:
    first = world.submit()
    counts = []
    for size in (1, 20):
        sweep(world, grid={"seed": list(range(size))}, wall_s=10, after=(jobs.After(first.pk),))
        with CaptureQueriesContext(connection) as queries:
            load(first.submitted_at)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


def test_a_forecast_of_a_sweep_says_when_the_first_starts_and_the_last_ends(world: World) -> None:
    world.node(gpus=2)
    asked = {"user": world.learner, "account": world.account, "gpus": 1, "gpu_type": "", "wall_s": 600}
    found = forecast_sweep(runs=6, max_running=None, **asked)
    assert (found.hold_s, found.would_fit, found.starts_now) == (3600, 6, 2)
    assert found.start_p50_at is not None
    assert found.end_p90_at is not None
    assert (found.end_p90_at - found.start_p50_at).total_seconds() >= 2 * 600  # three waves of two
    one_by_one = forecast_sweep(runs=6, max_running=1, **asked)
    assert one_by_one.starts_now == 1
    assert one_by_one.end_p90_at is None or one_by_one.end_p90_at > found.end_p90_at


def test_a_forecast_says_how_many_would_fit(world: World) -> None:
    world.node(gpus=2)
    found = forecast_sweep(
        user=world.learner, account=world.account, runs=30, max_running=None, gpus=1, gpu_type="", wall_s=HOUR
    )
    assert (found.would_fit, found.is_affordable) == (20, False)


def test_a_forecast_of_a_sweep_counts_rates_and_what_one_learner_may_use(world: World) -> None:
    world.node(gpus=2)
    asked = {"user": world.learner, "account": world.account, "gpus": 1, "gpu_type": "", "wall_s": 600}
    quota.set_rate(gpu_type="", rate=Decimal("2.5"), actor=None)
    assert forecast_sweep(runs=4, max_running=None, **asked).hold_s == 4 * 1500
    world.cohort_account.learner_day_cap_s = 3_100
    world.cohort_account.save(update_fields=["learner_day_cap_s"])
    capped = forecast_sweep(runs=4, max_running=None, **asked)
    assert (capped.would_fit, capped.available_s, capped.short_account) == (2, 3_100, world.cohort_account.name)
