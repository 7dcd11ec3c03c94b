"""The bench itself: that it runs and writes down what it found, and that its arithmetic is right. Never how fast."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .__main__ import TOPICS
from .compare import ratios
from .figures import MET, MISSED, MISSING, NO_AIM, Aim, count, missing, percentile, rates, times, window_rates
from .report import text_of

ROOT = Path(__file__).resolve().parents[2]
#: Two minutes on a quiet machine, more beside other tests: only a bench that hangs takes so long.
PATIENCE_S = 900.0


def _bench(output: Path, *topics: str) -> dict:
    only = [word for topic in topics for word in ("--only", topic)]
    words = [
        sys.executable,
        "-m",
        "tests.bench",
        "--quick",
        *only,
        "--output",
        str(output),
        "--folder",
        str(output.parent),
    ]
    # The bench brings its own services: the tests' must not be touched.
    ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(words, cwd=ROOT, env=ours, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(output.read_text(encoding="utf-8"))
    assert f"{len(found['figures'])} figures" in done.stdout
    return found


@pytest.mark.sandbox
def test_a_quick_run_measures_everything_that_was_promised_and_writes_it_down(tmp_path: Path) -> None:
    found = _bench(tmp_path / "figures.json", *TOPICS)

    broken = {figure["name"]: figure["why_missing"] for figure in found["figures"] if figure["verdict"] == MISSING}
    assert broken == {}
    assert found["machine"]["cores"] >= 1
    assert isinstance(found["machine"]["is_quiet"], bool)
    by_name = {figure["name"]: figure for figure in found["figures"]}
    assert by_name["submit to start, idle pool"]["n"] == 3
    assert by_name["submit to start, idle pool"]["aim"] == "median <= 100"
    assert by_name["cohort board"]["aim"] == "median <= 40"
    assert {figure["topic"] for figure in found["figures"]} == set(TOPICS)
    # Exactness is no speed: a rush enrols as many as there are seats on any machine.
    rushes = [figure for name, figure in by_name.items() if name.endswith("off from the seats")]
    assert [figure["value"] for figure in rushes] == [0, 0]


def test_the_p99_of_times_is_the_slow_end_and_of_rates_too() -> None:
    samples = [float(n) for n in range(1, 101)]

    assert times("t", "n", samples).p99 == 99
    assert rates("t", "n", samples, unit="1/s").p99 == 2
    assert percentile([5.0], 0.99) == 5


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (times("t", "n", [1, 2, 3], aim=Aim(2)), MET),
        (times("t", "n", [1, 3, 3], aim=Aim(2)), MISSED),
        (count("t", "n", 5, aim=Aim(5, of="value", at_least=True)), MET),
        (count("t", "n", 4, aim=Aim(5, of="value", at_least=True)), MISSED),
        (count("t", "n", 4), NO_AIM),
        (times("t", "n", [], aim=Aim(2)), MISSING),
        (missing("t", "n", "ms", "no page"), MISSING),
    ],
)
def test_a_figure_says_whether_it_meets_its_aim(figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_what_misses_its_aim_is_marked_and_counted_in_the_table() -> None:
    figures = [times("t", "slow", [3.0], aim=Aim(2)), missing("t", "absent", "ms", "no such page")]
    machine = {
        "cores": 2, "processor": "any", "memory_gib": 1, "load_1_min": 9.0, "busy_pct": 99.0, "yardstick_ms": 5.0,
        "python": "3", "revision": "abc", "is_quiet": False,
    }  # fmt: skip

    text = text_of({"at": "now", "machine": machine, "is_quick": False}, figures)

    assert "| t | slow | ms | 3 | 3 |  | 1 | median <= 2 | **missed** |" in text
    assert "no such page" in text
    assert "2 figures, 1 missed their aim, 1 could not be measured." in text
    assert "not quiet" in text


def test_rates_of_windows_are_taken_between_consecutive_ends() -> None:
    assert window_rates([0.0, 1.0, 2.0, 3.0, 5.0], 2) == [1.0, pytest.approx(2 / 3)]


def test_two_states_compare_by_the_ratio_of_their_rounds() -> None:
    here = [{"t: page": 20.0}, {"t: page": 22.0, "t: new": 1.0}]
    there = [{"t: page": 10.0}, {"t: page": 11.0}]

    assert ratios(here, there) == {"t: page": (2.0, 2.0, 2.0)}
