"""What lateness costs, in exact decimals, and how many late days are left."""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """`deduct_pct` percent of the assignment's points for each begun `interval_s` after the deadline.

    Within `grace_s` nothing is taken; later the whole lateness counts. Never more is taken than leaves `floor_pct`
    percent of what the work got.
    """

    interval_s: int = 86_400
    deduct_pct: Decimal = Decimal(0)
    floor_pct: Decimal = Decimal(0)
    grace_s: int = 0


@dataclass(frozen=True, slots=True)
class Deduction:
    """How many seconds late, how many begun intervals, and the points taken (to the cent, half up)."""

    late_s: int
    intervals: int
    points: Decimal


def lateness_s(submitted_at: datetime, due_at: datetime | None) -> int:
    """Whole seconds after the deadline, 0 where it is in time. A begun second counts as one."""
    if due_at is None or submitted_at <= due_at:
        return 0
    return math.ceil((submitted_at - due_at).total_seconds())


def deduction(raw: Decimal, out_of: Decimal, late_s: int, policy: LatePolicy) -> Deduction:
    """Say what is taken from `raw` points of work that came `late_s` seconds after the deadline."""
    if late_s <= policy.grace_s or not policy.deduct_pct:
        return Deduction(late_s, 0, Decimal(0))
    intervals = -(-late_s // policy.interval_s)
    wanted = out_of * policy.deduct_pct * intervals / HUNDRED
    most = raw - raw * policy.floor_pct / HUNDRED
    points = min(wanted, most).quantize(CENT, ROUND_HALF_UP)
    return Deduction(late_s, intervals, max(points, Decimal(0)))


def days_needed(late_s: int, grace_s: int, left: int) -> int:
    """Late days that make work that is `late_s` seconds late punctual: begun days, none within grace.

    0 where they would not suffice: half of a way saves nothing that is left for another time.
    """
    if late_s <= grace_s:
        return 0
    days = -(-late_s // DAY_S)
    return days if days <= left else 0


def days_left(bank: int, taken: int) -> int:
    """Late days that a learner still has; never negative where the bank was cut."""
    return max(bank - taken, 0)
