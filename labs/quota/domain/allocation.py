"""Whether an allocation may be changed by so much, and what would stand afterwards."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

# A million GPUs for thirty years. Above it sums with an overcommit would leave 64 bits.
MOST_S = 10**15
SECONDS_A_STEP = 360  # a tenth of a GPU-hour, the step in which people allocate


class Refusal(StrEnum):
    """Why an allocation cannot be changed so."""

    NOTHING = "nothing"
    TOO_MUCH = "too_much"
    BELOW_USE = "below_use"
    BELOW_DATED = "below_dated"
    BELOW_GRANTS = "below_grants"
    PARENT_SHORT = "parent_short"


@dataclass(frozen=True)
class Standing:
    """What an allocation is judged by, in GPU-seconds; `overcommit_pct` in percent of `allocated_s`.

    `dated_s` is what its grants that end have left: it goes back by itself, and is not to be taken back before.
    """

    allocated_s: int
    used_s: int = 0
    held_s: int = 0
    granted_s: int = 0
    overcommit_pct: int = 100
    dated_s: int = 0

    @property
    def may_grant_s(self) -> int:
        """What its children may be given in all."""
        return self.allocated_s * self.overcommit_pct // 100

    @property
    def grantable_s(self) -> int:
        """What its children may be given on top of what they have."""
        return self.may_grant_s - self.granted_s

    @property
    def least_s(self) -> int:
        """The lowest allocation that still covers use, holds, what ends by itself, and grants."""
        for_grants = -(-self.granted_s * 100 // self.overcommit_pct)
        return max(self.used_s + self.held_s + self.dated_s, for_grants)

    @property
    def free_s(self) -> int:
        """What it alone could still hold."""
        return self.allocated_s - self.used_s - self.held_s


@dataclass(frozen=True)
class Outcome:
    """What would stand afterwards, and the refusal where it may not be so.

    `limit_s` is the largest delta (the smallest, when it is negative) that would have been accepted.
    """

    before_s: int
    after_s: int
    free_after_s: int
    parent_grantable_after_s: int | None
    refusal: Refusal | None = None
    limit_s: int | None = None


def judge(delta_s: int, account: Standing, parent: Standing | None) -> Outcome:
    """Judge a change by `delta_s` GPU-seconds; without a parent the seconds are minted."""
    refusal, limit_s = _refusal(delta_s, account, parent)
    return Outcome(
        before_s=account.allocated_s,
        after_s=account.allocated_s + delta_s,
        free_after_s=account.free_s + delta_s,
        parent_grantable_after_s=None if parent is None else parent.grantable_s - delta_s,
        refusal=refusal,
        limit_s=limit_s,
    )


def _refusal(delta_s: int, account: Standing, parent: Standing | None) -> tuple[Refusal | None, int | None]:
    if delta_s == 0:
        return Refusal.NOTHING, None
    after_s = account.allocated_s + delta_s
    if after_s > MOST_S:
        return Refusal.TOO_MUCH, MOST_S - account.allocated_s
    if delta_s < 0 and after_s < account.least_s:
        low = account.least_s - account.allocated_s
        return _what_is_below(after_s, account), min(low, 0)
    if delta_s > 0 and parent is not None and delta_s > parent.grantable_s:
        return Refusal.PARENT_SHORT, max(parent.grantable_s, 0)
    return None, None


def _what_is_below(after_s: int, account: Standing) -> Refusal:
    spoken_for = account.used_s + account.held_s
    if after_s < spoken_for:
        return Refusal.BELOW_USE
    return Refusal.BELOW_DATED if after_s < spoken_for + account.dated_s else Refusal.BELOW_GRANTS


def seconds_of_hours(hours: Decimal) -> int:
    """Turn GPU-hours in steps of 0.1 into whole GPU-seconds. Raises ValueError for any other step."""
    seconds = hours * 3600
    if seconds != seconds.to_integral_value() or int(seconds) % SECONDS_A_STEP:
        raise ValueError(f"{hours} is no multiple of 0.1 GPU-hours")
    return int(seconds)
