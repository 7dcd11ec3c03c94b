"""What is wished for a class, and whether it makes sense at all; whether it is free is another question (looking)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput, NotAllowed, NotFound, Text
from campus.people.api import INSTRUCTING, Role, standing_of
from campus.people.models import User
from campus.places.models import Room
from courses.catalog.models import Cohort, CourseRun
from courses.content.models import Module
from courses.timetable.models import ClassSeries, ClassSession, Kind, Place, Stream
from infra.pool.models import Site

LONGEST = timedelta(hours=12)
MOST_GPUS = 2_000
LEAST_SLOT, MOST_SLOT = 5, 240


@dataclass(frozen=True)
class PlaceWish:
    """A cohort of a class, its room (None: online) and the GPUs to keep for it."""

    cohort_id: int
    room_id: int | None = None
    gpus: int = 0
    gpu_type: str = ""
    site_id: int | None = None


@dataclass(frozen=True)
class ClassWish:
    """All of a class but its time."""

    title: str
    places: tuple[PlaceWish, ...]
    kind: str = Kind.LECTURE
    teacher_ids: tuple[int, ...] = ()
    stream_id: int | None = None
    module_id: int | None = None
    note: str = ""
    slot_minutes: int | None = None
    replaces_id: int | None = None

    @property
    def takes_cohorts(self) -> bool:
        """Nobody must come to office hours, so they take no cohort's time."""
        return self.kind != Kind.OFFICE

    @property
    def room_ids(self) -> list[int]:
        """Each room once, in order: two cohorts may share one."""
        return sorted({place.room_id for place in self.places if place.room_id is not None})


@dataclass(frozen=True)
class SeriesWish:
    """When the classes of a series are: weekdays (0 is Monday), wall-clock times, days from and until, exceptions."""

    weekdays: tuple[int, ...]
    starts: time
    ends: time
    from_on: date
    until_on: date
    skipped: tuple[date, ...] = ()


def wish_of(session: ClassSession) -> ClassWish:
    """The wish that a session stands for, to change a part of it."""
    return ClassWish(
        title=session.title, kind=session.kind, note=session.note, stream_id=session.stream_id,
        module_id=session.module_id, slot_minutes=session.slot_minutes, replaces_id=session.replaces_id,
        teacher_ids=tuple(row.user_id for row in session.teachers.all()),
        places=tuple(_place_of(row) for row in session.places.all()),
    )  # fmt: skip


def wish_of_series(series: ClassSeries) -> ClassWish:
    return ClassWish(
        title=series.title, kind=series.kind, stream_id=series.stream_id, slot_minutes=series.slot_minutes,
        teacher_ids=tuple(user.pk for user in series.teachers.all()),
        places=tuple(_place_of(row) for row in series.places.all()),
    )  # fmt: skip


def _place_of(row: Place) -> PlaceWish:
    return PlaceWish(row.cohort_id, row.room_id, row.gpus, row.gpu_type, row.site_id)


def people_who_teach(cohorts: Sequence[Cohort]) -> QuerySet[User]:
    """Who may teach a class of these cohorts: their instructors and assistants who may sign in."""
    scope_ids = {scope_id for cohort in cohorts for scope_id in cohort.scope.path}
    roles = (Role.INSTRUCTOR, Role.ASSISTANT)
    held = User.objects.filter(role_grants__role__in=roles, role_grants__scope_id__in=scope_ids, is_active=True)
    return held.distinct().order_by("name", "pk")


def require_planner(actor: User | None, cohort_ids: Iterable[int]) -> None:
    """Raise NotAllowed unless `actor` instructs one of these cohorts; None is the platform itself."""
    if actor is None:
        return
    held = Cohort.objects.filter(scope__path__overlap=standing_of(actor).scope_ids(INSTRUCTING))
    if not held.filter(pk__in=list(cohort_ids)).exists():
        raise NotAllowed


