"""Looking before booking: everything that is taken, named in words, and the nearest times at which nothing is."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.translation import gettext as _

from campus.core.errors import Conflict
from campus.core.formats import campus_time, number
from campus.people.models import User
from campus.places.api import bookings_at
from campus.places.models import Room
from courses.catalog.models import Cohort
from courses.timetable.domain.clashes import (
    COHORT,
    GPUS,
    ROOM,
    STREAM,
    TEACHER,
    Busy,
    Clash,
    Kept,
    Need,
    Pool,
    Resource,
    among_themselves,
    clashes_of,
)
from courses.timetable.domain.free_slots import Hours, Slot, free_slots, weekly_times
from courses.timetable.models import ClassSession, Holiday, SessionCohort, SessionTeacher, Stream
from infra.pool.models import Site
from labs.scheduling.api import kept_at

from .wishes import ClassWish

FAR = timedelta(days=15)
#: So many clashes are said in the sentence; the facts have all.
SAID = 4


@dataclass(frozen=True)
class NamedClash:
    """A clash with the name of what is taken."""

    clash: Clash
    name: str

    @property
    def words(self) -> str:
        """What is taken, by whom, when."""
        clash = self.clash
        said = {
            "name": self.name, "by": clash.by or _("another class of this series"),
            "from": campus_time(clash.starts_at), "to": campus_time(clash.ends_at)[-5:],
            "left": number(clash.left or 0),
        }  # fmt: skip
        if clash.kind == GPUS and not clash.by:
            return _("%(name)s has only %(left)s such GPUs.") % said
        return _WORDS[clash.kind]() % said

    def facts(self) -> dict[str, Any]:
        """For programs."""
        clash = self.clash
        facts: dict[str, Any] = {
            "kind": clash.kind, "id": clash.id, "name": self.name, "taken_by": clash.by, "class_id": clash.by_id,
            "starts_at": clash.starts_at.isoformat(), "ends_at": clash.ends_at.isoformat(),
            "wanted_at": clash.at.isoformat(), "words": self.words,
        }  # fmt: skip
        return facts | ({"gpus_free": clash.left} if clash.left is not None else {})


_WORDS = {
    ROOM: lambda: _("%(name)s is taken by “%(by)s”, %(from)s–%(to)s."),
    STREAM: lambda: _("The stream %(name)s sends “%(by)s”, %(from)s–%(to)s."),
    TEACHER: lambda: _("%(name)s teaches “%(by)s”, %(from)s–%(to)s."),
    COHORT: lambda: _("%(name)s has “%(by)s”, %(from)s–%(to)s."),
    GPUS: lambda: _("%(name)s keeps GPUs for “%(by)s”, %(from)s–%(to)s; %(left)s are left."),
}


class TimetableClash(Conflict):
    """Something that the class would take is taken. `clashes` are all of them, `slots` the nearest free times."""

    code = "timetable_clash"

    def __init__(self, clashes: Sequence[NamedClash], slots: Sequence[Slot], *, is_weekly: bool = False) -> None:
        said = " ".join(one.words for one in clashes[:SAID])
        if len(clashes) > SAID:
            said += " " + _("And %(more)s more clashes.") % {"more": number(len(clashes) - SAID)}
        super().__init__(
            _("Nothing was saved. %(clashes)s") % {"clashes": said},
            code=self.code,
            facts={
                "clashes": [one.facts() for one in clashes],
                "free_slots": [
                    {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()} for slot in slots
                ],
            },
        )
        self.clashes, self.slots, self.is_weekly = list(clashes), list(slots), is_weekly


def look(
    *,
    wish: ClassWish,
    times: Sequence[tuple[datetime, datetime]],
    cohorts: Sequence[Cohort],
    now: datetime,
    except_ids: Collection[int] = (),
    is_weekly: bool = False,
) -> None:
    """Return when all of a wish is free at these times, but for what the classes `except_ids` take themselves.

    Raises TimetableClash with every clash and up to three free times: those nearest to a single class, or times of the
    day that are free on all days of a series. Two times that wish the same at once clash, too.
    """
    if not times:
        return
    first, last = min(start for start, _end in times), max(end for _start, end in times)
    needs, busy = _load(wish, times, first, last, except_ids)
    found = [clash for need in needs for clash in clashes_of(need, busy)] + among_themselves(needs)
    if not found:
        return
    hours = Hours(cohorts[0].campus.zone, closed=frozenset(holidays_of(cohorts, first - FAR, last + FAR)))
    if is_weekly:
        slots = weekly_times(needs, busy, hours, not_before=now)
    else:
        (need,), busy = _load(wish, times, first - FAR, last + FAR, except_ids)
        slots = free_slots(need, busy, hours, not_before=now)
    raise TimetableClash(_named(found), slots, is_weekly=is_weekly)


def holidays_of(cohorts: Sequence[Cohort], from_at: datetime, until_at: datetime) -> set[Any]:
    """The days in that time on which a campus of these cohorts has no classes."""
    days = Holiday.objects.filter(on__gte=from_at.date() - timedelta(days=1), on__lte=until_at.date() + FAR)
    campuses = {cohort.campus_id for cohort in cohorts}
    return set(days.filter(Q(campus=None) | Q(campus__in=campuses)).values_list("on", flat=True))


def _load(
    wish: ClassWish,
    times: Sequence[tuple[datetime, datetime]],
    first: datetime,
    last: datetime,
    except_ids: Collection[int],
) -> tuple[list[Need], list[Busy]]:
    """What the classes need, and what is taken of it from `first` until `last`: six queries."""
    resources = {Resource(ROOM, room_id) for room_id in wish.room_ids}
    resources |= {Resource(TEACHER, user_id) for user_id in wish.teacher_ids}
    if wish.takes_cohorts:
        resources |= {Resource(COHORT, place.cohort_id) for place in wish.places}
    if wish.stream_id is not None:
        resources.add(Resource(STREAM, wish.stream_id))
    pools = tuple(_pools(wish, first, last, except_ids))
    needs = [Need(start, end, frozenset(resources), pools) for start, end in times]
    return needs, list(_busy(wish, first, last, except_ids))


def _busy(wish: ClassWish, first: datetime, last: datetime, except_ids: Collection[int]) -> Iterable[Busy]:
    keys = [f"class:{pk}" for pk in except_ids]
    for row in bookings_at(room_ids=wish.room_ids, from_at=first, until_at=last, except_keys=keys):
        kind, _colon, number_ = row.key.partition(":")
        yield Busy(
            Resource(ROOM, row.room_id), row.period.lower, row.period.upper, row.purpose,
            int(number_) if kind == "class" and number_.isdecimal() else None,
        )  # fmt: skip
    period = DateTimeTZRange(first, last, "[)")
    if wish.stream_id is not None:
        sent = ClassSession.objects.filter(
            stream_id=wish.stream_id, state=ClassSession.State.PLANNED, starts_at__lt=last, ends_at__gt=first
        ).exclude(pk__in=except_ids)
        for session in sent.select_related("run__course"):
            yield Busy(
                Resource(STREAM, wish.stream_id), session.starts_at, session.ends_at, said(session), session.pk
            )  # fmt: skip
    taught = SessionTeacher.objects.filter(user_id__in=wish.teacher_ids, period__overlap=period)
    for teacher in taught.exclude(session__in=except_ids).select_related("session__run__course"):
        yield _taken(Resource(TEACHER, teacher.user_id), teacher)
    if wish.takes_cohorts:
        asked = [place.cohort_id for place in wish.places]
        held = SessionCohort.objects.filter(cohort_id__in=asked, period__overlap=period)
        for place in held.exclude(session__in=except_ids).select_related("session__run__course"):
            yield _taken(Resource(COHORT, place.cohort_id), place)


def _taken(resource: Resource, row: SessionTeacher | SessionCohort) -> Busy:
    return Busy(resource, row.period.lower, row.period.upper, said(row.session), row.session_id)


def said(session: ClassSession) -> str:
    """A class as others who plan read of it."""
    return f"{session.title} · {session.run.course.name}"


def _pools(wish: ClassWish, first: datetime, last: datetime, except_ids: Collection[int]) -> Iterable[Pool]:
    """A site's GPUs at all, and of each wished type: a class of any type takes what no typed one needs."""
    places = [place for place in wish.places if place.gpus and place.site_id is not None]
    if not places:
        return
    own = SessionCohort.objects.filter(session__in=except_ids, reservation__isnull=False)
    without = set(own.values_list("reservation_id", flat=True))
    sites = kept_at(
        site_ids=[place.site_id for place in places if place.site_id], from_at=first, until_at=last, without=without
    )
    for site_id, site in sites.items():
        here = [place for place in places if place.site_id == site_id]
        rows = [(row.gpu_type, Kept(row.gpus, row.start_at, row.end_at, row.title)) for row in site.kept]
        wanted = sum(place.gpus for place in here)
        yield Pool(site_id, site.total, wanted, tuple(kept for _type, kept in rows))
        for gpu_type in sorted({place.gpu_type for place in here} - {""}):
            typed = tuple(kept for one, kept in rows if one == gpu_type)
            count = sum(place.gpus for place in here if place.gpu_type == gpu_type)
            yield Pool(site_id, site.by_type.get(gpu_type, 0), count, typed, gpu_type)


def _named(clashes: Sequence[Clash]) -> list[NamedClash]:
    """Clashes with names: one query a kind of thing. What is said twice is said once."""
    ids: dict[str, set[int]] = {}
    for clash in clashes:
        ids.setdefault(clash.kind, set()).add(clash.id)
    names: dict[tuple[str, int], str] = {}
    for kind, wanted in ids.items():
        names |= {(kind, pk): name for pk, name in _names(kind, wanted)}
    unique = dict.fromkeys(clashes)
    return [NamedClash(clash, names.get((clash.kind, clash.id), "–")) for clash in unique]


def _names(kind: str, ids: Collection[int]) -> Iterable[tuple[int, str]]:
    if kind == ROOM:
        rooms = Room.objects.select_related("building__campus").filter(pk__in=ids)
        return [(room.pk, f"{room.building.campus.name} {room.building.name} {room.name}") for room in rooms]
    if kind == TEACHER:
        return [(user.pk, user.name) for user in User.objects.filter(pk__in=ids)]
    model: Any = {STREAM: Stream, COHORT: Cohort, GPUS: Site}[kind]
    return [(row.pk, str(row)) for row in model.objects.filter(pk__in=ids)]
