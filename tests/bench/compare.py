"""Two states of the code measured in turn, in one run: `python -m tests.bench.compare REVISION --only pages`.

Figures of different days, machines or neighbours do not compare; the ratio of two that were taken in turn does.
The other state is checked out beside this one (a git worktree below the system's temporary folder) and both are
measured by the bench that each has, with the same Python environment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .machine import ROOT

Round = dict[str, float]


def ratios(here: Sequence[Round], there: Sequence[Round]) -> dict[str, tuple[float, float, float]]:
    """Least, median and most of here / there, round by round, for each figure that every round has."""
    names = set.intersection(*(set(one) for one in (*here, *there)))
    found = {}
    for name in sorted(names):
        each = [ours[name] / theirs[name] for ours, theirs in zip(here, there, strict=True) if theirs[name]]
        if each:
            found[name] = (min(each), statistics.median(each), max(each))
    return found


def measure(checkout: Path, words: Sequence[str], folder: Path, number: int) -> Round:
    """One run of the bench in a checkout: each figure's median, or its value where it has none."""
    output = folder / f"round-{number}.json"
    bench = [sys.executable, "-m", "tests.bench", *words, "--output", str(output), "--folder", str(folder / "all")]
    subprocess.run(bench, cwd=checkout, stdout=subprocess.DEVNULL, check=False)
    figures = json.loads(output.read_text(encoding="utf-8"))["figures"]
    numbers = {
        f"{figure['topic']}: {figure['name']}": figure["value"] if figure["median"] is None else figure["median"]
        for figure in figures
    }
    return {name: number for name, number in numbers.items() if number is not None}


def main() -> int:
    """Print a line a figure: the ratio here / there, its least and its most."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compare", description=__doc__)
    parser.add_argument("revision", help="the other state: any revision that git knows")
    parser.add_argument("--rounds", type=int, default=3)
    asked, words = parser.parse_known_args()
    here: list[Round] = []
    there: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="campus-compare-") as name:
        folder = Path(name)
        other = folder / "there"
        subprocess.run(["git", "worktree", "add", "--detach", str(other), asked.revision], cwd=ROOT, check=True)
        try:
            for number in range(asked.rounds):
                # In turn, and every other time the other way round: whoever comes second finds warmer caches.
                sides = [(ROOT, here, 2 * number), (other, there, 2 * number + 1)]
                for checkout, rounds, run in sides if number % 2 == 0 else reversed(sides):
                    rounds.append(measure(checkout, words, folder, run))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(other)], cwd=ROOT, check=True)
    sys.stdout.write(f"here / {asked.revision}, {asked.rounds} rounds: median (least to most)\n")
    for figure, (least, middle, most) in ratios(here, there).items():
        sys.stdout.write(f"{middle:6.2f} ({least:.2f} to {most:.2f})  {figure}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
