"""Folding use into groups, and periods of days."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.usage.domain.folding import AccountUse, GroupUse, Use, fold_by, share_of_first, total
from labs.usage.domain.periods import MOST_DAYS, Period, between, last_days

TODAY = date(2026, 11, 21)
uses = st.builds(
    AccountUse,
    path=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    use=st.builds(Use, st.integers(0, 9999), st.integers(0, 99), st.integers(0, 9)),
    day=st.sampled_from([None, TODAY]),
)


@given(st.lists(uses, max_size=30), st.dictionaries(st.integers(1, 6), st.sampled_from("ABC")))
def test_groups_add_up_to_everything(entries: list[AccountUse], group_of: dict[int, str]) -> None:
    groups = fold_by(entries, group_of)
    assert sum((group.use for group in groups), Use()) == total(entries)
    assert len({(group.day, group.group) for group in groups}) == len(groups)


def test_the_nearest_account_on_the_way_up_names_the_group_and_most_used_comes_first() -> None:
    entries = [
        AccountUse((1, 2, 3), Use(100, 10, 1)),
        AccountUse((1, 2, 4), Use(300, 0, 2)),
        AccountUse((1, 5), Use(50, 0, 1)),
        AccountUse((9,), Use(7, 0, 1)),
    ]
    groups = fold_by(entries, {1: "campus", 2: "cohort"})
    assert groups == [
        GroupUse("cohort", Use(400, 10, 3)),
        GroupUse("campus", Use(50, 0, 1)),
        GroupUse(None, Use(7, 0, 1)),
    ]
    assert share_of_first(groups) == 390 / 447
    assert share_of_first([]) == 0.0


def test_the_last_days_end_today() -> None:
    assert last_days(TODAY, 7) == Period(date(2026, 11, 15), TODAY)
    assert last_days(TODAY, 7).days == 7


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, Period(date(2026, 10, 23), TODAY)),
        (date(2026, 11, 1), None, Period(date(2026, 11, 1), TODAY)),
        (None, date(2026, 11, 1), Period(date(2026, 10, 3), date(2026, 11, 1))),
        (date(2020, 1, 1), None, Period(date(2020, 1, 1), date(2021, 2, 3))),
    ],
)
def test_what_a_period_leaves_out_is_filled(first: date | None, last: date | None, expected: Period) -> None:
    assert between(first, last, TODAY, 30) == expected


@pytest.mark.parametrize(
    ("first", "last"), [(TODAY, date(2026, 11, 20)), (date(2020, 1, 1), TODAY), (date(2026, 11, 22), None)]
)
def test_a_period_runs_forward_and_is_not_endless(first: date, last: date | None) -> None:
    with pytest.raises(ValueError, match="days"):
        between(first, last, TODAY, 30)
    assert Period(date(2026, 1, 1), date(2026, 1, 1)).days <= MOST_DAYS
