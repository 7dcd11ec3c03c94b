"""A run that makes room: what it is asked, what is kept, refunded and queued again, and who wins a race."""

import threading
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connections, transaction

from campus.core.errors import InvalidInput
from infra.pool.models import Node
from labs.jobs import api as jobs
from labs.jobs.models import Artifact, Attempt, Job
from labs.jobs.services.fences import StaleFence
from labs.jobs.services.lost import lose_attempt
from tests.jobs.agent import Agent
from tests.jobs.build import MAIN, World, assign, claimed, entries, expire, running, settle

SAVED = b"weights after epoch 3"


def ask(*asked: Job, reason: str = "for_class") -> list[int]:
    with transaction.atomic():
        return jobs.preempt_attempts(jobs.Preemption(job.pk, reason, for_reservation_id=7) for job in asked)


def verdict(node: Node, attempt: Attempt) -> str:
    pulse = jobs.heartbeat(node=node, boot_id=node.boot_id, attempts=[(attempt.pk, attempt.fence)])
    return pulse.verdicts[attempt.pk]


def save(world: World, attempt: Attempt, content: bytes = SAVED, path: str = "checkpoint/model.pt") -> dict[str, Any]:
    """Upload as a node does; the artifact as the settlement names it."""
    agent = Agent(attempt.node, world.tokens[attempt.node.name])
    answer = agent.put(f"attempts/{attempt.pk}/artifacts", content, fence=attempt.fence, path=path)
    assert answer.status_code == 200, answer.content
    kept = Artifact.objects.get(attempt=attempt, path=path)
    return {"path": path, "digest": kept.digest, "size_bytes": kept.size_bytes}


@pytest.fixture
def node(world: World) -> Node:
    return world.node(gpus=2)


