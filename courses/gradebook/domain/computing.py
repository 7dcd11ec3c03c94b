"""From the marks of one learner to a grade, with everything that explains it.

Drops: of a category's counted items the `drop_lowest` are left out whose absence helps most, chosen for the best ratio,
bonus included. (A well-known gradebook drops the lowest percentages one by one, where a better score can then lower the
grade.) For a fixed choice the ratio grows with every score, and so does the greatest of such functions: **a better
score never lowers a grade**.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from .marks import PENDING, Mark, State

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Item:
    """Something graded. A bonus adds its points and asks for none; it is never dropped."""

    id: int
    category_id: int
    out_of: Decimal
    is_bonus: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """`weight`: percent of the whole. `weighting`: items count by their points, or all alike."""

    id: int
    weight: Decimal
    drop_lowest: int = 0
    weighting: Literal["POINTS", "EQUAL"] = "POINTS"


@dataclass(frozen=True, slots=True)
class Policy:
    """`missing_is_zero`: a missing item counts as nothing got, else not at all. `cap`: the most percent."""

    missing_is_zero: bool = True
    cap: Decimal | None = HUNDRED
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class CategoryGrade:
    """What one category came to. `ratio` None: nothing counted. Lists are item ids, in the order given."""

    category: Category
    ratio: Fraction | None
    counted: tuple[int, ...]
    dropped: tuple[int, ...]
    excused: tuple[int, ...]
    missing: tuple[int, ...]
    bonus: tuple[int, ...]
    got: Decimal
    out_of: Decimal
    share: Decimal = Decimal(0)
    """Percent of the grade that it decides, once categories in which nothing counted are left out."""


@dataclass(frozen=True, slots=True)
class Grade:
    """`percent` None: nothing counts yet. Rounded once, at the end, half up."""

    percent: Decimal | None
    exact: Fraction | None
    categories: tuple[CategoryGrade, ...]


def compute(categories: Sequence[Category], items: Sequence[Item], marks: Mapping[int, Mark], policy: Policy) -> Grade:
    """Grade one learner. `marks` by item id; an item without one is pending."""
    parts = [
        _of_category(one, [item for item in items if item.category_id == one.id], marks, policy) for one in categories
    ]
    whole = sum((Fraction(part.category.weight) for part in parts if part.ratio is not None), Fraction(0))
    if not whole:
        return Grade(None, None, tuple(parts))
    exact = Fraction(0)
    shared = []
    for part in parts:
        weight = Fraction(part.category.weight) / whole if part.ratio is not None else Fraction(0)
        exact += weight * (part.ratio or 0)
        shared.append(_with_share(part, rounded(weight * 100, 2)))
    exact *= 100
    if policy.cap is not None:
        exact = min(exact, Fraction(policy.cap))
    return Grade(rounded(exact, policy.decimals), exact, tuple(shared))


def bounds(
    categories: Sequence[Category], items: Sequence[Item], marks: Mapping[int, Mark], policy: Policy
) -> tuple[Decimal | None, Decimal | None]:
    """Say the least and the most percent still possible: all that is pending missed, or done in full (bonus too)."""
    open_items = [item for item in items if marks.get(item.id, PENDING).state is State.PENDING]
    least = dict(marks) | {item.id: Mark(State.GRADED, Decimal(0)) for item in open_items}
    most = dict(marks) | {item.id: Mark(State.GRADED, item.out_of) for item in open_items}
    low, high = (compute(categories, items, one, policy).percent for one in (least, most))
    return low, high


def rounded(value: Fraction, decimals: int) -> Decimal:
    """Round half up, exactly: the only place where a grade loses digits."""
    step = Fraction(1, 10**decimals)
    whole, rest = divmod(value, step)
    units = int(whole) + (1 if rest * 2 >= step else 0)
    return Decimal(units).scaleb(-decimals).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class _Counted:
    """An item as the drops weigh it. `value` and `size` are points of it, or its ratio of one.

    Points stay decimals, whose sums are exact and cost a tenth of those of fractions; a ratio may have no decimal.
    """

    id: int
    value: Decimal | Fraction
    size: Decimal | Fraction
    got: Decimal
    out_of: Decimal


def _of_category(category: Category, items: Sequence[Item], marks: Mapping[int, Mark], policy: Policy) -> CategoryGrade:
    counted: list[_Counted] = []
    bonus: list[Item] = []
    excused: list[int] = []
    missing: list[int] = []
    for item in items:
        mark = marks.get(item.id, PENDING)
        if mark.state is State.EXCUSED:
            excused.append(item.id)
        elif mark.state is State.MISSING:
            missing.append(item.id)
            if policy.missing_is_zero and not item.is_bonus:
                counted.append(_weighed(category, item, Decimal(0)))
        elif mark.points is not None:
            if item.is_bonus:
                bonus.append(item)
            else:
                counted.append(_weighed(category, item, mark.points))
    # Where all items count alike, a full bonus is worth as much as one of them.
    worth = {item.id: marks[item.id].points or Decimal(0) for item in bonus}
    extra = Fraction(sum(worth.values(), Decimal(0)))
    if category.weighting == "EQUAL":
        extra = sum((_share(worth[item.id], item.out_of) for item in bonus), Fraction(0))
    kept = _best(counted, max(len(counted) - category.drop_lowest, 1), extra) if counted else []
    kept_ids = {one.id for one in kept}
    return CategoryGrade(
        category=category,
        ratio=_ratio(kept, extra) if kept else None,
        counted=tuple(one.id for one in counted if one.id in kept_ids),
        dropped=tuple(one.id for one in counted if one.id not in kept_ids),
        excused=tuple(excused),
        missing=tuple(missing),
        bonus=tuple(item.id for item in bonus),
        got=sum((one.got for one in kept), sum(worth.values(), Decimal(0))),
        out_of=sum((one.out_of for one in kept), Decimal(0)),
    )


def _weighed(category: Category, item: Item, points: Decimal) -> _Counted:
    if category.weighting == "POINTS":
        return _Counted(item.id, points, item.out_of, points, item.out_of)
    return _Counted(item.id, _share(points, item.out_of), Fraction(1), points, item.out_of)


def _share(points: Decimal, out_of: Decimal) -> Fraction:
    return Fraction(points) / Fraction(out_of) if out_of else Fraction(0)


def _best(counted: Sequence[_Counted], keep: int, extra: Fraction) -> list[_Counted]:
    """Choose the `keep` items with the greatest (values + extra) over sizes: Dinkelbach's method, exact."""
    chosen = list(counted[:keep])
    if keep >= len(counted):
        return chosen
    ratio = _ratio(chosen, extra)
    while True:
        better = sorted(counted, key=lambda one: (ratio * Fraction(one.size) - Fraction(one.value), one.id))[:keep]
        better_ratio = _ratio(better, extra)
        if better_ratio <= ratio:
            return chosen
        chosen, ratio = better, better_ratio


def _ratio(chosen: Sequence[_Counted], extra: Fraction) -> Fraction:
    size = Fraction(sum(one.size for one in chosen))
    return (Fraction(sum(one.value for one in chosen)) + extra) / size if size else Fraction(0)


def _with_share(part: CategoryGrade, share: Decimal) -> CategoryGrade:
    fields = {name: getattr(part, name) for name in CategoryGrade.__slots__}
    return CategoryGrade(**(fields | {"share": share}))
