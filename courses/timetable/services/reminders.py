"""Reminding people of a class that begins soon: once each, however often the sweep runs, and again after a move."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation

from campus.core.notices.services import notify
from courses.catalog.models import Enrolment
from courses.timetable.access import sessions_whole
from courses.timetable.board import place_words
from courses.timetable.models import ClassSession, OfficeSlot
from courses.timetable.selectors import roll_of

from .telling import iso, page_of

BEFORE = timedelta(minutes=30)


def remind(*, now: datetime) -> int:
    """Tell the roll and the teachers of each class, and who took a slot of each slot, that begins within half an hour.

    Idempotent: the notice's key holds the class and the start. Returns how many classes are concerned.
    """
    begins = Q(starts_at__gt=now, starts_at__lte=now + BEFORE)
    slots = OfficeSlot.objects.filter(begins, session=OuterRef("pk"))
    soon = sessions_whole().filter(
        begins | Exists(slots), state=ClassSession.State.PLANNED, run__is_published=True
    )  # fmt: skip
    count = 0
    for session in soon:
        with transaction.atomic():
            if session.starts_at > now:
                _remind_of(session)
            _remind_of_slots(session, OfficeSlot.objects.filter(begins, session=session))
        count += 1
    return count


def _remind_of(session: ClassSession) -> None:
    key = f"timetable.reminder:{session.pk}:{session.starts_at.timestamp():.0f}"
    with translation.override("ko"):
        whole = place_words(session)
        groups: dict[str, set[int]] = {whole: {row.user_id for row in session.teachers.all()}}
        for entry in roll_of(session):
            if entry.enrolment.state == Enrolment.State.ACTIVE:
                words = place_words(session, entry.enrolment.cohort_id, entry.enrolment.mode)
                groups.setdefault(words, set()).add(entry.enrolment.user_id)
    for place, people in groups.items():
        facts = {"title": session.title, "starts_at": iso(session.starts_at), "place": place}
        if people:
            notify(recipient_ids=people, kind="timetable.reminder", url=page_of(session), facts=facts, key=key)


def _remind_of_slots(session: ClassSession, slots: Iterable[OfficeSlot]) -> None:
    with translation.override("ko"):
        place = place_words(session)
    for slot in slots:
        key = f"timetable.reminder:{session.pk}:{slot.starts_at.timestamp():.0f}"
        facts = {"title": session.title, "starts_at": iso(slot.starts_at), "place": place}
        notify(recipient_ids=[slot.learner_id], kind="timetable.reminder", url=page_of(session), facts=facts, key=key)
