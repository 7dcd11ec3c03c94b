"""How a request is filled from further up: by table, and for any chain of accounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.quota.domain.allocation import Standing, judge
from labs.quota.domain.raising import Level, Raising, most_s, raising


def level(account_id: int, left_s: int, *, may_raise: bool = True, overcommit_pct: int = 100) -> Level:
    """An account that was given 1,000 and granted all but `left_s` of what it may grant."""
    may_grant = 1000 * overcommit_pct // 100
    return Level(account_id, Standing(1000, granted_s=may_grant - left_s, overcommit_pct=overcommit_pct), may_raise)


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ([level(3, 60), level(2, 0), level(1, 0)], Raising(((9, 60),), most_s=60)),
        ([level(3, 20), level(2, 50), level(1, 0)], Raising(((3, 40), (9, 60)), most_s=70)),
        ([level(3, 0), level(2, 0), level(1, 60)], Raising(((2, 60), (3, 60), (9, 60)), most_s=60)),
        ([level(3, 20), level(2, 10), level(1, 5)], Raising((), 1, 25, 35)),
        ([level(3, 20, may_raise=False), level(2, 500), level(1, 500)], Raising((), 3, 40, 20)),
        ([level(3, 20), level(2, 10, may_raise=False), level(1, 500)], Raising((), 2, 30, 30)),
        ([level(3, 0, overcommit_pct=200), level(2, 30), level(1, 0)], Raising(((3, 30), (9, 60)), most_s=60)),
        ([level(3, 0, overcommit_pct=50), level(2, 200), level(1, 0)], Raising(((3, 120), (9, 60)), most_s=100)),
    ],
)
def test_what_is_lacking_is_moved_down_as_far_as_the_approver_may(above: list[Level], expected: Raising) -> None:
    assert raising(9, 60, above) == expected


def test_nothing_cannot_be_wanted() -> None:
    with pytest.raises(ValueError, match="nothing"):
        raising(9, 0, [level(1, 5)])


@st.composite
def chains(draw: st.DrawFn) -> list[Level]:
    count = draw(st.integers(1, 4))
    made = []
    for number in range(count):
        allocated, overcommit = draw(st.integers(0, 10**6)), draw(st.integers(1, 1000))
        granted = draw(st.integers(0, allocated * overcommit // 100))
        standing = Standing(allocated, granted_s=granted, overcommit_pct=overcommit)
        made.append(Level(count - number, standing, draw(st.booleans())))
    return made


@given(chains(), st.integers(1, 10**6))
def test_every_step_is_one_that_allocating_would_accept(above: list[Level], wanted_s: int) -> None:
    found = raising(99, wanted_s, above)
    standings = {one.account_id: one.standing for one in above}
    parents = {99: above[0].account_id, **{one.account_id: one.account_id - 1 for one in above}}
    for account_id, delta_s in found.steps:
        own = standings.get(account_id, Standing(0))
        parent = standings[parents[account_id]]
        assert judge(delta_s, own, parent).refusal is None
        standings[parents[account_id]] = Standing(
            parent.allocated_s, granted_s=parent.granted_s + delta_s, overcommit_pct=parent.overcommit_pct
        )
        standings[account_id] = Standing(
            own.allocated_s + delta_s, granted_s=own.granted_s, overcommit_pct=own.overcommit_pct
        )
        may = {one.account_id: one.may_raise for one in above}
        assert may.get(account_id, True)
    assert bool(found.steps) != (found.short_id is not None)


@given(chains())
def test_the_most_is_exactly_what_can_be_given(above: list[Level]) -> None:
    most = most_s(above)
    if most:
        assert raising(99, most, above).short_id is None
    assert raising(99, most + 1, above).short_id is not None
