"""Copying a run into another term, whole or not at all, once for each form that was sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput, NotFound
from campus.people.models import User
from courses.catalog.access import get_editable_run
from courses.catalog.copying import Copied, Copier, Line, Shift, copiers, notes_on
from courses.catalog.domain.shifting import weeks_between
from courses.catalog.models import CourseRun, RunCopy, Term

from .openings import open_run


@dataclass(frozen=True)
class Part:
    """What one copier will make, for the preview."""

    copier: Copier
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Preview:
    """What a copy will make; `holidays` are days of it without classes, `outside` things dated out of the term."""

    parts: tuple[Part, ...]
    weeks: int
    holidays: dict[date, str]
    outside: int


def preview_copy(*, run: CourseRun, term: Term, take: Collection[str], weeks: int | None) -> Preview:
    """Say what a copy would make. `weeks` None: from the start of one term to the start of the other."""
    by = shift_for(run, term, weeks)
    parts = tuple(Part(one, tuple(one.lines(run, by))) for one in chosen(take))
    days = [_day(after, by) for part in parts for line in part.lines for _what, _old, after in line.dates if after]
    outside = sum(not term.starts_on <= day <= term.ends_on for day in days)
    return Preview(parts, by.weeks, notes_on(set(days)), outside)


@transaction.atomic
def copy_run(
    *, run_id: int, term_id: int, slug: str, take: Collection[str], weeks: int | None, key: UUID, actor: User | None
) -> CourseRun:
    """Open the course in another term with what `take` names of this run; it is not published.

    The same `key` again returns what it made before. Raises NotFound, NotAllowed, InvalidInput (given there already,
    address taken, something named without what it needs).
    """
    source = (
        CourseRun.objects.select_for_update(of=("self",)).select_related("course", "term").filter(pk=run_id).first()
    )
    term = Term.objects.filter(pk=term_id).first()
    if source is None or term is None:
        raise NotFound
    if actor is not None:
        get_editable_run(actor, source)
    done = RunCopy.objects.select_related("run").filter(key=key, source=source).first()
    if done is not None:  # a double click: the source's lock made it wait
        return done.run
    parts = chosen(take)
    target = open_run(course_id=source.course_id, term_id=term.pk, slug=slug, actor=actor)
    shift, copied = shift_for(source, term, weeks), Copied()
    for one in parts:
        one.copy(source, target, shift, copied, actor)
    RunCopy.objects.create(
        run=target, source=source, key=key, weeks=shift.weeks, taken=[one.key for one in parts], actor=actor
    )
    audit.record(actor=actor, verb="courserun.copied", target=target, changes={"run": (str(source), str(target))})
    return target


def chosen(take: Collection[str]) -> list[Copier]:
    """Return the copiers named, in their order. Raises InvalidInput where one misses what it needs."""
    parts = [one for one in copiers() if one.key in take]
    for one in parts:
        missing = [other.label for other in copiers() if other.key in one.needs and other.key not in take]
        if missing:
            words = _("“%(one)s” needs “%(other)s”.")
            raise InvalidInput({"take": words % {"one": one.label, "other": missing[0]}})
    return parts


def shift_for(run: CourseRun, term: Term, weeks: int | None) -> Shift:
    """Return how dates move, on the clock of the run's first cohort's campus."""
    cohort = run.cohorts.select_related("campus").first()
    by = weeks_between(run.term.starts_on, term.starts_on) if weeks is None else weeks
    return Shift(by, cohort.campus.zone if cohort else ZoneInfo("Asia/Seoul"))


def _day(at: date | datetime, shift: Shift) -> date:
    return at.astimezone(shift.zone).date() if isinstance(at, datetime) else at
