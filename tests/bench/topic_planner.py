"""Planner time at 10,000 jobs on 64 nodes, and at 10,000 and 100,000 on 10,000 (`tests.bench.planner` measures)."""

from __future__ import annotations

from labs.scheduling.domain.policy import Policy

from . import planner
from .bench import Bench
from .figures import Aim, Figure, count

PASSES = 20
QUICK_SIZE = (4, 100)
QUICK_STEPS = 3
#: Milliseconds, at 10,000 nodes of 8 GPUs and 100,000 pending jobs.
PASS_AIM, STEP_AIM = Aim(1_000.0), Aim(20.0)


def run(bench: Bench) -> list[Figure]:
    """One pass over a snapshot, on a busy pool (nearly all passes are like this) and an idle one (a rush)."""
    if bench.is_quick:
        nodes, pending = QUICK_SIZE
        state = planner.snapshot(nodes, pending, busy=0.97)
        small, steps = planner.measure(state, Policy(), 1), planner.measure_steps(state, Policy(), QUICK_STEPS)
        name = f"{nodes}_nodes_{pending}_pending"
        return [_figure(f"{name}_busy", small), _figure(f"{name}_step", steps)]
    measured = planner.run(PASSES)
    most = measured.pop("process")["max_rss_mib"]
    return [
        *(_figure(name, numbers) for name, numbers in measured.items()),
        count("planner", "most memory of the process", most, unit="MiB"),
    ]


def _figure(name: str, numbers: dict[str, float]) -> Figure:
    kind = "step" if "step_ms_median" in numbers else "pass"
    is_largest = f"{planner.SIZES[-1][2]}_pending" in name and not name.endswith("idle")
    return Figure(
        "planner",
        f"{'a submit and an end' if kind == 'step' else 'pass'}, {name.replace('_', ' ')}",
        "ms",
        n=int(numbers["n"]),
        median=numbers[f"{kind}_ms_median"],
        p99=numbers[f"{kind}_ms_p99"],
        aim=(STEP_AIM if kind == "step" else PASS_AIM) if is_largest else None,
        note=f"{numbers['started']} started, {numbers['waiting']} wait, peak {numbers['peak_mib']} MiB"
        + (f" over {numbers['kept_mib']} MiB kept" if kind == "step" else ""),
    )
