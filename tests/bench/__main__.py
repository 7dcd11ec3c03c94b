"""`make bench` (`python -m tests.bench`): measures what was promised, writes it down, and marks what misses its aim."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

from . import machine, report
from .bench import Bench
from .figures import Figure, missing
from .services import Stand

#: In this order. A name is the module below `tests.bench` whose `run(bench)` gives the topic's figures.
TOPICS = ("planner", "pages", "seats", "attendance", "watching", "grades", "search", "server", "throughput", "jobs")
MODULES = {name: f"tests.bench.topic_{name}" for name in TOPICS}
FOLDER = Path(__file__).resolve().parents[2] / ".bench"


def main(words: list[str] | None = None) -> int:
    """Measure; 0 also where figures miss their aims: those are for people to judge. 1 where one broke."""
    asked = _parse(words)
    here = machine.describe()
    if not machine.is_quiet(here):
        _say(f"warning: the machine is not quiet (load {here['load_1_min']}, {here['busy_pct']} % busy)")
    figures: list[Figure] = []
    with Stand(_say) as stand:
        bench = Bench(stand, is_quick=asked.quick, say=_say)
        for topic in asked.only or TOPICS:
            figures += _measure(topic, bench)
    found = report.results(here, figures, is_quick=asked.quick)
    path = report.write(found, asked.folder, asked.output)
    sys.stdout.write(report.text_of(found, figures) + f"\n\nWritten to {path}\n")
    return 1 if any(figure.name == BROKE for figure in figures) else 0


BROKE = "the topic broke"


def _measure(topic: str, bench: Bench) -> list[Figure]:
    _say(f"measuring: {topic}")
    begun = time.monotonic()
    try:
        figures: list[Figure] = importlib.import_module(MODULES[topic]).run(bench)
    except Exception as error:
        # One broken topic must not cost the figures of the others; it is in the table and in the exit status.
        traceback.print_exc()
        figures = [*bench.take_partial(), missing(topic, BROKE, "", f"{type(error).__name__}: {error}"[:300])]
    _say(f"measured: {topic}, in {time.monotonic() - begun:.0f} s")
    return figures


def _parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=TOPICS, help="measure this topic only; may be repeated")
    parser.add_argument("--quick", action="store_true", help="few repetitions: shows that the bench works")
    parser.add_argument("--output", type=Path, help="write the results to this file, too")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where results-TIME.json goes (.bench)")
    return parser.parse_args(words)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
