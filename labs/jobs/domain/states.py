"""The state machine of a job and of its attempts: event in, new state out; what is not in the table is refused."""

from enum import StrEnum


class JobState(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"


class JobEvent(StrEnum):
    """What happens to a job. RUNNING begins when a node is chosen: from then on a lease speaks for the job."""

    ASSIGN = "ASSIGN"
    LOSE = "LOSE"
    """The platform lost the attempt, and the job goes back to the queue."""
    PREEMPT = "PREEMPT"
    """The attempt made room for another, and the job goes back to the queue."""
    SUCCEED = "SUCCEED"
    FAIL = "FAIL"
    TIME_OUT = "TIME_OUT"
    CANCEL = "CANCEL"


class AttemptState(StrEnum):
    ASSIGNED = "ASSIGNED"
    CLAIMED = "CLAIMED"
    RUNNING = "RUNNING"
    ENDED = "ENDED"


class AttemptEvent(StrEnum):
    CLAIM = "CLAIM"
    START = "START"
    END = "END"


class IllegalMove(ValueError):
    """The event cannot happen in that state; whoever sent it is out of date."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"{event} cannot happen to what is {state}")
        self.state, self.event = state, event


OVER = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.TIMED_OUT, JobState.CANCELLED})

_JOB_MOVES: dict[tuple[str, str], JobState] = {
    (JobState.QUEUED, JobEvent.ASSIGN): JobState.RUNNING,
    (JobState.QUEUED, JobEvent.CANCEL): JobState.CANCELLED,
    (JobState.RUNNING, JobEvent.LOSE): JobState.QUEUED,
    (JobState.RUNNING, JobEvent.PREEMPT): JobState.QUEUED,
    (JobState.RUNNING, JobEvent.SUCCEED): JobState.SUCCEEDED,
    (JobState.RUNNING, JobEvent.FAIL): JobState.FAILED,
    (JobState.RUNNING, JobEvent.TIME_OUT): JobState.TIMED_OUT,
    (JobState.RUNNING, JobEvent.CANCEL): JobState.CANCELLED,
}

_ATTEMPT_MOVES: dict[tuple[str, str], AttemptState] = {
    (AttemptState.ASSIGNED, AttemptEvent.CLAIM): AttemptState.CLAIMED,
    (AttemptState.CLAIMED, AttemptEvent.START): AttemptState.RUNNING,
    (AttemptState.ASSIGNED, AttemptEvent.END): AttemptState.ENDED,
    (AttemptState.CLAIMED, AttemptEvent.END): AttemptState.ENDED,
    (AttemptState.RUNNING, AttemptEvent.END): AttemptState.ENDED,
}


def move_job(state: str, event: str) -> JobState:
    """Return the job's state after `event`. Raises IllegalMove."""
    try:
        return _JOB_MOVES[state, event]
    except KeyError:
        raise IllegalMove(state, event) from None


def move_attempt(state: str, event: str) -> AttemptState:
    """Return the attempt's state after `event`. Raises IllegalMove."""
    try:
        return _ATTEMPT_MOVES[state, event]
    except KeyError:
        raise IllegalMove(state, event) from None
