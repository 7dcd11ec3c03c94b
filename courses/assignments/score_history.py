"""What became of one score, for whoever shows its history elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .models import Score, ScoreChange
from .words import reason_words


@dataclass(frozen=True)
class ScoreStep:
    """A change of a score: what it was and became after lateness (None: no points; excused where so), by whom, why."""

    at: datetime
    by: str
    before: Decimal | None
    after: Decimal | None
    is_excused: bool
    reason: str


def score_steps(assignment_id: int, enrolment_id: int) -> list[ScoreStep]:
    """Return every change of a learner's score, oldest first. One query."""
    rows = ScoreChange.objects.filter(score__assignment_id=assignment_id, score__enrolment_id=enrolment_id)
    found: list[ScoreStep] = []
    for row in rows.select_related("actor").order_by("version"):
        before = found[-1].after if found else None
        by = row.actor.name if row.actor else ""
        excused = row.state == Score.State.EXCUSED
        found.append(ScoreStep(row.at, by, before, row.adjusted, excused, reason_words(row.reason)))
    return found
