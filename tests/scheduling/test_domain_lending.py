"""Lending between campuses: by window and limit, and taken back only from the borrower. Preemption for jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labs.scheduling.domain.decisions import PreemptReason, WaitReason
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import DAY_S, Policy
from labs.scheduling.domain.simulate import after
from labs.scheduling.domain.snapshot import LendingState, SiteState
from tests.scheduling.domain_builders import HOUR, NOW, account, job, node, run, state

POLICY = Policy()
OLD = {"submitted_at": NOW - DAY_S}
SITES = (SiteState("yongin", owner_account_id="yongin"), SiteState("jeonbuk", owner_account_id="jeonbuk"))
ACCOUNTS = (
    account("root", None),
    account("yongin", "root"),
    account("jeonbuk", "root"),
    account("ann", "yongin"),
    account("cho", "yongin"),
    account("ben", "jeonbuk"),
    account("zoe", "jeonbuk"),
)
#: Yongin lends two GPUs to Jeonbuk for two more hours.
WINDOW = LendingState("yongin", "jeonbuk", 2, NOW - HOUR, NOW + 2 * HOUR)
IDLE = (node("n1"),)


def planned(*lendings: LendingState, nodes: Any = IDLE, **fields: Any) -> Any:
    return plan(state(sites=SITES, accounts=ACCOUNTS, nodes=nodes, lendings=lendings, **fields), POLICY, NOW)


def test_a_campuss_gpus_are_its_own() -> None:
    made = planned(pending=[job("theirs", owner="ann"), job("others", owner="ben")])
    assert [(start.job_id, start.is_borrowed) for start in made.starts] == [("theirs", False)]
    assert made.waits["others"].reason is WaitReason.LENDING_CLOSED


def test_a_wait_for_a_window_says_when_it_opens_and_where_the_free_gpus_are() -> None:
    nodes = (*IDLE, node("n2", site_id="jeonbuk", free=0))
    running = [run("r", "n2", (0, 1, 2, 3))]
    later = replace(WINDOW, from_at=NOW + HOUR)
    wait = planned(later, nodes=nodes, running=running, pending=[job("j", owner="ben")]).waits["j"]
    assert (wait.reason, wait.facts.site_id, wait.facts.from_at) == (WaitReason.LENDING_CLOSED, "yongin", NOW + HOUR)
    assert wait.start_p50_at is not None


@pytest.mark.parametrize(
    ("asked", "starts"),
    [
        ({"wall_s": 2 * HOUR}, True),
        ({"wall_s": 2 * HOUR + 1}, False),
        ({"wall_s": DAY_S, "is_preemptible": True}, True),
        ({"gpus": 3}, False),
    ],
)
def test_a_borrower_ends_within_the_window_or_can_be_taken_back_and_keeps_to_the_limit(
    asked: dict[str, Any], starts: bool
) -> None:
    made = planned(WINDOW, pending=[job("j", owner="ben", **asked)])
    assert [start.is_borrowed for start in made.starts] == ([True] if starts else [])


def test_the_limit_counts_what_runs_and_is_named() -> None:
    running = [run("r", "n1", (0, 1), owner="zoe", is_borrowed=True)]
    wait = planned(WINDOW, nodes=[node("n1", free=2)], running=running, pending=[job("j", owner="ben")]).waits["j"]
    assert (wait.reason, wait.facts.cap, wait.facts.running_gpus) == (WaitReason.LENDING_CAP, 2, 2)


def test_a_borrower_prefers_its_own_campus() -> None:
    nodes = (*IDLE, node("n2", site_id="jeonbuk"))
    made = planned(WINDOW, nodes=nodes, pending=[job("j", owner="ben")])
    assert [(start.node_id, start.is_borrowed) for start in made.starts] == [("n2", False)]


# Taking back


def borrowed(name: str, gpus: tuple[int, ...], **fields: Any) -> Any:
    fields = {"is_preemptible": True, "grace_s": 60.0, "ends_in": DAY_S, "owner": "zoe", "is_borrowed": True} | fields
    return run(name, "n1", gpus, **fields)


@pytest.mark.parametrize(("ends_in", "asked"), [(HOUR, False), (121.0, False), (120.0, True)])
def test_what_is_borrowed_is_asked_back_in_time_before_the_window_ends(ends_in: float, asked: bool) -> None:
    made = planned(replace(WINDOW, until_at=NOW + ends_in), nodes=[node("n1", free=2)], running=[borrowed("b", (0, 1))])
    expected = [("b", PreemptReason.LENDING_ENDS)] if asked else []
    assert [(preempt.job_id, preempt.reason) for preempt in made.preempts] == expected


def test_what_runs_on_after_its_window_is_asked_back_at_once() -> None:
    made = planned(nodes=[node("n1", free=2)], running=[borrowed("b", (0, 1))])
    assert [preempt.reason for preempt in made.preempts] == [PreemptReason.LENDING_ENDS]


@pytest.mark.parametrize("is_preemptible", [False, True])
def test_a_job_of_the_lender_takes_back_from_the_borrower_only(is_preemptible: bool) -> None:
    running = [borrowed("b", (0, 1)), borrowed("own", (2, 3), owner="cho", is_borrowed=False)]
    running[1] = replace(running[1], is_preemptible=is_preemptible, started_at=NOW - 900)
    pending = [job("j", owner="ann", gpus=2, is_preemptible=True)]
    made = planned(WINDOW, nodes=[node("n1", free=0)], running=running, pending=pending)
    assert [(p.job_id, p.reason, p.for_job_id) for p in made.preempts] == [("b", PreemptReason.TAKEN_BACK, "j")]
    assert made.waits["j"].reason is WaitReason.PREEMPTING
    assert made.waits["j"].facts.until_at == NOW + 60


def test_a_borrower_has_nobody_elses_run_end() -> None:
    running = [borrowed("own", (0, 1, 2, 3), owner="cho", is_borrowed=False)]
    made = planned(WINDOW, nodes=[node("n1", free=0)], running=running, pending=[job("j", owner="ben")])
    assert made.preempts == ()


def test_what_is_lent_out_firmly_is_named_to_its_owner() -> None:
    running = [
        borrowed("b", (0, 1), is_preemptible=False, ends_in=HOUR),
        run("own", "n1", (2, 3), owner="cho", ends_in=DAY_S),
    ]
    made = planned(WINDOW, nodes=[node("n1", free=0)], running=running, pending=[job("j", owner="ann", gpus=2)])
    wait = made.waits["j"]
    assert made.preempts == ()
    assert (wait.reason, wait.facts.until_at) == (WaitReason.LENT_OUT, NOW + HOUR)


# Preemption for a job


def cleared(*running: Any, pending: Any, policy: Policy = POLICY, free: int = 0) -> Any:
    return plan(state(nodes=[node("n1", free=free)], running=running, pending=pending), policy, NOW)


def spare(name: str, gpus: tuple[int, ...], **fields: Any) -> Any:
    return run(name, "n1", gpus, **({"is_preemptible": True, "grace_s": 60.0, "ends_in": DAY_S} | fields))


def test_a_firm_job_has_the_runs_that_lose_least_make_room_and_no_more_than_it_needs() -> None:
    young = replace(spare("young", (2,)), started_at=NOW - 700)
    runs = (spare("wide", (0, 1)), young, spare("firm", (3,), is_preemptible=False))
    made = cleared(*runs, pending=[job("j", gpus=1)])
    assert [(p.job_id, p.reason) for p in made.preempts] == [("young", PreemptReason.FOR_JOB)]
    both = cleared(*runs, pending=[job("j", gpus=2)])
    assert [p.job_id for p in both.preempts] == ["wide"]


@pytest.mark.parametrize(
    ("asked", "runs"),
    [
        ({"is_preemptible": True}, [spare("s", (0, 1, 2, 3))]),
        ({"gpus": 4}, [spare("s", (0, 1, 2)), spare("firm", (3,), is_preemptible=False)]),
        ({}, [replace(spare("s", (0, 1, 2, 3)), started_at=NOW - 599)]),
        ({}, [spare("s", (0, 1, 2, 3), ends_in=300.0)]),
        ({}, [spare("s", (0, 1, 2, 3), is_ending=True, ends_by_at=NOW + 60, ending_for_job_id="j")]),
    ],
    ids=["both are preemptible", "not enough room", "just begun", "it ends soon", "asked before"],
)
def test_nobody_is_asked_to_end_in_vain(asked: dict[str, Any], runs: list[Any]) -> None:
    assert cleared(*runs, pending=[job("j", **asked)]).preempts == ()


def test_a_gang_has_room_made_on_all_its_nodes() -> None:
    nodes = [node("n1", free=0), node("n2", free=2)]
    runs = [spare("a", (0, 1, 2, 3)), replace(spare("b", (0, 1)), node_id="n2")]
    made = plan(state(nodes=nodes, running=runs, pending=[job("g", gpus=4, nodes=2)]), POLICY, NOW)
    assert {preempt.job_id for preempt in made.preempts} == {"a", "b"}


def test_power_that_would_still_lack_keeps_all_running() -> None:
    sites = (SiteState("yongin", power_cap_w=100.0, base_power_w=90.0), SiteState("jeonbuk"))
    nodes = [node("n1", free=3, watts_per_gpu=30.0)]
    made = plan(state(sites=sites, nodes=nodes, running=[spare("s", (0,))], pending=[job("j", gpus=4)]), POLICY, NOW)
    assert made.preempts == ()


def test_who_had_room_made_goes_first_when_it_is_there() -> None:
    pending = [job("aged", owner="ben", **OLD), job("j", has_room_made=True)]
    made = cleared(spare("s", (0, 1, 2), is_preemptible=False), pending=pending, free=1)
    assert [start.job_id for start in made.starts] == ["j"]


def test_what_is_being_cleared_is_said_until_it_is_and_nothing_starts_there_in_between() -> None:
    first = state(
        nodes=[node("n1", free=1)],
        running=[spare("s", (0, 1, 2))],
        pending=[job("j", gpus=4, submitted_at=NOW - 30 * DAY_S), job("small", owner="ben", wall_s=HOUR)],
    )
    made = plan(first, POLICY, NOW)
    assert [preempt.job_id for preempt in made.preempts] == ["s"]
    assert made.starts == ()
    again = plan(after(first, made.starts, NOW, made.preempts), POLICY, NOW)
    assert (again.starts, again.preempts, dict(again.waits)) == ((), (), dict(made.waits))
