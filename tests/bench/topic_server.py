"""What the server alone carries: submissions, and jobs claimed, started and settled over the node API, no sandbox."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from infra.pool.models import Gpu, Node
from labs.jobs import api as jobs
from labs.jobs.models import Job

from . import labs
from .bench import Bench
from .crowd import all_at_once
from .fake_nodes import FakeNode, Tally
from .figures import Figure, count, missing, rates, times, window_rates
from .services import Campus, wait_until

TOPIC = "server"
JOBS, LEARNERS = 500, 25
CONNECTIONS = 4
NODES, GPUS = 64, 8
FEW_NODES = 8
WINDOW = 25
_PATIENCE_S = 240.0


def run(bench: Bench) -> list[Figure]:
    """First the node API with everything assigned beforehand, then the whole way with the scheduler in it."""
    number = bench.choose(JOBS, 12)
    with bench.stand.database("bench_server") as database, bench.stand.campus(database) as campus:
        campus.start_web()
        places = labs.open_labs(LEARNERS)
        _node_api(bench, campus, places, number)
        # These nodes have gone; the scheduler is not to wait until it notices.
        Node.objects.update(state=Node.State.DOWN)
        campus.start_worker()
        _whole_way(bench, campus, places, number)
    return bench.take_partial()


def _node_api(bench: Bench, campus: Campus, places: list[labs.Place], number: int) -> None:
    """Submit and assign all jobs, then let clients settle them over a few connections."""
    registered = labs.register(-(-number // GPUS), prefix="many")
    tally = Tally()
    nodes = [FakeNode(one, campus.port, GPUS, tally) for one in registered]
    wished = labs.spread(places, number)
    took, took_s = all_at_once(wished, labs.submit_timed, threads=CONNECTIONS, done=connections.close_all)
    how = f"{CONNECTIONS} connections"
    bench.keep(
        times(TOPIC, f"submit, service, {how}", took),
        count(TOPIC, f"submit, service, {how}: rate", number / took_s, unit="jobs/s"),
    )
    gpus = Gpu.objects.order_by("node_id", "index").values_list("pk", "node_id")
    waiting = Job.objects.filter(state=Job.State.QUEUED).order_by("pk").values_list("pk", flat=True)
    placements = [jobs.Placement(job, node, [gpu]) for job, (gpu, node) in zip(waiting, gpus, strict=False)]
    begun = time.perf_counter()
    begun_count = len(jobs.start_attempts(placements))
    bench.keep(
        count(TOPIC, f"assign {begun_count} jobs in one transaction", (time.perf_counter() - begun) * 1e3, unit="ms")
    )
    _settled, took_s = all_at_once(nodes, FakeNode.work_off, threads=CONNECTIONS)
    for node in nodes:
        node.close()
    bench.keep(*_settle_figures(tally, f"node API only, no sandbox, {how}", took_s, number))
    bench.keep(*(times(TOPIC, f"node API call: {call}", samples) for call, samples in tally.took.items()))


def _whole_way(bench: Bench, campus: Campus, places: list[labs.Place], number: int) -> None:
    """Submit everything at once; the scheduler's cycles give it to nodes that wait for their nudges."""
    tally, is_over = Tally(), threading.Event()
    nodes = [FakeNode(one, campus.port, GPUS, tally) for one in labs.register(FEW_NODES, prefix="few")]
    name = f"whole way, no sandbox, {FEW_NODES} nodes of {GPUS} GPUs"
    with ThreadPoolExecutor(len(nodes)) as pool:
        serving = [pool.submit(node.serve, campus.redis_url, is_over) for node in nodes]
        try:
            # The first job waits for the worker to be up; what follows finds everything warm.
            over = labs.ended_count()
            first = labs.submit(places[0])
            wait_until(
                lambda: labs.ended_count() > over or any(one.done() for one in serving), what="the end of the first job"
            )
            over = labs.ended_count()
            tally.settled_at.clear()
            begun = time.perf_counter()
            wished = labs.spread(places, number)
            all_at_once(wished, labs.submit_timed, threads=CONNECTIONS, done=connections.close_all)
            wait_until(
                lambda: labs.ended_count() - over == number or any(one.done() for one in serving),
                within_s=_PATIENCE_S,
                what=f"the end of {number} jobs",
            )
            took_s = time.perf_counter() - begun
        except TimeoutError as error:
            why = f"{error}: {labs.states()}; worker: {campus.log_of('worker')[-200:]}"
            bench.keep(missing(TOPIC, name, "jobs/s", why))
            return
        finally:
            is_over.set()
    for one in serving:
        one.result()
    for node in nodes:
        node.close()
    bench.keep(*_settle_figures(tally, name, took_s, number))
    found = labs.moments(Job.objects.filter(pk__gt=first.pk).values_list("pk", flat=True))
    for step, first, second in labs.STEPS[:2]:
        waits = [(at[second] - at[first]) * 1e3 for at in found.values() if first in at and second in at]
        bench.keep(times(TOPIC, f"whole way: {step}", waits))


def _settle_figures(tally: Tally, name: str, took_s: float, number: int) -> list[Figure]:
    size = min(WINDOW, max(2, number // 4))
    windows = window_rates(tally.settled_at, size)
    note = f"{len(tally.settled_at)} jobs in {took_s:.1f} s; value: all of them; median, p99: each {size} in turn"
    settled = len(tally.settled_at)
    return [rates(TOPIC, f"settled: {name}", windows, unit="jobs/s", overall=settled / took_s, note=note)]
