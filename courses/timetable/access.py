"""Who may see a class session, and who may change one."""

from dataclasses import dataclass, field

from django.db.models import Prefetch, Q, QuerySet

from campus.core.compiled import IDS, AnyOf, Compiled, Given
from campus.core.errors import NotAllowed, NotFound
from campus.people.api import INSTRUCTING, TEACHING, Standing, standing_of
from campus.people.models import User
from courses.catalog.models import Cohort, CourseRun, Enrolment

from .models import ClassSession, SessionCohort, SessionTeacher

READING = (Enrolment.State.ACTIVE, Enrolment.State.COMPLETED)


@dataclass(frozen=True)
class SessionAccess:
    """A session as one person may use it. `taught` are its cohorts whose staff the person is."""

    session: ClassSession
    places: tuple[SessionCohort, ...] = ()
    taught: tuple[SessionCohort, ...] = ()
    enrolment: Enrolment | None = None
    teaches: bool = False
    may_edit: bool = False
    standing: Standing = field(default_factory=lambda: Standing(user_id=None))

    @property
    def is_staff(self) -> bool:
        return bool(self.taught) or self.teaches or self.may_edit

    @property
    def my_place(self) -> SessionCohort | None:
        """Where the learner's own cohort meets."""
        cohort_id = self.enrolment.cohort_id if self.enrolment else None
        return next((place for place in self.places if place.cohort_id == cohort_id), None)


_SESSION = Compiled(lambda: sessions_whole().filter(pk=Given("pk")))
_ENROLMENT = Compiled(
    lambda: Enrolment.objects.select_related("cohort").filter(
        user_id=Given("user_id"), cohort_id=AnyOf("cohorts"), state__in=READING
    )[:1]
)


def get_session_for(user: User, session_id: int) -> SessionAccess:
    """Return a session for its learners, teachers and staff, cancelled ones too. Raises NotFound for strangers."""
    session = _SESSION.model(pk=session_id) if session_id < 2**63 else None
    if session is None:
        raise NotFound
    standing = standing_of(user)
    places = tuple(session.places.all())
    taught = tuple(place for place in places if standing.holds(TEACHING, place.cohort.scope.path))
    teaches = any(row.user_id == standing.user_id for row in session.teachers.all())
    may_edit = any(standing.holds(INSTRUCTING, place.cohort.scope.path) for place in places)
    enrolment = None
    if standing.user_id is not None and places:
        enrolment = _ENROLMENT.model(user_id=standing.user_id, cohorts=[place.cohort_id for place in places])
    is_hidden = not session.run.is_published and enrolment is not None and not (taught or teaches)
    if not (taught or teaches or may_edit or enrolment) or is_hidden:
        raise NotFound
    return SessionAccess(session, places, taught, enrolment, teaches, may_edit, standing)


def get_session_for_staff(user: User, session_id: int) -> SessionAccess:
    """Return a session for its teachers and its cohorts' staff. Raises NotFound (strangers), NotAllowed (learners)."""
    access = get_session_for(user, session_id)
    if not access.is_staff:
        raise NotAllowed
    return access


def get_session_to_edit(user: User, session_id: int) -> SessionAccess:
    """Return a session for those who plan it: instructors and administrators of one of its cohorts.

    Raises NotFound for strangers, NotAllowed for others.
    """
    access = get_session_for(user, session_id)
    if not access.may_edit:
        raise NotAllowed
    return access


def plannable_cohorts(standing: Standing, run: CourseRun | None = None) -> QuerySet[Cohort]:
    """The cohorts for which a person plans classes: all those of each run in which they instruct one.

    A class of two campuses has one plan; who instructs at one of them may plan it whole.
    """
    instructed = Cohort.objects.filter(scope__path__overlap=standing.scope_ids(INSTRUCTING))
    runs = instructed.values("run_id") if run is None else instructed.filter(run=run).values("run_id")
    return Cohort.objects.filter(run__in=runs).select_related("run__course", "run__term", "campus", "scope", "account")


_PLANNABLE = Compiled(
    lambda: (
        CourseRun.objects.filter(
            pk__in=Cohort.objects.filter(scope__path__overlap=Given("scopes", IDS)).order_by().values("run_id")
        )
        .select_related("course")
        .order_by("pk")
    )
)


def plannable_runs(standing: Standing) -> list[CourseRun]:
    """The runs, with their courses, for which a person plans classes. One query; none for who instructs nowhere."""
    scopes = standing.scope_ids(INSTRUCTING)
    return _PLANNABLE.models(scopes=scopes) if scopes else []


def sessions_whole() -> QuerySet[ClassSession]:
    """Sessions with run, places and teachers: three queries whatever their number."""
    places = SessionCohort.objects.select_related(
        "cohort__campus", "cohort__scope", "room__building__campus", "reservation"
    )
    teachers = SessionTeacher.objects.select_related("user")
    return ClassSession.objects.select_related(
        "run__course", "run__term", "stream", "module", "series", "replaces"
    ).prefetch_related(Prefetch("places", places), Prefetch("teachers", teachers))


def readable_by(standing: Standing) -> Q:
    """Which sessions a person sees: of their cohorts, those they teach, those of cohorts whose staff they are."""
    return readable(standing.user_id or 0, standing.scope_ids(TEACHING))


def readable(user_id: int | Given, scope_ids: list[int] | Given) -> Q:
    """As `readable_by`, for somebody who teaches at these scopes."""
    taught = SessionCohort.objects.filter(cohort__scope__path__overlap=scope_ids)
    mine = SessionCohort.objects.filter(
        cohort__enrolments__user_id=user_id, cohort__enrolments__state__in=READING, session__run__is_published=True
    )
    return (
        Q(pk__in=taught.values("session_id"))
        | Q(pk__in=mine.values("session_id"))
        | Q(pk__in=SessionTeacher.objects.filter(user_id=user_id).values("session_id"))
    )
