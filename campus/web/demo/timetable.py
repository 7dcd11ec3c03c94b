"""A term of classes at both campuses: two weekly series for both cohorts at once, office hours, a cancelled class with
its make-up, an exam, public holidays. Counted from the day of seeding, so that the demo is always in mid-term."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from campus.people.models import User
from campus.places.models import Campus, Room
from courses.catalog.models import Cohort
from courses.content.models import Module
from courses.timetable.api import (
    ClassWish,
    PlaceWish,
    SeriesWish,
    add_holiday,
    cancel_session,
    save_series,
    save_session,
    save_stream,
    take_slot,
)
from courses.timetable.models import ClassSeries, ClassSession, Stream

from . import people
from .course import Taught

# Public holidays of Korea with a fixed day.
HOLIDAYS = (
    (1, 1, "새해 첫날", "New Year's Day"), (3, 1, "삼일절", "Independence Movement Day"),
    (5, 5, "어린이날", "Children's Day"), (6, 6, "현충일", "Memorial Day"), (8, 15, "광복절", "Liberation Day"),
    (10, 3, "개천절", "National Foundation Day"), (10, 9, "한글날", "Hangul Day"), (12, 25, "성탄절", "Christmas Day"),
)  # fmt: skip
ROOMS = {people.YONGIN: "강의실 201", people.JEONBUK: "강의실 210"}
LABS = {people.YONGIN: "실습실 301", people.JEONBUK: "실습실 311"}


def open_timetable(taught: Taught, campuses: Mapping[str, Campus], users: Mapping[str, User], now: datetime) -> None:
    """Plan the term. The platform itself plans it, so that what is over is there, too, and nobody is told."""
    today = timezone.localdate(now)
    term = taught.run.term
    _holidays(term.starts_on, term.ends_on, campuses)
    streams = [
        save_stream(name_ko=name, name_en=english, url=f"https://live.campus.example/{slug}", actor=None)
        for name, english, slug in (("방송 채널 1", "Channel 1", "one"), ("방송 채널 2", "Channel 2", "two"))
    ]
    staff = {person.local: users[person.email] for person in people.STAFF}
    first, last = term.starts_on, term.ends_on
    lecture = _series(
        taught,
        "강의",
        "LECTURE",
        streams[0],
        [staff["instructor"]],
        ROOMS,
        SeriesWish((0, 2), time(10), time(12), first, last),
    )
    teachers = [staff["jeonbuk-instructor"], staff["assistant"], staff["jeonbuk-assistant"]]
    _series(taught, "GPU 실습", "LAB", streams[0], teachers, LABS, SeriesWish((4,), time(14), time(17), first, last))
    _series(
        taught, "윤서진 강사 상담", "OFFICE", None, [staff["instructor"]], {people.YONGIN: "세미나실 A"},
        SeriesWish((3,), time(16), time(17, 30), first, last),
    )  # fmt: skip
    _modules(lecture)
    _exam(taught, streams[1], [staff["instructor"], staff["jeonbuk-instructor"]], today)
    _make_up(taught, streams[1], staff["instructor"], lecture, now)
    _slots(users, now)


def _series(
    taught: Taught,
    title: str,
    kind: str,
    stream: Stream | None,
    teachers: list[User],
    rooms: Mapping[str, str],
    when: SeriesWish,
) -> ClassSeries:
    wish = ClassWish(
        title=title, kind=kind, stream_id=stream.pk if stream else None, places=_places(taught.cohorts, rooms),
        teacher_ids=tuple(user.pk for user in teachers), slot_minutes=15 if kind == "OFFICE" else None,
    )  # fmt: skip
    return save_series(run_id=taught.run.pk, wish=wish, when=when, actor=None).series


def _places(cohorts: Mapping[str, Cohort], rooms: Mapping[str, str]) -> tuple[PlaceWish, ...]:
    """A room for each cohort; who has none there comes to the other's hours online."""
    found = Room.objects.filter(name_ko__in=rooms.values()).select_related("building__campus")
    by_campus = {(room.building.campus.slug, room.name_ko): room.pk for room in found}
    return tuple(PlaceWish(cohort.pk, by_campus.get((slug, rooms.get(slug, "")))) for slug, cohort in cohorts.items())


