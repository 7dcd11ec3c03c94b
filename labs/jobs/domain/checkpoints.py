"""What of a preempted run counts as done, because its checkpoint keeps it; the rest is lost and refunded."""

from math import floor

LEAST_LEFT_S = 60
"""Of the time limit so much stays for the next attempt, which must load what was saved before it goes on."""


def kept_run_s(*, saved_at_s: float | None, run_s: float, wall_left_s: int) -> int:
    """Whole seconds of a run of `run_s` that its checkpoint keeps.

    `saved_at_s` is the second of the run in which the newest file of the checkpoint was written, None where none was
    kept. `wall_left_s` is what the run's time limit was.
    """
    if saved_at_s is None:
        return 0
    return min(floor(max(0.0, min(saved_at_s, run_s))), max(0, wall_left_s - LEAST_LEFT_S))


def refund_s(*, charged_s: int, held_s: int, next_hold_s: int) -> int:
    """What of `charged_s` is given back: all but what the next attempt holds less than this one did.

    So what stays charged and what is held anew never come to more than was held before: requeueing needs no quota.
    """
    return max(0, charged_s - (held_s - next_hold_s))
