"""The planner's rules by example: placement, order, backfill, and a reason for each wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labs.scheduling.domain.decisions import WaitReason
from labs.scheduling.domain.effects import after
from labs.scheduling.domain.planner import forecast, plan
from labs.scheduling.domain.policy import DAY_S, Policy
from labs.scheduling.domain.snapshot import Id, SiteState, Snapshot
from tests.scheduling.domain_builders import HOUR, NOW, account, job, node, run, state

POLICY = Policy()
NO_NEWCOMERS = Policy(overtaking_p50=0.0, overtaking_p90=0.0)


def placed(snapshot: Snapshot, policy: Policy = POLICY) -> dict[Id, Id]:
    """The node of each job that starts."""
    return {start.job_id: start.node_id for start in plan(snapshot, policy, NOW).starts}


def in_order(snapshot: Snapshot, policy: Policy = POLICY) -> list[Id]:
    """Waiting jobs by queue place."""
    waits = plan(snapshot, policy, NOW).waits
    return sorted(waits, key=lambda job_id: waits[job_id].place)


FULL = (node("n1", total=4, free=0),)
BUSY = (run("r1", "n1", (0, 1, 2, 3)),)


# Placement


@pytest.mark.parametrize(
    ("asked", "node_id"),
    [
        ({}, "a-small"),
        ({"gpus": 2}, "a-small"),
        ({"gpus": 3}, "a-large"),
        ({"gpu_type": "H100"}, "h100"),
        ({"min_gpu_memory_mib": 60_000}, "h100"),
        ({"preferred_site_id": "jeonbuk"}, "h100"),
        ({"preferred_site_id": "jeonbuk", "gpu_type": "A100"}, "a-small"),
        ({"required_site_id": "jeonbuk"}, "h100"),
        ({"environment": "torch"}, "a-large"),
        ({"environment": "torch", "preferred_site_id": "jeonbuk"}, "h100"),
        ({"environment": "unknown"}, "a-small"),
    ],
)
def test_a_job_goes_to_the_preferred_site_then_ready_environment_then_best_fit(
    asked: dict[str, Any], node_id: str
) -> None:
    nodes = (
        node("a-large", total=4, environments=frozenset({"torch"})),
        node("a-small", total=4, free=2),
        node("h100", total=4, gpu_type="H100", gpu_memory_mib=81_920, site_id="jeonbuk"),
    )
    assert placed(state(nodes=nodes, pending=[job("j", **asked)])) == {"j": node_id}


def test_all_gpus_of_a_job_are_on_one_node_and_are_its_lowest_free_ones() -> None:
    snapshot = state(nodes=[node("n1", free=2), node("n2", free=3)], pending=[job("wide", gpus=3), job("big", gpus=4)])
    made = plan(snapshot, POLICY, NOW)
    assert [(start.job_id, start.node_id, start.gpu_indices) for start in made.starts] == [("wide", "n2", (1, 2, 3))]
    assert made.waits["big"].facts.gpus_free_in_all == 2


# Order


def test_a_learner_with_little_use_goes_ahead_of_a_heavy_one() -> None:
    accounts = (account("cohort", None), account("ann", decayed_use_gpu_s=90_000.0), account("ben"), account("zoe"))
    pending = (job("heavy", owner="ann", submitted_at=NOW - 60), job("light", owner="ben"))
    assert in_order(state(nodes=FULL, running=BUSY, accounts=accounts, pending=pending)) == ["light", "heavy"]


def test_weight_divides_use_among_siblings() -> None:
    accounts = (
        account("cohort", None),
        account("ann", decayed_use_gpu_s=20_000.0, weight=4.0),
        account("ben", decayed_use_gpu_s=10_000.0),
        account("zoe"),
    )
    pending = (job("one", owner="ben"), job("two", owner="ann"))
    assert in_order(state(nodes=FULL, running=BUSY, accounts=accounts, pending=pending)) == ["two", "one"]


def test_the_share_of_the_group_decides_before_the_share_inside_it() -> None:
    accounts = (
        account("root", None),
        account("yongin", "root", decayed_use_gpu_s=50_000.0),
        account("jeonbuk", "root"),
        account("ann", "yongin"),
        account("ben", "jeonbuk", decayed_use_gpu_s=40_000.0),
        account("zoe", "root"),
    )
    pending = (job("little-in-heavy", owner="ann"), job("much-in-light", owner="ben"))
    snapshot = state(nodes=FULL, running=BUSY, accounts=accounts, pending=pending)
    assert in_order(snapshot) == ["much-in-light", "little-in-heavy"]


def test_a_burst_of_100_jobs_does_not_shut_out_another_learners_first() -> None:
    burst = [job(f"burst-{n:03}", owner="ann", submitted_at=NOW - 100 + n / 100) for n in range(100)]
    made = plan(state(nodes=[node("n1", total=2)], pending=[*burst, job("first", owner="ben")]), POLICY, NOW)
    assert {start.job_id for start in made.starts} == {"burst-000", "first"}


def test_running_jobs_count_as_use_from_their_first_second() -> None:
    nodes, started = [node("n1", free=0)], run("r1", "n1", (0, 1, 2, 3), owner="ann", ends_in=HOUR)
    pending = (job("again", owner="ann", submitted_at=NOW - 60), job("first", owner="ben"))
    assert in_order(state(nodes=nodes, running=[started], pending=pending)) == ["first", "again"]


def test_age_overtakes_all_other_factors_in_the_days_that_the_policy_says() -> None:
    days = POLICY.overtaking_days
    accounts = (account("cohort", None), account("ann", decayed_use_gpu_s=9e9), account("ben"), account("zoe"))
    old = job("old", owner="ann", gpus=4, wall_s=DAY_S, submitted_at=NOW - (days + 0.1) * DAY_S)
    new = [job(f"new-{n}", owner="ben", gpus=n + 1, wall_s=60.0, attempt=2, is_trial=True) for n in range(5)]
    assert in_order(state(nodes=FULL, running=BUSY, accounts=accounts, pending=[old, *new]))[0] == "old"


@pytest.mark.parametrize(("due_in", "is_boosted"), [(2 * HOUR, True), (100 * HOUR, False), (-60.0, False)])
def test_a_deadline_boosts_as_slack_falls_and_not_once_it_has_passed(due_in: float, is_boosted: bool) -> None:
    pending = (job("plain", owner="ann"), job("due", owner="ann", deadline_at=NOW + due_in))
    made = plan(state(nodes=FULL, running=BUSY, pending=pending), POLICY, NOW)
    boost = made.waits["due"].factors.slack
    assert (boost > 0) is is_boosted
    assert boost <= POLICY.weight_slack


def test_a_narrow_job_ages_more_slowly_in_its_first_week_and_as_fast_as_any_from_then_on() -> None:
    ages = []
    for days in (4, 7, 17):
        pending = [job(f"{gpus}", gpus=gpus, submitted_at=NOW - days * DAY_S) for gpus in (1, 7, 8)]
        waits = plan(state(nodes=[node("n1", total=8, free=0)], pending=pending), POLICY, NOW).waits
        ages.append([round(waits[f"{gpus}"].factors.age, 6) for gpus in (1, 7, 8)])
    assert ages == [[1.0, 1.0, 4.0], [1.75, 1.75, 7.0], [11.75, 11.75, 17.0]]


def test_the_first_of_a_burst_goes_ahead_of_its_equals() -> None:
    pending = (job("plain", owner="ann"), job("trial", owner="ann", submitted_at=NOW, is_trial=True))
    assert in_order(state(nodes=FULL, running=BUSY, pending=pending)) == ["trial", "plain"]


def test_a_job_whose_attempt_the_platform_lost_goes_ahead_of_its_equals() -> None:
    pending = (job("first", owner="ann", submitted_at=NOW - 60), job("lost", owner="ben", attempt=2))
    assert in_order(state(nodes=FULL, running=BUSY, pending=pending)) == ["lost", "first"]


# Backfill

HALF_FULL = {
    "nodes": (node("n1", total=4, free=2),),
    "running": (run("r1", "n1", (0, 1), ends_in=HOUR),),
}
#: So old that it goes before anything short that has just come.
OLD = {"submitted_at": NOW - 30 * DAY_S}


def test_a_wide_job_gets_the_node_reserved_for_when_wall_limits_free_it() -> None:
    made = plan(state(**HALF_FULL, pending=[job("wide", gpus=4, **OLD)]), POLICY, NOW)
    assert [(r.job_id, r.node_id, r.start_at) for r in made.reservations] == [("wide", "n1", NOW + HOUR)]
    wait = made.waits["wide"]
    assert (wait.reason, wait.facts.until_at, wait.facts.node_id) == (WaitReason.RESOURCES, NOW + HOUR, "n1")


@pytest.mark.parametrize(("wall_s", "starts"), [(HOUR / 4, True), (2 * HOUR, False)])
def test_only_a_job_that_ends_before_the_reservation_may_fill_in(wall_s: float, starts: bool) -> None:
    pending = (job("wide", gpus=4, **OLD), job("narrow", owner="ben", wall_s=wall_s))
    made = plan(state(**HALF_FULL, pending=pending), POLICY, NOW)
    assert [(start.job_id, start.is_backfilled) for start in made.starts] == ([("narrow", True)] if starts else [])
    if not starts:
        assert made.waits["narrow"].reason is WaitReason.RESERVED_FOR_WIDE_JOB
        assert made.waits["narrow"].facts.job_id == "wide"


def test_long_jobs_may_fill_in_together_only_up_to_what_the_reservation_leaves() -> None:
    nodes, running = [node("n1", total=8, free=4)], [run("r1", "n1", (0, 1, 2, 3))]
    narrow = [job(f"narrow-{n}", owner="ben", wall_s=DAY_S) for n in range(4)]
    made = plan(state(nodes=nodes, running=running, pending=[job("wide", gpus=6, **OLD), *narrow]), POLICY, NOW)
    assert [start.job_id for start in made.starts] == ["narrow-0", "narrow-1"]
    assert made.reservations[0].start_at == NOW + HOUR


def test_the_node_that_will_likely_come_free_first_is_kept_from_long_runs_too() -> None:
    likely = run("r1", "n1", (0, 1), ends_in=20 * HOUR, predicted_p50_s=1.2 * HOUR, predicted_p90_s=1.5 * HOUR)
    certain = run("r2", "n2", (0, 1, 2, 3), ends_in=10 * HOUR, predicted_p50_s=9 * HOUR, predicted_p90_s=10 * HOUR)
    nodes = (node("n1", total=4, free=2), node("n2", total=4, free=0))
    narrow = job("narrow", owner="ben", wall_s=9 * HOUR, predicted_p50_s=8 * HOUR, predicted_p90_s=9 * HOUR)
    pending = (job("wide", gpus=4, **OLD), narrow)
    made = plan(state(nodes=nodes, running=(likely, certain), pending=pending), POLICY, NOW)
    assert made.reservations[0].node_id == "n2"
    assert made.waits["wide"].facts.node_id == "n1"
    assert made.waits["narrow"].reason is WaitReason.RESERVED_FOR_WIDE_JOB


def test_narrow_jobs_do_not_starve_a_wide_one_under_a_cap() -> None:
    accounts = (account("cohort", None, max_running_gpus=4), account("ann"), account("ben"), account("zoe"))
    nodes, running = [node("n1", total=8, free=6)], [run("r1", "n1", (0, 1), owner="zoe")]
    pending = (job("wide", gpus=4, **OLD), job("long", owner="ben", wall_s=DAY_S), job("short", owner="ben", wall_s=60))
    made = plan(state(nodes=nodes, running=running, accounts=accounts, pending=pending), POLICY, NOW)
    assert [start.job_id for start in made.starts] == ["short"]
    assert made.waits["wide"].reason is WaitReason.ACCOUNT_CAP
    assert made.waits["wide"].facts.running_gpus == 3


# Reasons


def reason_of(policy: Policy = POLICY, **fields: Any) -> tuple[WaitReason, Any]:
    """Reason and facts of the job called j."""
    wait = plan(state(**fields), policy, NOW).waits["j"]
    return wait.reason, wait.facts


def test_a_job_behind_others_says_so() -> None:
    pending = (job("j"), job("first", owner="ben", **OLD))
    reason, facts = reason_of(nodes=FULL, running=BUSY, pending=pending)
    assert reason is WaitReason.BEHIND_OTHERS
    assert facts.gpus_free_in_all == 0


def test_a_busy_type_is_named_when_others_are_free() -> None:
    nodes = (*FULL, node("n2", gpu_type="H100"))
    reason, facts = reason_of(nodes=nodes, running=BUSY, pending=[job("j", gpu_type="A100")])
    assert (reason, facts.gpu_type) == (WaitReason.GPU_TYPE_BUSY, "A100")


@pytest.mark.parametrize("asked", [{"gpus": 8}, {"gpu_type": "TPU"}, {"min_gpu_memory_mib": 99_999}])
def test_what_no_node_has_is_said_at_once_with_what_there_is(asked: dict[str, Any]) -> None:
    snapshot = state(nodes=FULL, pending=[job("j", **asked)])
    wait = plan(snapshot, POLICY, NOW).waits["j"]
    assert (wait.reason, wait.start_p50_at) == (WaitReason.NO_SUCH_NODE, None)
    assert wait.facts.gpus_most_on_one_node == (4 if asked == {"gpus": 8} else 0)


def test_draining_nodes_and_closed_sites_get_nothing_and_are_named() -> None:
    draining = [node("n1", is_schedulable=False)]
    assert reason_of(nodes=draining, pending=[job("j")])[0] is WaitReason.NODES_DRAINING
    closed = {"sites": (SiteState("yongin", is_open=False), SiteState("jeonbuk")), "nodes": [node("n1")]}
    assert reason_of(**closed, pending=[job("j", required_site_id="yongin")])[0] is WaitReason.SITE_CLOSED


def test_a_closed_account_anywhere_above_is_named() -> None:
    accounts = (account("cohort", None, is_open=False), account("ann"))
    reason, facts = reason_of(nodes=[node("n1")], accounts=accounts, pending=[job("j")])
    assert (reason, facts.account_id) == (WaitReason.ACCOUNT_CLOSED, "cohort")


def test_a_cap_names_its_account_and_one_that_is_too_small_gives_no_start_time() -> None:
    accounts = (account("cohort", None, max_running_gpus=1), account("ann"), account("zoe"))
    snapshot = state(nodes=[node("n1")], accounts=accounts, pending=[job("j", gpus=2)])
    wait = plan(snapshot, POLICY, NOW).waits["j"]
    assert (wait.reason, wait.facts.account_id, wait.facts.cap) == (WaitReason.ACCOUNT_CAP, "cohort", 1)
    assert wait.start_p50_at is None


def test_a_learners_cap_lets_as_many_run_as_it_says_and_holds_nobody_else() -> None:
    pending = (job("one"), job("two", submitted_at=NOW + 0.1), job("other", owner="ben", submitted_at=NOW + 0.2))
    made = plan(state(nodes=[node("n1")], pending=pending), replace(NO_NEWCOMERS, max_running_gpus_per_learner=1), NOW)
    assert {start.job_id for start in made.starts} == {"one", "other"}
    assert made.waits["two"].reason is WaitReason.LEARNER_CAP
    assert made.waits["two"].start_p50_at == NOW + HOUR / 4


def test_power_that_is_short_is_named_with_watts() -> None:
    sites = (SiteState("yongin", power_cap_w=1_000.0, base_power_w=200.0), SiteState("jeonbuk"))
    nodes = [node("n1", free=2, watts_per_gpu=300.0)]
    running = [run("r1", "n1", (0, 1))]
    reason, facts = reason_of(sites=sites, nodes=nodes, running=running, pending=[job("j")])
    assert (reason, facts.site_id) == (WaitReason.POWER_CAP, "yongin")
    assert (facts.watts_wanted, facts.watts_free) == (300.0, 200.0)


def test_a_date_holds_a_job_back_until_then() -> None:
    reason, facts = reason_of(nodes=[node("n1")], pending=[job("j", not_before=NOW + 60)])
    assert (reason, facts.until_at) == (WaitReason.NOT_BEFORE, NOW + 60)


def test_what_a_pass_may_not_do_any_more_waits_for_the_next_one() -> None:
    pending = (job("first", **OLD), job("j"))
    assert reason_of(Policy(max_decisions=1), nodes=[node("n1")], pending=pending)[0] is WaitReason.NEXT_PASS


# Place and estimates


def test_place_counts_those_ahead_that_want_the_same_gpus_and_are_not_held_back() -> None:
    nodes = (*FULL, node("n2", free=0, gpu_type="H100"))
    pending = (
        job("other-type", owner="ben", gpu_type="H100", submitted_at=NOW - 9),
        job("held", owner="cho", not_before=NOW + 60, submitted_at=NOW - 8),
        job("any-type", owner="zoe", submitted_at=NOW - 7),
        job("j", owner="ann", gpu_type="A100", submitted_at=NOW - 6),
    )
    policy = Policy(weight_fair_share=0.0, weight_shortness=0.0, narrow_age=1.0)
    waits = plan(state(nodes=nodes, pending=pending), policy, NOW).waits
    assert {job_id: wait.place for job_id, wait in waits.items()} == {"other-type": 1, "held": 2, "any-type": 2, "j": 2}


def test_the_estimate_is_the_predicted_end_of_the_run_that_is_waited_for() -> None:
    running = [run("r1", "n1", (0, 1, 2, 3), predicted_p50_s=1.5 * HOUR, predicted_p90_s=1.8 * HOUR)]
    wait = plan(state(nodes=FULL, running=running, pending=[job("j")]), NO_NEWCOMERS, NOW).waits["j"]
    assert wait.start_p50_at == pytest.approx(NOW + 0.5 * HOUR)
    assert wait.start_p90_at == pytest.approx(NOW + 0.8 * HOUR)


@pytest.mark.parametrize("walked", [0, 10, 400])
def test_estimates_grow_with_the_work_ahead_whether_walked_or_by_throughput(walked: int) -> None:
    pending = [
        job(f"j{n:02}", submitted_at=NOW - 100 + n, predicted_p50_s=600.0, predicted_p90_s=600.0) for n in range(40)
    ]
    policy = replace(NO_NEWCOMERS, estimate_jobs=walked)
    waits = plan(state(nodes=FULL, running=BUSY, pending=pending), policy, NOW).waits
    starts = [waits[f"j{n:02}"].start_p50_at for n in range(40)]
    known = [at for at in starts if at is not None]
    assert len(known) == 40
    assert known == sorted(known)
    first_end = NOW + HOUR / 2 if walked else known[0]
    assert known[-1] - first_end == pytest.approx(39 / 4 * 600.0, rel=0.1)


def test_a_forecast_is_what_the_job_meets_once_it_is_submitted() -> None:
    asked = job("new", owner="ben", gpus=2)
    snapshot = state(nodes=FULL, running=BUSY, pending=[job("j", **OLD)])
    told = forecast(snapshot, POLICY, NOW, asked)
    met = plan(state(nodes=FULL, running=BUSY, pending=[job("j", **OLD), asked]), POLICY, NOW).waits["new"]
    assert (told.start_p50_at, told.start_p90_at, told.place, told.reason) == (
        met.start_p50_at,
        met.start_p90_at,
        met.place,
        met.reason,
    )
    idle = forecast(state(nodes=[node("n1")]), POLICY, NOW, asked)
    assert (idle.start_p50_at, idle.start_p90_at, idle.reason) == (NOW, NOW, None)


def test_a_learners_wait_has_the_same_reason_whichever_walk_found_the_node_full() -> None:
    """The first walk starts the wide job and meets a node without room; the next knows that before it begins."""
    asked = (("wide", 3, HOUR), ("capped", 4, HOUR), ("brief", 1, HOUR / 2), ("long", 1, 2 * HOUR))
    queue = [
        job(name, gpus=gpus, wall_s=wall_s, predicted_p50_s=60, predicted_p90_s=90, submitted_at=NOW - 60 + place)
        for place, (name, gpus, wall_s) in enumerate(asked)
    ]
    nodes = (node("n1", total=3), node("n2", total=4, free=0))
    before = state(nodes=nodes, running=(run("r", "n2", (0, 1, 2, 3)),), pending=queue)
    policy = Policy(reservations=0, max_running_gpus_per_learner=4)
    made = plan(before, policy, NOW)
    assert [start.job_id for start in made.starts] == ["wide"]
    again = plan(after(before, made.starts, NOW), policy, NOW)
    reasons = {"capped": WaitReason.LEARNER_CAP, "brief": WaitReason.RESOURCES, "long": WaitReason.BEHIND_OTHERS}
    assert {name: wait.reason for name, wait in made.waits.items()} == reasons
    assert {name: wait.reason for name, wait in again.waits.items()} == reasons
