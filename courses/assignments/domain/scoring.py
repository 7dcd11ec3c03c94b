"""From rubric, tests and a grader's points to a score that explains itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .late import LatePolicy, deduction
from .rubrics import Criterion, add_up

_AFTER_RAW = ("late_days", "late", "adjusted")


@dataclass(frozen=True, slots=True)
class Scored:
    """`raw` before, `adjusted` after what lateness takes. `why` are (code, points, note) lines in order."""

    raw: Decimal | None
    late_deduction: Decimal
    adjusted: Decimal | None
    why: tuple[tuple[str, str, str], ...]


def score(
    *,
    out_of: Decimal,
    criteria: Sequence[Criterion],
    picks: Mapping[str, Decimal],
    tested: Decimal | None,
    given: Decimal | None,
    late_s: int,
    policy: LatePolicy,
    adjustment: Decimal = Decimal(0),
    adjusted_because: str = "",
    late_days: int = 0,
) -> Scored:
    """Score one submission. Points `given` by hand stand for all else; otherwise tests and rubric are summed.

    An `adjustment` is a member's own, after what lateness takes; nobody falls below zero. A rubric counts only once
    every criterion is picked. Raises ValueError for picks outside the rubric.
    """
    picked = add_up(criteria, picks)
    why: list[tuple[str, str, str]] = []
    if given is not None:
        raw: Decimal | None = given
        why.append(("given", str(given), ""))
    else:
        parts = []
        if tested is not None:
            parts.append(tested)
            why.append(("tests", str(tested), ""))
        if criteria and not picked.missing:
            parts.append(picked.points)
        is_ready = bool(parts) and not (criteria and picked.missing)
        raw = min(sum(parts, Decimal(0)), out_of) if is_ready else None
    why.extend(("rubric", str(picks[one.key]), one.title) for one in criteria if one.key in picks)
    if raw is None:
        return Scored(None, Decimal(0), None, tuple(why))
    return rejudge(
        raw, why, out_of=out_of, late_s=late_s, policy=policy, adjustment=adjustment, adjusted_because=adjusted_because,
        late_days=late_days,
    )  # fmt: skip


def rejudge(
    raw: Decimal,
    why: Iterable[Sequence[str]],
    *,
    out_of: Decimal,
    late_s: int,
    policy: LatePolicy,
    adjustment: Decimal = Decimal(0),
    adjusted_because: str = "",
    late_days: int = 0,
) -> Scored:
    """Judge anew what comes after `raw`: lateness and a member's own part. What it was made of stays, as in `why`."""
    lines = [(code, points, note) for code, points, note in why if code not in _AFTER_RAW]
    late = deduction(raw, out_of, late_s, policy)
    if late_days:
        lines.append(("late_days", "0", str(late_days)))
    if late.points:
        lines.append(("late", str(-late.points), str(late.intervals)))
    if adjustment:
        lines.append(("adjusted", f"{adjustment.normalize():+f}", adjusted_because))
    return Scored(raw, late.points, max(raw - late.points + adjustment, Decimal(0)), tuple(lines))
