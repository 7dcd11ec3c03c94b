"""One simulator for all policies: arrivals and ends as events, decisions at a fixed interval, nothing known before."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from labs.scheduling.replay.cluster import Cluster, Parts, Run
from labs.scheduling.replay.traces import Trace, TraceJob


class Scheduler(Protocol):
    """A policy. It is told what is submitted and what has ended, and may look at the cluster."""

    def submitted(self, job: TraceJob) -> None:
        """A job joins the queue. Reading its ``run_s`` would be cheating; tests look that none does."""

    def ended(self, run: Run, at: float) -> None:
        """A run ended at that time; it lasted ``at - run.started_s`` seconds."""

    def decide(self, now: float) -> Iterable[tuple[TraceJob, Parts]]:
        """What starts now. Each is taken before the next is asked for, so the cluster is always up to date."""


@dataclass(slots=True)
class Replayed:
    """What became of each job (by its number), and what the policy cost."""

    trace: Trace
    policy: str
    started_s: dict[int, float] = field(default_factory=dict)
    passes: int = 0
    #: Seconds of processor time that decisions took.
    decide_s: float = 0.0
    #: GPU-seconds used, up to the last arrival: after it a queue only drains.
    used_gpu_s: float = 0.0
    window_s: float = 0.0
    longest_queue: int = 0


def replay(trace: Trace, cluster: Cluster, scheduler: Scheduler, *, policy: str, interval_s: float) -> Replayed:
    """Replay a trace to the end. All times are multiples of the interval, but for ends, which are as they were.

    Raises ValueError for a decision that no pool could follow, and for a job that never started.
    """
    done = Replayed(trace, policy)
    ends: list[tuple[float, int]] = []
    coming = 0
    jobs, waiting = trace.jobs, 0
    begin, last = jobs[0].submit_s, jobs[-1].submit_s
    while coming < len(jobs) or ends:
        due = [jobs[coming].submit_s] if coming < len(jobs) else []
        due += [ends[0][0]] if ends else []
        now = math.ceil(min(due) / interval_s) * interval_s
        while ends and ends[0][0] <= now:
            at, number = heapq.heappop(ends)
            run = cluster.give_back(number)
            scheduler.ended(run, at)
            done.used_gpu_s += run.job.width * max(0.0, min(at, last) - max(run.started_s, begin))
        while coming < len(jobs) and jobs[coming].submit_s <= now:
            scheduler.submitted(jobs[coming])
            coming, waiting = coming + 1, waiting + 1
        done.longest_queue = max(done.longest_queue, waiting)
        if not waiting:
            continue
        began = time.process_time()
        for job, parts in scheduler.decide(now):
            if job.number in done.started_s:
                raise ValueError(f"Job {job.number} was started twice.")
            cluster.take(job, parts, now)
            done.started_s[job.number] = now
            heapq.heappush(ends, (now + job.run_s, job.number))
            waiting -= 1
        done.decide_s += time.process_time() - began
        done.passes += 1
    if waiting:
        raise ValueError(f"{policy} never started {waiting} of {len(jobs)} jobs.")
    done.window_s = last - begin
    return done
