"""A job's way from submission to its settled end, and each other way that it can end."""

import pytest
from django.test import TestCase

from labs.jobs import api as jobs
from labs.jobs.models import Attempt, GpuLease, Job
from labs.jobs.services.fences import StaleFence, UnknownBoot
from labs.jobs.services.lost import lose_attempt
from tests.jobs.build import World, assign, claimed, ended, entries, expire, hello_of, running, settle


def test_a_job_that_ends_well_is_charged_what_it_ran_and_no_more(world: World) -> None:
    job = world.submit(gpus=2, wall_s=600)
    assert entries(job) == [(1, "HOLD", 1200)]
    attempt = running(job, world.node(gpus=2))
    assert settle(attempt, run_s=12.3) == "SUCCEEDED"
    job.refresh_from_db()
    assert (job.state, job.end_reason, job.charged_s) == ("SUCCEEDED", "COMPLETED", 25)
    assert entries(job) == [(1, "HOLD", 1200), (1, "CHARGE", 25), (1, "RELEASE", 1175)]
    assert list(job.events.values_list("kind", flat=True)) == ["SUBMITTED", "ASSIGNED", "CLAIMED", "STARTED", "ENDED"]


@pytest.mark.parametrize(
    ("reason", "exit_code", "state", "end_reason", "charged"),
    [
        ("EXITED", 0, "SUCCEEDED", "COMPLETED", 13),
        ("EXITED", 3, "FAILED", "EXIT_CODE", 13),
        ("EXITED", None, "FAILED", "EXIT_CODE", 13),
        ("TIMED_OUT", None, "TIMED_OUT", "WALL_LIMIT", 13),
        ("OUT_OF_MEMORY", 137, "FAILED", "OUT_OF_MEMORY", 13),
        ("OUTPUT_FLOOD", None, "FAILED", "OUTPUT_FLOOD", 13),
        ("ENVIRONMENT_FAILED", None, "FAILED", "ENVIRONMENT", 0),
    ],
)
def test_each_end_has_its_state_reason_and_charge(
    world: World, reason: str, exit_code: int | None, state: str, end_reason: str, charged: int
) -> None:
    job = world.submit()
    settle(running(job, world.node()), reason=reason, exit_code=exit_code)
    job.refresh_from_db()
    assert (job.state, job.end_reason, job.charged_s, job.exit_code) == (state, end_reason, charged, exit_code)


def test_a_run_is_never_charged_beyond_its_hold(world: World) -> None:
    job = world.submit(wall_s=60)
    settle(running(job, world.node()), run_s=1e9, reason="TIMED_OUT")
    assert entries(job) == [(1, "HOLD", 60), (1, "CHARGE", 60), (1, "RELEASE", 0)]


def test_settling_twice_with_the_same_fence_gives_the_stored_end(world: World) -> None:
    job = world.submit()
    attempt = running(job, world.node())
    assert settle(attempt, exit_code=1) == "FAILED"
    assert settle(attempt, exit_code=0, run_s=500) == "FAILED"
    assert [kind for _, kind, _ in entries(job)] == ["HOLD", "CHARGE", "RELEASE"]


def test_a_stale_fence_changes_nothing(world: World) -> None:
    job = world.submit()
    attempt = running(job, world.node())
    for call in (
        lambda: jobs.settle(attempt=attempt, fence=attempt.fence - 1, ended=ended()),
        lambda: jobs.append_log(attempt=attempt, fence=attempt.fence + 1, start=0, content=b"x"),
        lambda: jobs.append_metrics(attempt=attempt, fence=attempt.fence + 1, first_seq=0, points=[]),
        lambda: jobs.started(attempt=attempt, fence=attempt.fence + 1),
    ):
        with pytest.raises(StaleFence):
            call()
    job.refresh_from_db()
    assert job.state == "RUNNING"


def test_a_queued_job_is_cancelled_at_once_and_free(world: World) -> None:
    job = jobs.cancel(job_id=world.submit().pk, actor=world.learner)
    assert (job.state, job.end_reason, job.charged_s) == ("CANCELLED", "CANCELLED", 0)
    assert entries(job) == [(1, "HOLD", 600), (1, "RELEASE", 600)]


