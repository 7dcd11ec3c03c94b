"""A rubric: criteria with levels, and the points of what was picked, in exact decimals."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_CRITERIA = 9  # a key from 1 to 9 each
MOST_LEVELS = 9


class BadRubric(ValueError):
    """A line cannot be read. `line` counts from 1, `code` says why: criterion, level, points, too_many, doubled."""

    def __init__(self, code: str, line: int) -> None:
        super().__init__(f"{code} in line {line}")
        self.code, self.line = code, line


@dataclass(frozen=True, slots=True)
class Level:
    label: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Criterion:
    """`key` is what a score keeps: it comes from the title, not from the place. Levels stand as they were written."""

    key: str
    title: str
    levels: tuple[Level, ...]

    @property
    def most(self) -> Decimal:
        return max((level.points for level in self.levels), default=Decimal(0))


def key_of(title: str) -> str:
    """Make a criterion's key: the same title is the same criterion, wherever it stands; no other gets its picks."""
    return hashlib.sha256(title.encode()).hexdigest()[:16]


def parse(text: str) -> tuple[Criterion, ...]:
    """Read a rubric as it is typed: a line for each criterion, `Title: label = points; label = points`.

    Raises BadRubric.
    """
    found: list[Criterion] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        title, colon, rest = line.partition(":")
        title = title.strip()
        if not colon or not title or len(title) > 120:
            raise BadRubric("criterion", number)
        if len(found) == MOST_CRITERIA:
            raise BadRubric("too_many", number)
        if any(one.title == title for one in found):
            raise BadRubric("doubled", number)
        found.append(Criterion(key_of(title), title, _levels(rest, number)))
    return tuple(found)


def _levels(text: str, number: int) -> tuple[Level, ...]:
    levels = []
    for part in text.split(";"):
        if not part.strip():
            continue
        label, equals, written = part.rpartition("=")
        if not equals or not label.strip() or len(label.strip()) > 80:
            raise BadRubric("level", number)
        points = points_of(written)
        if points is None:
            raise BadRubric("points", number)
        levels.append(Level(label.strip(), points))
    if not 2 <= len(levels) <= MOST_LEVELS:
        raise BadRubric("level", number)
    return tuple(levels)


def points_of(text: str) -> Decimal | None:
    """Read points: not negative, at most two decimals, below a million; a decimal comma will do. None: they are not."""
    try:
        points = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return None
    if not points.is_finite() or points.is_signed() or points >= 1_000_000:
        return None
    exponent = points.normalize().as_tuple().exponent
    return points if isinstance(exponent, int) and exponent >= -2 else None


def as_text(criteria: Sequence[Criterion]) -> str:
    """Write a rubric as `parse` reads it."""
    return "\n".join(
        f"{one.title}: " + "; ".join(f"{level.label} = {level.points.normalize():f}" for level in one.levels)
        for one in criteria
    )


def as_json(criteria: Sequence[Criterion]) -> list[dict[str, Any]]:
    """A rubric as it is stored; points as texts, so that they stay exact."""
    return [
        {"key": one.key, "title": one.title, "levels": [[level.label, str(level.points)] for level in one.levels]}
        for one in criteria
    ]


def from_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Criterion, ...]:
    """The inverse of `as_json`. Rubrics of before keys were kept have their criteria's places from 1 instead."""
    return tuple(
        Criterion(
            one.get("key", str(place)), one["title"],
            tuple(Level(label, Decimal(points)) for label, points in one["levels"]),
        )
        for place, one in enumerate(stored, 1)
    )  # fmt: skip


def with_keys_of(before: Sequence[Criterion], criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """Let criteria that were there before, by title, keep their key of then, so that what was picked stays theirs."""
    kept = {one.title: one.key for one in before}
    return tuple(replace(one, key=kept.get(one.title, one.key)) for one in criteria)


def most_points(criteria: Sequence[Criterion]) -> Decimal:
    """The most that a rubric gives; an assignment's tests decide about what it leaves."""
    return sum((one.most for one in criteria), Decimal(0))


@dataclass(frozen=True, slots=True)
class Picked:
    """`missing` are the keys of criteria that nothing was picked for; `points` the sum of the others."""

    points: Decimal
    missing: tuple[str, ...]


def fitting(criteria: Sequence[Criterion], picks: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Leave out what was picked of a rubric that is another by now."""
    most = {one.key: one.most for one in criteria}
    return {key: points for key, points in picks.items() if key in most and 0 <= points <= most[key]}


def add_up(criteria: Sequence[Criterion], picks: Mapping[str, Decimal]) -> Picked:
    """Sum what was picked. Raises ValueError for a key that is no criterion, or points beyond a criterion's most."""
    by_key = {one.key: one for one in criteria}
    for key, points in picks.items():
        if key not in by_key or not 0 <= points <= by_key[key].most:
            raise ValueError(key)
    return Picked(sum(picks.values(), Decimal(0)), tuple(key for key in by_key if key not in picks))
