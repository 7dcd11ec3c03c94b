"""How often the promised start range held."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from infra.pool.models import Node
from labs.jobs.models import Attempt, Job
from labs.scheduling.domain.fitting import LEAST, Fit
from labs.scheduling.models import SchedulerMark
from labs.scheduling.promise_record import coverage, refit
from labs.scheduling.services import run_cycle
from tests.jobs.build import World, running, settle


def test_what_started_by_its_p90_held_and_what_never_started_counts_for_nothing(world: World) -> None:
    node, now = world.node(), timezone.now()
    for p50_s, p90_s in ((60, 120), (-60, 120), (-120, -60), (60, 90)):
        job = world.submit()
        Job.objects.filter(pk=job.pk).update(
            promised_p50_at=now + timedelta(seconds=p50_s), promised_p90_at=now + timedelta(seconds=p90_s)
        )
        settle(running(job, node))
    Job.objects.filter(pk=world.submit().pk).update(promised_p50_at=now, promised_p90_at=now)
    settle(running(world.submit(), node))
    found = coverage()
    assert (found.jobs, found.by_p50, found.by_p90, found.percent) == (4, 0.5, 0.75, 75)
    assert coverage(last=1).by_p90 == 1.0


def test_nothing_promised_is_no_record(world: World) -> None:
    assert coverage().jobs == 0


# ---- fitting the next ranges to it ----------------------------------------------------------------------------------


def test_the_next_ranges_are_as_the_last_came_true(world: World) -> None:
    """All waited half as long as planned, but for the newest, which wait still; the fit is told with the next plan."""
    node, now = world.node(gpus=1), timezone.now()
    told_at = now - timedelta(hours=1)
    for n in range(LEAST):
        attempt = running(world.submit(), node)
        Job.objects.filter(pk=attempt.job_id).update(
            promised_at=told_at, promised_p90_at=now, planned_p50_s=1000.0, planned_p90_s=2000.0
        )
        Attempt.objects.filter(pk=attempt.pk).update(assigned_at=told_at + timedelta(seconds=500))
        settle(attempt)
        if n == 0:
            run_cycle()
            assert refit(now) == Fit(), "one promise is no record"
    attempt = running(world.submit(wall_s=2000), node)
    waits = world.submit(wall_s=600)
    # That took its time on a busy machine; the scheduler promises nothing on a node that has long been silent.
    Node.objects.filter(pk=node.pk).update(heartbeat_at=Now())
    Job.objects.filter(pk=world.submit(wall_s=600).pk).update(
        promised_at=now, promised_p90_at=now, planned_p50_s=1000.0, planned_p90_s=2000.0
    )
    run_cycle()
    waits.refresh_from_db()
    plain_s = (waits.promised_p50_at - waits.promised_at).total_seconds()
    assert plain_s == pytest.approx(waits.planned_p50_s, abs=0.001)

    found = refit(now)
    assert (found.short_p50, found.short_p90, found.long_p50, found.long_p90) == (0.5, 0.25, 1.0, 1.0)
    assert Fit.of(SchedulerMark.objects.get().start_fit) == found
    newcomer = world.submit(wall_s=600)
    run_cycle()
    newcomer.refresh_from_db()
    fitted_s = (newcomer.promised_p50_at - newcomer.promised_at).total_seconds()
    assert 0.4 < fitted_s / newcomer.planned_p50_s < 1.0
