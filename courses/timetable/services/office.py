"""Slots of office hours: a learner takes one of a class's, and gives it up; the database lets a slot be taken once."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.core.notices.services import notify
from campus.people.models import User
from courses.catalog.models import Enrolment
from courses.timetable.domain.free_slots import slots_of
from courses.timetable.live import tell
from courses.timetable.models import ClassSession, Kind, OfficeSlot

from .telling import iso, page_of


@transaction.atomic
def take_slot(*, session_id: int, starts_at: datetime, learner: User, topic: str = "") -> OfficeSlot:
    """Take a slot for a learner of its cohorts; who has one already changes to this one.

    Raises NotFound, NotAllowed (not enrolled), InvalidInput (no such slot), Conflict (slot_taken, over, cancelled).
    """
    session = _session(session_id)
    cohorts = list(session.places.values_list("cohort_id", flat=True))
    enrolled = Enrolment.objects.filter(user=learner, cohort__in=cohorts, state=Enrolment.State.ACTIVE)
    if not enrolled.exists():
        raise NotAllowed
    if not session.is_planned or starts_at <= database_now():
        raise Conflict(_("This slot is over, or the office hours are cancelled. Choose another."), code="slot_over")
    if len(topic) > 200 or not topic.isprintable():
        raise InvalidInput({"topic": _("Say in at most 200 characters what it is about.")})
    parts = {part.starts_at: part for part in slots_of(session.starts_at, session.ends_at, session.slot_minutes or 1)}
    if starts_at not in parts:
        raise InvalidInput({"starts_at": _("Choose one of the slots that are shown.")})
    OfficeSlot.objects.filter(session=session, learner=learner).delete()
    slot = OfficeSlot(
        session=session, learner=learner, starts_at=starts_at, ends_at=parts[starts_at].ends_at, topic=topic.strip()
    )
    try:
        with transaction.atomic():
            slot.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("Somebody took this slot a moment ago. Choose another."), code="slot_taken") from None
    _tell_teachers(session, slot, "timetable.slot_taken")
    return slot


@transaction.atomic
def give_up_slot(*, slot_id: int, learner: User) -> None:
    """Give one's own slot up. Raises NotFound, Conflict (it has begun)."""
    slot = OfficeSlot.objects.select_related("session__run__course").filter(pk=slot_id, learner=learner).first()
    if slot is None:
        raise NotFound
    if slot.starts_at <= database_now():
        raise Conflict(_("This slot has begun; it stays."), code="slot_over")
    _tell_teachers(slot.session, slot, "timetable.slot_given_up")
    slot.delete()


def _session(session_id: int) -> ClassSession:
    """Lock office hours, so that a move and a slot do not miss each other. Raises NotFound."""
    rows = ClassSession.objects.select_for_update(no_key=True, of=("self",)).select_related("run__course")
    session = rows.filter(pk=session_id, kind=Kind.OFFICE).first()
    if session is None:
        raise NotFound
    return session


def _tell_teachers(session: ClassSession, slot: OfficeSlot, kind: str) -> None:
    teachers = list(session.teachers.values_list("user_id", flat=True))
    facts = {"name": slot.learner.name, "starts_at": iso(slot.starts_at), "topic": slot.topic or "–"}
    notify(recipient_ids=teachers, kind=kind, url=page_of(session), facts=facts)
    cohorts = session.places.values_list("cohort_id", flat=True)
    tell(cohort_ids=cohorts, user_ids=[*teachers, slot.learner_id])
