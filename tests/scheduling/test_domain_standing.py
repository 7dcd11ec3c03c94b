"""A step after a full pass starts what a pass from scratch would, whatever is submitted, ends and is withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.scheduling.domain.decisions import Start
from labs.scheduling.domain.dispatch import Dispatch
from labs.scheduling.domain.effects import after, ended
from labs.scheduling.domain.fair_share import Turns
from labs.scheduling.domain.order import Priorities
from labs.scheduling.domain.planner import plan, plan_standing
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.snapshot import AccountState, Id, PendingJob, SiteState, Snapshot
from labs.scheduling.domain.standing import Delta, FairPlaces, Standing
from tests.scheduling.domain_builders import ACCOUNTS, NOW, PEOPLE, account, job, node, run, snapshots, state

POLICIES = st.builds(
    Policy,
    reservations=st.sampled_from((0, 1, 4)),
    max_running_gpus_per_learner=st.sampled_from((None, 1, 4)),
    environment_probes=st.sampled_from((1, 64)),
)
EXAMPLES = settings(max_examples=150, deadline=None)


@st.composite
def newcomers(draw: st.DrawFn) -> PendingJob:
    """A job as anybody might submit it, later than all others; it is given its name when it is submitted."""
    owner = draw(st.sampled_from(PEOPLE))
    return job(
        "",
        owner=owner,
        account_id=draw(st.sampled_from((owner, *ACCOUNTS))),
        gpus=draw(st.integers(1, 4)),
        nodes=draw(st.sampled_from((1, 1, 1, 2))),
        wall_s=draw(st.sampled_from((60.0, 600.0, 6_000.0))),
        gpu_type=draw(st.sampled_from((None, None, "A100", "H100"))),
        required_site_id=draw(st.sampled_from((None, None, "yongin"))),
        deadline_at=draw(st.sampled_from((None, NOW + 600.0))),
        not_before=draw(st.sampled_from((None, None, None, NOW + 60.0))),
    )


#: What happens: who comes, whose runs end, and who is withdrawn (numbers are taken modulo how many there are).
NUMBERS = st.integers(0, 99)
HAPPENINGS = st.lists(
    st.tuples(st.lists(newcomers(), max_size=3), st.lists(NUMBERS, max_size=2), st.lists(NUMBERS, max_size=1)),
    min_size=1,
    max_size=5,
)


class Pair:
    """A standing plan, and the snapshot that it stands for."""

    def __init__(self, snapshot: Snapshot, policy: Policy) -> None:
        self.policy = policy
        made, standing = plan_standing(snapshot, policy, NOW)
        assert standing is not None
        self.standing: Standing = standing
        self.snapshot = after(snapshot, made.starts, NOW)
        self.count = 0

    def happen(self, come: list[PendingJob], end: list[int], leave: list[int]) -> None:
        """Let it happen to both; nothing starts yet."""
        running, waiting = sorted(r.job_id for r in self.snapshot.running), sorted(self.standing.waiting)
        over = sorted({running[n % len(running)] for n in end} if running else ())
        gone = {waiting[n % len(waiting)] for n in leave} if waiting else set()
        fresh = []
        for one in come:
            self.count += 1
            fresh.append(replace(one, id=f"new-{self.count:03}", submitted_at=NOW + self.count * 1e-3))
        for job_id in over:
            self.snapshot = ended(self.snapshot, job_id, NOW, self.policy, NOW)
        pending = tuple(one for one in self.snapshot.pending if one.id not in gone)
        self.snapshot = replace(self.snapshot, pending=(*pending, *fresh))
        assert self.standing.take(Delta(tuple(fresh), tuple(gone), tuple(over)))

    def start(self) -> dict[Id, object]:
        """What the standing plan starts, and where; the snapshot follows."""
        started = self.standing.start()
        self.snapshot = after(self.snapshot, started, NOW)
        return places(started)


def places(starts: Iterable[Start]) -> dict[Id, object]:
    """Where each job starts."""
    return {start.job_id: start.places for start in starts}


def from_scratch(pair: Pair) -> dict[Id, object]:
    """What walks down the same order start, over a dispatch that is built anew."""
    fresh = Dispatch(pair.snapshot, pair.policy, NOW)
    # A statistic of the full pass, by which nodes that are equally good for the job are told apart.
    fresh.placement._mix = pair.standing._d.placement._mix
    known = {one.id: i for i, one in enumerate(fresh.backlog.jobs)}
    blank: dict[str, Any] = {one.name: np.zeros(fresh.backlog.size) for one in fields(Priorities)}
    waiting = [known[job_id] for job_id in pair.standing.waiting]
    assert len(waiting) == fresh.backlog.size
    while fresh.walk(Priorities(**blank | {"order": np.array(waiting, dtype=np.int64)})):
        waiting = [i for i in waiting if i not in fresh.starts]
    return places(fresh.starts.values())


@EXAMPLES
@given(snapshots(), POLICIES, HAPPENINGS)
def test_a_step_starts_what_walks_down_the_same_order_from_scratch_start(
    first: Snapshot, policy: Policy, happenings: list[Any]
) -> None:
    pair = Pair(first, policy)
    for happening in happenings:
        pair.happen(*happening)
        expected = from_scratch(pair)
        assert pair.start() == expected


@EXAMPLES
@given(snapshots(), POLICIES, HAPPENINGS)
def test_where_charges_do_not_move_the_order_a_step_starts_exactly_what_a_full_pass_would(
    first: Snapshot, policy: Policy, happenings: list[Any]
) -> None:
    pair = Pair(first, replace(policy, weight_fair_share=0.0))
    for happening in happenings:
        pair.happen(*happening)
        full = plan(pair.snapshot, pair.policy, NOW)
        assert set(pair.start()) == set(places(full.starts))


@EXAMPLES
@given(snapshots(), newcomers())
def test_a_newcomer_has_the_place_in_the_fair_order_that_a_full_pass_gives_him(
    first: Snapshot, come: PendingJob
) -> None:
    dispatch, turns = Dispatch(first, Policy(), NOW), list[Turns]()
    dispatch.priorities(turns)
    places = FairPlaces(dispatch.tree, turns, dispatch.backlog.leaves.tolist(), dispatch.backlog.cost_gpu_s)
    come = replace(come, id="new", submitted_at=NOW + 1)
    full = Dispatch(replace(first, pending=(*first.pending, come)), Policy(), NOW)
    place = full.tree.fair_order(full.backlog, np.arange(full.backlog.size))[-1]
    joined = places.join(dispatch.tree.leaf(come.account_id, come.owner_id), float(full.backlog.cost_gpu_s[-1]))
    assert joined == (place, len(set(full.backlog.leaves.tolist())))


@EXAMPLES
@given(snapshots(), POLICIES, HAPPENINGS)
def test_steps_overcommit_no_gpu_and_break_no_cap(first: Snapshot, policy: Policy, happenings: list[Any]) -> None:
    pair = Pair(first, policy)
    for happening in happenings:
        pair.happen(*happening)
        before = pair.snapshot
        pair.start()
        then = pair.snapshot
        held = [(part.node_id, gpu) for one in then.running for part in one.places for gpu in part.gpu_indices]
        assert len(held) == len(set(held))
        for account_id, cap in ((one.id, one.max_running_gpus) for one in then.accounts):
            if cap is not None and _running(then, account_id) > _running(before, account_id):
                assert _running(then, account_id) <= cap


def _running(snapshot: Snapshot, account_id: Id) -> float:
    parent = {one.id: one.parent_id for one in snapshot.accounts}

    def is_under(at: Id | None) -> bool:
        return at is not None and (at == account_id or is_under(parent[at]))

    return sum(one.gpus_held for one in snapshot.running if is_under(one.account_id))


def busy(**fields: Any) -> Snapshot:
    """A full node of four GPUs, with four runs of one GPU."""
    runs = [run(f"run-{n}", "n0", (n,)) for n in range(4)]
    return state(nodes=[node("n0", free=0)], running=runs, **fields)


def test_gpus_that_come_free_one_by_one_are_kept_for_the_wide_job_that_is_first() -> None:
    wide = job("wide", gpus=4, submitted_at=NOW - 86_400.0 * 30)
    _made, standing = plan_standing(busy(pending=[wide]), Policy(), NOW)
    assert standing is not None
    # A narrow one that lasts longer than the promise to the wide one allows does not slip in, ...
    long = job("long", owner="ben", wall_s=9_000.0, submitted_at=NOW + 1)
    assert standing.step(Delta(submitted=(long,), ended=("run-0",))) == ()
    # ... one that is done before does, ...
    short = job("short", owner="cho", wall_s=60.0, submitted_at=NOW + 2)
    assert [start.job_id for start in standing.step(Delta(submitted=(short,))) or ()] == ["short"]
    # ... and the wide one starts with the last GPU.
    ends = standing.step(Delta(ended=("run-1", "run-2", "run-3", "short")))
    assert [start.job_id for start in ends or ()] == ["wide"]


def test_what_a_step_cannot_decide_is_left_to_a_full_pass() -> None:
    _made, standing = plan_standing(busy(), Policy(), NOW)
    assert standing is not None
    for unknown in (
        Delta(ended=("nobody's",)),
        Delta(withdrawn=("nobody's",)),
        Delta(submitted=(job("new", owner="a stranger"),)),
        Delta(submitted=(job("half", gpu_milli=500, min_gpu_memory_mib=1),)),
    ):
        assert standing.step(unknown) is None
    preemptible = busy()
    runs = tuple(replace(one, is_preemptible=True) for one in preemptible.running)
    assert plan_standing(replace(preemptible, running=runs), Policy(), NOW)[1] is None


def test_an_account_that_a_full_pass_did_not_know_is_not_guessed_at() -> None:
    _made, standing = plan_standing(
        busy(accounts=[account("cohort", None), AccountState("zoe", "cohort")]), Policy(), NOW
    )
    assert standing is not None
    assert standing.step(Delta(submitted=(job("new", owner="ann"),))) is None


def test_a_gang_that_ends_gives_its_power_back() -> None:
    nodes = [node(name, total=2, watts_per_gpu=100.0) for name in ("n0", "n1")]
    sites = [SiteState("yongin", power_cap_w=400.0)]
    gang = job("gang", gpus=2, nodes=2)
    made, standing = plan_standing(state(sites=sites, nodes=nodes, pending=[gang]), Policy(), NOW)
    assert [start.job_id for start in made.starts] == ["gang"]
    assert standing is not None
    after_it = replace(gang, id="after it", submitted_at=NOW + 1)
    assert standing.step(Delta(submitted=(after_it,))) == ()
    assert [start.job_id for start in standing.step(Delta(ended=("gang",))) or ()] == ["after it"]
