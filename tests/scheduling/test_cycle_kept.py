"""Classes, lending, making room and promises through the real cycle."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from infra.pool.models import Site
from labs.jobs import api as jobs
from labs.jobs.models import Attempt, Job
from labs.quota.models import Account
from labs.scheduling.api import run_cycle
from labs.scheduling.domain.snapshot import Snapshot
from labs.scheduling.models import ClassReservation, SiteLending, SiteOwner
from labs.scheduling.snapshot_loader import load
from tests import factories
from tests.jobs.build import World, running, settle


def stranger(world: World) -> dict[str, Any]:
    """The owner and the account of somebody of another cohort at another campus."""
    with transaction.atomic():
        home = factories.campus("jeonbuk", "전북", "Jeonbuk")
        platform = factories.platform_account()
        at_campus = factories.account("CAMPUS", platform, home.scope, 100 * factories.HOUR)
        cohort = factories.account("COHORT", at_campus, factories.cohort_scope(home), 50 * factories.HOUR)
        learner = factories.UserFactory()
        account = factories.learner_account(cohort, learner)
    return {"owner": learner, "account_id": account.pk}


def meeting(world: World, *, gpus: int = 2, begins_in_s: float = -60, lasts_s: float = 3600) -> ClassReservation:
    begins = timezone.now() + timedelta(seconds=begins_in_s)
    return ClassReservation.objects.create(
        account=world.cohort_account, site=Site.objects.get(), title="딥러닝 3주차", gpus=gpus,
        start_at=begins, end_at=begins + timedelta(seconds=lasts_s),
    )  # fmt: skip


def snapshot() -> Snapshot:
    with transaction.atomic():
        return load(timezone.now()).snapshot


def test_a_class_that_meets_has_its_gpus_and_others_are_told_for_which_class(world: World) -> None:
    world.node(gpus=2)
    made = meeting(world)
    other = world.submit(**stranger(world))
    assert run_cycle().started == 0
    other.refresh_from_db()
    assert (other.wait_reason, other.wait_facts["reservation_id"]) == ("class_reservation", made.pk)
    own = world.submit()
    assert run_cycle().started == 1
    assert Attempt.objects.get(job=own).reservation_id == made.pk


def test_what_nobody_came_for_goes_to_those_who_wait_in_the_same_cycle(world: World) -> None:
    world.node(gpus=2)
    made = meeting(world, begins_in_s=-1000)
    other = world.submit(**stranger(world))
    assert run_cycle().started == 1
    made.refresh_from_db()
    assert made.state == "RELEASED"
    assert Attempt.objects.get(job=other).reservation_id is None


def test_before_a_class_only_what_ends_in_time_starts(world: World) -> None:
    world.node(gpus=2)
    meeting(world, begins_in_s=1200)
    who = stranger(world)
    long, short = world.submit(**who, wall_s=3000), world.submit(**who, wall_s=600)
    run_cycle()
    assert set(Attempt.objects.values_list("job_id", flat=True)) == {short.pk}
    long.refresh_from_db()
    assert long.wait_reason == "class_reservation"


def test_a_run_that_may_be_interrupted_makes_room_before_the_class_although_nobody_waits(world: World) -> None:
    node = world.node(gpus=2)
    job = world.submit(**stranger(world), is_preemptible=True, wall_s=3000)
    attempt = running(job, node)
    assert run_cycle().preempted == 0
    made = meeting(world, begins_in_s=60)
    assert run_cycle().preempted == 1
    assert run_cycle().preempted == 0
    attempt.refresh_from_db()
    assert attempt.preempt_reason == "for_class"
    assert job.events.get(kind="PREEMPT_REQUESTED").facts["for_reservation_id"] == made.pk
    assert settle(attempt, reason="PREEMPTED", run_s=30) == "QUEUED"
    ClassReservation.objects.update(start_at=timezone.now())
    assert run_cycle().started == 0
    job.refresh_from_db()
    assert job.wait_reason == "class_reservation"


def test_what_is_not_to_be_interrupted_is_left_alone(world: World) -> None:
    attempt = running(world.submit(**stranger(world), wall_s=3000), world.node(gpus=2))
    meeting(world)
    run_cycle()
    attempt.refresh_from_db()
    assert attempt.preempt_requested_at is None


def test_a_site_of_somebodys_own_is_lent_by_hour_and_limit_and_taken_back(world: World) -> None:
    node = world.node(gpus=2)
    owner = Account.objects.get(pk=world.cohort_account.parent_id)
    SiteOwner.objects.create(site=node.site, account=owner)
    who = stranger(world)
    borrower = world.submit(**who, is_preemptible=True, gpus=2, wall_s=3000)
    assert run_cycle().started == 0
    borrower.refresh_from_db()
    assert borrower.wait_reason == "lending_closed"

    hours = {"opens_at": "00:00", "closes_at": "00:00"}
    lent = SiteLending.objects.create(site=node.site, max_gpus=1, first_day=date(2026, 1, 1), **hours)
    run_cycle()
    borrower.refresh_from_db()
    assert borrower.wait_reason == "lending_cap"
    SiteLending.objects.filter(pk=lent.pk).update(max_gpus=2)
    assert run_cycle().started == 1
    attempt = Attempt.objects.get(job=borrower)
    assert attempt.is_borrowed
    jobs.claim(node=node, boot_id=node.boot_id)
    jobs.started(attempt=attempt, fence=attempt.fence)
    Attempt.objects.update(started_at=timezone.now() - timedelta(seconds=1200))

    own = world.submit(gpus=2)
    assert run_cycle().preempted == 1
    own.refresh_from_db()
    attempt.refresh_from_db()
    assert (own.wait_reason, attempt.preempt_for_job_id, attempt.preempt_reason) == ("preempting", own.pk, "taken_back")
    settle(attempt, reason="PREEMPTED", run_s=1200)
    assert run_cycle().started == 1
    own.refresh_from_db()
    assert own.state == "RUNNING"


def test_the_snapshot_tells_what_is_ending_and_what_a_checkpoint_keeps(world: World) -> None:
    node = world.node(gpus=2)
    asked, stopped = world.submit(is_preemptible=True), world.submit()
    attempt = running(asked, node)
    running(stopped, node)
    with transaction.atomic():
        jobs.preempt_attempts([jobs.Preemption(asked.pk, "for_job", for_job_id=stopped.pk)])
    jobs.cancel(job_id=stopped.pk, actor=world.learner)
    by_job = {run.job_id: run for run in snapshot().running}
    assert [by_job[job.pk].is_ending for job in (asked, stopped)] == [True, True]
    assert by_job[asked.pk].ends_by_at is not None
    assert (by_job[asked.pk].ending_for_job_id, by_job[asked.pk].grace_s) == (stopped.pk, 60)
    Job.objects.filter(pk=asked.pk).update(kept_s=100)
    assert snapshot().running[0].wall_s == 500
    Job.objects.filter(pk=asked.pk).update(kept_s=0)
    settle(attempt, reason="PREEMPTED", run_s=1)
    (pending,) = snapshot().pending
    assert (pending.is_preemptible, pending.attempt) == (True, 1)


def test_the_queries_of_a_cycle_do_not_grow_with_what_is_kept_and_lent(world: World) -> None:
    node = world.node(gpus=1)
    SiteOwner.objects.create(site=node.site, account_id=world.cohort_account.parent_id)
    running(world.submit(is_preemptible=True, wall_s=3000), node)
    world.submit()

    def cost() -> int:
        run_cycle()
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            load(timezone.now())
        return len(queries)

    hours = {"opens_at": "00:00", "closes_at": "00:00", "first_day": date(2026, 1, 1)}
    before = cost()
    for n in range(10):
        meeting(world, gpus=1, begins_in_s=4000 + 4000 * n)
        SiteLending.objects.create(site=node.site, max_gpus=1, **hours)
    assert cost() == before


# ---- what was promised beside what came -----------------------------------------------------------------------------


def test_the_first_range_is_kept_whatever_is_said_later(world: World) -> None:
    node = world.node(gpus=1)
    attempt = running(world.submit(wall_s=600), node)
    job = world.submit(wall_s=600)
    run_cycle()
    job.refresh_from_db()
    first = (job.promised_p50_at, job.promised_p90_at)
    assert first == (job.start_p50_at, job.start_p90_at)
    assert None not in first
    planned = (job.promised_at, job.planned_p50_s, job.planned_p90_s)
    assert job.planned_p90_s == pytest.approx((first[1] - job.promised_at).total_seconds(), abs=0.001)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - timedelta(seconds=500))
    run_cycle()
    job.refresh_from_db()
    assert job.start_p90_at < first[1]
    assert (job.promised_p50_at, job.promised_p90_at) == first
    assert (job.promised_at, job.planned_p50_s, job.planned_p90_s) == planned
    settle(attempt)
    run_cycle()
    job.refresh_from_db()
    assert (job.state, job.start_p90_at, job.promised_p90_at) == ("RUNNING", None, first[1])


def test_who_starts_at_once_was_promised_nothing(world: World) -> None:
    world.node(gpus=1)
    job = world.submit()
    run_cycle()
    job.refresh_from_db()
    assert (job.state, job.promised_p90_at, job.promised_at, job.planned_p90_s) == ("RUNNING", None, None, None)
