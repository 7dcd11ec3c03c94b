"""How far somebody is with a material, and the words' key that says why."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

# Of 300 learners and 30 videos: making these anew would be a tenth of the page.
_OF_PERCENT = tuple(Fraction(percent, 100) for percent in range(101))


@dataclass(frozen=True, slots=True)
class Progress:
    """`share` is 0 to 1. `why` is NOT_OPENED, OPENED, NOT_WATCHED, WATCHED_PART, WATCHED or WATCHED_BEFORE."""

    share: Fraction
    finished_at: datetime | None
    why: str


def of_reading(opened_at: datetime | None) -> Progress:
    """A file or notebook is finished once it was opened."""
    return Progress(_OF_PERCENT[100 if opened_at else 0], opened_at, "OPENED" if opened_at else "NOT_OPENED")


def of_watching(*, newest_percent: int, finished_at: datetime | None, finished_newest: bool) -> Progress:
    """A video is finished once enough of one version was watched; a new version takes nothing away."""
    if finished_at is not None:
        return Progress(_OF_PERCENT[100], finished_at, "WATCHED" if finished_newest else "WATCHED_BEFORE")
    return Progress(_OF_PERCENT[newest_percent], None, "WATCHED_PART" if newest_percent else "NOT_WATCHED")
