"""What a change would do: caps, nodes, classes and more work, run forward through the planner itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.simulate import Arrival
from labs.scheduling.domain.snapshot import NodeState, ReservationState
from labs.scheduling.domain.what_if import (
    AccountCap,
    AccountWeight,
    Change,
    ClassHeld,
    LearnerCap,
    MoreWork,
    NodesAdded,
    NodeSchedulable,
    Waits,
    changed,
    effect,
    run_forward,
)
from tests.scheduling.domain_builders import HOUR, NOW, account, job, node, run, state

POLICY = Policy()


def four(owner: str, **fields: object) -> list:
    """Four jobs of one GPU that each take an hour."""
    return [job(f"{owner}-{n}", owner=owner, predicted_p50_s=HOUR, predicted_p90_s=HOUR, **fields) for n in range(4)]


def waits(snapshot, *changes: Change, policy: Policy = POLICY, arrivals: tuple = ()) -> Waits:
    return run_forward(*changed(snapshot, policy, changes), NOW, arrivals)


def test_a_queue_runs_down_as_runs_end_and_each_wait_is_told_to_a_twentieth() -> None:
    snapshot = state(nodes=[node("n1", total=2)], pending=four("ann"))
    found = waits(snapshot).of
    assert sorted(found.values()) == pytest.approx([0, 0, HOUR, HOUR], rel=0.06)


def test_what_runs_now_ends_when_it_is_predicted_to() -> None:
    busy = run("old", "n1", (0,), ends_in=3 * HOUR, predicted_p50_s=1.5 * HOUR, predicted_p90_s=2 * HOUR)
    snapshot = state(nodes=[node("n1", total=1, free=0)], running=[busy], pending=[job("next")])
    assert waits(snapshot).of["next"] == pytest.approx(0.5 * HOUR, rel=0.06)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (AccountCap("ann", 1), [0, HOUR, 2 * HOUR, 3 * HOUR]),
        (LearnerCap(1), [0, HOUR, 2 * HOUR, 3 * HOUR]),
        (AccountCap("ann", None), [0, 0, HOUR, HOUR]),
        (NodesAdded(node("n1", total=2), 1), [0, 0, 0, 0]),
        (NodeSchedulable("n1", False), [None] * 4),
    ],
)
def test_caps_and_nodes(change: Change, expected: list) -> None:
    snapshot = state(nodes=[node("n1", total=2)], pending=four("ann"))
    found = sorted(waits(snapshot, change).of.values(), key=lambda wait: (wait is None, wait))
    assert found == [None if wait is None else pytest.approx(wait, rel=0.12) for wait in expected]


def test_weight_decides_between_siblings() -> None:
    snapshot = state(nodes=[node("n1", total=1)], pending=[*four("ann"), *four("ben")])
    before, after = waits(snapshot), waits(snapshot, AccountWeight("ben", 100.0))
    ben = effect((f"ben-{n}" for n in range(4)), before, after)
    ann = effect((f"ann-{n}" for n in range(4)), before, after)
    assert ben.mean_after_s < ben.mean_before_s
    assert ann.mean_after_s > ann.mean_before_s
    assert (ben.sooner > 0, ben.later, ann.sooner) == (True, 0, 0)


def test_more_work_of_one_makes_others_wait() -> None:
    snapshot = state(nodes=[node("n1", total=1)], pending=four("ann"))
    more = MoreWork(tuple(four("ben")))
    before, after = waits(snapshot), waits(snapshot, more)
    assert effect((f"ann-{n}" for n in range(4)), before, after).later > 0
    assert {job.id for job in more.jobs} <= after.of.keys()


def test_a_replay_of_the_past_uses_what_the_jobs_really_took() -> None:
    came = tuple(Arrival(job(f"j{n}", submitted_at=NOW + 60 * n, wall_s=10 * HOUR), run_s=600.0) for n in range(3))
    found = waits(state(nodes=[node("n1", total=1)]), arrivals=came).of
    assert list(found.values()) == pytest.approx([0, 540, 1080], abs=3)


def test_a_class_keeps_its_gpus_free_of_others() -> None:
    people = (account("cohort", None), account("ann"), account("ben"))
    class_ = ReservationState("class", "ben", "yongin", 2, NOW, NOW + 2 * HOUR, NOW + 2 * HOUR)
    snapshot = state(nodes=[node("n1", total=2)], accounts=people, pending=four("ann"))
    found = waits(snapshot, ClassHeld(class_)).of
    assert min(wait for wait in found.values() if wait is not None) >= 2 * HOUR * 0.95


def test_a_job_that_never_starts_counts_as_the_longest_wait() -> None:
    before, after = Waits({"a": 100.0, "b": None}, 1), Waits({"a": None, "b": 100.0}, 1)
    found = effect(("a", "b"), before, after)
    assert (found.sooner, found.later, found.not_started_before, found.not_started_after) == (1, 1, 1, 1)


@given(st.lists(st.tuples(st.sampled_from(("ann", "ben")), st.integers(1, 2), st.integers(60, 7200)), max_size=12))
def test_no_change_changes_nothing_and_more_nodes_leave_nobody_out(asked: list) -> None:
    pending = [
        job(f"j{n:02}", owner=owner, gpus=gpus, predicted_p50_s=float(s), predicted_p90_s=float(s), wall_s=7200.0)
        for n, (owner, gpus, s) in enumerate(asked)
    ]
    like: NodeState = node("n1", total=2)
    snapshot = state(nodes=[like], pending=pending)
    before = waits(snapshot)
    assert waits(snapshot) == before
    assert None not in waits(snapshot, NodesAdded(like, 1)).of.values()
    # Enough nodes for all: nobody waits.
    assert set(waits(snapshot, NodesAdded(like, len(pending))).of.values()) <= {0.0}
