"""What changed, to those it touches: learners on the roll, teachers, and who took a slot; never to who changed it.

Where nobody changed it (`actor` None: the platform seeds a campus), nobody is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from campus.core.clock import database_now
from campus.core.notices.services import notify
from courses.catalog.models import Enrolment
from courses.timetable.live import tell
from courses.timetable.models import ClassSession, OfficeSlot, SessionTeacher


def touched(sessions: Sequence[ClassSession], cohort_ids: Iterable[int], *, but: Any = None) -> set[int]:
    """The people whom these classes are for but `but`, by id: three queries. Of office hours, only who took a slot."""
    ids = [one.pk for one in sessions]
    people = set(SessionTeacher.objects.filter(session__in=ids).values_list("user_id", flat=True))
    people |= set(OfficeSlot.objects.filter(session__in=ids).values_list("learner_id", flat=True))
    if any(one.takes_attendance for one in sessions) and sessions[0].run.is_published:
        active = Enrolment.objects.filter(cohort__in=list(cohort_ids), state=Enrolment.State.ACTIVE)
        people |= set(active.values_list("user_id", flat=True))
    return people - {getattr(but, "pk", None)}


def tell_of_one(
    kind: str, session: ClassSession, cohort_ids: Sequence[int], *, actor: Any, facts: Mapping[str, Any], key: str = ""
) -> None:
    """Tell the people of one class. What is over by now is history, of which nobody is told."""
    people = touched([session], cohort_ids, but=actor) if actor is not None else set()
    tell(cohort_ids=cohort_ids, user_ids=people)
    if session.ends_at > database_now() and people:
        given = {"title": session.title, "course": session.run.course.name_ko, **facts}
        notify(recipient_ids=people, kind=kind, url=page_of(session), facts=given, key=key)


def tell_of_many(
    kind: str, sessions: Sequence[ClassSession], cohort_ids: Sequence[int], *, actor: Any, title: str
) -> None:
    """Tell the people of a series once, however many of its classes changed."""
    people = touched(sessions, cohort_ids, but=actor) if sessions and actor is not None else set()
    tell(cohort_ids=cohort_ids, user_ids=people)
    coming = [one for one in sessions if one.ends_at > database_now()]
    if not coming or not people:
        return
    first = min(coming, key=lambda one: one.starts_at)
    facts = {
        "title": title, "course": first.run.course.name_ko, "count": len(coming), "starts_at": iso(first.starts_at)
    }  # fmt: skip
    notify(recipient_ids=people, kind=kind, url=page_of(first), facts=facts)


def tell_of_place(session: ClassSession, changed: Mapping[int, str], *, actor: Any) -> None:
    """Tell the learners of the cohorts whose room changed, each of their own: cohort id to the new place in words."""
    for cohort_id, place in changed.items():
        active = Enrolment.objects.filter(Q(cohort_id=cohort_id), state=Enrolment.State.ACTIVE)
        people = set(active.values_list("user_id", flat=True)) - {getattr(actor, "pk", None)}
        if people and session.run.is_published and session.ends_at > database_now():
            facts = {"title": session.title, "starts_at": iso(session.starts_at), "place": place}
            notify(recipient_ids=people, kind="timetable.place_changed", url=page_of(session), facts=facts)


def page_of(session: ClassSession) -> str:
    return reverse("timetable:class", args=[session.pk])


def iso(at: datetime) -> str:
    """An instant as notices keep it."""
    return at.isoformat()
