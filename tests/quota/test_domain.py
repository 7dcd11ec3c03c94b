"""The arithmetic alone: what a run costs, how a ledger folds, what an allocation may become."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.quota.domain.allocation import MOST_S, Refusal, Standing, judge, seconds_of_hours
from labs.quota.domain.balances import Change, Posting, Room, first_short, fold
from labs.quota.domain.charging import charge_s

seconds = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("run_s", "gpus", "hold_s", "charge"),
    [
        (0.0, 1, 100, 0),
        (0.001, 1, 100, 1),
        (1.0, 2, 100, 2),
        (1.5, 2, 100, 3),
        (1.1, 10, 100, 11),  # and not 12, as floats would have it
        (99.2, 1, 100, 100),
        (130.0, 1, 100, 100),  # the grace after the wall limit is ours
        (7.0, 8, 0, 0),
    ],
)
def test_a_run_costs_its_seconds_times_its_gpus_rounded_up_within_the_hold(
    run_s: float, gpus: int, hold_s: int, charge: int
) -> None:
    assert charge_s(run_s=run_s, gpus=gpus, hold_s=hold_s) == charge


@pytest.mark.parametrize(
    ("run_s", "gpus", "hold_s"), [(-1.0, 1, 1), (float("nan"), 1, 1), (float("inf"), 1, 1), (1.0, 0, 1), (1.0, 1, -1)]
)
def test_what_cannot_be_a_run_is_refused(run_s: float, gpus: int, hold_s: int) -> None:
    with pytest.raises(ValueError, match="no run"):
        charge_s(run_s=run_s, gpus=gpus, hold_s=hold_s)


@given(run_s=st.floats(0, 1e6), gpus=st.integers(1, 64), hold_s=seconds)
def test_a_charge_covers_the_run_by_less_than_a_second_and_never_passes_the_hold(
    run_s: float, gpus: int, hold_s: int
) -> None:
    charge = charge_s(run_s=run_s, gpus=gpus, hold_s=hold_s)
    exact = Fraction(str(run_s)) * gpus
    assert charge == hold_s or exact <= charge < exact + 1


def test_a_ledger_folds_into_every_account_of_the_path() -> None:
    postings = [
        Posting((1, 2, 3), "HOLD", 100),
        Posting((1, 2, 3), "CHARGE", 40),
        Posting((1, 2, 3), "RELEASE", 60),
        Posting((1, 2, 3), "REFUND", 10),
        Posting((1, 4), "HOLD", 7),
    ]
    assert fold(postings) == {1: Change(30, 7), 2: Change(30, 0), 3: Change(30, 0), 4: Change(0, 7)}


@given(st.lists(st.tuples(seconds, seconds), max_size=20))
def test_jobs_that_are_over_leave_only_their_charges(jobs: list[tuple[int, int]]) -> None:
    postings = []
    for charge, rest in jobs:
        postings += [Posting((1,), "HOLD", charge + rest), Posting((1,), "CHARGE", charge)]
        postings.append(Posting((1,), "RELEASE", rest))
    expected = {1: Change(sum(charge for charge, _ in jobs), 0)} if jobs else {}
    assert fold(postings) == expected


def test_the_shortest_way_up_names_the_nearest_account_that_is_short() -> None:
    rooms = [Room(1, 10), Room(2, 5), Room(3, 50)]
    assert first_short(rooms, 5) is None
    assert first_short(rooms, 6) == Room(2, 5)
    assert first_short(rooms, 60) == Room(3, 50)


ACCOUNT = Standing(allocated_s=1000, used_s=200, held_s=100, granted_s=400)
PARENT = Standing(allocated_s=5000, granted_s=4500)


@pytest.mark.parametrize(
    ("delta_s", "parent", "refusal", "limit_s"),
    [
        (0, PARENT, Refusal.NOTHING, None),
        (500, PARENT, None, None),
        (501, PARENT, Refusal.PARENT_SHORT, 500),
        (501, None, None, None),
        (MOST_S, None, Refusal.TOO_MUCH, MOST_S - 1000),
        (-600, PARENT, None, None),
        (-601, PARENT, Refusal.BELOW_GRANTS, -600),
        (-701, PARENT, Refusal.BELOW_USE, -600),
    ],
)
def test_an_allocation_covers_use_holds_and_grants_and_fits_the_parent(
    delta_s: int, parent: Standing | None, refusal: Refusal | None, limit_s: int | None
) -> None:
    outcome = judge(delta_s, ACCOUNT, parent)
    assert (outcome.refusal, outcome.limit_s) == (refusal, limit_s)
    assert (outcome.before_s, outcome.after_s, outcome.free_after_s) == (1000, 1000 + delta_s, 700 + delta_s)


@given(
    delta_s=st.integers(-(10**6), 10**6),
    allocated_s=st.integers(0, 10**6),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    pct=st.integers(1, 1000),
)
def test_what_is_accepted_keeps_every_constraint(
    delta_s: int, allocated_s: int, shares: tuple[float, float, float], pct: int
) -> None:
    used_s = int(allocated_s * shares[0])
    held_s = int((allocated_s - used_s) * shares[1])
    account = Standing(allocated_s, used_s, held_s, int(allocated_s * pct // 100 * shares[2]), pct)
    outcome = judge(delta_s, account, Standing(2 * 10**6, granted_s=15 * 10**5))
    accepted = (
        delta_s != 0
        and outcome.after_s >= used_s + held_s
        and account.granted_s <= outcome.after_s * pct // 100
        and (delta_s < 0 or delta_s <= 5 * 10**5)
    )
    assert (outcome.refusal is None) == accepted


@pytest.mark.parametrize(("hours", "expected"), [("0.1", 360), ("-2.5", -9000), ("1000", 3_600_000), ("1.20", 4320)])
def test_hours_in_tenths_become_whole_seconds(hours: str, expected: int) -> None:
    assert seconds_of_hours(Decimal(hours)) == expected


@pytest.mark.parametrize("hours", ["0.05", "0.00001"])
def test_finer_steps_are_refused(hours: str) -> None:
    with pytest.raises(ValueError, match="multiple"):
        seconds_of_hours(Decimal(hours))
