"""What an attempt's end means for its job, and whether it is charged."""

from dataclasses import dataclass
from enum import StrEnum

from .states import JobEvent


class Report(StrEnum):
    """Why the node says that a run ended."""

    EXITED = "EXITED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    OUTPUT_FLOOD = "OUTPUT_FLOOD"
    STOPPED = "STOPPED"
    PREEMPTED = "PREEMPTED"
    EXECUTOR_ERROR = "EXECUTOR_ERROR"
    ENVIRONMENT_FAILED = "ENVIRONMENT_FAILED"


@dataclass(frozen=True, slots=True)
class Ending:
    """The event for the job, the reason it shows (Job.EndReason), and whether the run is charged."""

    event: JobEvent
    reason: str
    is_charged: bool


@dataclass(frozen=True, slots=True)
class LossLimits:
    """How often the platform may lose a job before it gives up on it."""

    attempts: int
    """Attempts that a node took up."""
    unclaimed: int = 10
    """Attempts that no node took up: nothing ran, so more of them are borne."""


def ending_of(
    report: Report, exit_code: int | None, *, is_cancelling: bool, is_preempting: bool = False
) -> Ending | None:
    """Say what a node's report means. None: the platform lost the run, and the job may be tried again.

    A program that ended by itself before the cancellation or the preemption reached it keeps its own end, and who
    cancels a run that is making room has cancelled it.
    """
    match report:
        case Report.EXITED if exit_code == 0:
            return Ending(JobEvent.SUCCEED, "COMPLETED", is_charged=True)
        case Report.EXITED:
            return Ending(JobEvent.FAIL, "EXIT_CODE", is_charged=True)
        case Report.TIMED_OUT:
            return Ending(JobEvent.TIME_OUT, "WALL_LIMIT", is_charged=True)
        case Report.OUT_OF_MEMORY:
            return Ending(JobEvent.FAIL, "OUT_OF_MEMORY", is_charged=True)
        case Report.OUTPUT_FLOOD:
            return Ending(JobEvent.FAIL, "OUTPUT_FLOOD", is_charged=True)
        case Report.STOPPED | Report.PREEMPTED if is_cancelling:
            return Ending(JobEvent.CANCEL, "CANCELLED", is_charged=True)
        case Report.PREEMPTED if is_preempting:
            return Ending(JobEvent.PREEMPT, "", is_charged=True)
        case Report.ENVIRONMENT_FAILED:
            return Ending(JobEvent.FAIL, "ENVIRONMENT", is_charged=False)
        case _:
            return None


def ending_of_lost(*, is_cancelling: bool, lost_claimed: int, lost_unclaimed: int, limits: LossLimits) -> Ending:
    """Say what becomes of a job whose attempt the platform lost; the counts include that attempt.

    Nothing of it is ever charged.
    """
    if is_cancelling:
        return Ending(JobEvent.CANCEL, "CANCELLED", is_charged=False)
    if lost_claimed >= limits.attempts or lost_unclaimed >= limits.unclaimed:
        return Ending(JobEvent.FAIL, "PLATFORM", is_charged=False)
    return Ending(JobEvent.LOSE, "", is_charged=False)
