"""Run-time predictions: from finished runs, as a range, corrected upward when exceeded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.scheduling.domain.fair_share import decayed
from labs.scheduling.domain.predict import Prediction, burst_of, corrected, predict, trials

SECONDS = st.lists(st.floats(0.0, 1e6), max_size=60)


@pytest.mark.parametrize(
    ("own_s", "lab_s", "expected"),
    [
        ([], [], Prediction(900.0, 3_600.0)),
        ([100.0, 200.0, 400.0], [], Prediction(200.0, 400.0 * 4 / 3)),
        ([100.0], [300.0, 500.0], Prediction(200.0, 500.0 * 4 / 3)),
        ([], [100.0, 200.0, 900.0], Prediction(200.0, 1_200.0)),
        ([5_000.0, 5_000.0], [], Prediction(3_600.0, 3_600.0)),
        ([], [60.0] * 50, Prediction(60.0, 78.0)),
    ],
)
def test_a_range_comes_from_own_runs_then_the_labs_then_the_wall_limit(
    own_s: list[float], lab_s: list[float], expected: Prediction
) -> None:
    made = predict(own_s, lab_s, wall_s=3_600.0)
    assert (made.p50_s, made.p90_s) == pytest.approx((expected.p50_s, expected.p90_s))


@given(SECONDS, SECONDS, SECONDS, st.floats(1.0, 1e6))
def test_a_prediction_is_a_range_within_the_wall_limit(
    own: list[float], lab: list[float], burst: list[float], wall_s: float
) -> None:
    made = predict(own, lab, wall_s, burst)
    assert 1.0 <= made.p50_s <= made.p90_s <= wall_s


def test_a_trial_run_tells_of_its_burst_and_the_more_runs_the_more_so() -> None:
    before = [3_600.0] * 20
    p50_s = [predict(before, [], 86_400.0, [36.0] * ran).p50_s for ran in range(4)]
    assert p50_s == pytest.approx([3_600.0, 360.0, 36 * 100 ** (1 / 3), 36 * 100 ** (1 / 4)])


def test_the_first_of_a_burst_is_its_trial_while_others_wait_and_none_has_been_tried() -> None:
    at = [burst_of("ann", "lab", second) for second in (10.0, 20.0, 299.0, 300.0)]
    assert len(set(at)) == 2
    assert burst_of("ben", "lab", 10.0) not in at
    waiting = list(zip("abcd", at, strict=True))
    assert trials(waiting, ()) == {"a"}
    assert trials(waiting, {at[0]}) == set()
    assert trials([*waiting, ("e", at[3])], {at[0]}) == {"d"}


@pytest.mark.parametrize(
    ("elapsed_s", "p50_s", "p90_s"),
    [
        (50.0, 100.0, 200.0),
        (100.0, 150.0, 200.0),
        (180.0, 190.0, 200.0),
        (200.0, 300.0, 600.0),
        (900.0, 1_000.0, 1_000.0),
    ],
)
def test_a_run_that_outlives_its_prediction_is_expected_to_last_longer(
    elapsed_s: float, p50_s: float, p90_s: float
) -> None:
    now = corrected(np.array([100.0]), np.array([200.0]), np.array([elapsed_s]), np.array([1_000.0]))
    assert (float(now[0][0]), float(now[1][0])) == (p50_s, p90_s)


def test_use_halves_in_a_half_life_and_never_grows() -> None:
    week = 7 * 86_400.0
    assert decayed(1_000.0, week, week) == 500.0
    assert decayed(1_000.0, -60.0, week) == 1_000.0
