"""Class reservations: kept for the cohort, filled up to the minute before, cleared, used, and released."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labs.scheduling.domain.decisions import PreemptReason, WaitReason
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import DAY_S, Policy
from labs.scheduling.domain.simulate import after
from labs.scheduling.domain.snapshot import ReservationState
from tests.scheduling.domain_builders import HOUR, NOW, account, job, node, run, state

POLICY = Policy()
OLD = {"submitted_at": NOW - DAY_S}
ACCOUNTS = (
    account("root", None),
    account("cohort", "root"),
    account("ann", "cohort"),
    account("ben", "cohort"),
    account("zoe", "root"),
    account("cho", "root"),
)


def lesson(**fields: Any) -> ReservationState:
    """Four GPUs for the cohort of Ann and Ben, for two hours that begin in an hour unless said otherwise."""
    start_at = fields.pop("start_at", NOW + HOUR)
    fields = {"end_at": start_at + 2 * HOUR, "release_at": start_at + HOUR / 2, "gpus": 4} | fields
    return ReservationState(id="class", account_id="cohort", site_id="yongin", start_at=start_at, **fields)


IDLE = (node("n1"),)


def planned(*reservations: ReservationState, nodes: Any = IDLE, **fields: Any) -> Any:
    return plan(state(nodes=nodes, reservations=reservations, accounts=ACCOUNTS, **fields), POLICY, NOW)


@pytest.mark.parametrize(("wall_s", "starts"), [(HOUR, True), (HOUR + 1, False)])
def test_until_a_class_begins_others_run_if_they_end_by_their_wall_limit(wall_s: float, starts: bool) -> None:
    made = planned(lesson(), pending=[job("j", owner="zoe", wall_s=wall_s)])
    assert [start.job_id for start in made.starts] == (["j"] if starts else [])
    if not starts:
        wait = made.waits["j"]
        assert (wait.reason, wait.facts.reservation_id) == (WaitReason.CLASS_RESERVATION, "class")
        assert (wait.facts.from_at, wait.facts.until_at) == (NOW + HOUR, NOW + 3 * HOUR)


@pytest.mark.parametrize(("begins_in", "starts"), [(HOUR, True), (600.0, False)])
def test_a_preemptible_job_may_stand_there_if_it_is_worth_while(begins_in: float, starts: bool) -> None:
    long = job("j", owner="zoe", wall_s=DAY_S, is_preemptible=True)
    made = planned(lesson(start_at=NOW + begins_in), pending=[long])
    assert bool(made.starts) is starts


def test_what_the_class_leaves_is_everybodys() -> None:
    pending = [job(f"j{n}", owner="zoe", wall_s=DAY_S) for n in range(6)]
    made = planned(lesson(), nodes=(node("n1"), node("n2", free=3)), pending=pending)
    assert len(made.starts) == 3


def test_only_gpus_of_the_site_and_type_that_were_asked_for_are_kept() -> None:
    nodes = (node("n1"), node("n2", gpu_type="H100", free=1), node("n3", site_id="jeonbuk", free=1))
    pending = [job(f"j{n}", owner="zoe", wall_s=DAY_S) for n in range(6)]
    made = planned(lesson(gpu_type="A100"), nodes=nodes, pending=pending)
    assert sorted(start.node_id for start in made.starts) == ["n2", "n3"]


def test_the_cohort_starts_upon_its_reservation_while_it_is_on_and_nobody_else_does() -> None:
    on = lesson(start_at=NOW - 60)
    pending = [
        job("theirs", owner="ann", wall_s=DAY_S),
        job("other", owner="zoe", wall_s=60.0, **OLD),
        job("other-preemptible", owner="cho", wall_s=60.0, is_preemptible=True, **OLD),
    ]
    made = planned(on, pending=pending)
    assert [(start.job_id, start.reservation_id) for start in made.starts] == [("theirs", "class")]
    assert made.waits["other"].reason is WaitReason.CLASS_RESERVATION
    assert made.waits["other"].facts.from_at is None


def test_the_cohort_gets_no_more_than_was_reserved_for_it_and_can_use_the_rest_like_anybody() -> None:
    on = lesson(start_at=NOW - 60, gpus=2)
    pending = [job(f"j{n}", owner="ann") for n in range(3)]
    made = planned(on, nodes=(node("n1", free=3),), running=[run("r", "n1", (0,), owner="zoe")], pending=pending)
    assert sorted(str(start.reservation_id) for start in made.starts) == ["None", "class", "class"]


def test_a_run_upon_the_class_keeps_its_place_in_it() -> None:
    on = lesson(start_at=NOW - 60, gpus=3)
    first = state(nodes=[node("n1")], reservations=[on], accounts=ACCOUNTS, pending=[job("a"), job("b")])
    then = after(first, plan(first, POLICY, NOW).starts, NOW)
    later = state(
        nodes=then.nodes, running=then.running, reservations=[on], accounts=ACCOUNTS,
        pending=[job("c", owner="ben"), job("z1", owner="zoe", wall_s=60.0), job("z2", owner="zoe", wall_s=60.0)],
    )  # fmt: skip
    made = plan(later, POLICY, NOW)
    assert {(start.job_id, start.reservation_id) for start in made.starts} == {("c", "class"), ("z1", None)}


def test_when_nobody_comes_the_gpus_are_released_and_those_in_use_stay() -> None:
    released = lesson(start_at=NOW - HOUR, release_at=NOW - 1)
    running = [run("r", "n1", (0,), owner="ann", reservation_id="class", ends_in=DAY_S)]
    pending = [job(f"j{n}", owner="zoe", wall_s=60.0) for n in range(4)]
    made = planned(released, nodes=(node("n1", free=3),), running=running, pending=pending)
    assert len(made.starts) == 3


def test_a_long_run_of_one_class_does_not_sit_in_the_next() -> None:
    now_on = lesson(start_at=NOW - 60, end_at=NOW + HOUR)
    following = ReservationState("next", "zoe", "yongin", 4, NOW + 2 * HOUR, NOW + 3 * HOUR, NOW + 2.5 * HOUR)
    pending = [job("long", owner="ann", wall_s=3 * HOUR), job("short", owner="ann", wall_s=HOUR)]
    made = planned(now_on, following, pending=pending)
    assert [start.job_id for start in made.starts] == ["short"]


def test_a_promise_to_a_wide_job_goes_round_the_class() -> None:
    made = planned(
        lesson(),
        nodes=(node("n1", free=2),),
        running=[run("r", "n1", (0, 1), ends_in=HOUR / 2)],
        pending=[job("wide", owner="zoe", gpus=4, wall_s=HOUR)],
    )
    assert [reserved.start_at for reserved in made.reservations] == [NOW + 3 * HOUR]


# Clearing


def _begun(one: Any, seconds: float) -> Any:
    """The same run, begun so many seconds ago."""
    return replace(one, started_at=NOW - seconds)


def filler(name: str, gpus: tuple[int, ...], **fields: Any) -> Any:
    fields = {"is_preemptible": True, "grace_s": 120.0, "ends_in": DAY_S, "owner": "zoe"} | fields
    return run(name, "n1", gpus, **fields)


@pytest.mark.parametrize(("begins_in", "asked"), [(HOUR, False), (181.0, False), (180.0, True), (-60.0, True)])
def test_preemptible_runs_are_asked_to_end_in_time_for_the_class(begins_in: float, asked: bool) -> None:
    made = planned(lesson(start_at=NOW + begins_in), nodes=(node("n1", free=0),), running=[filler("f", (0, 1, 2, 3))])
    expected = [("f", PreemptReason.FOR_CLASS, "class")] if asked else []
    assert [(p.job_id, p.reason, p.for_reservation_id) for p in made.preempts] == expected


def test_as_many_as_are_needed_are_asked_and_those_that_lose_least() -> None:
    runs = [
        filler("old", (0, 1)),
        filler("new", (2,), owner="cho"),
        filler("newer", (3,), owner="cho"),
    ]
    runs = [runs[0], _begun(runs[1], 900.0), _begun(runs[2], 300.0)]
    made = planned(lesson(start_at=NOW, gpus=2), nodes=(node("n1", free=0),), running=runs)
    assert {preempt.job_id for preempt in made.preempts} == {"new", "newer"}


def test_what_was_asked_is_not_asked_again_and_nothing_else_is() -> None:
    first = state(
        nodes=[node("n1", free=0)], reservations=[lesson(start_at=NOW, gpus=2)], accounts=ACCOUNTS,
        running=[filler("a", (0, 1)), filler("b", (2, 3))],
    )  # fmt: skip
    made = plan(first, POLICY, NOW)
    assert len(made.preempts) == 1
    assert plan(after(first, (), NOW, made.preempts), POLICY, NOW).preempts == ()


def test_the_classs_own_job_is_told_that_room_is_being_made_and_until_when_and_others_are_not() -> None:
    begun = state(
        nodes=[node("n1", free=0)], reservations=[lesson(start_at=NOW - 60)], accounts=ACCOUNTS,
        running=[filler("a", (0, 1, 2, 3))],
        pending=[job("theirs", owner="ann"), job("fourth", owner="ben", gpus=4), job("other", owner="cho")],
    )  # fmt: skip
    made = plan(begun, POLICY, NOW)
    assert [preempt.for_reservation_id for preempt in made.preempts] == ["class"]
    first = made.waits["theirs"]
    assert (first.reason, first.facts.until_at) == (WaitReason.PREEMPTING, NOW + 120)
    assert first.start_p90_at is not None
    assert first.start_p90_at <= NOW + 120
    assert {made.waits[name].reason for name in ("fourth", "other")}.isdisjoint({WaitReason.PREEMPTING})


def test_runs_that_are_not_preemptible_and_those_of_a_class_are_never_asked() -> None:
    running = [
        filler("firm", (0, 1), is_preemptible=False),
        filler("of-class", (2, 3), owner="ann", reservation_id="class"),
    ]
    made = planned(lesson(start_at=NOW - 60), nodes=(node("n1", free=0),), running=running)
    assert made.preempts == ()
