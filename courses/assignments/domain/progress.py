"""How far a learner is with a lab, from what became of their runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# A metric whose name contains one of these words is better when it is lower.
_LOWER_WORDS = frozenset({"loss", "error", "err", "rmse", "mse", "mae", "mape", "perplexity", "ppl", "wer", "cer"})


class LabState(StrEnum):
    """Where a learner stands with a lab."""

    NOT_STARTED = "LAB_NOT_STARTED"
    ACTIVE = "LAB_ACTIVE"  # a run is queued or running
    TRIED = "LAB_TRIED"  # runs ended, none well
    DONE = "LAB_DONE"
    DONE_LATE = "LAB_DONE_LATE"
    OVERDUE = "LAB_OVERDUE"


@dataclass(frozen=True)
class RunSummary:
    """One learner's runs of one lab. `first_success_at` is when the first run that succeeded was submitted."""

    runs: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    first_success_at: datetime | None = None
    highest: float | None = None
    lowest: float | None = None
    last_job_id: int | None = None
    last_submitted_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.queued + self.running > 0


@dataclass(frozen=True)
class LabProgress:
    """What is shown of a lab: its state, the best value of its metric, and the runs behind them."""

    state: LabState
    runs: RunSummary
    best: float | None = None

    @property
    def is_done(self) -> bool:
        return self.state in (LabState.DONE, LabState.DONE_LATE)

    @property
    def is_late(self) -> bool:
        return self.state in (LabState.OVERDUE, LabState.DONE_LATE)


def is_lower_better(metric: str) -> bool:
    """Say whether a smaller value is better: for losses and errors it is."""
    words = metric.lower().replace("-", "_").split("_")
    return any(word in _LOWER_WORDS for word in words)


def progress(runs: RunSummary, *, metric: str, due_at: datetime | None, now: datetime) -> LabProgress:
    """Judge a learner's runs of a lab. A run counts for the moment it was submitted: waiting is not the learner's."""
    best = runs.lowest if is_lower_better(metric) else runs.highest
    if runs.succeeded:
        in_time = due_at is None or runs.first_success_at is None or runs.first_success_at <= due_at
        return LabProgress(LabState.DONE if in_time else LabState.DONE_LATE, runs, best)
    if runs.is_open:
        return LabProgress(LabState.ACTIVE, runs)
    if due_at is not None and now > due_at:
        return LabProgress(LabState.OVERDUE, runs)
    return LabProgress(LabState.TRIED if runs.runs else LabState.NOT_STARTED, runs)


def count_overdue(due: Collection[int], *, succeeded: Collection[int], is_open: Collection[int]) -> int:
    """Count labs past their deadline that are OVERDUE by `progress`: none succeeded, none queued or running."""
    return len(set(due).difference(succeeded, is_open))
