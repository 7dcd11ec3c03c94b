"""The arithmetic of shares of a GPU on plain values: what is left, which pieces are taken, and what they cost."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.jobs.domain.shares import (
    OFFERED_SHARES,
    SHARE_STEP,
    WHOLE_GPU,
    Held,
    Left,
    Piece,
    free_pieces,
    is_share,
    left_of,
    memory_of_share,
    take,
)
from labs.quota.domain.charging import charge_s, cost_s

MEMORY = 81_920
eighths = st.integers(1, 8).map(lambda count: count * SHARE_STEP)


def apart(cuts: list[int], kept: list[bool]) -> list[Held]:
    """Pieces between these cuts, those that are kept."""
    ends = sorted({0, *cuts, WHOLE_GPU})
    pieces = [Piece(start, end) for start, end in pairwise(ends)]
    return [Held(piece, 1) for piece, is_kept in zip(pieces, kept, strict=False) if is_kept]


held = st.builds(
    apart, st.lists(st.integers(1, WHOLE_GPU - 1), max_size=9), st.lists(st.booleans(), min_size=10, max_size=10)
)


def milli_of(pieces: list[Piece]) -> int:
    return sum(end - start for start, end in pieces)


@given(held)
def test_what_is_free_and_what_is_held_make_up_the_gpu(leases: list[Held]) -> None:
    free = free_pieces(leases)
    assert milli_of(free) + milli_of([one.piece for one in leases]) == WHOLE_GPU
    assert milli_of(free) == left_of(leases, memory_mib=MEMORY).milli
    covered = sorted([*free, *(one.piece for one in leases)])
    assert all(before.end == after.start for before, after in pairwise(covered))


@given(held, st.integers(1, WHOLE_GPU))
def test_a_share_that_fits_is_taken_from_what_is_free_and_no_other_ever_is(leases: list[Held], milli: int) -> None:
    left = left_of(leases, memory_mib=MEMORY).milli
    pieces = take(leases, milli)
    assert milli_of(pieces) == (milli if milli <= left else 0)
    everything = sorted([*pieces, *(one.piece for one in leases)])
    assert all(before.end <= after.start for before, after in pairwise(everything))
    assert all(0 <= start < end <= WHOLE_GPU for start, end in pieces)


@given(st.lists(st.tuples(eighths, st.booleans()), max_size=40))
def test_whatever_comes_and_goes_shares_never_make_more_than_one_gpu(steps: list[tuple[int, bool]]) -> None:
    runs: list[list[Held]] = []
    for milli, goes in steps:
        if goes and runs:
            runs.pop(0)
            continue
        others = [one for run in runs for one in run]
        left = left_of(others, memory_mib=MEMORY)
        pieces = take(others, milli)
        assert bool(pieces) == (milli <= left.milli), "what fits is never refused, however the gaps lie"
        memory = memory_of_share(milli=milli, gpu_memory_mib=MEMORY)
        if pieces:
            assert memory <= left.memory_mib, "parts of the memory that follow the shares fit when the shares do"
            runs.append([Held(piece, 0 if at else memory) for at, piece in enumerate(pieces)])


def test_a_share_lies_in_one_piece_where_one_gap_is_wide_enough_and_in_the_narrowest_such() -> None:
    leases = [Held(Piece(0, 125)), Held(Piece(375, 500)), Held(Piece(625, 750))]
    assert take(leases, 125) == [Piece(500, 625)]
    assert take(leases, 250) == [Piece(125, 375)]
    assert take(leases, 500) == [Piece(125, 375), Piece(750, 1000)]
    assert take(leases, 625) == [Piece(125, 375), Piece(500, 625), Piece(750, 1000)]
    assert take(leases, 750) == []


def test_of_a_gpu_that_is_held_whole_nothing_is_left_its_memory_neither() -> None:
    assert left_of([Held(Piece(0, WHOLE_GPU))], memory_mib=MEMORY) == Left(0, 0)
    assert left_of([], memory_mib=MEMORY) == Left(WHOLE_GPU, MEMORY)
    assert left_of([Held(Piece(0, 500), 60_000)], memory_mib=MEMORY) == Left(500, 21_920)


@pytest.mark.parametrize("milli", [0, -125, 1, 100, 333, 1_001, 1_125])
def test_only_eighths_of_a_gpu_may_be_asked_for(milli: int) -> None:
    assert not is_share(milli)


def test_what_forms_offer_may_be_asked_for() -> None:
    assert all(map(is_share, OFFERED_SHARES))
    assert OFFERED_SHARES[0] == WHOLE_GPU


@given(eighths, st.integers(0, 10**7), st.integers(1, 9_999_999).map(lambda n: Decimal(n) / 1000))
def test_a_share_costs_its_part_of_the_seconds_rounded_up_once(milli: int, seconds: int, rate: Decimal) -> None:
    part = Decimal(milli) / WHOLE_GPU
    exact = Fraction(milli, WHOLE_GPU) * seconds * Fraction(rate)
    assert cost_s(gpu_seconds=part * seconds, rate=rate) == ceil(exact)
    assert charge_s(run_s=float(seconds), gpus=part, hold_s=10**15, rate=rate) == ceil(exact)
