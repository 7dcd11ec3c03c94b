"""What a regrade would change, before anything does."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Tested:
    """One learner's points of the tests: as they stand, and as the regrade found them. None: none yet, or failed."""

    enrolment_id: int
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class Diff:
    """Changed rows, the greatest loss first. `unchanged` and `failed` are counts."""

    changed: tuple[Tested, ...]
    unchanged: int
    failed: int

    @property
    def raised(self) -> int:
        return sum(1 for row in self.changed if change_of(row) > 0)

    @property
    def lowered(self) -> int:
        return sum(1 for row in self.changed if change_of(row) < 0)


def change_of(row: Tested) -> Decimal:
    """How many points a row gains; negative where it loses."""
    return (row.after or Decimal(0)) - (row.before or Decimal(0))


def diff(rows: Iterable[Tested]) -> Diff:
    """Compare. What the platform failed to test keeps its points and is counted as failed."""
    given = list(rows)
    tested = [row for row in given if row.after is not None]
    changed = sorted(
        (row for row in tested if row.before != row.after), key=lambda row: (change_of(row), row.enrolment_id)
    )
    return Diff(tuple(changed), len(tested) - len(changed), len(given) - len(tested))
