"""What week and month show: classes laid out by day, holidays, and what one may do with each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import DateField, DateTimeField, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core.compiled import IDS, AnyOf, Compiled, Given
from campus.people.api import INSTRUCTING, TEACHING, Standing
from courses.catalog.models import Cohort, Enrolment

from .access import READING, readable, readable_by
from .domain.week import Box, Span, boxes, hours_shown
from .models import ClassSession, Holiday, Kind, OfficeSlot, SessionCohort
from .selectors import sessions_between, sessions_of_cohort, sessions_of_person

DAY = timedelta(days=1)
#: Colours of courses, in the order in which they appear.
HUES = 6
#: Into so many lanes a day's twelve columns divide.
_LANES = (1, 2, 3, 4, 6, 12)


@dataclass(frozen=True)
class Shown:
    """A class as a reader sees it in a grid or list: where it is for them, what state it is in."""

    session: ClassSession
    place: str
    state: str
    hue: int
    may_move: bool = False
    box: Box | None = None

    @property
    def time(self) -> str:
        start, end = timezone.localtime(self.session.starts_at), timezone.localtime(self.session.ends_at)
        return f"{start:%H:%M}–{end:%H:%M}"

    @property
    def lane(self) -> str:
        """The class of its lane in the day's twelve columns."""
        if self.box is None:
            return ""
        lanes = next((count for count in _LANES if count >= self.box.lanes), _LANES[-1])
        return f"l{min(self.box.lane, lanes)}of{lanes}"


@dataclass
class Day:
    on: date
    is_today: bool
    is_other: bool = False
    holidays: list[str] = field(default_factory=list)
    classes: list[Shown] = field(default_factory=list)


@dataclass(frozen=True)
class Board:
    """Days with their classes; the hours of the grid, and whose clock they are of."""

    days: list[Day]
    first_hour: int
    hours: list[int]
    zone: ZoneInfo

    @property
    def hour_rows(self) -> list[tuple[int, int]]:
        """Each hour with the row of the grid at which it begins."""
        return [(hour, 4 * number + 1) for number, hour in enumerate(self.hours)]

    @property
    def count(self) -> int:
        return sum(len(day.classes) for day in self.days)


