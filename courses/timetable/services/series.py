"""A weekly series: all its classes are booked together or none is; a change reaches those nobody changed by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound, Text
from campus.people.models import User
from courses.catalog.models import Cohort, CourseRun
from courses.timetable.domain.recurrence import MOST_DAYS, Occurrence, Pattern, left_out, occurrences
from courses.timetable.models import ClassSeries, ClassSession, OfficeSlot, SeriesCohort

from .looking import holidays_of, look
from .sessions import apply, touch
from .taking import free, lock, one_booking, take
from .telling import tell_of_many
from .wishes import ClassWish, SeriesWish, check_time, check_wish, get_run, require_planner, zone_of

MOST_CLASSES = 250


@dataclass(frozen=True)
class SavedSeries:
    """A series with how many classes it has to come, on which holidays it has none, and which were left as they are."""

    series: ClassSeries
    planned: int
    holidays: tuple[date, ...] = ()
    kept_by_hand: int = 0


@one_booking
def save_series(
    *, run_id: int, wish: ClassWish, when: SeriesWish, actor: User | None, series_id: int | None = None
) -> SavedSeries:
    """Plan a series, or change one: its classes to come that nobody changed by hand follow, past ones stay.

    A day that leaves the pattern is cancelled, a day that joins it is planned. `actor` None is the platform, which may
    plan the past. Raises NotFound, NotAllowed, InvalidInput (fields named), TimetableClash (all of all its classes).
    """
    run, now = get_run(run_id), database_now()
    cohorts = check_wish(run=run, wish=wish, actor=actor)
    order = [cohorts[place.cohort_id] for place in wish.places]
    series = _get(series_id, run) if series_id is not None else ClassSeries(run=run, created_by=actor)
    if series.pk:
        require_planner(actor, series.places.values_list("cohort_id", flat=True))
    pattern = _pattern(when, order)
    holidays = holidays_of(order, _midnight(pattern, when.from_on), _midnight(pattern, when.until_on))
    wanted = {one.on: one for one in occurrences(pattern, holidays) if actor is None or one.starts_at > now}
    _check(when, wanted, now, is_new=series_id is None)
    there = lock(ClassSession.objects.filter(series=series).values_list("pk", flat=True)) if series.pk else []
    by_hand = [one for one in there if one.is_changed_by_hand and one.starts_at > now]
    ours = {one.series_on: one for one in there if not one.is_changed_by_hand and one.starts_at > now}
    settled = {one.series_on for one in there if one.is_changed_by_hand or one.starts_at <= now}
    wanted = {on: one for on, one in wanted.items() if on not in settled}
    look(
        wish=wish, times=[(one.starts_at, one.ends_at) for one in wanted.values()], cohorts=order, now=now,
        except_ids=[one.pk for one in ours.values()], is_weekly=True,
    )  # fmt: skip
    _save_row(series, wish, when, pattern)
    gone = [one for on, one in ours.items() if on not in wanted and one.is_planned]
    _cancel(gone, _("The weekly plan changed."), actor)
    kept = _write(series, wish, wanted, ours, actor)
    take(sessions=kept, wish=wish, cohorts=cohorts, actor=actor)
    tell_of_many(
        "timetable.series_added" if series_id is None else "timetable.series_changed", [*kept, *gone], sorted(cohorts),
        actor=actor, title=series.title,
    )  # fmt: skip
    _audit(series, "series.planned" if series_id is None else "series.changed", order, actor)
    skipped_for = [day for day in left_out(pattern, holidays) if day >= now.astimezone(pattern.zone).date()]
    return SavedSeries(series, len(kept), tuple(skipped_for), len(by_hand))


@one_booking
def end_series(*, series_id: int, actor: User, reason: str) -> int:
    """Cancel all classes of a series that are to come, those changed by hand too; return how many.

    Raises NotFound, NotAllowed, InvalidInput (no reason).
    """
    series = _get(series_id)
    require_planner(actor, series.places.values_list("cohort_id", flat=True))
    if not 0 < len(reason.strip()) <= 300 or not reason.strip().isprintable():
        raise InvalidInput({"reason": _("Say in at most 300 characters why; those it touches read it.")})
    now = database_now()
    rows = lock(ClassSession.objects.filter(series=series, starts_at__gt=now).values_list("pk", flat=True))
    coming = [one for one in rows if one.is_planned]
    _cancel(coming, reason.strip(), actor)
    cohorts = [place.cohort for place in series.places.select_related("cohort__scope")]
    tell_of_many(
        "timetable.series_cancelled", coming, [cohort.pk for cohort in cohorts], actor=actor, title=series.title
    )  # fmt: skip
    _audit(series, "series.ended", cohorts, actor, reason)
    return len(coming)


def _get(series_id: int, run: CourseRun | None = None) -> ClassSeries:
    rows = ClassSeries.objects.select_for_update(no_key=True, of=("self",)).select_related("run__course")
    series = rows.filter(pk=series_id).first()
    if series is None or (run is not None and series.run_id != run.pk):
        raise NotFound
    return series


def _pattern(when: SeriesWish, cohorts: Sequence[Cohort]) -> Pattern:
    return Pattern(
        frozenset(when.weekdays), when.starts, when.ends, zone_of(cohorts), when.from_on, when.until_on,
        frozenset(when.skipped),
    )  # fmt: skip


def _midnight(pattern: Pattern, day: date) -> datetime:
    return datetime.combine(day, time(0), pattern.zone)


def _check(when: SeriesWish, wanted: dict[date, Occurrence], now: datetime, *, is_new: bool) -> None:
    wrong: dict[str, Text] = {}
    if not when.weekdays or not set(when.weekdays) <= set(range(7)):
        wrong["weekdays"] = _("Choose at least one weekday.")
    if when.ends <= when.starts:
        wrong["ends"] = _("It ends after it begins.")
    if when.until_on < when.from_on:
        wrong["until_on"] = _("The last day is not before the first.")
    elif when.until_on - when.from_on > timedelta(days=MOST_DAYS):
        wrong["until_on"] = _("A series lasts a year at most.")
    elif len(wanted) > MOST_CLASSES:
        wrong["until_on"] = _("A series has at most %(most)d classes.") % {"most": MOST_CLASSES}
    elif is_new and not wanted:
        wrong["until_on"] = _("No class is left to come between these days.")
    if wrong:
        raise InvalidInput(wrong)
    for one in wanted.values():
        check_time(one.starts_at, one.ends_at, None)
        break


def _save_row(series: ClassSeries, wish: ClassWish, when: SeriesWish, pattern: Pattern) -> None:
    series.title, series.kind, series.stream_id = wish.title.strip(), wish.kind, wish.stream_id
    series.slot_minutes = wish.slot_minutes if not wish.takes_cohorts else None
    series.weekdays, series.starts, series.ends = sorted(set(when.weekdays)), when.starts, when.ends
    series.from_on, series.until_on, series.skipped = when.from_on, when.until_on, sorted(set(when.skipped))
    series.timezone = str(pattern.zone)
    series.save()
    series.teachers.set(wish.teacher_ids)
    series.places.all().delete()
    SeriesCohort.objects.bulk_create(
        SeriesCohort(
            series=series, cohort_id=place.cohort_id, room_id=place.room_id, gpus=place.gpus,
            gpu_type=place.gpu_type if place.gpus else "", site_id=place.site_id if place.gpus else None,
        )
        for place in wish.places
    )  # fmt: skip


def _write(
    series: ClassSeries,
    wish: ClassWish,
    wanted: dict[date, Occurrence],
    ours: dict[date | None, ClassSession],
    actor: Any,
) -> list[ClassSession]:
    """Move the sessions of days that stay, revive those that come back, make those that are new."""
    kept: list[ClassSession] = []
    fresh: list[ClassSession] = []
    moved = [one for on, one in ours.items() if on in wanted]
    if OfficeSlot.objects.filter(session__in=[one.pk for one in moved]).exists() and _is_moved(wanted, moved):
        raise Conflict(
            _("Learners took slots of these office hours. Move or cancel those days by themselves."), code="slots_taken"
        )
    for on, one in wanted.items():
        session = ours.get(on) or ClassSession(run=series.run, series=series, series_on=on, created_by=actor)
        note, module_id = session.note, session.module_id
        apply(session, wish)
        session.note, session.module_id = note, module_id or wish.module_id
        session.starts_at, session.ends_at = one.starts_at, one.ends_at
        session.state, session.cancel_reason = ClassSession.State.PLANNED, ""
        if session.pk is None:
            fresh.append(session)
        else:
            touch(session)
            session.save()
            kept.append(session)
    return [*kept, *ClassSession.objects.bulk_create(fresh)]


def _is_moved(wanted: dict[date, Occurrence], sessions: Sequence[ClassSession]) -> bool:
    return any(
        one.series_on is not None
        and (one.starts_at, one.ends_at) != (wanted[one.series_on].starts_at, wanted[one.series_on].ends_at)
        for one in sessions
    )


def _cancel(sessions: Sequence[ClassSession], reason: str, actor: Any) -> None:
    for one in sessions:
        one.state, one.cancel_reason = ClassSession.State.CANCELLED, reason
        touch(one)
        one.save(update_fields=["state", "cancel_reason", "sequence", "changed_at"])
    if sessions:
        free(sessions=sessions, actor=actor)


def _audit(series: ClassSeries, verb: str, cohorts: Sequence[Cohort], actor: Any, reason: str = "") -> None:
    scopes = sorted({scope_id for cohort in cohorts for scope_id in cohort.scope.path})
    changes = {"weekdays": ("", series.weekdays), "starts": ("", series.starts), "ends": ("", series.ends)}
    audit.record(actor=actor, verb=verb, target=series, scope_path=scopes, changes=changes, reason=reason)
