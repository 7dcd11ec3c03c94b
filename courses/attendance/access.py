"""Who sees and changes whose attendance: learners their own, staff their cohorts', teachers their class's."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from campus.core.errors import NotAllowed, NotFound
from campus.people.api import TEACHING, standing_of
from campus.people.models import User
from courses.catalog.api import RunAccess, get_run_for
from courses.catalog.models import Enrolment
from courses.timetable.api import SessionAccess, get_session_for, get_session_for_staff
from courses.timetable.models import ClassSession, SessionCohort

from .models import Station


@dataclass(frozen=True)
class RollAccess:
    """A class whose roll one may see and mark: of these cohorts only."""

    session: ClassSession
    places: tuple[SessionCohort, ...]
    may_edit: bool

    @property
    def cohort_ids(self) -> list[int]:
        return [place.cohort_id for place in self.places]


def get_roll_for(user: User, session_id: int) -> RollAccess:
    """Return a class for whoever takes its roll. Its teachers see all of it, a cohort's staff their cohort.

    Raises NotFound for strangers and for office hours, NotAllowed for learners.
    """
    access = get_session_for_staff(user, session_id)
    places = access.places if access.teaches else access.taught
    if not access.session.takes_attendance:
        raise NotFound
    if not places:
        raise NotAllowed
    return RollAccess(access.session, places, access.may_edit)


def get_own_session(user: User, session_id: int) -> tuple[SessionAccess, Enrolment]:
    """Return a class and one's own enrolment in it. Raises NotFound for strangers, NotAllowed for staff."""
    access = get_session_for(user, session_id)
    if not access.session.takes_attendance:
        raise NotFound
    if access.enrolment is None or access.enrolment.state != Enrolment.State.ACTIVE:
        raise NotAllowed
    return access, access.enrolment


@dataclass(frozen=True)
class LearnerAccess:
    """A learner's attendance as one person may see it: their own, or as staff."""

    enrolment: Enrolment
    is_own: bool
    is_staff: bool


def get_learner_for(user: User, enrolment_id: int) -> LearnerAccess:
    """Return an enrolment for the learner and the staff of its cohort. Raises NotFound for everybody else."""
    found = _enrolments().filter(pk=enrolment_id).first() if enrolment_id < 2**63 else None
    if found is None:
        raise NotFound
    standing = standing_of(user)
    is_own = standing.user_id is not None and found.user_id == standing.user_id
    is_staff = standing.holds(TEACHING, found.cohort.scope.path)
    if not is_staff and not (is_own and found.run.is_published):
        raise NotFound
    return LearnerAccess(found, is_own, is_staff)


def get_mark_for(user: User, enrolment_id: int, session_id: int) -> tuple[LearnerAccess, ClassSession]:
    """Return a learner and a class of their cohort, for the learner, the cohort's staff and the class's teachers.

    Raises NotFound for everybody else.
    """
    held = ClassSession.objects.filter(pk=session_id, places__cohort__enrolments=enrolment_id).exclude(kind="OFFICE")
    is_real = max(enrolment_id, session_id) < 2**63
    session = held.select_related("run__course", "run__term", "stream").first() if is_real else None
    if session is None:
        raise NotFound
    try:
        return get_learner_for(user, enrolment_id), session
    except NotFound:
        if not session.teachers.filter(user_id=user.pk).exists():
            raise
        return LearnerAccess(_enrolments().get(pk=enrolment_id), is_own=False, is_staff=True), session


def get_mark_for_staff(user: User, enrolment_id: int, session_id: int) -> tuple[Enrolment, ClassSession]:
    """The same for staff alone. Raises NotFound for strangers, NotAllowed for the learner."""
    access, session = get_mark_for(user, enrolment_id, session_id)
    if not access.is_staff:
        raise NotAllowed
    return access.enrolment, session


def get_policy_for(user: User, slug: str) -> RunAccess:
    """Return a run for its staff, to read its policy. Raises NotFound, NotAllowed."""
    access = get_run_for(user, slug)
    if not access.is_staff:
        raise NotAllowed
    return access


def get_station(key: UUID, kind: str) -> Station:
    """Return an open station by its secret. Raises NotFound."""
    found = (
        Station.objects.select_related("session__run__course", "room__building__campus")
        .filter(key=key, kind=kind, closed_at=None)
        .first()
    )
    if found is None or not found.session.is_planned:
        raise NotFound
    return found


def _enrolments() -> QuerySet[Enrolment]:
    return Enrolment.objects.select_related(
        "user", "run__course", "run__term", "cohort__scope", "cohort__campus", "lab_consent"
    )
