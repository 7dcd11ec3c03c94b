"""The results file and the table in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .figures import MISSED, MISSING, Figure
from .machine import is_quiet

_MARKS = {MISSED: "**missed**", MISSING: "**not measured**"}
_HEAD = ("topic", "figure", "unit", "median", "p99", "value", "n", "aim", "verdict", "note")


def results(machine: dict[str, Any], figures: Iterable[Figure], *, is_quick: bool) -> dict[str, Any]:
    """What the results file holds."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "is_quick": is_quick,
        "machine": machine | {"is_quiet": is_quiet(machine)},
        "figures": [figure.as_json() for figure in figures],
    }


def write(found: dict[str, Any], folder: Path, also: Path | None) -> Path:
    """Write `results-TIME.json` into `folder`, and the same to `also`. Returns the first path."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    path = folder / f"results-{found['at'].replace(':', '').split('+')[0]}.json"
    for one in (path, also):
        if one is not None:
            one.parent.mkdir(parents=True, exist_ok=True)
            one.write_text(text, encoding="utf-8")
    return path


def text_of(found: dict[str, Any], figures: Sequence[Figure]) -> str:
    """The machine and the table, in Markdown. What misses its aim is marked and counted."""
    machine = found["machine"]
    lines = [
        f"Measured {found['at']} at revision {machine['revision'] or 'unknown'} on {machine['cores']} cores "
        f"({machine['processor']}), {machine['memory_gib']} GiB; load {machine['load_1_min']}, "
        f"{machine['busy_pct']} % busy before; Python {machine['python']}; yardstick {machine['yardstick_ms']} ms.",
        "",
    ]
    if not machine["is_quiet"]:
        lines += ["**Warning: the machine was not quiet. These figures say little; measure again.**", ""]
    if found["is_quick"]:
        lines += [
            "**Quick run: few repetitions, small sizes. It shows that the bench works, not our speed.**",
            "",
        ]
    lines += ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    lines += ["| " + " | ".join(_cells(figure)) + " |" for figure in figures]
    missed = [figure for figure in figures if figure.verdict == MISSED]
    absent = [figure for figure in figures if figure.verdict == MISSING]
    lines += ["", f"{len(figures)} figures, {len(missed)} missed their aim, {len(absent)} could not be measured."]
    return "\n".join(lines)


def _cells(figure: Figure) -> list[str]:
    return [
        figure.topic,
        figure.name,
        figure.unit,
        _number(figure.median),
        _number(figure.p99),
        _number(figure.value),
        str(figure.n) if figure.n else "",
        str(figure.aim) if figure.aim else "",
        _MARKS.get(figure.verdict, figure.verdict),
        (figure.why_missing or figure.note).replace("|", "/").replace("\n", " "),
    ]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if float(value).is_integer() and abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
