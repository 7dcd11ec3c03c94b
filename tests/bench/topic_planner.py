"""Planner time at 10,000 pending jobs on 64 and on 10,000 nodes (`tests.bench.planner` makes the figures)."""

from __future__ import annotations

from labs.scheduling.domain.policy import Policy

from . import planner
from .bench import Bench
from .figures import Figure, count

PASSES = 20
QUICK_SIZE = (4, 100)


def run(bench: Bench) -> list[Figure]:
    """One pass over a snapshot, on a busy pool (nearly all passes are like this) and an idle one (a rush)."""
    if bench.is_quick:
        nodes, pending = QUICK_SIZE
        small = planner.measure(planner.snapshot(nodes, pending, busy=0.97), Policy(), 1)
        return [_figure(f"{nodes}_nodes_{pending}_pending_busy", small, 1)]
    measured = planner.run(PASSES)
    most = measured.pop("process")["max_rss_mib"]
    return [
        *(_figure(name, numbers, PASSES) for name, numbers in measured.items()),
        count("planner", "most memory of the process", most, unit="MiB"),
    ]


def _figure(name: str, numbers: dict[str, float], passes: int) -> Figure:
    return Figure(
        "planner",
        f"pass, {name.replace('_', ' ')}",
        "ms",
        n=passes,
        median=numbers["pass_ms_median"],
        p99=numbers["pass_ms_p99"],
        note=f"{numbers['started']} started, {numbers['waiting']} wait, peak {numbers['peak_mib']} MiB",
    )