def test_an_assigned_job_that_no_node_took_up_is_cancelled_at_once(world: World) -> None:
    job, node = world.submit(), world.node()
    attempt = assign(job, node)
    assert attempt is not None
    jobs.cancel(job_id=job.pk, actor=world.learner)
    assert jobs.claim(node=node, boot_id=node.boot_id) == []
    assert not GpuLease.objects.exists()
    with pytest.raises(StaleFence):
        settle(attempt)


def test_a_running_job_is_asked_to_stop_and_charged_until_then(world: World) -> None:
    job, node = world.submit(), world.node()
    attempt = running(job, node)
    assert jobs.cancel(job_id=job.pk, actor=world.learner).state == "RUNNING"
    pulse = jobs.heartbeat(node=node, boot_id=node.boot_id, attempts=[(attempt.pk, attempt.fence)])
    assert pulse.verdicts == {attempt.pk: "stop"}
    assert settle(attempt, reason="STOPPED", exit_code=None, run_s=4) == "CANCELLED"
    assert entries(job)[1:] == [(1, "CHARGE", 4), (1, "RELEASE", 596)]


def test_a_run_that_ends_by_itself_before_the_stop_keeps_its_own_end(world: World) -> None:
    job = world.submit()
    attempt = running(job, world.node())
    jobs.cancel(job_id=job.pk, actor=world.learner)
    assert settle(attempt, exit_code=0) == "SUCCEEDED"


def test_a_stop_that_nobody_asked_for_is_the_platforms_loss(world: World) -> None:
    job = world.submit()
    assert settle(running(job, world.node()), reason="STOPPED", exit_code=None) == "QUEUED"


def test_a_lost_attempt_is_refunded_and_its_job_queued_again(world: World) -> None:
    job = world.submit(gpus=2)
    attempt = running(job, world.node(gpus=2))
    expire(attempt)
    assert jobs.reconcile().lost_attempts == 1
    job.refresh_from_db()
    attempt.refresh_from_db()
    assert (job.state, attempt.outcome, job.started_at) == ("QUEUED", "LOST", None)
    kinds = [(n, kind) for n, kind, _ in entries(job)]
    assert kinds[-1] == (2, "HOLD")
    assert job.events.filter(kind="LOST").count() == 1
    with pytest.raises(StaleFence):
        settle(attempt)


def test_the_loss_of_a_run_stands_in_the_ledger_as_a_charge_and_its_refund(world: World) -> None:
    job = world.submit()
    attempt = running(job, world.node())
    lapse = Attempt.objects.get(pk=attempt.pk)
    Attempt.objects.filter(pk=attempt.pk).update(
        started_at=lapse.started_at - (lapse.lease_expires_at - lapse.started_at) * 4
    )
    lose_attempt(attempt_id=attempt.pk, cause="lease_expired")
    (_, hold, _), (_, charge, charged), (_, release, _), (_, refund, refunded), (two, again, _) = entries(job)
    assert (hold, charge, release, refund, two, again) == ("HOLD", "CHARGE", "RELEASE", "REFUND", 2, "HOLD")
    attempt.refresh_from_db()
    assert charged == refunded == attempt.lost_s
    assert charged >= 60


def test_after_three_lost_attempts_the_job_fails_and_nothing_is_charged(world: World, settings: object) -> None:
    job, node = world.submit(), world.node()
    for _ in range(3):
        expire(running(job, node))
        jobs.reconcile()
    job.refresh_from_db()
    assert (job.state, job.end_reason, job.charged_s) == ("FAILED", "PLATFORM", 0)


def test_attempts_that_no_node_took_up_do_not_use_up_the_jobs_tries(world: World) -> None:
    job, node = world.submit(), world.node()
    for _ in range(4):
        attempt = assign(job, node)
        assert attempt is not None
        expire(attempt)
        jobs.reconcile()
    job.refresh_from_db()
    assert job.state == "QUEUED"


def test_a_job_whose_cancellation_was_under_way_when_it_was_lost_ends_cancelled_and_free(world: World) -> None:
    job = world.submit()
    attempt = running(job, world.node())
    jobs.cancel(job_id=job.pk, actor=world.learner)
    expire(attempt)
    jobs.reconcile()
    job.refresh_from_db()
    assert (job.state, job.charged_s) == ("CANCELLED", 0)


