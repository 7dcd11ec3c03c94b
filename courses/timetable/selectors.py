"""Reading the timetable: a person's classes, a cohort's, who should be there."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from campus.core.compiled import Given
from courses.catalog.models import Enrolment

from .access import READING, sessions_whole
from .models import ClassSession, Kind, OfficeSlot, SessionCohort, SessionTeacher


@dataclass(frozen=True)
class RollEntry:
    """Someone who should be there, and where: `place` has the room; the enrolment's mode says on site or online."""

    enrolment: Enrolment
    place: SessionCohort

    @property
    def is_online(self) -> bool:
        """Whether they take part over the stream: who learns online, and everybody of a cohort without a room."""
        return self.enrolment.mode == Enrolment.Mode.ONLINE or self.place.room_id is None


def roll_of(session: ClassSession) -> list[RollEntry]:
    """Return who should be there: enrolled in one of its cohorts when it begins, by cohort and name. Two queries.

    A withdrawal or an enrolment counts from its moment, so the roll of a class that is over stays what it was. Office
    hours have none.
    """
    if not session.takes_attendance:
        return []
    places = {place.cohort_id: place for place in session.places.select_related("cohort", "room__building__campus")}
    rows = Enrolment.objects.select_related("user", "cohort").filter(
        Q(ended_at=None) | Q(ended_at__gt=session.starts_at),
        cohort__in=places, enrolled_at__lt=session.ends_at,
    )  # fmt: skip
    return [RollEntry(row, places[row.cohort_id]) for row in rows.order_by("cohort_id", "user__name", "pk")]


def sessions_between(from_at: datetime | Given, until_at: datetime | Given) -> QuerySet[ClassSession]:
    """Sessions that touch the time, cancelled ones too, whole, in order."""
    return sessions_whole().filter(starts_at__lt=until_at, ends_at__gt=from_at).order_by("starts_at", "pk")


def sessions_of_person(
    user_id: int | Given, from_at: datetime | Given, until_at: datetime | Given
) -> QuerySet[ClassSession]:
    """A person's own classes that touch the time: those of the cohorts they learn in, those they teach, and the office
    hours of which they took a slot. Cancelled ones are among them: look at `state`."""
    learns = SessionCohort.objects.filter(
        session=OuterRef("pk"), cohort__enrolments__user_id=user_id, cohort__enrolments__state__in=READING,
        session__run__is_published=True,
    )  # fmt: skip
    teaches = SessionTeacher.objects.filter(session=OuterRef("pk"), user_id=user_id)
    visits = OfficeSlot.objects.filter(session=OuterRef("pk"), learner_id=user_id)
    mine = Exists(teaches) | (Exists(learns) & ~Q(kind=Kind.OFFICE)) | Exists(visits)
    return sessions_between(from_at, until_at).filter(mine)


def sessions_of_cohort(
    cohort_id: int | Given, from_at: datetime | Given, until_at: datetime | Given
) -> QuerySet[ClassSession]:
    """The classes of a cohort that touch the time, without office hours; cancelled ones are among them."""
    held = SessionCohort.objects.filter(session=OuterRef("pk"), cohort_id=cohort_id)
    return sessions_between(from_at, until_at).filter(Exists(held)).exclude(kind=Kind.OFFICE)
