"""How long one pass of the planner takes, and how much memory, at the sizes that the sources ask for.

``run()`` gives the figures as a dict; ``python -m tests.bench.planner`` prints them as JSON.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import sys
import time
import tracemalloc
from dataclasses import replace

from labs.scheduling.domain.planner import plan, plan_standing
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import (
    AccountState,
    Id,
    NodeState,
    PendingJob,
    RunningJob,
    SiteState,
    Snapshot,
)
from labs.scheduling.domain.standing import Delta, Standing

NOW = 1_760_000_000.0
GPUS = 8
SIZES = (("64_nodes", 64, 10_000), ("10000_nodes", 10_000, 10_000), ("10000_nodes", 10_000, 100_000))
#: Of the passes at the largest size, which take a second each.
FEW = 5
#: The shape of Philly's jobs: most ask for one GPU, few for a whole node.
WIDTHS, WIDTH_WEIGHTS = (1, 2, 4, 8), (80, 9, 6, 5)


def accounts(rng: random.Random, learners: int, cap: int) -> tuple[AccountState, ...]:
    """Platform, two campuses, six cohorts each, and the learners below; two of the cohorts have caps."""
    made = [
        AccountState("platform", None),
        AccountState("yongin", "platform", 2.0),
        AccountState("jeonbuk", "platform"),
    ]
    for number in range(12):
        campus = "yongin" if number < 6 else "jeonbuk"
        made.append(AccountState(f"cohort-{number}", campus, max_running_gpus=cap if number in (0, 6) else None))
    for number in range(learners):
        use = rng.expovariate(1 / 40_000)
        made.append(AccountState(f"learner-{number}", f"cohort-{number % 12}", decayed_use_gpu_s=use))
    return tuple(made)


def snapshot(node_count: int, pending_count: int, busy: float, seed: int = 7) -> Snapshot:
    """A pool of nodes of 8 GPUs, a share ``busy`` of them taken by runs of all widths, and a queue."""
    rng = random.Random(seed)
    learners = max(600, node_count)
    nodes, running = [], []
    for number in range(node_count):
        site = "yongin" if number % 2 else "jeonbuk"
        free = list(range(GPUS))
        while free and rng.random() < busy:
            width = min(len(free), rng.choices(WIDTHS, WIDTH_WEIGHTS)[0])
            taken, free = tuple(free[:width]), free[width:]
            running.append(_run(rng, learners, len(running), f"node-{number}", taken))
        nodes.append(
            NodeState(
                id=f"node-{number}",
                site_id=site,
                name=f"{site}-{number:05}",
                gpu_type="H100" if number % 4 == 0 else "A100",
                gpu_memory_mib=81_920 if number % 4 == 0 else 40_960,
                gpus_total=GPUS,
                free_gpus=tuple(free),
                environments=frozenset({"torch"} if number % 3 else {"torch", "jax"}),
                watts_per_gpu=100.0,
            )
        )
    return Snapshot(
        sites=(SiteState("yongin"), SiteState("jeonbuk")),
        nodes=tuple(nodes),
        accounts=accounts(rng, learners, cap=node_count * GPUS // 12),
        running=tuple(running),
        pending=tuple(_job(rng, learners, number) for number in range(pending_count)),
    )


def _run(rng: random.Random, learners: int, number: int, node_id: Id, taken: tuple[int, ...]) -> RunningJob:
    learner, wall_s = rng.randrange(learners), rng.choice((3_600.0, 14_400.0, 86_400.0))
    return RunningJob(
        job_id=f"run-{number}",
        owner_id=learner,
        account_id=f"learner-{learner}",
        node_id=node_id,
        gpu_indices=taken,
        started_at=NOW - rng.random() * wall_s,
        wall_s=wall_s,
        predicted_p50_s=wall_s * 0.3,
        predicted_p90_s=wall_s * 0.7,
    )


def _job(rng: random.Random, learners: int, number: int) -> PendingJob:
    learner, wall_s = rng.randrange(learners), rng.choice((3_600.0, 14_400.0, 86_400.0))
    p50_s = wall_s * rng.uniform(0.05, 0.6)
    return PendingJob(
        id=f"job-{number}",
        owner_id=learner,
        account_id=f"learner-{learner}",
        submitted_at=NOW - rng.random() * 86_400.0,
        gpus=rng.choices(WIDTHS, WIDTH_WEIGHTS)[0],
        wall_s=wall_s,
        gpu_type=rng.choice((None, None, "A100", "H100")),
        preferred_site_id=rng.choice((None, "yongin", "jeonbuk")),
        deadline_at=NOW + rng.random() * 200_000 if rng.random() < 0.5 else None,
        predicted_p50_s=p50_s,
        predicted_p90_s=min(wall_s, p50_s * 1.8),
        environment=rng.choice(("torch", "jax", None)),
    )


def measure(state: Snapshot, policy: Policy, passes: int) -> dict[str, float]:
    """Median and P99 of a pass in milliseconds, with the words for every job made too, and memory in MiB."""
    times, listing = [], []
    for _ in range(passes):
        begun = time.perf_counter()
        made = plan(state, policy, NOW)
        times.append((time.perf_counter() - begun) * 1e3)
        begun = time.perf_counter()
        waits = list(made.waits.values())
        listing.append((time.perf_counter() - begun) * 1e3)
    tracemalloc.start()
    plan(state, policy, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "n": passes,
        "pass_ms_median": round(statistics.median(times), 1),
        "pass_ms_p99": round(sorted(times)[max(0, -(-len(times) * 99 // 100) - 1)], 1),
        "all_waits_ms_median": round(statistics.median(listing), 1),
        "started": len(made.starts),
        "waiting": len(waits),
        "walks": made.stats["walks"],
        "peak_mib": round(peak / 2**20, 1),
    }


def measure_steps(state: Snapshot, policy: Policy, steps: int) -> dict[str, float]:
    """Median and P99 of a step after a full pass, in milliseconds: one job comes and one run ends.

    Memory in MiB: what a standing plan keeps beside its snapshot, and what a step needs beyond it at its peak.
    """
    tracemalloc.start()
    standing = _settled(state, policy)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    rng = random.Random(11)
    learners, over = max(600, len(state.nodes)), rng.sample(state.running, steps + 1)
    deltas = [
        Delta((replace(_job(rng, learners, number), id=f"new-{number}", submitted_at=NOW + number),), (), (run.job_id,))
        for number, run in enumerate(over)
    ]
    standing.step(deltas[0])
    peak = tracemalloc.get_traced_memory()[1] - kept
    tracemalloc.stop()
    times, started = [], 0
    for delta in deltas[1:]:
        begun = time.perf_counter()
        starts = standing.step(delta)
        times.append((time.perf_counter() - begun) * 1e3)
        if starts is None:
            raise RuntimeError("a step of the bench asked for a full pass")
        started += len(starts)
    return {
        "n": steps,
        "step_ms_median": round(statistics.median(times), 1),
        "step_ms_p99": round(sorted(times)[max(0, -(-len(times) * 99 // 100) - 1)], 1),
        "started": started,
        "waiting": len(standing.waiting),
        "kept_mib": round(kept / 2**20, 1),
        "peak_mib": round(peak / 2**20, 1),
    }


def _settled(state: Snapshot, policy: Policy) -> Standing:
    """The standing plan of a pool on which nothing more can start."""
    made, standing = plan_standing(state, replace(policy, max_decisions=len(state.pending) + 1), NOW)
    if standing is None:
        raise RuntimeError(f"{len(made.starts)} starts leave nothing standing")
    return standing


def run(passes: int = 20) -> dict[str, dict[str, float]]:
    """Measure a busy pool (nearly all passes are like this) and an idle one (a rush) at each size."""
    policy = replace(Policy(), max_running_gpus_per_learner=32)
    figures = {}
    for name, nodes, pending in SIZES:
        is_largest = (nodes, pending) == SIZES[-1][1:]
        for load, busy in (("busy", 0.97), ("idle", 0.0)):
            state = snapshot(nodes, pending, busy)
            figures[f"{name}_{pending}_pending_{load}"] = measure(state, policy, FEW if is_largest else passes)
            if is_largest and busy:
                figures[f"{name}_{pending}_pending_step"] = measure_steps(state, policy, 20 * passes)
    figures["process"] = {"max_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}
    return figures


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 20), indent=2) + "\n")
