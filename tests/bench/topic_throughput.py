"""Jobs through real holds, plans and settles, in the shape of Kueue's baseline. No HTTP and no sandbox.

The shape is that of Kueue's scheduler performance test (test/performance/scheduler/configs/baseline): 5 cohorts of 6
queues with a nominal quota of 20 each and up to 100 more borrowed; a queue is given 350 small jobs (1 unit, 0.2 s),
100 medium (5 units, 0.5 s) and 50 large ones (20 units, 1 s). A unit is a GPU here, a queue an account, its quota a
node. Everything goes through the services that production calls, in processes of their own, on durable PostgreSQL.
"""

from __future__ import annotations

import heapq
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

from django.db import connections, transaction
from django.test import override_settings

from campus.people.models import Scope
from infra.pool.api import GpuReport, Hello
from infra.pool.models import Node
from labs.jobs import api as jobs
from labs.jobs.domain.endings import Report
from labs.jobs.models import Attempt, Job, JobEvent
from labs.quota import api as quota
from labs.quota.models import Account
from labs.scheduling.services import Done, run_cycle

from . import labs, world
from .bench import Bench
from .figures import Aim, Figure, missing, rates, times, window_rates

TOPIC = "throughput"
AIM = Aim(60.0, of="value", at_least=True)
COHORTS, QUEUES, UNITS, BORROWED = 5, 6, 20, 100
BOOT = "bench"
SUBMITTERS, NODE_KEEPERS = 2, 2
WINDOW = 500
_PAUSE_S = 0.005
_BEAT_S = 2.0
_PATIENCE_S = 540.0


@dataclass(frozen=True)
class Shape:
    """Jobs of one size: how many a queue gets, how far apart they are created (ms), GPUs, and how long they run."""

    count: int
    every_ms: int
    gpus: int
    run_s: float


SHAPES = (Shape(350, 100, 1, 0.2), Shape(100, 500, 5, 0.5), Shape(50, 1200, 20, 1.0))
RUN_S = {shape.gpus: shape.run_s for shape in SHAPES}


