"""From percent to a letter or to pass and fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Band:
    """`name` is given from `least` percent on."""

    name: str
    least: Decimal


def bands_wrong(bands: Sequence[Band]) -> str | None:
    """Name what is wrong with a scheme: `empty`, `no_floor`, `order`, `twice`; None when nothing is."""
    if not bands:
        return "empty"
    if bands[-1].least != 0:
        return "no_floor"
    if any(one.least <= other.least for one, other in pairwise(bands)):
        return "order"
    if len({band.name for band in bands}) != len(bands):
        return "twice"
    return None


def band_of(percent: Decimal | None, bands: Sequence[Band]) -> str:
    """Name the band of a rounded percentage, best first; nothing without a grade or a scheme."""
    if percent is None:
        return ""
    return next((band.name for band in bands if percent >= band.least), "")


LETTERS = tuple(
    Band(name, Decimal(least))
    for name, least in (
        ("A+", 95), ("A0", 90), ("B+", 85), ("B0", 80), ("C+", 75), ("C0", 70), ("D+", 65), ("D0", 60), ("F", 0),
    )
)  # fmt: skip
PASS_FAIL = (Band("P", Decimal(60)), Band("F", Decimal(0)))
#: By the names under which they are offered; without bands there are percentages alone.
SCHEMES: dict[str, tuple[Band, ...]] = {"LETTERS": LETTERS, "PASS_FAIL": PASS_FAIL, "PERCENT": ()}
