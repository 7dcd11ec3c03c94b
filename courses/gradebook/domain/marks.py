"""A cell of the gradebook: what a learner got for one item, and what that means for the sum.

Excused, missing and zero are three things: excused leaves the item out, missing counts as the policy says, and zero is
a score.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class State(StrEnum):
    """What is known of a cell. PENDING: not due or not graded yet, so it counts for nothing either way."""

    PENDING = "PENDING"
    GRADED = "GRADED"
    MISSING = "MISSING"
    EXCUSED = "EXCUSED"


@dataclass(frozen=True, slots=True)
class Mark:
    """`points` are set exactly when the state is GRADED; they may exceed the item's `out_of` where it allows that."""

    state: State = State.PENDING
    points: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.points is None) == (self.state is State.GRADED):
            raise ValueError("points belong to graded marks alone")


PENDING = Mark()
MISSING = Mark(State.MISSING)
EXCUSED = Mark(State.EXCUSED)


def graded(points: Decimal | int | str) -> Mark:
    """Return a graded mark of so many points."""
    return Mark(State.GRADED, Decimal(points))


def parse(text: str) -> Mark | None:
    """Read what a person types into a cell: a number, `EX`, `MISS`, or nothing (pending). None: it is no mark.

    A decimal comma is taken as a point. Korean words are taken as the English ones are.
    """
    word = text.strip().upper()
    if word in ("", "-", "–"):
        return PENDING
    if word in ("EX", "EXC", "EXCUSED", "면제", "인정"):
        return EXCUSED
    if word in ("MISS", "MISSING", "미제출"):
        return MISSING
    number = word.replace(",", ".")
    whole, _dot, rest = number.partition(".")
    if not (whole or rest) or not (whole + rest).isascii() or not (whole + rest).isdigit() or len(number) > 12:
        return None
    return graded(number)


def text_of(mark: Mark) -> str:
    """Write a mark as `parse` reads it, without needless zeros."""
    if mark.points is None:
        return {State.PENDING: "", State.EXCUSED: "EX", State.MISSING: "MISS"}[mark.state]
    plain = f"{mark.points.normalize():f}"
    return plain if plain != "-0" else "0"
