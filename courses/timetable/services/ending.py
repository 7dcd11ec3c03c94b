"""Letting a class out before its planned end."""

from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import Conflict
from campus.people.models import User
from courses.timetable.live import tell
from courses.timetable.models import ClassSession, SessionTeacher

from .sessions import note_act, open_to_change, touch
from .taking import give_back_rest, one_booking
from .wishes import require_planner, wish_of


@one_booking
def end_session(*, session_id: int, actor: User) -> ClassSession:
    """End a class that is on: nobody is judged for minutes that were not held, and what it takes is free from now.

    Check-out counts for as long after it as always. Nobody gets a notice: those it touches are there.
    Raises NotFound, NotAllowed, Conflict (it has not begun, is over or cancelled; or these are office hours).
    """
    now = database_now()
    session = open_to_change(session_id, None, now)
    cohort_ids = sorted(session.places.values_list("cohort_id", flat=True))
    require_planner(actor, cohort_ids)
    if not session.takes_attendance:
        raise Conflict(_("Learners took times of these office hours. Cancel them instead."), code="office_hours")
    if session.starts_at >= now:
        raise Conflict(_("This class has not begun. Move it or cancel it instead."), code="not_begun")
    was, session.ends_at = session.ends_at, now
    session.is_changed_by_hand = session.is_changed_by_hand or session.series_id is not None
    touch(session)
    session.save(update_fields=["ends_at", "is_changed_by_hand", "sequence", "changed_at"])
    session.refresh_from_db(fields=["changed_at"])
    give_back_rest(session=session, wish=wish_of(session), actor=actor)
    teachers = SessionTeacher.objects.filter(session=session).values_list("user_id", flat=True)
    tell(cohort_ids=cohort_ids, user_ids=set(teachers))
    note_act(session, "class.ended", cohort_ids, actor, {"ends_at": (was, now)})
    return session
