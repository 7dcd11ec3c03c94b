"""How far somebody is with a material, and the words' key that says why."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Progress:
    """`share` is 0 to 1. `why` is NOT_OPENED, OPENED, NOT_WATCHED, WATCHED_PART, WATCHED or WATCHED_BEFORE."""

    share: Fraction
    finished_at: datetime | None
    why: str


def of_reading(opened_at: datetime | None) -> Progress:
    """A file or notebook is finished once it was opened."""
    return Progress(Fraction(1 if opened_at else 0), opened_at, "OPENED" if opened_at else "NOT_OPENED")


def of_watching(*, newest_percent: int, finished_at: datetime | None, finished_newest: bool) -> Progress:
    """A video is finished once enough of one version was watched; a new version takes nothing away."""
    if finished_at is not None:
        return Progress(Fraction(1), finished_at, "WATCHED" if finished_newest else "WATCHED_BEFORE")
    return Progress(Fraction(newest_percent, 100), None, "WATCHED_PART" if newest_percent else "NOT_WATCHED")