@dataclass(frozen=True)
class Reader:
    """Whose timetable is shown: everything one may see, or that of a cohort."""

    user_id: int
    standing: Standing
    cohorts: dict[int, Cohort]
    chosen: Cohort | None = None
    mine: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The clock of the campus that is looked at; of one's own, where there is one; else the site's."""
        cohort = self.chosen or next(iter(self.cohorts.values()), None)
        return cohort.campus.zone if cohort else ZoneInfo(timezone.get_default_timezone_name())

    def classes(self, from_at: datetime, until_at: datetime) -> QuerySet[ClassSession]:
        if self.chosen is not None:
            return sessions_of_cohort(self.chosen.pk, from_at, until_at)
        if self.mine:
            return sessions_of_person(self.user_id, from_at, until_at)
        return sessions_between(from_at, until_at).filter(readable_by(self.standing))

    def shown(self, from_at: datetime, until_at: datetime) -> list[ClassSession]:
        """The same, loaded: the pages ask compiled queries. Three queries."""
        time = {"from_at": from_at, "until_at": until_at}
        if self.chosen is not None:
            return _OF_COHORT.models(cohort_id=self.chosen.pk, **time)
        if self.mine:
            return _OF_PERSON.models(user_id=self.user_id, **time)
        return _READABLE.models(user_id=self.user_id, scopes=self.standing.scope_ids(TEACHING), **time)


_TIME = (Given("from_at", DateTimeField()), Given("until_at", DateTimeField()))
_OF_COHORT = Compiled(lambda: sessions_of_cohort(Given("cohort_id"), *_TIME))
_OF_PERSON = Compiled(lambda: sessions_of_person(Given("user_id"), *_TIME))
_READABLE = Compiled(lambda: sessions_between(*_TIME).filter(readable(Given("user_id"), Given("scopes", IDS))))
_NEXT = Compiled(lambda: sessions_of_person(Given("user_id"), *_TIME).filter(state=ClassSession.State.PLANNED)[:1])
_COHORTS = Compiled(
    lambda: (
        Cohort.objects.filter(
            Q(enrolments__user_id=Given("user_id"), enrolments__state__in=READING, run__is_published=True)
            | Q(scope__path__overlap=Given("scopes", IDS))
        )
        .select_related("run__course", "campus", "scope")
        .distinct()
        .order_by("run_id", "name")
    )
)
_HOLIDAYS = Compiled(
    lambda: Holiday.objects.filter(
        Q(campus=None) | Q(campus_id=AnyOf("campuses")),
        on__gte=Given("first", DateField()), on__lt=Given("after", DateField()),
    ).select_related("campus")
)  # fmt: skip
_MINE = Compiled(
    lambda: SessionCohort.objects.filter(
        session_id=AnyOf("sessions"), cohort__enrolments__user_id=Given("user_id"),
        cohort__enrolments__state__in=READING,
    ).values_list("session_id", "cohort_id", "cohort__enrolments__mode")
)  # fmt: skip


def reader_of(user: Any, standing: Standing, asked: str) -> Reader:
    """Read whose timetable is asked for: "mine", a cohort's number, or all that one may see. One query."""
    found = _COHORTS.models(user_id=user.pk, scopes=standing.scope_ids(TEACHING))
    cohorts = {cohort.pk: cohort for cohort in found}
    chosen = cohorts.get(int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 18 else None
    return Reader(user.pk, standing, cohorts, chosen, mine=chosen is None and (asked == "mine" or not standing.grants))


def week_of(reader: Reader, monday: date, now: datetime) -> Board:
    """A week from Monday to Sunday: six queries whatever is in it."""
    return _board(reader, monday, 7, now, laid_out=True)


def month_of(reader: Reader, first: date, now: datetime) -> Board:
    """The whole weeks that a month touches: six queries whatever is in it."""
    start = first - timedelta(days=first.weekday())
    after = (first + timedelta(days=31)).replace(day=1)
    count = -(-(after - start).days // 7) * 7
    board = _board(reader, start, count, now, laid_out=False)
    for day in board.days:
        day.is_other = day.on.month != first.month
    return board


def _board(reader: Reader, start: date, count: int, now: datetime, *, laid_out: bool) -> Board:
    zone = reader.zone
    begin, end = (datetime.combine(day, time(0), zone) for day in (start, start + DAY * count))
    sessions = reader.shown(begin, end)
    spans = [Span(one.pk, max(one.starts_at, begin), one.ends_at) for one in sessions]
    first, last = hours_shown(spans, zone) if laid_out else (0, 24)
    laid = {box.key: box for box in boxes(spans, zone, first)} if laid_out else {}
    today = now.astimezone(zone).date()
    days = {start + DAY * n: Day(start + DAY * n, start + DAY * n == today) for n in range(count)}
    for shown in shown_to(reader.user_id, reader.standing, sessions, now, laid):
        days[max(shown.session.starts_at, begin).astimezone(zone).date()].classes.append(shown)
    campuses = list({cohort.campus_id for cohort in reader.cohorts.values()})
    for holiday in _HOLIDAYS.models(first=start, after=start + DAY * count, campuses=campuses):
        name = f"{holiday.name} ({holiday.campus.name})" if holiday.campus else holiday.name
        days[holiday.on].holidays.append(name)
    return Board(list(days.values()), first, list(range(first, last)), zone)


def shown_to(
    user_id: int,
    standing: Standing,
    sessions: Iterable[ClassSession],
    now: datetime,
    laid: dict[int, Box] | None = None,
) -> list[Shown]:
    """Classes as one person sees them: where they are to be, and whether they may move them. One query."""
    rows = list(sessions)
    mine = {
        pk: (cohort_id, mode)
        for pk, cohort_id, mode in (_MINE.rows(sessions=[row.pk for row in rows], user_id=user_id) if rows else ())
    }
    hues: dict[int, int] = {}
    found: list[Shown] = []
    for row in rows:
        hue = hues.setdefault(row.run_id, len(hues) % HUES + 1)
        may = row.is_planned and not row.is_over(now) and may_plan(standing, row)
        found.append(
            Shown(
                row,
                place_words(row, *mine.get(row.pk, (None, None))),
                state_of(row, now),
                hue,
                may,
                (laid or {}).get(row.pk),
            )
        )
    return found


def may_plan(standing: Standing, session: ClassSession) -> bool:
    """Whether a person instructs one of its cohorts; costs no query for a whole session."""
    return any(standing.holds(INSTRUCTING, place.cohort.scope.path) for place in session.places.all())


def state_of(session: ClassSession, now: datetime) -> str:
    """PLANNED, NOW, OVER or CANCELLED."""
    if not session.is_planned:
        return "CANCELLED"
    if session.is_over(now):
        return "OVER"
    return "NOW" if session.starts_at <= now else "PLANNED"


def place_words(session: ClassSession, cohort_id: int | None = None, mode: str | None = None) -> str:
    """Where a class is: all rooms and the stream; for a learner the own cohort's room, or online the stream alone."""
    places = [place for place in session.places.all() if cohort_id is None or place.cohort_id == cohort_id]
    rooms = list(dict.fromkeys(place.room for place in places if place.room is not None))
    stream = [_("online: %(stream)s") % {"stream": session.stream.name}] if session.stream else []
    if mode == Enrolment.Mode.ONLINE and stream:
        return stream[0]
    if not rooms and not stream:
        return _("Online")
    is_spread = len({room.building.campus_id for room in rooms}) > 1
    said = [f"{room.building.campus.name} {room.name}" if is_spread else room.name for room in rooms]
    return " · ".join(said if mode == Enrolment.Mode.ONSITE and said else [*said, *stream])


def next_class(user_id: int, standing: Standing, now: datetime) -> Shown | None:
    """A person's class that is on, or the next within a week, for Today. Four queries."""
    found = _NEXT.model(user_id=user_id, from_at=now, until_at=now + 7 * DAY)
    return shown_to(user_id, standing, [found], now)[0] if found else None


def taken_slot(session: ClassSession, user_id: int) -> OfficeSlot | None:
    """The slot of office hours that a learner has."""
    return session.slots.filter(learner_id=user_id).first() if session.kind == Kind.OFFICE else None