def check_wish(*, run: CourseRun, wish: ClassWish, actor: User | None) -> dict[int, Cohort]:
    """Return the wished cohorts by id. Raises NotAllowed (who does not plan this run), InvalidInput (fields named)."""
    known = {cohort.pk: cohort for cohort in Cohort.objects.select_related("campus", "scope").filter(run=run)}
    require_planner(actor, known)
    wrong: dict[str, Text] = {}
    if not 0 < len(wish.title.strip()) <= 120 or not wish.title.isprintable():
        wrong["title"] = _("Give the class a title of at most 120 characters.")
    if wish.kind not in Kind.values:
        wrong["kind"] = _("Choose a kind of class.")
    asked = [place.cohort_id for place in wish.places]
    if not asked or not set(asked) <= known.keys() or len(set(asked)) < len(asked):
        wrong["cohorts"] = _("Choose at least one cohort of this course.")
    elif actor is not None and not any(standing_of(actor).holds(INSTRUCTING, known[pk].scope.path) for pk in asked):
        wrong["cohorts"] = _("Choose at least one cohort that you instruct.")
    wrong |= _wrong_places(wish) | _wrong_parts(run, wish)
    if not wrong:
        teachers = set(wish.teacher_ids)
        there = people_who_teach(list(known.values())).filter(pk__in=teachers).count() if teachers else 0
        if there < len(teachers):
            wrong["teachers"] = _("Choose teachers among the staff of these cohorts.")
    if wrong:
        raise InvalidInput(wrong)
    return {cohort_id: known[cohort_id] for cohort_id in asked}


def _wrong_places(wish: ClassWish) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    rooms = Room.objects.filter(pk__in=wish.room_ids, is_active=True, building__campus__is_open=True)
    if rooms.count() < len(wish.room_ids):
        wrong["room"] = _("One of these rooms is not in use. Choose another.")
    wanted = [place.site_id for place in wish.places if place.gpus]
    sites = {site_id for site_id in wanted if site_id is not None}
    if any(not 0 <= place.gpus <= MOST_GPUS for place in wish.places):
        wrong["gpus"] = _("Keep from 0 to %(most)d GPUs.") % {"most": MOST_GPUS}
    elif wanted and (None in wanted or Site.objects.filter(pk__in=sites, is_open=True).count() < len(sites)):
        wrong["site"] = _("Choose the site whose GPUs are kept.")
    return wrong


def _wrong_parts(run: CourseRun, wish: ClassWish) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    if wish.stream_id and not Stream.objects.filter(pk=wish.stream_id, is_active=True).exists():
        wrong["stream"] = _("This stream is not in use. Choose another.")
    if wish.module_id and not Module.objects.filter(pk=wish.module_id, run=run).exists():
        wrong["module"] = _("Choose a module of this course.")
    if wish.replaces_id and not ClassSession.objects.filter(pk=wish.replaces_id, run=run).exists():
        wrong["replaces"] = _("Choose a class of this course.")
    if len(wish.note) > 2000:
        wrong["note"] = _("Write at most 2,000 characters.")
    is_office = wish.kind == Kind.OFFICE
    if is_office and not LEAST_SLOT <= (wish.slot_minutes or 0) <= MOST_SLOT:
        wrong["slot_minutes"] = _("Office hours have slots of 5 to 240 minutes.")
    if is_office and not wish.teacher_ids:
        wrong["teachers"] = _("Say who holds the office hours.")
    return wrong


def check_time(starts_at: datetime, ends_at: datetime, now: datetime | None) -> None:
    """Refuse what ends before it begins, lasts too long, or (with `now`) is over. Raises InvalidInput."""
    if ends_at <= starts_at:
        raise InvalidInput({"ends": _("It ends after it begins.")})
    if ends_at - starts_at > LONGEST:
        raise InvalidInput({"ends": _("A class lasts at most 12 hours.")})
    if now is not None and ends_at <= now:
        raise InvalidInput({"starts": _("That is over. Choose a time to come.")})


def zone_of(cohorts: Sequence[Cohort]) -> ZoneInfo:
    """Whose clock a class goes by: that of its first cohort's campus."""
    return cohorts[0].campus.zone


def get_run(run_id: int) -> CourseRun:
    """Raises NotFound."""
    run = CourseRun.objects.select_related("course", "term").filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run
