"""A replay as a table for people, plots, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from labs.scheduling.replay import plots
from labs.scheduling.replay.packing import Packed
from labs.scheduling.replay.runs import Result, as_json

COLUMNS = (
    "policy", "mean wait, min", "P95 wait, h", "mean slowdown", "median slowdown", "utilisation", "wide P95 wait, h",
    "wide mean wait, h", "Jain", "P50 held", "P90 held", "pass, ms",
)  # fmt: skip
ORDER = ("fifo", "greedy", "easy", "slurm", "ours")


def write(folder: Path, results: Sequence[Result], draws: Sequence[dict[str, Packed]], *, seconds: float) -> str:
    """Write results.md, results.json and the plots into the folder (made if need be); return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(results, key=lambda result: ORDER.index(result.task.policy))
    kinds = list(dict.fromkeys(result.task.kind for result in results))
    parts = [_section(kind, [result for result in ordered if result.task.kind == kind]) for kind in kinds]
    parts += [_packing(draws)] if draws else []
    text = "\n".join([*parts, f"Replayed in {seconds:.0f} s.", ""])
    (folder / "results.md").write_text(text, encoding="utf-8")
    stored = {
        "replays": [as_json(result) for result in ordered],
        "packing": [
            {name: {"unallocated": p.unallocated, "refused": p.refused} for name, p in d.items()} for d in draws
        ],
        "seconds": round(seconds, 1),
    }
    (folder / "results.json").write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    for kind in kinds:
        _plot(folder, kind, [result for result in ordered if result.task.kind == kind])
    if draws:
        series = {name: draws[0][name].curve for name in draws[0]}
        drawn = plots.curves(
            "openb: GPUs not allocated as tasks keep coming", "asked for, of all GPUs", "not allocated", series,
            y_top=1.0, bold="ours",
        )  # fmt: skip
        (folder / "openb-packing.svg").write_text(drawn, encoding="utf-8")
    return text


def _plot(folder: Path, kind: str, results: Sequence[Result]) -> None:
    waits = {result.task.policy: [wait / 3600 for wait in result.waits_s] for result in results}
    slowdowns = {result.task.policy: result.slowdowns for result in results}
    drawn = plots.distribution(f"{kind}: waits", "wait, hours", waits, least=0.01, bold="ours")
    (folder / f"{kind}-waits.svg").write_text(drawn, encoding="utf-8")
    drawn = plots.distribution(f"{kind}: bounded slowdown", "slowdown", slowdowns, least=1.0, bold="ours")
    (folder / f"{kind}-slowdown.svg").write_text(drawn, encoding="utf-8")


def _section(kind: str, results: Sequence[Result]) -> str:
    first = results[0]
    head = f"## {kind}: {first.measures.jobs} jobs, {first.gpus} GPUs, {first.measures.wide_jobs} jobs of 8 and more"
    notes = f"\nDecisions every {first.task.interval_s:.0f} s; {'; '.join(first.notes)}.\n"
    return "\n".join([head, notes, _table([COLUMNS, *(_row(result) for result in results)]), ""])


def _row(result: Result) -> tuple[str, ...]:
    m, c = result.measures, result.coverage
    return (
        result.task.policy,
        f"{m.mean_wait_s / 60:.1f}",
        f"{m.p95_wait_s / 3600:.1f}",
        f"{m.mean_slowdown:.2f}",
        f"{m.median_slowdown:.2f}",
        f"{m.utilisation:.3f}",
        "" if m.wide_p95_wait_s is None else f"{m.wide_p95_wait_s / 3600:.1f}",
        "" if m.wide_mean_wait_s is None else f"{m.wide_mean_wait_s / 3600:.1f}",
        f"{m.fairness:.3f}",
        "" if c is None or c.p50 is None else f"{c.p50:.1%}",
        "" if c is None or c.p90 is None else f"{c.p90:.1%}",
        f"{1000 * result.decide_s / max(1, result.passes):.2f}",
    )


def _packing(draws: Sequence[dict[str, Packed]]) -> str:
    rows = [("policy", *(f"draw {number}" for number in range(1, len(draws) + 1)))]
    rows += [(name, *(f"{draw[name].unallocated:.2%}" for draw in draws)) for name in draws[0]]
    return "\n".join(["## openb: GPUs not allocated once as many are asked for as there are\n", _table(rows), ""])


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
