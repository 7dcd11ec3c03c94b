"""Jobs from a submission to the ledger with real agents and the real sandbox: on an idle pool, and 500 at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connections
from django.urls import Resolver404, resolve

from infra.pool.models import Gpu, Node
from labs.jobs.models import Job, JobEvent

from . import labs
from .bench import Bench
from .crowd import all_at_once
from .figures import Aim, Figure, count, missing, rates, times, window_rates
from .http import Browser
from .services import Campus, wait_until

TOPIC = "jobs"
START_AIM = Aim(100.0)
ALONE, CROWD, LEARNERS = 50, 500, 25
NODES = 2
QUIET_S = 0.3
WINDOW = 25
_CROWD_S = 150.0
_API = "/api/v1/jobs/"
#: What the demo gives its nodes on a machine without GPUs.
NODE_SETTINGS = {"CAMPUS_NODE_SLOTS": "2", "CAMPUS_NODE_CPUS": "1", "CAMPUS_NODE_MEMORY_MIB": "2048"}


@dataclass(frozen=True)
class Sent:
    """A job, when its submission was sent and when the answer was there (seconds since 1970)."""

    job_id: int
    sent_at: float
    answered_at: float


def run(bench: Bench) -> list[Figure]:
    """Web, worker, beat and two agents, as the demo starts them."""
    with (
        _node_settings(),
        bench.stand.database("bench_jobs") as database,
        bench.stand.campus(database) as campus,
    ):
        campus.start_web()
        campus.start_worker()
        places = labs.open_labs(LEARNERS)
        for one in labs.register(NODES, prefix="bench"):
            campus.start_agent(one.node.name, one.token)
        wait_until(_nodes_are_up, what="the nodes' hello")
        pool = _pool_words()
        _one_by_one(bench, campus, places[0], bench.choose(ALONE, 3), pool)
        _all_at_once(bench, places, bench.choose(CROWD, 6), pool)
    return bench.take_partial()


@contextmanager
def _node_settings() -> Iterator[None]:
    # What the caller says of its nodes counts more.
    ours = {name: value for name, value in NODE_SETTINGS.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


def _nodes_are_up() -> bool:
    return Node.objects.filter(state=Node.State.UP).count() == NODES


def _pool_words() -> str:
    kinds = sorted(set(Gpu.objects.values_list("kind", flat=True)))
    confinement = sorted(set(Node.objects.values_list("confinement", flat=True)))
    return f"{NODES} nodes, {Gpu.objects.count()} × {'/'.join(kinds)}, {'/'.join(confinement)}"


def _one_by_one(bench: Bench, campus: Campus, place: labs.Place, number: int, pool: str) -> None:
    """Each job is sent when the one before is over and everything is quiet again."""
    send, how = _sender(campus, place)
    over = []
    for turn in range(number + 1):
        sent = send()
        try:
            wait_until(lambda sent=sent: _is_over(sent.job_id), what=f"the end of job {sent.job_id}", every_s=0.005)
        except TimeoutError as error:
            bench.keep(missing(TOPIC, "submit to start, idle pool", "ms", _why(error, campus), aim=START_AIM))
            return
        # The first one warms everything up: caches, imports, the sandbox's own files.
        if turn:
            over.append(sent)
        time.sleep(QUIET_S)
    at = labs.moments([sent.job_id for sent in over])
    sent_at = {sent.job_id: sent.sent_at for sent in over}
    for name, kind, aim in (
        ("submit to start, idle pool", JobEvent.Kind.STARTED, START_AIM),
        ("submit to settled, empty job", JobEvent.Kind.ENDED, None),
    ):
        took = [(found[kind] - sent_at[job_id]) * 1e3 for job_id, found in at.items() if kind in found]
        bench.keep(times(TOPIC, name, took, aim=aim, note=f"{how}; {pool}; {labs.states()}"))
    bench.keep(times(TOPIC, "the submission's answer", [(sent.answered_at - sent.sent_at) * 1e3 for sent in over]))
    _keep_steps(bench, at, "idle pool")


def _keep_steps(bench: Bench, at: dict[int, dict[str, float]], where: str) -> None:
    for step, first, second in labs.STEPS:
        took = [(found[second] - found[first]) * 1e3 for found in at.values() if first in found and second in found]
        bench.keep(times(TOPIC, f"{where}: {step}", took))


def _sender(campus: Campus, place: labs.Place):
    """How a job is sent: by REST where that is served, else through the service in this process."""
    try:
        resolve(_API)
    except Resolver404:
        return (lambda: _by_service(place)), "submitted through the service (no REST submission yet)"
    from knox.models import AuthToken

    _kept, token = AuthToken.objects.create(place.user)
    browser = Browser(campus.port, {"Authorization": f"Token {token}", "Accept": "application/json"})
    return (lambda: _by_rest(browser)), "submitted by REST"


def _by_service(place: labs.Place) -> Sent:
    sent_at = time.time()
    job = labs.submit(place)
    return Sent(job.pk, sent_at, time.time())


def _by_rest(browser: Browser) -> Sent:
    said = {"title": "empty", "files": {"main.py": "pass\n"}, "entrypoint": "main.py", "gpus": 1, "wall_s": labs.WALL_S}
    sent_at = time.time()
    answer = browser.post_json(_API, said)
    if answer.status != 201:
        raise RuntimeError(f"{_API} answered {answer.status}: {answer.body[:300]!r}")
    return Sent(answer.said["id"], sent_at, time.time())


def _is_over(job_id: int) -> bool:
    return Job.objects.filter(pk=job_id).exclude(state__in=Job.OPEN_STATES).exists()


def _all_at_once(bench: Bench, places: list[labs.Place], number: int, pool: str) -> None:
    """So many jobs in the queue at once; what is not over in time is told, not waited for."""
    before = labs.ended_count()
    last = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    begun = time.perf_counter()
    all_at_once(labs.spread(places, number), labs.submit_timed, threads=4, done=connections.close_all)
    try:
        wait_until(lambda: labs.ended_count() - before == number, within_s=_CROWD_S, every_s=0.2, what="the last job")
    except TimeoutError:
        bench.say(f"after {_CROWD_S:.0f} s: {labs.states()}")
    took_s = time.perf_counter() - begun
    at = labs.moments(Job.objects.filter(pk__gt=last).values_list("pk", flat=True))
    ends = [found[JobEvent.Kind.ENDED] for found in at.values() if JobEvent.Kind.ENDED in found]
    size = min(WINDOW, max(2, number // 4))
    bench.keep(
        rates(
            TOPIC, f"settled: {number} empty jobs at once, real sandbox", window_rates(ends, size), unit="jobs/s",
            overall=len(ends) / took_s,
            note=f"{len(ends)} in {took_s:.0f} s; value: all; others: each {size} in turn; {pool}; {labs.states()}",
        ),
        count(TOPIC, f"settled of {number}", len(ends), unit="jobs", aim=Aim(number, of="value", at_least=True)),
    )  # fmt: skip
    _keep_steps(bench, at, f"{number} at once")


def _why(error: TimeoutError, campus: Campus) -> str:
    logs = "; ".join(f"{name}: {campus.log_of(name)[-300:]}" for name in ("worker", "agent-bench-00"))
    nodes = list(Node.objects.values_list("name", "state", "confinement", "confinement_detail"))
    return f"{error}: {labs.states()}; nodes {nodes}; {logs}"
