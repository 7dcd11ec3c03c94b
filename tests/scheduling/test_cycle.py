"""The scheduling cycle on a real database: what it starts, what it says of the rest, what it costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from infra.pool.models import Gpu, Node, NodeEnvironment, Site
from labs.environments.models import DataSet, Environment
from labs.jobs import api as jobs
from labs.jobs.models import Attempt, Job
from labs.jobs.nudges import nudges_asked
from labs.quota import api as quota
from labs.quota.models import Account
from labs.scheduling import services
from labs.scheduling.api import Done, run_cycle, sweep_cycles
from labs.scheduling.models import Cycle, FairShareUse, SchedulerMark
from tests.jobs.build import World, running, settle


def ask() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('jobs_nudge_seq')")


def test_a_job_starts_on_a_free_gpu_and_its_node_is_chosen(world: World) -> None:
    node, job = world.node(gpus=2), world.submit(gpus=2)
    assert run_cycle().started == 1
    attempt = Attempt.objects.get(job=job)
    assert (attempt.node_id, attempt.state, len(attempt.gpu_labels)) == (node.pk, "ASSIGNED", 2)
    job.refresh_from_db()
    assert (job.state, job.wait_reason, job.queue_place) == ("RUNNING", "", None)
    assert job.factors["total"] is not None


def test_a_job_goes_to_the_data_that_it_reads(world: World) -> None:
    near = world.node(name="a-near", shares_gpus=True)
    far = world.node(name="b-far", shares_gpus=True, data_sets=("d" * 64, "e" * 64))
    data_set = DataSet.objects.create(slug="digits", name_ko="숫자", digest="d" * 64, size_bytes=1, file_count=1)
    reads = world.submit(data_set_ids=[data_set.pk])
    reads_a_share = world.submit(data_set_ids=[data_set.pk], gpu_milli=500)
    reads_nothing = world.submit()
    assert run_cycle().started == 3
    node_of = dict(Attempt.objects.values_list("job_id", "node_id"))
    assert node_of == {reads.pk: far.pk, reads_a_share.pk: far.pk, reads_nothing.pk: near.pk}


def test_who_waits_is_told_why_where_and_until_when(world: World) -> None:
    node = world.node(gpus=1)
    first, second, third = (world.submit(wall_s=100) for _ in range(3))
    run_cycle()
    for job in (first, second, third):
        job.refresh_from_db()
    assert first.state == "RUNNING"
    assert (second.wait_reason, second.queue_place) == ("resources", 1)
    assert (third.wait_reason, third.queue_place) == ("behind_others", 2)
    assert second.start_p50_at is not None
    assert second.start_p50_at <= second.start_p90_at <= third.start_p90_at
    assert Cycle.objects.count() == 1
    assert node.pk


def test_a_second_cycle_on_the_same_state_changes_nothing(world: World) -> None:
    world.node(gpus=1)
    for _ in range(3):
        world.submit()
    run_cycle()
    again = run_cycle()
    assert (again.started, again.told) == (0, 0)
    assert Cycle.objects.count() == 1


def test_a_long_queue_is_told_its_waits_now_and_then_and_starts_in_every_cycle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "LONG_QUEUE", 1)
    world.node(gpus=1)
    world.submit()
    world.submit()
    assert run_cycle().told == 1
    world.node(gpus=1)
    late = [world.submit() for _ in range(2)]
    again = run_cycle()
    assert (again.started, again.told) == (1, 0)
    late[1].refresh_from_db()
    assert late[1].wait_reason == "just_submitted"
    SchedulerMark.objects.update(waits_told_at=Now() - timedelta(seconds=services.TELL_EVERY_S))
    assert run_cycle().told == 2


def test_learners_share_in_turn_whoever_came_first(world: World) -> None:
    world.node(gpus=2)
    other, account = world.another_learner()
    mine = [world.submit() for _ in range(3)]
    theirs = world.submit(owner=other, account_id=account.pk)
    run_cycle()
    assert set(Job.objects.filter(state="RUNNING").values_list("pk", flat=True)) == {mine[0].pk, theirs.pk}


def test_what_was_charged_is_folded_once_and_a_refund_takes_it_back(world: World) -> None:
    job = world.submit()
    settle(running(job, world.node()), run_s=100)
    run_cycle()
    run_cycle()
    use = FairShareUse.objects.get(account=world.account)
    assert 99.9 < use.gpu_seconds <= 100
    seen = SchedulerMark.objects.get().seen_entry_id
    with transaction.atomic():
        quota.refund(account_id=world.account.pk, job_id=job.pk, attempt=1, gpu_seconds=100, reason="test")
    run_cycle()
    use.refresh_from_db()
    assert use.gpu_seconds < 0.1
    assert SchedulerMark.objects.get().seen_entry_id > seen
    Job.objects.filter(pk=job.pk).update(charged_s=0)


def test_use_halves_in_a_week(world: World) -> None:
    settle(running(world.submit(), world.node()), run_s=100)
    run_cycle()
    FairShareUse.objects.update(as_of=Now() - timedelta(days=7))
    settle(running(world.submit(), world.node()), run_s=100)
    run_cycle()
    assert FairShareUse.objects.get().gpu_seconds == pytest.approx(150, abs=0.5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "DRAINING"}, "nodes_draining"),
        ({"state": "DOWN"}, "nodes_draining"),
        ({"confinement": "REFUSED"}, "nodes_draining"),
        ({"confinement": "UNCONFINED"}, "nodes_draining"),
        ({"heartbeat_at": Now() - timedelta(seconds=10)}, "nodes_draining"),
    ],
)
def test_nothing_starts_on_a_node_that_should_not_run_it(world: World, change: dict[str, Any], reason: str) -> None:
    node, job = world.node(), world.submit()
    Node.objects.filter(pk=node.pk).update(**change)
    assert run_cycle().started == 0
    job.refresh_from_db()
    assert job.wait_reason == reason


def test_unconfined_nodes_run_code_where_the_operator_said_so(world: World, settings: Any) -> None:
    settings.LABS_ALLOW_UNCONFINED = True
    node = world.node()
    Node.objects.filter(pk=node.pk).update(confinement="UNCONFINED")
    world.submit()
    assert run_cycle().started == 1


def test_a_closed_site_a_closed_account_and_a_sick_gpu_start_nothing(world: World) -> None:
    node, job = world.node(gpus=1), world.submit()
    Site.objects.update(is_open=False)
    run_cycle()
    job.refresh_from_db()
    assert job.wait_reason == "site_closed"
    Site.objects.update(is_open=True)
    Account.objects.filter(pk=world.cohort_account.pk).update(is_open=False)
    run_cycle()
    job.refresh_from_db()
    assert job.wait_reason == "account_closed"
    Account.objects.update(is_open=True)
    Gpu.objects.filter(node=node).update(is_healthy=False)
    assert run_cycle().started == 0
    Gpu.objects.update(is_healthy=True)
    assert run_cycle().started == 1


def test_a_node_with_two_types_of_gpu_runs_each_job_on_its_own_type(world: World) -> None:
    node = world.node(gpus=3)
    Gpu.objects.filter(node=node, index=2).update(gpu_type="nvidia-a100")
    wide, other = world.submit(gpus=2), world.submit(gpu_type="nvidia-a100")
    assert run_cycle().started == 2
    held = {
        job.pk: list(Gpu.objects.filter(leases__attempt__job=job).values_list("index", flat=True))
        for job in (wide, other)
    }
    assert held == {wide.pk: [0, 1], other.pk: [2]}


def test_a_node_that_has_the_environment_ready_is_preferred(world: World) -> None:
    world.node(gpus=1)
    ready = world.node(gpus=1)
    environment = Environment.objects.create(slug="torch", name_ko="토치", digest="a" * 64)
    NodeEnvironment.objects.create(node=ready, digest="a" * 64, state="READY")
    job = world.submit(environment_id=environment.pk)
    run_cycle()
    assert Attempt.objects.get(job=job).node_id == ready.pk


def test_run_times_are_predicted_from_finished_runs_of_the_same_work(world: World) -> None:
    node = world.node(gpus=1)
    for run_s in (50, 60):
        settle(running(world.submit(work_key="lab:1", wall_s=600), node), run_s=run_s)
    for _ in range(2):
        world.submit(work_key="lab:1", wall_s=600)
    run_cycle()
    waiting = Job.objects.get(state="QUEUED")
    expected_s = (waiting.start_p50_at - Cycle.objects.get().at).total_seconds()
    # Between its P50 (55 s) and its P90 (90 s); knowing nothing, a quarter of the wall limit (150 s) would be taken.
    assert 50 < expected_s < 100


def test_a_cycle_costs_the_same_queries_for_one_job_and_for_twenty(world: World) -> None:
    world.node(gpus=1)
    world.submit()
    counts = []
    for more in (1, 20):
        for _ in range(more):
            world.submit()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            run_cycle()
        counts.append(len(seen))
        Job.objects.filter(state="QUEUED").update(wait_reason="")
        for job in Job.objects.filter(state="RUNNING"):
            attempt = Attempt.objects.get(job=job)
            jobs.claim(node=attempt.node, boot_id="boot-1")
            jobs.started(attempt=attempt, fence=attempt.fence)
            settle(attempt)
    assert counts[0] == counts[1] <= 30


def test_a_nudge_that_a_cycle_has_seen_costs_no_other_cycle(world: World) -> None:
    ask()
    assert run_cycle(only_if_asked=True).done is Done.RAN
    assert run_cycle(only_if_asked=True).done is Done.NOTHING_NEW
    ask()
    assert run_cycle(only_if_asked=True).done is Done.RAN
    assert SchedulerMark.objects.get().seen_nudge == nudges_asked()


def test_a_cancelled_job_is_not_started(world: World) -> None:
    world.node()
    job = world.submit()
    jobs.cancel(job_id=job.pk, actor=world.learner)
    assert run_cycle().started == 0


def test_old_cycles_are_forgotten(world: World) -> None:
    old = Cycle.objects.create(pending=1, started=1, plan_ms=1, total_ms=1)
    Cycle.objects.filter(pk=old.pk).update(at=Now() - timedelta(days=8))
    fresh = Cycle.objects.create(pending=1, started=1, plan_ms=1, total_ms=1)
    assert sweep_cycles() == 1
    assert list(Cycle.objects.all()) == [fresh]


def test_how_long_its_owners_own_cap_held_a_job_back_is_kept_apart(world: World, settings: Any) -> None:
    world.node(gpus=2)
    settings.LABS_MAX_RUNNING_GPUS_PER_LEARNER = 1
    first, held = world.submit(), world.submit()
    run_cycle()
    held.refresh_from_db()
    assert (held.wait_reason, held.held_back_s, held.held_back_from is None) == ("learner_cap", 0, False)
    Job.objects.filter(pk=held.pk).update(held_back_from=Now() - timedelta(hours=1))
    settings.LABS_MAX_RUNNING_GPUS_PER_LEARNER = 2
    run_cycle()
    held.refresh_from_db()
    assert (held.state, held.held_back_from) == ("RUNNING", None)
    assert 3590 <= held.held_back_s < 3660
    assert first.held_back_s == 0