def run(bench: Bench) -> list[Figure]:
    """Submit as fast as it goes, in the order in which Kueue's test creates them, and wait for the last end."""
    share = bench.choose(1, 350)  # of each count, one in so many
    with bench.stand.database("bench_throughput"), _settings():
        places = _open_queues()
        nodes = _open_nodes(len(places))
        wanted = sum(max(1, shape.count // share) for shape in SHAPES) * len(places)
        connections.close_all()
        connections["default"].close_pool()  # its threads would not live through the forks
        workers = [
            *(_fork(_submit_all, places[n::SUBMITTERS], share) for n in range(SUBMITTERS)),
            _fork(_plan_on),
            *(_fork(_serve, nodes[n::NODE_KEEPERS]) for n in range(NODE_KEEPERS)),
        ]
        try:
            problem = _wait_for(wanted, workers)
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()
        bench.keep(*_figures(wanted, problem))
    return bench.take_partial()


@contextmanager
def _settings() -> Iterator[None]:
    widest = {"LABS_MAX_GPUS": UNITS, "LABS_MAX_OPEN_JOBS": 1000, "LABS_MAX_RUNNING_GPUS_PER_LEARNER": None}
    with override_settings(**widest):
        yield


def _fork(work: Callable[..., None], *given: Any) -> BaseProcess:
    worker = multiprocessing.get_context("fork").Process(target=work, args=given, daemon=True)
    worker.start()
    return worker


@transaction.atomic
def _open_queues() -> list[labs.Place]:
    """A learner with an account of his own below each queue, below its cohort."""
    campuses = world.open_campuses(allocated_s=10**12)
    owners = world.people(COHORTS * QUEUES, "queue")
    places = []
    for n in range(COHORTS):
        most = QUEUES * UNITS
        scope = campuses[n % len(campuses)].scope
        above = Account.objects.get(kind=Account.Kind.CAMPUS, scope=scope)
        cohort = _account(Account.Kind.PROGRAMME, f"cohort {n}", above, scope, most, 10**9)
        for owner in owners[n * QUEUES : (n + 1) * QUEUES]:
            queue = _account(Account.Kind.COHORT, f"queue of {owner}", cohort, scope, UNITS + BORROWED, 10**8)
            own = _account(Account.Kind.LEARNER, str(owner), queue, scope, None, 10**8, owner=owner)
            places.append(labs.Place(owner, own))
    return places


def _account(
    kind: str, name: str, parent: Account, scope: Scope, most: int | None, allocated_s: int, **fields: Any
) -> Account:
    made = quota.open_account(kind=kind, name=name, parent=parent, scope=scope, allocated_s=allocated_s, **fields)
    Account.objects.filter(pk=made.pk).update(max_running_gpus=most)
    return made


def _open_nodes(count: int) -> list[Node]:
    registered = labs.register(count, prefix="node")
    said = _hello()
    for one in registered:
        jobs.hello(node=one.node, said=said)
    return [one.node for one in registered]


def _hello() -> Hello:
    said = labs.hello_of(UNITS)
    gpus = [GpuReport(**gpu) for gpu in said.pop("gpus")]
    return Hello(**said, confinement_detail="", gpus=gpus)


def _submit_all(places: Sequence[labs.Place], share: int) -> None:
    """Submit each queue's jobs, all queues in step, in the order in which they would be created."""
    created = sorted((k * shape.every_ms, shape.gpus) for shape in SHAPES for k in range(max(1, shape.count // share)))
    for _at, gpus in created:
        for place in places:
            jobs.submit(
                owner=place.user, account_id=place.account.pk, title="empty", environment_id=None, files=labs.MAIN,
                entrypoint="main.py", gpus=gpus, gpu_type="", wall_s=labs.WALL_S,
            )  # fmt: skip


def _plan_on() -> None:
    while True:
        if run_cycle(only_if_asked=True).done is not Done.RAN:
            time.sleep(_PAUSE_S)


def _serve(nodes: Sequence[Node]) -> None:
    """Be the agents of these nodes: claim, start, settle when the run is over, and beat."""
    running: list[tuple[float, int, Attempt]] = []
    beaten = 0.0
    while True:
        if time.monotonic() - beaten > _BEAT_S:
            beaten = time.monotonic()
            _beat(nodes, [attempt for _until, _pk, attempt in running])
        given = set(
            Attempt.objects.filter(state=Attempt.State.ASSIGNED, node__in=nodes).values_list("node_id", flat=True)
        )
        for node in (node for node in nodes if node.pk in given):
            claimed = jobs.claim(node=node, boot_id=BOOT)
            jobs.gpus_of(claimed), jobs.data_sets_of(claimed)  # what the node API tells the node
            for attempt in claimed:
                jobs.started(attempt=attempt, fence=attempt.fence)
                heapq.heappush(running, (time.monotonic() + RUN_S[attempt.job.gpus], attempt.pk, attempt))
        is_idle = not given
        while running and running[0][0] <= time.monotonic():
            _until, _pk, attempt = heapq.heappop(running)
            _settle(attempt)
            is_idle = False
        if is_idle:
            time.sleep(_PAUSE_S)


def _settle(attempt: Attempt) -> None:
    ended = jobs.Ended(reason=Report.EXITED, exit_code=0, run_s=RUN_S[attempt.job.gpus])
    jobs.settle(attempt=attempt, fence=attempt.fence, ended=ended)


def _beat(nodes: Sequence[Node], running: Sequence[Attempt]) -> None:
    for node in nodes:
        held = [(attempt.pk, attempt.fence) for attempt in running if attempt.node_id == node.pk]
        jobs.heartbeat(node=node, boot_id=BOOT, attempts=held)


def _wait_for(wanted: int, workers: Sequence[BaseProcess]) -> str:
    """Wait until all jobs are over; why they are not, or nothing."""
    until = time.monotonic() + _PATIENCE_S
    while labs.ended_count() < wanted:
        broken = [worker for worker in workers if worker.exitcode not in (None, 0)]
        if broken or time.monotonic() > until:
            why = "a process of the bench broke" if broken else f"not over after {_PATIENCE_S:.0f} s"
            return f"{why}: {labs.states()}"
        time.sleep(0.2)
    return ""


def _figures(wanted: int, problem: str) -> list[Figure]:
    name = f"settled: {wanted:,} jobs in the shape of Kueue's baseline, services only"
    if problem:
        return [missing(TOPIC, name, "jobs/s", problem, aim=AIM)]
    found = labs.moments(Job.objects.values_list("pk", flat=True))
    submitted = sorted(at[JobEvent.Kind.SUBMITTED] for at in found.values())
    ended = sorted(at[JobEvent.Kind.ENDED] for at in found.values())
    took_s = ended[-1] - submitted[0]
    windows = window_rates(ended, min(WINDOW, max(2, wanted // 4)))
    note = (
        f"{labs.states()}; first submission to last end {took_s:.1f} s, "
        f"to the last submission {submitted[-1] - submitted[0]:.1f} s"
    )
    waits = [(at[JobEvent.Kind.ASSIGNED] - at[JobEvent.Kind.SUBMITTED]) * 1e3 for at in found.values()]
    return [
        rates(TOPIC, name, windows, unit="jobs/s", overall=wanted / took_s, aim=AIM, note=note),
        times(TOPIC, "Kueue's baseline: submit to assigned", waits),
    ]