def test_a_renewed_lease_is_not_taken_for_an_expired_one(world: World) -> None:
    job, node = world.submit(), world.node()
    attempt = running(job, node)
    expire(attempt)
    jobs.heartbeat(node=node, boot_id=node.boot_id, attempts=[(attempt.pk, attempt.fence)])
    assert lose_attempt(attempt_id=attempt.pk, cause="lease_expired", expired_only=True) is False


def test_a_node_that_starts_anew_loses_what_its_earlier_boot_ran(world: World) -> None:
    job, node = world.submit(), world.node()
    attempt = running(job, node)
    jobs.hello(node=node, said=hello_of(boot_id="boot-2"))
    job.refresh_from_db()
    attempt.refresh_from_db()
    assert (job.state, attempt.outcome) == ("QUEUED", "LOST")


def test_what_was_assigned_before_a_restart_is_claimed_after_it(world: World) -> None:
    job, node = world.submit(), world.node()
    assign(job, node)
    jobs.hello(node=node, said=hello_of(boot_id="boot-2"))
    assert [a.job_id for a in jobs.claim(node=node, boot_id="boot-2")] == [job.pk]


def test_claiming_twice_gives_what_has_not_started_yet_again(world: World) -> None:
    job, node = world.submit(), world.node()
    attempt = claimed(job, node)
    assert [a.pk for a in jobs.claim(node=node, boot_id=node.boot_id)] == [attempt.pk]
    jobs.started(attempt=attempt, fence=attempt.fence)
    assert jobs.claim(node=node, boot_id=node.boot_id) == []
    assert job.events.filter(kind="CLAIMED").count() == 1


def test_an_earlier_boot_is_told_to_say_hello_and_renews_nothing(world: World) -> None:
    job, node = world.submit(), world.node()
    attempt = running(job, node)
    with pytest.raises(UnknownBoot):
        jobs.claim(node=node, boot_id="older")
    with pytest.raises(UnknownBoot):
        jobs.heartbeat(node=node, boot_id="older", attempts=[(attempt.pk, attempt.fence)])


def test_a_gpu_is_given_to_one_attempt_only(world: World) -> None:
    node = world.node(gpus=1)
    first, second = world.submit(), world.submit()
    gpu_ids = list(node.gpus.values_list("pk", flat=True))
    assert jobs.start_attempt(job_id=first.pk, node_id=node.pk, gpu_ids=gpu_ids)
    assert jobs.start_attempt(job_id=second.pk, node_id=node.pk, gpu_ids=gpu_ids) is None
    assert Job.objects.get(pk=second.pk).state == "QUEUED"


def test_gpus_of_another_node_or_too_few_of_them_begin_nothing(world: World) -> None:
    here, there = world.node(gpus=1), world.node(gpus=1)
    job = world.submit()
    elsewhere = list(there.gpus.values_list("pk", flat=True))
    assert jobs.start_attempt(job_id=job.pk, node_id=here.pk, gpu_ids=elsewhere) is None
    assert jobs.start_attempt(job_id=job.pk, node_id=here.pk, gpu_ids=[]) is None


def test_the_signal_is_sent_once_the_end_is_committed(world: World) -> None:
    heard: list[int] = []

    def hear(job_id: int, **_kwargs: object) -> None:
        heard.append(job_id)

    jobs.job_settled.connect(hear)
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            job = world.submit()
            settle(running(job, world.node()))
            assert heard == []
    finally:
        jobs.job_settled.disconnect(hear)
    assert heard == [job.pk]


def test_silent_nodes_are_down_and_what_waits_there_goes_elsewhere(world: World) -> None:
    from datetime import timedelta

    from django.db.models.functions import Now

    from infra.pool.models import Node

    job, node = world.submit(), world.node()
    assign(job, node)
    Node.objects.filter(pk=node.pk).update(heartbeat_at=Now() - timedelta(minutes=1))
    done = jobs.reconcile()
    assert (done.nodes_down, done.lost_attempts) == (1, 1)
    assert Job.objects.get(pk=job.pk).state == "QUEUED"
    jobs.heartbeat(node=Node.objects.get(pk=node.pk), boot_id=node.boot_id, attempts=[])
    assert Node.objects.get(pk=node.pk).state == "UP"