def test_a_run_that_may_be_interrupted_is_asked_once_and_told_by_the_heartbeat(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    attempt = running(job, node)
    assert verdict(node, attempt) == "go"
    assert ask(job) == [job.pk]
    assert ask(job) == []
    assert verdict(node, attempt) == "preempt"
    attempt.refresh_from_db()
    assert (attempt.preempt_grace_s, attempt.preempt_reason) == (60, "for_class")
    event = job.events.get(kind="PREEMPT_REQUESTED")
    assert event.facts == {"reason": "for_class", "for_reservation_id": 7, "grace_s": 60}


def test_only_what_its_owner_marked_and_nobody_cancels_is_asked(world: World, node: Node) -> None:
    kept, cancelled = world.submit(), world.submit(is_preemptible=True)
    queued = world.submit(is_preemptible=True)
    running(kept, node)
    attempt = running(cancelled, node)
    jobs.cancel(job_id=cancelled.pk, actor=world.learner)
    assert ask(kept, cancelled, queued) == []
    assert verdict(node, attempt) == "stop"


@pytest.mark.parametrize("purpose", ["CLASS", "GRADING"])
def test_class_work_and_grading_are_never_interrupted(world: World, purpose: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.submit(is_preemptible=True, purpose=purpose)
    assert list(refused.value.fields) == ["is_preemptible"]
    job = world.submit(purpose=purpose)
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(is_preemptible=True)


def test_a_source_may_not_stand_where_the_checkpoint_goes(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.submit(is_preemptible=True, files=MAIN | {"checkpoint": b""})
    assert list(refused.value.fields) == ["files"]


def test_without_a_checkpoint_all_of_it_is_refunded_and_the_job_keeps_its_place(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    attempt = running(job, node)
    ask(job)
    assert settle(attempt, reason="PREEMPTED", exit_code=143, run_s=100.2) == "QUEUED"
    again = Job.objects.get(pk=job.pk)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.lost_s, attempt.kept_s) == ("PREEMPTED", 101, 0)
    assert (again.charged_s, again.kept_s, again.preempted_count, again.hold_s) == (0, 0, 1, 600)
    assert again.submitted_at == job.submitted_at
    assert entries(job) == [
        (1, "HOLD", 600), (1, "CHARGE", 101), (1, "RELEASE", 499), (1, "REFUND", 101), (2, "HOLD", 600),
    ]  # fmt: skip
    assert list(job.events.values_list("kind", flat=True))[-2:] == ["PREEMPT_REQUESTED", "PREEMPTED"]


def test_what_the_checkpoint_keeps_stays_charged_and_counts_towards_the_limit(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True, gpus=2)
    attempt = running(job, node)
    ask(job)
    named = [save(world, attempt)]
    settle(attempt, reason="PREEMPTED", run_s=100.0, artifacts=named, checkpoint_run_s=80.7)
    job.refresh_from_db()
    assert (job.state, job.charged_s, job.kept_s, job.wall_left_s, job.hold_s) == ("QUEUED", 160, 80, 520, 1040)
    assert entries(job)[1:] == [(1, "CHARGE", 200), (1, "RELEASE", 1000), (1, "REFUND", 40), (2, "HOLD", 1040)]

    second = running(job, node)
    assert settle(second, run_s=30) == "SUCCEEDED"
    job.refresh_from_db()
    assert job.charged_s == 220
    assert entries(job)[-2:] == [(2, "CHARGE", 60), (2, "RELEASE", 980)]


def test_requeueing_needs_no_more_than_was_held(world: World, node: Node) -> None:
    """Even where the account has nothing left beside the job."""
    other, account = world.another_learner(allocated_s=600)
    job = world.submit(owner=other, account_id=account.pk, is_preemptible=True)
    attempt = running(job, node)
    ask(job)
    settle(attempt, reason="PREEMPTED", run_s=90.0, artifacts=[save(world, attempt)], checkpoint_run_s=90.0)
    account.refresh_from_db()
    assert (account.used_s, account.held_s, account.available_s) == (90, 510, 0)


def test_the_next_attempt_is_given_what_was_saved_and_its_end_drops_it(
    world: World, node: Node, django_capture_on_commit_callbacks: Any
) -> None:
    job = world.submit(is_preemptible=True)
    attempt = running(job, node)
    ask(job)
    named = [save(world, attempt), save(world, attempt, b"", "checkpoint/step/0001.txt")]
    save(world, attempt, b"half a picture", "out.png")
    settle(attempt, reason="PREEMPTED", artifacts=named, checkpoint_run_s=3.0)
    assert sorted(Artifact.objects.values_list("path", flat=True)) == [
        "checkpoint/model.pt",
        "checkpoint/step/0001.txt",
    ]
    assert not jobs.published_artifacts(job).exists()

    assign(job, node)
    agent = Agent(node, world.tokens[node.name])
    (order,) = agent.claim()
    assert order["checkpoint"] == named
    assert (order["wall_s"], order["number"]) == (597, 2)
    fetch = f"attempts/{order['attempt_id']}/checkpoint"
    answer = agent.get(fetch, fence=order["fence"], path="checkpoint/model.pt")
    assert b"".join(answer.streaming_content) == SAVED
    assert agent.get(fetch, fence=order["fence"], path="out.png").status_code == 404
    assert agent.get(fetch, fence=order["fence"] + 1, path="checkpoint/model.pt").status_code == 409

    files = list(Artifact.objects.values_list("file", flat=True))
    with django_capture_on_commit_callbacks(execute=True):
        assert agent.end(order["attempt_id"], order["fence"]).json() == {"state": "SUCCEEDED"}
    assert not Artifact.objects.exists()
    assert not any(default_storage.exists(name) for name in files)


def test_a_job_that_is_not_preemptible_gets_no_checkpoint_folder(world: World, node: Node) -> None:
    assign(world.submit(), node)
    (order,) = Agent(node, world.tokens[node.name]).claim()
    assert order["checkpoint"] is None


@pytest.mark.parametrize("spoil", ["one is missing", "one is no part of it"])
def test_half_a_checkpoint_is_none_and_the_older_one_stays(world: World, node: Node, spoil: str) -> None:
    job = world.submit(is_preemptible=True)
    first = running(job, node)
    ask(job)
    settle(first, reason="PREEMPTED", run_s=50, artifacts=[save(world, first)], checkpoint_run_s=50)
    second = running(Job.objects.get(pk=job.pk), node)
    ask(job)
    named = [save(world, second, b"newer")]
    named.append(
        {"path": "checkpoint/b", "digest": "0" * 64, "size_bytes": 1}
        if spoil == "one is missing"
        else save(world, second, b"x", "elsewhere.txt")
    )
    settle(second, reason="PREEMPTED", run_s=40, artifacts=named, checkpoint_run_s=40)
    job.refresh_from_db()
    assert (job.preempted_count, job.kept_s, job.charged_s) == (2, 50, 50)
    (kept,) = Artifact.objects.all()
    assert (kept.attempt_id, kept.is_checkpoint) == (first.pk, True)


def test_a_newer_checkpoint_replaces_the_older(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    for content in (b"older", b"newer"):
        attempt = running(Job.objects.get(pk=job.pk), node)
        ask(job)
        settle(attempt, reason="PREEMPTED", run_s=9, artifacts=[save(world, attempt, content)], checkpoint_run_s=9)
    (kept,) = Artifact.objects.all()
    assert kept.file.read() == b"newer"
    kept.file.close()


def test_a_run_that_ends_by_itself_in_time_is_finished(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    attempt = running(job, node)
    ask(job)
    assert settle(attempt, run_s=30) == "SUCCEEDED"
    job.refresh_from_db()
    assert (job.charged_s, job.preempted_count) == (30, 0)


def test_a_cancellation_wins_over_making_room(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    attempt = running(job, node)
    ask(job)
    jobs.cancel(job_id=job.pk, actor=world.learner)
    assert verdict(node, attempt) == "stop"
    # The node had stopped it for the other reason before it heard of this one.
    assert settle(attempt, reason="PREEMPTED", run_s=20) == "CANCELLED"
    job.refresh_from_db()
    assert (job.end_reason, job.charged_s) == ("CANCELLED", 20)


def test_a_node_that_dies_while_it_saves_costs_the_attempt_and_keeps_the_older_checkpoint(
    world: World, node: Node
) -> None:
    job = world.submit(is_preemptible=True)
    first = running(job, node)
    ask(job)
    settle(first, reason="PREEMPTED", run_s=50, artifacts=[save(world, first)], checkpoint_run_s=50)
    second = running(Job.objects.get(pk=job.pk), node)
    ask(job)
    save(world, second, b"half")
    expire(second)
    assert jobs.reconcile().lost_attempts == 1
    with pytest.raises(StaleFence):
        settle(second, reason="PREEMPTED", run_s=40)
    job.refresh_from_db()
    assert (job.state, job.kept_s, job.charged_s) == ("QUEUED", 50, 50)
    assert [one.attempt_id for one in Artifact.objects.all()] == [first.pk]


def test_one_that_was_never_started_makes_room_for_nothing(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    attempt = claimed(job, node)
    ask(job)
    settle(attempt, reason="PREEMPTED", exit_code=None, run_s=0.0)
    assert entries(job) == [(1, "HOLD", 600), (1, "RELEASE", 600), (2, "HOLD", 600)]


def test_a_preemption_that_nobody_asked_for_is_the_platforms_loss(world: World, node: Node) -> None:
    job = world.submit(is_preemptible=True)
    attempt = running(job, node)
    assert settle(attempt, reason="PREEMPTED", run_s=5) == "QUEUED"
    attempt.refresh_from_db()
    assert attempt.outcome == "LOST"


def test_making_room_does_not_count_as_a_lost_attempt(world: World, node: Node, settings: Any) -> None:
    settings.LABS_MAX_ATTEMPTS = 2
    job = world.submit(is_preemptible=True)
    for _ in range(3):
        attempt = running(Job.objects.get(pk=job.pk), node)
        ask(job)
        settle(attempt, reason="PREEMPTED", run_s=1)
    lose_attempt(attempt_id=running(Job.objects.get(pk=job.pk), node).pk, cause="test")
    assert Job.objects.get(pk=job.pk).state == "QUEUED"


@pytest.mark.django_db(transaction=True)
def test_settling_and_asking_at_the_same_time_end_the_run_once(world: World, node: Node) -> None:
    for _ in range(5):
        job = world.submit(is_preemptible=True)
        attempt = running(job, node)
        gate, done = threading.Barrier(2), []

        def run(call: Any, gate: threading.Barrier = gate, done: list[Any] = done) -> None:
            try:
                gate.wait(10)
                done.append(call())
            finally:
                connections.close_all()

        calls = (lambda job=job: ask(job), lambda attempt=attempt: settle(attempt, run_s=3))
        threads = [threading.Thread(target=run, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert "SUCCEEDED" in done
        assert len(done) == 2
