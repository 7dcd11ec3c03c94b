"""How many GPUs are left at each instant, and the nearest time at which a class would fit: by table and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.scheduling.domain.booking import FAR_S, Booked, Stock, fits, free_at_least, nearest

H = 3600.0
STOCK = Stock({"h100": 4, "a100": 2})


def kept(gpus: int, start: float, end: float, gpu_type: str = "") -> Booked:
    return Booked(gpus, gpu_type, start * H, end * H)


@pytest.mark.parametrize(
    ("booked", "wish", "free"),
    [
        ([], kept(1, 9, 10), 6),
        ([], kept(1, 9, 10, "h100"), 4),
        ([], kept(1, 9, 10, "no-such"), 0),
        ([kept(4, 9, 10)], kept(1, 9, 10), 2),
        ([kept(4, 9, 10)], kept(1, 10, 11), 6),
        ([kept(4, 9, 10)], kept(1, 8, 9), 6),
        ([kept(4, 9, 10)], kept(1, 8, 9.5, "h100"), 2),
        ([kept(3, 9, 10, "h100")], kept(1, 9, 10, "h100"), 1),
        ([kept(3, 9, 10, "h100")], kept(1, 9, 10, "a100"), 2),
        ([kept(4, 9, 10, "h100"), kept(1, 9, 10)], kept(1, 9, 10, "a100"), 1),
        ([kept(4, 8, 10), kept(2, 9, 11)], kept(1, 8, 11), 0),
        ([kept(4, 8, 9), kept(4, 9, 10)], kept(1, 8, 10), 2),
    ],
)
def test_what_is_free_is_what_is_free_at_every_instant(booked: list[Booked], wish: Booked, free: int) -> None:
    assert free_at_least(booked, STOCK, wish) == free


def test_the_nearest_times_begin_or_end_with_another_class() -> None:
    booked = [kept(5, 9, 11), kept(5, 12, 14)]
    found = nearest(booked, STOCK, kept(3, 10, 11), not_before=7 * H)
    assert found == [(11 * H, 12 * H), (8 * H, 9 * H), (7 * H, 8 * H)]


def test_what_is_more_than_the_site_has_fits_at_no_time() -> None:
    assert nearest([kept(1, 9, 10)], STOCK, kept(7, 9, 10), not_before=0) == []


classes = st.builds(
    lambda gpus, gpu_type, start, length: kept(gpus, start, start + length, gpu_type),
    st.integers(1, 6), st.sampled_from(["", "h100", "a100"]), st.integers(0, 40), st.integers(1, 9),
)  # fmt: skip


@given(booked=st.lists(classes, max_size=12), wish=classes)
def test_whatever_is_booked_only_where_it_fits_never_exceeds_the_stock(booked: list[Booked], wish: Booked) -> None:
    taken: list[Booked] = []
    for one in [*booked, wish]:
        if fits(taken, STOCK, one):
            taken.append(one)
    for at in range(50):
        now = [one for one in taken if one.start_at <= at * H < one.end_at]
        assert sum(one.gpus for one in now) <= STOCK.total
        for gpu_type, there in STOCK.by_type.items():
            assert sum(one.gpus for one in now if one.gpu_type == gpu_type) <= there


@given(booked=st.lists(classes, max_size=12), wish=classes, soonest=st.integers(0, 30))
def test_a_time_that_is_offered_fits_and_is_of_the_same_length(
    booked: list[Booked], wish: Booked, soonest: int
) -> None:
    taken: list[Booked] = []
    for one in booked:
        if fits(taken, STOCK, one):
            taken.append(one)
    for start, end in nearest(taken, STOCK, wish, not_before=soonest * H):
        assert fits(taken, STOCK, Booked(wish.gpus, wish.gpu_type, start, end))
        assert end - start == wish.end_at - wish.start_at
        assert start >= soonest * H
        assert abs(start - wish.start_at) <= FAR_S
