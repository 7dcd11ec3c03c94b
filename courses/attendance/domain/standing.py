"""Where a learner stands in a term: lates become absences, and a share of absences fails the course."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .rules import Rules
from .verdict import Mark


class Grade(StrEnum):
    GOOD = "GOOD"
    NEAR = "NEAR"  # one more absence fails, or half of what is allowed is gone
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Standing:
    """`absences` are those that count, lates folded in; `allowed` is how many a learner may have and still pass."""

    counts: dict[Mark, int]
    absences: int
    from_lates: int
    allowed: int
    planned: int
    grade: Grade

    @property
    def left(self) -> int:
        """How many more absences pass."""
        return max(0, self.allowed - self.absences)

    def count(self, mark: Mark) -> int:
        return self.counts.get(mark, 0)


def standing(marks: Iterable[Mark], planned: int, rules: Rules) -> Standing:
    """Fold the marks of a term of `planned` classes, those to come included (none of which has a mark).

    An excused class is no absence and stays among the classes.
    """
    counts = Counter(marks)
    lates = counts[Mark.LATE] + (counts[Mark.LEFT_EARLY] if rules.early_counts_as_late else 0)
    from_lates = lates // rules.lates_per_absence if rules.lates_per_absence else 0
    absences = counts[Mark.ABSENT] + from_lates
    # The most whole absences whose share is below the limit.
    allowed = max(0, -(-planned * rules.fail_pct // 100) - 1)
    if planned and absences * 100 >= planned * rules.fail_pct:
        grade = Grade.FAILED
    elif absences and (absences >= allowed or absences * 2 > allowed):
        grade = Grade.NEAR
    else:
        grade = Grade.GOOD
    return Standing(dict(counts), absences, from_lates, allowed, planned, grade)
