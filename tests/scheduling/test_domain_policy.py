"""For how many blocked jobs GPUs are kept, by how long the queue would last (hypothesis, and one walk)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import DAY_S, Policy
from tests.scheduling.domain_builders import NOW, job, node, run, state

WORK_S = st.floats(0.0, 1e12)
GPUS = st.integers(0, 10**5)
POLICIES = st.builds(Policy, reservations=st.integers(0, 40), deep_queue_s=st.floats(1.0, 30 * DAY_S))


@given(WORK_S, GPUS, POLICIES)
def test_one_job_always_has_its_promise_and_never_more_than_the_campus_allows(
    work_s: float, gpus: int, policy: Policy
) -> None:
    assert min(1, policy.reservations) <= policy.reservations_for(work_s, gpus) <= policy.reservations


@given(WORK_S, WORK_S, GPUS, POLICIES)
def test_a_longer_queue_never_keeps_gpus_for_more_jobs(work_s: float, more_s: float, gpus: int, policy: Policy) -> None:
    assert policy.reservations_for(work_s + more_s, gpus) <= policy.reservations_for(work_s, gpus)


@given(st.floats(0.0, 2.0), GPUS)
def test_a_queue_of_two_days_or_less_keeps_them_for_sixteen(days: float, gpus: int) -> None:
    assert Policy().reservations_for(days * DAY_S * gpus, gpus) == 16


def test_twice_the_work_halves_what_is_kept_and_months_of_it_leave_one() -> None:
    kept = [Policy().reservations_for(days * DAY_S * 100, 100) for days in (2, 4, 8, 16, 32, 1000)]
    assert kept == [16, 8, 4, 2, 1, 1]


def test_a_plan_keeps_gpus_by_the_work_that_waits() -> None:
    """Two nodes run for another hour. Four wide jobs wait; behind them come days of work, or what is only held back."""
    wide = [job(f"w{n}", gpus=2, submitted_at=NOW - 1e6) for n in range(4)]
    full = state(
        nodes=[node("n1", free=0), node("n2", free=0)],
        running=[run("r1", "n1", (0, 1, 2, 3)), run("r2", "n2", (0, 1, 2, 3))],
    )
    days = 14 * DAY_S
    long = job("long", gpus=1, wall_s=days, predicted_p50_s=days, predicted_p90_s=days)
    policy = Policy(reservations=3)

    def kept(*others: object) -> int:
        return len(plan(replace(full, pending=(*wide, *others)), policy, NOW).reservations)

    assert kept() == kept(long) == 3
    assert kept(long, replace(long, id="too")) == 1  # three times two days of three and a half
    assert kept(*(replace(long, id=n, not_before=NOW + 1) for n in ("a", "b", "c"))) == 3