def _holidays(first: date, last: date, campuses: Mapping[str, Campus]) -> None:
    for year in range(first.year, last.year + 1):
        for month, day, name_ko, name_en in HOLIDAYS:
            add_holiday(on=date(year, month, day), name_ko=name_ko, name_en=name_en, actor=None)
    founding = first + timedelta(days=46 - first.weekday())
    if not any((founding.month, founding.day) == (month, day) for month, day, *_names in HOLIDAYS):
        home = campuses[people.JEONBUK]
        add_holiday(
            on=founding, name_ko="전북 캠퍼스 개관일", name_en="Opening day of Jeonbuk", campus_id=home.pk, actor=None
        )


def _modules(lecture: ClassSeries) -> None:
    """Each week's lectures belong to that week's module and have its title."""
    modules = {module.starts_on: module for module in Module.objects.filter(run=lecture.run)}
    changed = []
    for session in lecture.sessions.all():
        on = session.series_on or timezone.localdate(session.starts_at)
        module = modules.get(on - timedelta(days=on.weekday()))
        if module is not None:
            session.module, session.title = module, module.title
            changed.append(session)
    ClassSession.objects.bulk_update(changed, ["module", "title"])


def _exam(taught: Taught, stream: Stream, teachers: list[User], today: date) -> None:
    day = today - timedelta(days=today.weekday()) + timedelta(weeks=5, days=1)
    halls = {people.YONGIN: "대강의실", people.JEONBUK: "대강의실"}
    _one(taught, "중간 평가", "EXAM", stream, teachers, halls, _at(day, 10), 2, note="신분증과 노트북을 가져오세요.")


def _make_up(taught: Taught, stream: Stream, teacher: User, lecture: ClassSeries, now: datetime) -> None:
    """A lecture of next week is cancelled; its make-up is on the Tuesday after, in the afternoon."""
    missed = lecture.sessions.filter(starts_at__gt=now + timedelta(days=4)).order_by("starts_at").first()
    if missed is None:
        return
    cancel_session(session_id=missed.pk, actor=None, reason="강사가 학회에 갑니다.")
    day = timezone.localdate(missed.starts_at)
    day += timedelta(days=8 - day.weekday())
    _one(taught, f"보강: {missed.title}", "LECTURE", stream, [teacher], ROOMS, _at(day, 14), 2, replaces_id=missed.pk)


def _one(
    taught: Taught,
    title: str,
    kind: str,
    stream: Stream,
    teachers: list[User],
    rooms: Mapping[str, str],
    start: datetime,
    hours: int,
    note: str = "",
    replaces_id: int | None = None,
) -> None:
    wish = ClassWish(
        title=title, kind=kind, stream_id=stream.pk, teacher_ids=tuple(user.pk for user in teachers), note=note,
        places=_places(taught.cohorts, rooms), replaces_id=replaces_id,
    )  # fmt: skip
    save_session(run_id=taught.run.pk, wish=wish, starts_at=start, ends_at=start + timedelta(hours=hours), actor=None)


def _slots(users: Mapping[str, User], now: datetime) -> None:
    """Two learners booked slots of the next office hours."""
    office = ClassSession.objects.filter(kind="OFFICE", starts_at__gt=now).order_by("starts_at").first()
    if office is None:
        return
    for number, (person, topic) in enumerate(
        zip(people.LEARNERS[4:6], ("학습률 고르기", "혼동 행렬 읽기"), strict=True)
    ):
        start = office.starts_at + timedelta(minutes=15 * (number * 2))
        take_slot(session_id=office.pk, starts_at=start, learner=users[person.email], topic=topic)


def _at(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))
