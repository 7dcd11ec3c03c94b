"""Due times as the order takes them: less the wait that a job was told and still has before it."""

from __future__ import annotations


def due_less_wait(deadline_at: float, promised_p90_at: float | None, now: float) -> float:
    """The moment at which the run should have ended if nothing more were to wait: slack is what is left until then.

    ``promised_p90_at`` is the P90 of the start as the job was first told it. The newest estimate would not do: it moves
    with the boost that it gives. A due time to come stays one, and one that has passed stays as it is.
    """
    if promised_p90_at is None or deadline_at <= now:
        return deadline_at
    return max(now, deadline_at - max(0.0, promised_p90_at - now))
