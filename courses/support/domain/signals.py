"""Signals: what about a learner's term asks for a look, each by itself, with the figures that say so and its threshold.

There is no sum of them: nobody gets a score. A person looks, and decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from statistics import mean, median

#: So many grades make "the last ones", and at least as many must stand before them.
LAST = 2


class Kind(StrEnum):
    ABSENCES = "ABSENCES"
    LESSONS = "LESSONS"
    MISSING = "MISSING"
    LATE = "LATE"
    IDLE = "IDLE"
    FALLING = "FALLING"


@dataclass(frozen=True)
class Thresholds:
    """From which figure on a signal is shown; 0 turns it off.

    `absences`, `missing`, `late` count; `lessons_pct` is how far behind the cohort's middle, in percent of all lessons;
    `idle_days` is since the last GPU job; `falling_pct` how many percentage points the last grades lie lower.
    """

    absences: int = 2
    lessons_pct: int = 25
    missing: int = 1
    late: int = 3
    idle_days: int = 14
    falling_pct: int = 15

    def of(self, kind: Kind) -> int:
        """The threshold of one kind."""
        return {
            Kind.ABSENCES: self.absences,
            Kind.LESSONS: self.lessons_pct,
            Kind.MISSING: self.missing,
            Kind.LATE: self.late,
            Kind.IDLE: self.idle_days,
            Kind.FALLING: self.falling_pct,
        }[kind]


@dataclass(frozen=True)
class Evidence:
    """What is known of one learner. `days_idle` is None where nobody runs jobs; `grades` are percents in order."""

    absences: int = 0
    from_lates: int = 0
    classes: int = 0
    lessons_done: int = 0
    missing: int = 0
    late: int = 0
    days_idle: int | None = None
    grades: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class Cohort:
    """What the cohort as a whole does: the middle of lessons done and of days since a GPU job, and all lessons."""

    lessons: int = 0
    middle_lessons: Decimal = Decimal(0)
    middle_days_idle: Decimal | None = None


@dataclass(frozen=True)
class Signal:
    """`value` crossed `threshold`. `level` grows when it gets worse by a step that is worth another look."""

    kind: Kind
    value: int
    threshold: int
    level: int


def cohort_of(everyone: Iterable[Evidence], lessons: int) -> Cohort:
    """Find the middle of a cohort. Those without labs do not count among the idle."""
    known = list(everyone)
    idle = [one.days_idle for one in known if one.days_idle is not None]
    return Cohort(
        lessons,
        Decimal(median(one.lessons_done for one in known)) if known else Decimal(0),
        Decimal(median(idle)) if idle else None,
    )


def signals(evidence: Evidence, cohort: Cohort, thresholds: Thresholds) -> tuple[Signal, ...]:
    """Return what asks for a look, in the order of Kind."""
    values = {
        Kind.ABSENCES: evidence.absences,
        Kind.LESSONS: behind_pct(evidence, cohort),
        Kind.MISSING: evidence.missing,
        Kind.LATE: evidence.late,
        Kind.IDLE: _idle(evidence, cohort, thresholds.idle_days),
        Kind.FALLING: fall_pct(evidence.grades),
    }
    found = []
    for kind, value in values.items():
        threshold = thresholds.of(kind)
        if threshold and value >= threshold:
            found.append(Signal(kind, value, threshold, value // _step(kind, threshold)))
    return tuple(found)


def behind_pct(evidence: Evidence, cohort: Cohort) -> int:
    """How far a learner is behind the cohort's middle, in whole percent of all lessons; 0 when not behind."""
    if not cohort.lessons:
        return 0
    return max(0, int((cohort.middle_lessons - evidence.lessons_done) * 100 / cohort.lessons))


def fall_pct(grades: Sequence[Decimal]) -> int:
    """How many whole percentage points the last grades lie below those before; 0 where too few are known."""
    if len(grades) < 2 * LAST:
        return 0
    return max(0, int(mean(grades[:-LAST]) - mean(grades[-LAST:])))


def _idle(evidence: Evidence, cohort: Cohort, threshold: int) -> int:
    """Days without a GPU job, where most of the cohort did run one: a week without labs is nobody's signal."""
    if evidence.days_idle is None or cohort.middle_days_idle is None or cohort.middle_days_idle >= threshold:
        return 0
    return evidence.days_idle


def _step(kind: Kind, threshold: int) -> int:
    """What is worth another look: one more of what is counted, ten points, another stretch of idle days."""
    return {Kind.LESSONS: 10, Kind.FALLING: 5, Kind.IDLE: threshold}.get(kind, 1)


def open_signals(found: Iterable[Signal], noted: Mapping[str, int]) -> tuple[Signal, ...]:
    """Leave out what staff noted already, until it is worse: `noted` is the level at the newest note of each kind."""
    return tuple(one for one in found if one.level > noted.get(one.kind, -1))
