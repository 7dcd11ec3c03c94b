"""Folding the use of single accounts into groups: by learner, cohort, course, campus, and day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Use:
    """GPU-seconds charged and refunded, and how many jobs were charged."""

    charged_s: int = 0
    refunded_s: int = 0
    jobs: int = 0

    @property
    def used_s(self) -> int:
        """What stayed charged."""
        return self.charged_s - self.refunded_s

    def __add__(self, other: "Use") -> "Use":
        return Use(self.charged_s + other.charged_s, self.refunded_s + other.refunded_s, self.jobs + other.jobs)


@dataclass(frozen=True)
class AccountUse:
    """The use of the account at the end of `path` (root to leaf); `day` where it is of one day."""

    path: tuple[int, ...]
    use: Use
    day: date | None = None


@dataclass(frozen=True)
class GroupUse:
    """The use of one group; `group` None gathers what belongs to none."""

    group: str | None
    use: Use
    day: date | None = None


def fold_by(uses: Iterable[AccountUse], group_of: Mapping[int, str]) -> list[GroupUse]:
    """Sum by day and by the group of the nearest account on the way up that has one; most used first.

    Nothing is lost: the groups' sums are the accounts' sums.
    """
    sums: dict[tuple[date | None, str | None], Use] = {}
    for entry in uses:
        group = next((group_of[account_id] for account_id in reversed(entry.path) if account_id in group_of), None)
        key = (entry.day, group)
        sums[key] = sums.get(key, Use()) + entry.use
    folded = [GroupUse(group, use, day) for (day, group), use in sums.items()]
    return sorted(folded, key=lambda entry: (entry.day or date.min, -entry.use.used_s, entry.group or "~"))


def total(uses: Iterable[AccountUse]) -> Use:
    """Sum all of it."""
    return sum((entry.use for entry in uses), Use())


def share_of_first(groups: Sequence[GroupUse]) -> float:
    """Return which part of all use the first group has, 0 when there is none."""
    everything = sum(entry.use.used_s for entry in groups)
    return groups[0].use.used_s / everything if groups and everything > 0 else 0.0
