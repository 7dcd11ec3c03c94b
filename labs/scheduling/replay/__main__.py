"""``python -m labs.scheduling.replay``: replay traces, print a table, write it with plots and JSON to a folder."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from labs.scheduling.replay import report
from labs.scheduling.replay.runs import READERS, Task, packed, run
from labs.scheduling.replay.traces import TraceError

FILES = {"philly": "philly-2017-09-10.csv", "wagap": "wagap-2013-first-half.csv", "openb": "openb-pods.csv"}
OPENB_NODES = "openb-nodes.csv"
#: The longest first, so that two cores end about together.
POLICIES = ("ours", "slurm", "easy", "greedy", "fifo")
#: Jobs of a trace, draws of tasks and nodes to pack with --quick.
QUICK_JOBS, QUICK_NODES = 500, 40
SEEDS = (1, 2, 3)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("--traces", type=Path, default=Path("../shared/data/traces"), help="folder with the four files")
    for kind, name in FILES.items():
        parser.add_argument(f"--{kind}", type=Path, help=f"a file with the columns of {name}")
    parser.add_argument("--openb-nodes", type=Path, help=f"a file with the columns of {OPENB_NODES}")
    parser.add_argument("--only", action="append", choices=(*READERS, "packing"), help="may be repeated")
    parser.add_argument("--policy", action="append", choices=POLICIES, help="may be repeated")
    parser.add_argument("--output", type=Path, default=Path("build/replay"))
    parser.add_argument("--interval", type=float, default=60.0, help="seconds between decisions, the same for all")
    parser.add_argument("--first", type=int, help="only so many jobs of each trace")
    parser.add_argument("--nodes", type=int, help="nodes of the pool (with --only)")
    parser.add_argument("--gpus-per-node", type=int)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_JOBS} jobs of each trace: does it still work?")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Do what was asked for; 2 if a trace cannot be read."""
    asked = parsed(arguments)
    began = time.monotonic()
    only = asked.only or [*READERS, "packing"]
    first = asked.first or (QUICK_JOBS if asked.quick else None)
    path_of = {kind: getattr(asked, kind) or asked.traces / name for kind, name in FILES.items()}
    nodes_path = asked.openb_nodes or asked.traces / OPENB_NODES
    tasks = [
        Task(kind, path_of[kind], policy, asked.interval, first, asked.nodes, asked.gpus_per_node)
        for policy in (asked.policy or POLICIES)
        for kind in READERS
        if kind in only
    ]
    most = QUICK_NODES if asked.quick else None
    seeds = (SEEDS[:1] if asked.quick else SEEDS) if "packing" in only else ()
    try:
        with ProcessPoolExecutor(asked.jobs) as pool:
            replays = [pool.submit(run, task) for task in tasks]
            packs = [pool.submit(packed, path_of["openb"], nodes_path, seed, most) for seed in seeds]
            results = [future.result() for future in replays]
            draws = [future.result() for future in packs]
    except TraceError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    text = report.write(asked.output, results, draws, seconds=time.monotonic() - began)
    print(text)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
