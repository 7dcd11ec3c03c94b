"""Shares of a GPU: which pieces of it are held, what is left, and which pieces a new share gets.

Thousandths of a GPU throughout; a piece is `(from, upto)` with `upto` outside. Memory in MiB.
"""

from collections.abc import Iterable
from typing import NamedTuple

#: Thousandths of a whole GPU.
WHOLE_GPU = 1_000
#: The grid of shares that may be asked for: eighths. Finer ones leave remainders that fit nobody.
SHARE_STEP = 125
#: The shares that forms offer, the whole first.
OFFERED_SHARES = (1_000, 500, 250, 125)


class Piece(NamedTuple):
    """Thousandths `[start, end)` of a GPU."""

    start: int
    end: int


class Left(NamedTuple):
    """What nobody holds of a GPU."""

    milli: int
    memory_mib: int

    @property
    def is_whole(self) -> bool:
        return self.milli == WHOLE_GPU


NOTHING_LEFT = Left(0, 0)


class Held(NamedTuple):
    """A lease: a piece of a GPU, and the memory that goes with it. Of a whole GPU the memory is 0: all is its own."""

    piece: Piece
    memory_mib: int = 0


def is_share(milli: int) -> bool:
    """Say whether this may be asked for of one GPU: an eighth, a multiple of it, or all."""
    return 0 < milli <= WHOLE_GPU and milli % SHARE_STEP == 0


def memory_of_share(*, milli: int, gpu_memory_mib: int, wanted_mib: int | None = None) -> int:
    """Return the memory that a share of a GPU gets: what was asked for, or its part of the GPU's, rounded down."""
    return gpu_memory_mib * milli // WHOLE_GPU if wanted_mib is None else wanted_mib


def left_of(held: Iterable[Held], *, memory_mib: int) -> Left:
    """Return what is left of a GPU with so much memory under these leases: never less than nothing.

    Under a lease of the whole GPU nothing is left, of its memory neither.
    """
    milli, memory = WHOLE_GPU, memory_mib
    for piece, used_mib in held:
        milli -= piece.end - piece.start
        memory -= used_mib
    return Left(max(0, milli), max(0, memory) if milli > 0 else 0)


def free_pieces(held: Iterable[Held]) -> list[Piece]:
    """Return the gaps between these leases, lowest first."""
    found, upto = [], 0
    for start, end in sorted(piece for piece, _memory in held):
        if start > upto:
            found.append(Piece(upto, start))
        upto = max(upto, end)
    if upto < WHOLE_GPU:
        found.append(Piece(upto, WHOLE_GPU))
    return found


def take(held: Iterable[Held], milli: int) -> list[Piece]:
    """Return pieces that make up so many thousandths, or none if less is left.

    The smallest gap that holds all of it; where none does, the largest gaps first, so that it is in few pieces.
    """
    gaps = free_pieces(held)
    wide = [gap for gap in gaps if gap.end - gap.start >= milli]
    if wide:
        best = min(wide, key=lambda gap: (gap.end - gap.start, gap.start))
        return [Piece(best.start, best.start + milli)]
    if sum(gap.end - gap.start for gap in gaps) < milli:
        return []
    found: list[Piece] = []
    for gap in sorted(gaps, key=lambda gap: (gap.start - gap.end, gap.start)):
        if milli <= 0:
            break
        end = min(gap.end, gap.start + milli)
        found.append(Piece(gap.start, end))
        milli -= end - gap.start
    return sorted(found)
