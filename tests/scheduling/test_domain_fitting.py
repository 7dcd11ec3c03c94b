"""Start ranges fitted to what became of the last ones: what must hold whatever they were (hypothesis)."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.scheduling.domain.fitting import LEAST, LEAST_FACTOR, MOST_FACTOR, Fit, Outcome, fit, quantile
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import Policy
from tests.scheduling.domain_builders import HOUR, NOW, job, node, run, state

WAIT_S = st.floats(0.0, 1e7)
FACTOR = st.floats(LEAST_FACTOR, MOST_FACTOR)
FITS = st.builds(Fit, FACTOR, FACTOR, FACTOR, FACTOR)
OUTCOMES = st.lists(
    st.builds(lambda p50, more, waited, started: Outcome(p50, p50 + more, waited, started), WAIT_S, WAIT_S, WAIT_S,
              st.booleans()),
    max_size=150,
)  # fmt: skip
SAMPLES = st.lists(st.tuples(WAIT_S, st.booleans()), min_size=1, max_size=60)


def columns(samples: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Values, and which of them are known."""
    return np.array([value for value, _ in samples]), np.array([known for _, known in samples], dtype=np.bool_)


@given(st.lists(st.tuples(WAIT_S, WAIT_S), min_size=1, max_size=50), FITS)
def test_who_is_planned_later_is_told_later_and_no_p90_is_before_its_p50(
    waits: list[tuple[float, float]], fitting: Fit
) -> None:
    planned = np.sort(np.array([p50 for p50, _ in waits]))
    p50, p90 = fitting.fitted(planned, planned + np.array([more for _, more in waits]))
    assert (np.diff(p50) >= -1e-9 * p50[1:]).all()
    assert (p90 >= p50).all()


@given(st.lists(WAIT_S, min_size=1, max_size=50))
def test_without_a_record_ranges_stay_as_planned(waits: list[float]) -> None:
    planned = np.array([*waits, np.nan])
    p50, p90 = fit([]).fitted(planned, planned * 2)
    assert np.array_equal(p50, planned, equal_nan=True)
    assert np.array_equal(p90, planned * 2, equal_nan=True)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_factors_are_bounded_and_hang_on_no_order(outcomes: list[Outcome], rng: random.Random) -> None:
    found = fit(outcomes)
    assert all(LEAST_FACTOR <= each <= MOST_FACTOR for each in found.as_json().values())
    shuffled = list(outcomes)
    rng.shuffle(shuffled)
    assert fit(shuffled) == found
    assert Fit.of(found.as_json()) == found


@given(st.lists(st.floats(0.1, 2.0), min_size=LEAST, max_size=150), st.sampled_from((300.0, 200_000.0)))
def test_half_and_nine_tenths_of_those_it_was_fitted_to_would_have_held(ratios: list[float], planned_s: float) -> None:
    waited = np.array(ratios) * planned_s
    found = fit([Outcome(planned_s, 2 * planned_s, wait_s, True) for wait_s in waited.tolist()])
    p50, p90 = found.fitted(np.array([planned_s]), np.array([2 * planned_s]))
    assert np.mean(waited <= p50 * 1.000001) >= 0.5
    assert np.mean(waited <= p90 * 1.000001) >= 0.9


@given(st.lists(st.tuples(WAIT_S, st.just(True)), min_size=1, max_size=60), st.sampled_from((0.5, 0.9)))
def test_where_all_is_known_it_is_the_plain_quantile(samples: list[tuple[float, bool]], share: float) -> None:
    values, known = columns(samples)
    assert quantile(values, known, share) == np.quantile(values, share, method="inverted_cdf")


@given(SAMPLES, st.data(), st.sampled_from((0.5, 0.9)))
def test_one_who_waits_on_makes_nothing_shorter(
    samples: list[tuple[float, bool]], data: st.DataObject, share: float
) -> None:
    values, known = columns(samples)
    still = known.copy()
    still[data.draw(st.integers(0, len(samples) - 1))] = False
    before, after = quantile(values, known, share), quantile(values, still, share)
    assert after is None or (before is not None and after >= before)


@pytest.mark.parametrize(("count", "factor"), [(LEAST - 1, 1.0), (LEAST, 0.5)])
def test_few_promises_that_came_true_are_no_record(count: int, factor: float) -> None:
    waits = [Outcome(1_000.0, 2_000.0, 0.0, False)] * 3 + [Outcome(1_000.0, 2_000.0, 500.0, True)] * count
    assert fit(waits).short_p50 == factor
    assert fit(waits).long_p50 == 1.0


def test_a_plan_tells_fitted_times_plans_the_same_starts_and_nothing_before_its_date() -> None:
    full = state(
        nodes=[node("n1", total=1, free=0), node("n2", total=1)],
        running=[run("r", "n1", (0,), predicted_p50_s=2 * HOUR, predicted_p90_s=2 * HOUR)],
        pending=[
            job("now", submitted_at=NOW - 9),
            job("then", submitted_at=NOW - 5),
            job("dated", submitted_at=NOW - 1, not_before=NOW + 2 * HOUR),
        ],
    )
    half = replace(Policy(), fit=Fit(0.5, 0.5, 0.5, 0.5))
    plain, fitted = plan(full, Policy(), NOW), plan(full, half, NOW)
    assert fitted.starts == plain.starts
    before, after = plain.waits["then"], fitted.waits["then"]
    assert (after.planned_p50_s, after.planned_p90_s) == (before.planned_p50_s, before.planned_p90_s)
    assert before.planned_p50_s is not None
    assert before.start_p50_at is not None
    assert after.start_p50_at == pytest.approx(NOW + (before.start_p50_at - NOW) / 2)
    dated = fitted.waits["dated"]
    assert dated.start_p50_at is not None
    assert dated.start_p50_at >= NOW + 2 * HOUR
    assert dated.planned_p50_s is None
