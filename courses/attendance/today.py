"""A class that is on or about to begin, as its learner meets it: there already, or how to be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

from .models import Verdict

#: One may say that one is there so long before a class begins.
OPENS_BEFORE = timedelta(minutes=30)


@dataclass(frozen=True)
class Attending:
    """One learner and a class for which one may check in now. `arrived_at` is None until there is evidence."""

    enrolment_id: int
    is_online: bool
    arrived_at: datetime | None


def attending(session: ClassSession, enrolments: Iterable[Enrolment], now: datetime) -> Attending | None:
    """How a learner, by own active enrolments, stands to a class; None where there is nothing to do now. One query;
    none outside of the class's time."""
    if not session.takes_attendance or not session.is_planned:
        return None
    if not session.starts_at - OPENS_BEFORE <= now < session.ends_at:
        return None
    cohorts = {place.cohort_id for place in session.places.all()}
    mine = next((row for row in enrolments if row.cohort_id in cohorts), None)
    if mine is None:
        return None
    arrived = Verdict.objects.filter(enrolment=mine, session=session).values_list("arrived_at", flat=True).first()
    return Attending(mine.pk, mine.mode == Enrolment.Mode.ONLINE, arrived)
