"""Jobs that wait for other jobs: when the wait is over, and when it can never be."""

from dataclasses import dataclass
from enum import StrEnum

from .states import OVER, JobState

MAX_AFTER = 10


class Condition(StrEnum):
    """What the other job must have done. Slurm's words."""

    OK = "afterok"
    """It succeeded."""
    ANY = "afterany"
    """It is over, however it ended."""


class Verdict(StrEnum):
    WAIT = "wait"
    MET = "met"
    BROKEN = "broken"
    """It can never be met: the job that waits is to be cancelled."""


@dataclass(frozen=True, slots=True)
class After:
    """Start no sooner than that job has ended so."""

    job_id: int
    condition: Condition = Condition.OK


def judge(condition: str, state: str) -> Verdict:
    """What the other job's state means for one that waits for it."""
    if state not in OVER:
        return Verdict.WAIT
    if condition == Condition.ANY or state == JobState.SUCCEEDED:
        return Verdict.MET
    return Verdict.BROKEN
