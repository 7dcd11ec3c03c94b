"""From what a test run said to points: signed by the run's own key, exact, and without a word about hidden tests."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .cases import Case

CENT = Decimal("0.01")
MOST_BYTES = 1024 * 1024
MOST_WORDS = 2_000
PASSED, FAILED, SILENT = "passed", "failed", "silent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case. SILENT: it did not report, for the program ended or ran out of time before."""

    name: str
    title: str
    weight: int
    is_visible: bool
    state: str
    message: str = ""

    @property
    def is_passed(self) -> bool:
        return self.state == PASSED


@dataclass(frozen=True, slots=True)
class Report:
    """`is_signed` False: no report, or none that the run's key signed, so that every case is silent."""

    outcomes: tuple[Outcome, ...]
    points: Decimal
    is_signed: bool


def signature(key: str, body: bytes) -> str:
    """HMAC-SHA-256 of a report by its run's key, in hex."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def fold(written: bytes | None, key: str, cases: Sequence[Case], out_of: Decimal) -> Report:
    """Read a report and score it: `out_of` times the passed weight by the whole, to the cent, half up.

    Only cases that the suite names count, each once: the first line about it. Nothing that a report holds can raise.
    """
    said = _read(written, key)
    first: dict[str, Mapping[str, Any]] = {}
    for line in said or []:
        if isinstance(line, Mapping) and isinstance(line.get("name"), str):
            first.setdefault(line["name"], line)
    outcomes = tuple(_outcome(case, first.get(case.name)) for case in cases)
    whole = sum(one.weight for one in outcomes)
    passed = sum(one.weight for one in outcomes if one.is_passed)
    points = (out_of * passed / whole).quantize(CENT, ROUND_HALF_UP) if whole else Decimal(0)
    return Report(outcomes, points, said is not None)


def _read(written: bytes | None, key: str) -> list[Any] | None:
    if written is None or len(written) > MOST_BYTES:
        return None
    signed, newline, body = written.partition(b"\n")
    if not newline or not hmac.compare_digest(signed, signature(key, body).encode()):
        return None
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, list) else None


def _outcome(case: Case, line: Mapping[str, Any] | None) -> Outcome:
    state, message = SILENT, ""
    if line is not None:
        state = PASSED if line.get("passed") is True else FAILED
        # PostgreSQL keeps no NUL, and pages no lone surrogate.
        message = str(line.get("message") or "")[:MOST_WORDS].replace("\0", "").encode("utf-8", "replace").decode()
    return Outcome(case.name, case.title, case.weight, case.is_visible, state, message)


def as_json(report: Report) -> dict[str, Any]:
    """A report as it is stored."""
    return {
        "is_signed": report.is_signed,
        "outcomes": [[o.name, o.title, o.weight, o.is_visible, o.state, o.message] for o in report.outcomes],
    }


def outcomes_of(stored: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """The outcomes of a stored report, for staff."""
    return tuple(Outcome(*row) for row in stored.get("outcomes", ()))


@dataclass(frozen=True, slots=True)
class ForLearner:
    """What a learner may know: visible outcomes in full, of the hidden ones only how many passed."""

    visible: tuple[Outcome, ...]
    hidden_passed: int
    hidden: int


def for_learner(stored: Mapping[str, Any]) -> ForLearner:
    """Leave out every name, title and message of hidden tests."""
    outcomes = outcomes_of(stored)
    hidden = [one for one in outcomes if not one.is_visible]
    return ForLearner(
        tuple(one for one in outcomes if one.is_visible), sum(one.is_passed for one in hidden), len(hidden)
    )
