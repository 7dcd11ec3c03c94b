"""Copying a run into another term: each app registers what of its own is copied, and shows it beforehand."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from campus.people.models import User

from .domain.shifting import shift_day, shift_time
from .models import CourseRun

Text = Any  # a string, or one that is translated when it is shown
Moved = tuple[Text, date | datetime | None, date | datetime | None]


@dataclass(frozen=True)
class Shift:
    """By how many weeks dates move, on the clocks of `zone`."""

    weeks: int
    zone: ZoneInfo

    def day(self, day: date | None) -> date | None:
        return shift_day(day, self.weeks)

    def time(self, at: datetime | None) -> datetime | None:
        return shift_time(at, self.weeks, self.zone)


@dataclass(frozen=True)
class Line:
    """One thing that will be made. `dates` are (what, before, after); `indent` 1 lies in the line above."""

    title: str
    dates: tuple[Moved, ...] = ()
    indent: int = 0
    note: Text = ""


@dataclass
class Copied:
    """What was made so far: by kind of thing ("module", "lab", …) the new id for each old one."""

    ids: dict[str, dict[int, int]] = field(default_factory=dict)

    def keep(self, kind: str, pairs: Mapping[int, int]) -> None:
        self.ids.setdefault(kind, {}).update(pairs)

    def of(self, kind: str) -> Mapping[int, int]:
        return self.ids.get(kind, {})


@dataclass(frozen=True)
class Copier:
    """What one app copies. It never copies people, their work, grades or bookings.

    `lines(run, shift)` and `copy(source, target, shift, copied, actor)` each take a number of queries that does not
    grow with the run. `needs` names copiers without which this one has nothing to hang on to.
    """

    key: str
    label: Text
    lines: Callable[[CourseRun, Shift], Sequence[Line]]
    copy: Callable[[CourseRun, CourseRun, Shift, Copied, User | None], None]
    needs: tuple[str, ...] = ()
    order: int = 50


DayNotes = Callable[[Collection[date]], Mapping[date, str]]
_copiers: dict[str, Copier] = {}
_day_notes: list[DayNotes] = []


def register_copier(copier: Copier) -> None:
    """Offer something to copy. From `AppConfig.ready()`."""
    _copiers[copier.key] = copier


def register_day_notes(provider: DayNotes) -> None:
    """Name who knows which days are holidays: `provider(days) -> {day: its name}`."""
    _day_notes[:] = [provider]


def copiers() -> list[Copier]:
    """Return what can be copied, in the order in which it is."""
    return sorted(_copiers.values(), key=lambda one: (one.order, one.key))


def notes_on(days: Collection[date]) -> dict[date, str]:
    """Return which of these days are holidays, with their names."""
    return {day: name for provider in _day_notes for day, name in provider(days).items()}
