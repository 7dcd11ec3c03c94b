"""What the socket of a roll says, read from the database."""

from collections.abc import Sequence
from typing import Any

from courses.catalog.models import Enrolment

from .selectors import roll_facts
from .words import clock


def roll_now(session_id: int, cohort_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Enrolment to what a board shows of it; only learners of these cohorts whom something was seen or said of."""
    visible = set(Enrolment.objects.filter(cohort__in=cohort_ids).order_by().values_list("pk", flat=True))
    return {
        pk: {
            "enrolment": pk,
            "mark": row.mark,
            "minutes": row.minutes,
            "arrived": clock(row.arrived_at) if row.arrived_at else "",
            "revision": row.revision,
            "how": how,
            "flags": flags,
        }
        for pk, (row, how, flags) in sorted(roll_facts(session_id).items())
        if pk in visible
    }
