"""Shares of a GPU from submission to ledger: who gets what, what it costs, and that nobody gets more than there is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from psycopg.types.range import Range

from campus.core.errors import InvalidInput
from infra.pool.models import Gpu, Node
from labs.jobs import api as jobs
from labs.jobs.models import Attempt, GpuLease, Job
from labs.jobs.services import leasing
from labs.jobs.services.lost import lose_attempt
from labs.jobs.services.submit import request_digest
from labs.jobs.services.validation import Wish
from labs.quota import api as quota
from labs.scheduling.api import run_cycle
from tests.jobs.agent import Agent
from tests.jobs.build import World, assign, claimed, entries, hello_of, running, settle
from tests.jobs.rush import PATIENCE_S, errors_of, rush

pytestmark = pytest.mark.django_db

MEMORY = 81_920


@pytest.fixture
def node(world: World) -> Node:
    """One GPU of 80 GiB that jobs may share."""
    return world.node(gpus=1, shares_gpus=True)


def lease(gpu: Gpu, attempt: Attempt, start: int, end: int, memory_mib: int = 0) -> GpuLease:
    return GpuLease.objects.create(gpu=gpu, attempt=attempt, milli=Range(start, end), memory_mib=memory_mib)


def held(job: Job) -> list[tuple[int, int, int]]:
    rows = GpuLease.objects.filter(attempt__job=job, attempt__state__in=["ASSIGNED", "CLAIMED", "RUNNING"])
    return [(one.milli.lower, one.milli.upper, one.memory_mib) for one in rows.order_by("milli")]


# ---- what may be asked for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"gpu_milli": 0}, "gpu_milli"),
        ({"gpu_milli": 1_125}, "gpu_milli"),
        ({"gpu_milli": 333}, "gpu_milli"),
        ({"gpu_milli": 500, "gpus": 2}, "gpu_milli"),
        ({"gpu_memory_mib": 0}, "gpu_memory_mib"),
        ({"gpu_memory_mib": MEMORY + 1}, "gpu_memory_mib"),
        ({"gpu_milli": 125, "gpu_memory_mib": MEMORY + 1}, "gpu_memory_mib"),
    ],
)
def test_what_no_gpu_gives_is_refused_by_its_field(world: World, node: Node, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        world.submit(**asked)
    assert set(refused.value.fields) == {field}


def test_a_share_is_refused_where_no_node_gives_any(world: World) -> None:
    world.node(gpus=1)
    with pytest.raises(InvalidInput) as refused:
        world.submit(gpu_milli=500)
    assert set(refused.value.fields) == {"gpu_milli"}


def test_the_database_takes_no_share_of_two_gpus(world: World, node: Node) -> None:
    job = world.submit()
    for wrong in ({"gpus": 2, "gpu_milli": 500}, {"gpu_milli": 0}, {"gpu_milli": 1_001}, {"gpu_memory_mib": 0}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Job.objects.filter(pk=job.pk).update(**wrong)


def test_a_client_that_knows_no_shares_sends_the_same_request_again(world: World, node: Node) -> None:
    said: dict[str, Any] = {
        "account_id": 1, "title": "", "environment_id": None, "files": {}, "entrypoint": "", "gpus": 1, "gpu_type": "",
        "wall_s": 60, "data_set_ids": (), "preferred_campus_id": None, "deadline_at": None, "work_key": "",
        "idempotency_key": "k",
    }  # fmt: skip
    usual = request_digest(Wish(**said))
    assert request_digest(Wish(**said, gpu_milli=1_000, gpu_memory_mib=None)) == usual
    assert (
        len({usual, request_digest(Wish(**said, gpu_milli=500)), request_digest(Wish(**said, gpu_memory_mib=1))}) == 3
    )


def test_a_rerun_and_a_sweep_ask_for_the_same_share(world: World, node: Node) -> None:
    job = world.submit(gpu_milli=250, gpu_memory_mib=30_000)
    again = jobs.rerun(job_id=job.pk, actor=world.learner)
    assert (again.gpu_milli, again.gpu_memory_mib, again.hold_s) == (250, 30_000, 150)


# ---- what it gets and costs -----------------------------------------------------------------------------------------


def test_two_halves_run_at_once_and_a_whole_job_waits_until_both_have_ended(world: World, node: Node) -> None:
    halves = [world.submit(gpu_milli=500) for _ in range(2)]
    assert [job.hold_s for job in halves] == [300, 300]
    run_cycle()
    assert [held(job) for job in halves] == [[(0, 500, MEMORY // 2)], [(500, 1000, MEMORY // 2)]]
    whole = world.submit()
    run_cycle()
    whole.refresh_from_db()
    assert (whole.state, whole.wait_reason) == ("QUEUED", "resources")
    first, second = jobs.claim(node=node, boot_id=node.boot_id)
    for attempt in (first, second):
        jobs.started(attempt=attempt, fence=attempt.fence)
    settle(first, run_s=101.0)
    assert run_cycle().started == 0, "half of it is free, and the job wants all of it"
    settle(second, run_s=100.0)
    assert run_cycle().started == 1
    assert held(whole) == [(0, 1000, 0)]
    assert entries(halves[0]) == [(1, "HOLD", 300), (1, "CHARGE", 51), (1, "RELEASE", 249)]  # 50.5 s, rounded up
    assert entries(halves[1]) == [(1, "HOLD", 300), (1, "CHARGE", 50), (1, "RELEASE", 250)]
    assert quota.rebuild() == []


def test_a_share_joins_a_shared_gpu_before_it_breaks_a_free_one(world: World) -> None:
    world.node(gpus=2, shares_gpus=True)
    quarters = [world.submit(gpu_milli=250) for _ in range(4)]
    run_cycle()
    assert len(set(GpuLease.objects.values_list("gpu_id", flat=True))) == 1
    assert sorted(piece for job in quarters for piece in held(job)) == [
        (start, start + 250, MEMORY // 4) for start in (0, 250, 500, 750)
    ]
    assert world.submit().pk
    assert run_cycle().started == 1, "the other GPU is whole"


def test_a_share_fits_in_gaps_that_lie_apart(world: World, node: Node) -> None:
    eighths = [world.submit(gpu_milli=125) for _ in range(8)]
    run_cycle()
    claims = {attempt.job_id: attempt for attempt in jobs.claim(node=node, boot_id=node.boot_id)}
    for at in (1, 4):
        jobs.started(attempt=claims[eighths[at].pk], fence=claims[eighths[at].pk].fence)
        settle(claims[eighths[at].pk], run_s=1.0)
    quarter = world.submit(gpu_milli=250)
    assert run_cycle().started == 1
    assert held(quarter) == [(125, 250, MEMORY // 4), (500, 625, 0)]
    (order,) = [one for one in Agent(node, world.tokens[node.name]).claim() if one["job_id"] == quarter.pk]
    assert [gpu["index"] for gpu in order["gpus"]] == [0]


def test_memory_keeps_shares_apart_and_whole_gpus_too(world: World, node: Node) -> None:
    hungry, other = (world.submit(gpu_milli=250, gpu_memory_mib=50_000) for _ in range(2))
    modest = world.submit(gpu_milli=250, wall_s=60)  # over before anybody hopes for its room
    run_cycle()
    assert (held(hungry), held(other), held(modest)) == ([(0, 250, 50_000)], [], [(250, 500, 20_480)])
    other.refresh_from_db()
    assert other.wait_reason in ("resources", "behind_others")
    small = world.node(gpus=1, gpu_type="nvidia-a100")
    Gpu.objects.filter(node=small).update(memory_mib=40_960)
    wide = world.submit(gpu_memory_mib=60_000)
    assert run_cycle().started == 0, "the free GPU has too little memory for either"
    assert wide.pk


def test_a_share_waits_by_name_where_its_node_gives_none_any_more(world: World, node: Node) -> None:
    job = world.submit(gpu_milli=500)
    Node.objects.update(shares_gpus=False)
    run_cycle()
    job.refresh_from_db()
    assert (job.wait_reason, job.wait_facts["gpu_milli"]) == ("not_shared", 500)
    assert assign(job, node) is None, "nor does the service give it, whatever the plan says"
    jobs.hello(node=node, said=hello_of(gpus=1, shares_gpus=True))
    assert run_cycle().started == 1


def test_the_node_is_told_the_share_each_time_it_asks(world: World, node: Node) -> None:
    job = world.submit(gpu_milli=125)
    run_cycle()
    agent = Agent(node, world.tokens[node.name])
    (order,), (again,) = agent.claim(), agent.claim()
    assert order == again
    assert (order["gpu_milli"], order["gpu_memory_mib"], order["gpu_count"]) == (125, 10_240, 1)
    assert {name: value for name, value in order["env"].items() if "GPU" in name} == {
        "CAMPUS_GPUS": "1",
        "CAMPUS_GPU_MILLI": "125",
        "CAMPUS_GPU_MEMORY_MIB": "10240",
    }
    assert job.pk == order["job_id"]


def test_a_lost_share_is_refunded_what_it_ran_and_runs_again(world: World, node: Node) -> None:
    job = world.submit(gpu_milli=250)
    attempt = running(job, node)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=attempt.assigned_at)
    lose_attempt(attempt_id=attempt.pk, cause="test")
    attempt.refresh_from_db()
    assert held(job) == []
    assert attempt.lost_s <= 2  # a quarter of the seconds since it was given
    assert entries(job)[-1] == (2, "HOLD", 150)
    assert quota.rebuild() == []


def test_a_preempted_share_is_charged_and_refunded_its_part(world: World, node: Node) -> None:
    job, neighbour = (world.submit(gpu_milli=500, is_preemptible=True) for _ in range(2))
    attempt, other = running(job, node), running(neighbour, node)
    with transaction.atomic():
        jobs.preempt_attempts([jobs.Preemption(job.pk, "for_class")])
    settle(attempt, reason="PREEMPTED", exit_code=None, run_s=100.0)
    job.refresh_from_db()
    assert (job.state, job.charged_s, held(job)) == ("QUEUED", 0, [])
    assert entries(job)[1:] == [(1, "CHARGE", 50), (1, "RELEASE", 250), (1, "REFUND", 50), (2, "HOLD", 300)]
    assert held(neighbour) == [(500, 1000, MEMORY // 2)]
    settle(other, run_s=10.0)
    assert quota.rebuild() == []


def test_all_shares_of_a_gpu_are_asked_to_make_room_for_a_whole_job(world: World, node: Node) -> None:
    halves = [world.submit(gpu_milli=500, is_preemptible=True, wall_s=6_000) for _ in range(2)]
    attempts = [running(job, node) for job in halves]
    Attempt.objects.update(started_at=timezone.now() - timedelta(minutes=20))
    whole = world.submit()
    assert run_cycle().preempted == 2
    whole.refresh_from_db()
    assert whole.wait_reason == "preempting"
    assert set(Attempt.objects.values_list("preempt_for_job_id", flat=True)) == {whole.pk}
    settle(attempts[0], reason="PREEMPTED", exit_code=None, run_s=1_200.0)
    assert run_cycle().started == 0, "the other half still saves its work, and nobody takes the free half meanwhile"
    settle(attempts[1], reason="PREEMPTED", exit_code=None, run_s=1_201.0)
    run_cycle()
    assert held(whole) == [(0, 1000, 0)]
    assert [job.charged_s for job in Job.objects.filter(pk__in=[job.pk for job in halves])] == [0, 0]
    assert quota.rebuild() == []


@contextmanager
def trigger_off() -> Iterator[None]:
    """Let leases be written that nobody sums up."""
    (trigger,) = GpuLease._meta.triggers  # type: ignore[attr-defined]
    try:
        trigger.disable(GpuLease)
        yield
    finally:
        trigger.enable(GpuLease)


# ---- nobody gets more than there is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "end"), [(0, 1000), (400, 600), (499, 501), (0, 500), (999, 1001), (500, 500)])
def test_the_database_refuses_pieces_that_overlap_or_lie_outside(
    world: World, node: Node, start: int, end: int
) -> None:
    attempt = running(world.submit(gpu_milli=500), node)
    gpu = node.gpus.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        lease(gpu, attempt, start, end)
    assert lease(gpu, attempt, 500, 1000).delete()


def test_the_database_refuses_more_memory_than_the_gpu_has(world: World, node: Node) -> None:
    attempt = running(world.submit(gpu_milli=500), node)
    with pytest.raises(IntegrityError), transaction.atomic():
        lease(node.gpus.get(), attempt, 500, 1000, MEMORY // 2 + 1)
    assert lease(node.gpus.get(), attempt, 500, 1000, MEMORY // 2).delete()


def test_a_plan_that_is_out_of_date_starts_nothing(world: World, node: Node) -> None:
    first, second, third = (world.submit(gpu_milli=625) for _ in range(3))
    assert assign(first, node) is not None
    assert assign(second, node) is None
    assert assign(world.submit(), node) is None
    gpu = node.gpus.get()
    both = [jobs.Placement(job.pk, node.pk, [gpu.pk], gpu_milli=625) for job in (second, third)]
    assert jobs.start_attempts(both) == []
    assert set(Job.objects.filter(pk__in=[second.pk, third.pk]).values_list("state", flat=True)) == {"QUEUED"}
    assert jobs.start_attempts([jobs.Placement(second.pk, node.pk, [gpu.pk], gpu_milli=125)]) == [], "not what it asked"


@pytest.mark.django_db(transaction=True)
def test_twelve_who_want_the_same_gpu_at_once_get_no_more_than_there_is(world: World, node: Node) -> None:
    wanted = [world.submit(gpu_milli=125, gpu_memory_mib=20_000) for _ in range(12)]
    answers = rush(*[lambda job=job: assign(job, node) for job in wanted])
    assert errors_of(answers) == []
    assert sum(answer is not None for answer in answers) == 4  # of eight eighths, four times 20,000 MiB fit


@pytest.mark.django_db(transaction=True)
def test_control_without_the_lock_two_sums_miss_each_other_and_only_the_database_stands_in_the_way(
    world: World, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Barrier(2)

    def unlocked(gpu_ids: Any) -> dict[int, list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM jobs_gpulease WHERE gpu_id = ANY(%s)", [list(gpu_ids)])
            assert cursor.fetchone() == (0,)
        gate.wait(PATIENCE_S)  # both have looked, and both found the GPU free
        return {gpu_id: [] for gpu_id in gpu_ids}

    monkeypatch.setattr(leasing, "_held_of", unlocked)
    wanted = [world.submit(gpu_milli=125) for _ in range(2)]
    answers = rush(*[lambda job=job: assign(job, node) for job in wanted])
    # The loser is told no; or, where both inserted before either looked, it is the one whom a deadlock ends.
    assert sum(answer is None or isinstance(answer, DatabaseError) for answer in answers) == 1
    assert GpuLease.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_trigger_the_same_two_would_have_had_too_much_memory(world: World, node: Node) -> None:
    attempts = [claimed(world.submit(gpu_milli=125), node) for _ in range(2)]
    GpuLease.objects.all().delete()
    gpu, gate = node.gpus.get(), threading.Barrier(2)

    def give(attempt: Attempt, start: int) -> None:
        with transaction.atomic():
            gate.wait(PATIENCE_S)
            lease(gpu, attempt, start, start + 125, 60_000)

    def both() -> list[Any]:
        return rush(*[lambda one=one, at=at: give(one, at * 125) for at, one in enumerate(attempts)])

    assert len(errors_of(both())) == 1
    GpuLease.objects.all().delete()
    with trigger_off():
        assert errors_of(both()) == []
    assert sum(GpuLease.objects.values_list("memory_mib", flat=True)) > MEMORY
    GpuLease.objects.all().delete()
    for at, attempt in enumerate(attempts):  # put right what the control left, for the invariants
        lease(gpu, attempt, at * 125, (at + 1) * 125, 10_240)
