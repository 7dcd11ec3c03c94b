"""Classes and their learners for these tests; rooms, campuses and cohorts come from the neighbours' builders."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from campus.people.models import User
from campus.places.models import Room
from courses.attendance.models import Station, Verdict
from courses.attendance.services import checking
from courses.attendance.services.closing import close_class
from courses.attendance.traces import Traces
from courses.catalog.models import Cohort, Enrolment
from courses.timetable.models import ClassSession, SessionCohort, SessionTeacher

MIN = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def session(
    *cohorts: Cohort, starts_at: datetime | None = None, minutes: int = 100, room: Room | None = None,
    teacher: User | None = None, **fields: Any,
) -> ClassSession:  # fmt: skip
    """A class of these cohorts, by default one that began five minutes ago, in a room or online."""
    begins = starts_at or timezone.now() - 5 * MIN
    made = ClassSession.objects.create(
        run=cohorts[0].run, starts_at=begins, ends_at=begins + minutes * MIN, **{"title": "경사 하강법", **fields}
    )
    SessionCohort.objects.bulk_create(SessionCohort(session=made, cohort=one, room=room) for one in cohorts)
    if teacher is not None:
        SessionTeacher.objects.create(session=made, user=teacher)
    return made


def screen(of: ClassSession, room: Room | None = None, kind: str = Station.Kind.SCREEN) -> Station:
    return Station.objects.create(session=of, kind=kind, room=room, key=uuid4())


def came(
    station: Station, enrolment: Enrolment, at: datetime | None = None, *, device: str = "", network: str = "",
    is_leaving: bool = False, step: int = 0, is_fresh: bool = True,
) -> checking.CheckedIn:  # fmt: skip
    """A check-in by the service."""
    when = at or timezone.now()
    return checking.check(
        station=station, enrolment=enrolment, at=when, is_leaving=is_leaving, traces=Traces(device, network),
        step=step, is_fresh=is_fresh, now=max(when, timezone.now()) if at is None else when,
    )  # fmt: skip


def verdict(of: ClassSession, enrolment: Enrolment) -> Verdict:
    return Verdict.objects.get(session=of, enrolment=enrolment)


def over(of: ClassSession) -> ClassSession:
    """The class is over and its verdicts are drawn."""
    assert close_class(session_id=of.pk, now=of.ends_at + HOUR)
    return of
