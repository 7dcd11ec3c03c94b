"""Whether a run leaves its GPUs idle: from one sample a minute of how busy they were."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Idle:
    """For the last `minutes` minutes the GPUs were used `pct` percent on average."""

    minutes: int
    pct: float


def idle(samples: Sequence[int], *, below_pct: float, least_minutes: int) -> Idle | None:
    """Return the longest stretch up to now whose average is below `below_pct`; None if shorter than `least_minutes`.

    `samples` are percentages, one a minute, oldest first. An average, so that one busy second does not hide an hour.
    """
    found, total = None, 0
    for count, sample in enumerate(reversed(samples), start=1):
        total += sample
        if count >= least_minutes and total < below_pct * count:
            found = Idle(count, total / count)
    return found
