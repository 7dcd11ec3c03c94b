"""Where jobs go: gangs over nodes, shares of a GPU, the least fragmentation, and what lies on a node already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labs.scheduling.domain.decisions import WaitReason
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import DAY_S, Policy
from labs.scheduling.domain.simulate import after, ended
from labs.scheduling.domain.snapshot import SiteState
from tests.scheduling.domain_builders import HOUR, NOW, job, node, run, state

POLICY = Policy()
OLD = {"submitted_at": NOW - DAY_S}


# Gangs


def test_a_gang_takes_its_gpus_on_as_many_nodes_as_it_asks_for_of_one_site_and_type() -> None:
    nodes = (
        node("n1", free=2),
        node("n2", free=4),
        node("n3", free=4, gpu_type="H100"),
        node("n4", free=4, site_id="jeonbuk"),
        node("n5", free=3),
    )
    (start,) = plan(state(nodes=nodes, pending=[job("gang", gpus=3, nodes=2)]), POLICY, NOW).starts
    assert [(part.node_id, part.gpu_indices) for part in start.parts] == [("n2", (0, 1, 2)), ("n5", (1, 2, 3))]
    assert (start.node_id, start.gpu_indices) == ("n2", (0, 1, 2))


def test_a_gang_starts_nowhere_if_one_node_is_missing_and_says_what_there_is() -> None:
    nodes = (node("n1"), node("n2", free=0), node("n3", site_id="jeonbuk"))
    made = plan(
        state(nodes=nodes, running=[run("r", "n2", (0, 1, 2, 3))], pending=[job("g", gpus=4, nodes=2)]), POLICY, NOW
    )
    wait = made.waits["g"]
    assert (made.starts, wait.reason) == ((), WaitReason.RESOURCES)
    assert (wait.facts.nodes_wanted, wait.facts.nodes_free, wait.facts.until_at) == (2, 2, NOW + HOUR)
    assert made.reservations[0].node_ids == ("n1", "n2")
    assert wait.start_p50_at is not None


def test_a_gang_that_no_site_could_ever_hold_is_told_so() -> None:
    nodes = (node("n1"), node("n2", site_id="jeonbuk"))
    assert (
        plan(state(nodes=nodes, pending=[job("g", nodes=2)]), POLICY, NOW).waits["g"].reason is WaitReason.NO_SUCH_NODE
    )


@pytest.mark.parametrize(("wall_s", "starts"), [(HOUR / 2, True), (2 * HOUR, False)])
def test_backfill_keeps_every_node_of_a_gangs_promise(wall_s: float, starts: bool) -> None:
    nodes = (node("n1"), node("n2", free=0))
    pending = (job("gang", gpus=4, nodes=2, **OLD), job("narrow", owner="ben", wall_s=wall_s))
    made = plan(state(nodes=nodes, running=[run("r", "n2", (0, 1, 2, 3))], pending=pending), POLICY, NOW)
    assert [start.job_id for start in made.starts] == (["narrow"] if starts else [])
    if not starts:
        assert made.waits["narrow"].reason is WaitReason.RESERVED_FOR_WIDE_JOB


def test_a_gang_counts_in_full_under_caps_and_power() -> None:
    sites = (SiteState("yongin", power_cap_w=700.0), SiteState("jeonbuk"))
    nodes = (node("n1", watts_per_gpu=100.0), node("n2", watts_per_gpu=100.0))
    gang = job("g", gpus=4, nodes=2)
    made = plan(state(sites=sites, nodes=nodes, pending=[gang]), POLICY, NOW)
    assert made.waits["g"].reason is WaitReason.POWER_CAP
    capped = plan(state(nodes=nodes, pending=[gang]), replace(POLICY, max_running_gpus_per_learner=7), NOW)
    assert capped.waits["g"].reason is WaitReason.LEARNER_CAP


def test_a_gang_gives_all_its_nodes_back() -> None:
    before = state(nodes=(node("n1"), node("n2")), pending=[job("g", gpus=4, nodes=2)])
    running = after(before, plan(before, POLICY, NOW).starts, NOW)
    assert [node.free_gpus for node in running.nodes] == [(), ()]
    then = ended(running, "g", NOW + 60, POLICY, NOW)
    assert [node.free_gpus for node in then.nodes] == [(0, 1, 2, 3), (0, 1, 2, 3)]
    assert next(a for a in then.accounts if a.id == "ann").decayed_use_gpu_s == 8 * 60


# Shares of a GPU


def share(name: str, milli: int, memory_mib: int = 1_000, **fields: object) -> object:
    return job(name, gpu_milli=milli, min_gpu_memory_mib=memory_mib, **fields)


def test_shares_are_packed_onto_gpus_that_are_shared_already() -> None:
    pending = [share(f"s{n}", 300, owner="ann") for n in range(4)]
    made = plan(state(nodes=(node("n1"), node("n2")), pending=pending), POLICY, NOW)
    assert [(start.node_id, start.gpu_indices) for start in made.starts] == [("n1", (0,))] * 3 + [("n1", (1,))]
    assert {(start.gpu_milli, start.gpu_memory_mib) for start in made.starts} == {(300, 1_000)}


@pytest.mark.parametrize(
    ("milli", "memory_mib", "joins"), [(500, 20_000, True), (600, 20_000, False), (500, 30_000, False)]
)
def test_a_share_joins_a_gpu_only_if_both_its_parts_and_its_memory_are_left(
    milli: int, memory_mib: int, joins: bool
) -> None:
    shared = node("n1", free=3, partly_free=((0, 500, 20_960),))
    runs = [run("r", "n1", (0,), gpu_milli=500, gpu_memory_mib=20_000)]
    made = plan(state(nodes=[shared], running=runs, pending=[share("s", milli, memory_mib)]), POLICY, NOW)
    assert made.starts[0].gpu_indices == ((0,) if joins else (1,))


def test_a_share_goes_where_it_leaves_a_rest_that_others_ask_for() -> None:
    # Half of the jobs ask for 0.6: of a GPU with 0.7 left, 0.3 would leave a rest for nobody; of one with 0.9, 0.6.
    nodes = [node("n1", total=2, free=0, partly_free=((0, 700, 40_000), (1, 900, 40_000)))]
    runs = [
        run("r1", "n1", (0,), gpu_milli=300, ends_in=9 * HOUR),
        run("r2", "n1", (1,), gpu_milli=100, ends_in=9 * HOUR),
    ]
    pending = [share("small", 300, **OLD), *(share(f"m{n}", 600, not_before=NOW + HOUR) for n in range(8))]
    (start,) = plan(state(nodes=nodes, running=runs, pending=pending), POLICY, NOW).starts
    assert start.gpu_indices == (1,)


def test_a_shared_gpu_comes_free_when_the_last_of_its_shares_ends() -> None:
    nodes = [node("n1", total=1, free=0, partly_free=((0, 0, 0),))]
    runs = [
        run("r1", "n1", (0,), gpu_milli=500, ends_in=HOUR),
        run("r2", "n1", (0,), gpu_milli=500, ends_in=3 * HOUR),
    ]
    made = plan(state(nodes=nodes, running=runs, pending=[job("whole")]), POLICY, NOW)
    assert made.reservations[0].start_at == NOW + 3 * HOUR


def test_a_share_goes_only_where_jobs_may_share_and_says_so_where_none_may() -> None:
    alone, shared = node("n1", total=1, is_shareable=False), node("n2", total=1)
    (start,) = plan(state(nodes=[alone, shared], pending=[share("s", 500)]), POLICY, NOW).starts
    assert start.node_id == "n2"
    made = plan(state(nodes=[alone], pending=[share("s", 500), job("whole")]), POLICY, NOW)
    assert [start.job_id for start in made.starts] == ["whole"]
    assert made.waits["s"].reason is WaitReason.NOT_SHARED
    both = plan(state(nodes=[alone, replace(shared, is_schedulable=False)], pending=[share("s", 500)]), POLICY, NOW)
    assert both.waits["s"].reason is WaitReason.NODES_DRAINING
    small = plan(state(nodes=[alone], pending=[share("s", 500, 99_000)]), POLICY, NOW)
    assert small.waits["s"].reason is WaitReason.NO_SUCH_NODE


def test_a_share_without_a_wish_gets_its_part_of_the_gpus_memory() -> None:
    pending = [job("hungry", gpu_milli=250, min_gpu_memory_mib=30_000, **OLD), job("usual", gpu_milli=500)]
    made = plan(state(nodes=[node("n1")], pending=pending), POLICY, NOW)
    assert {start.job_id: (start.gpu_indices, start.gpu_memory_mib) for start in made.starts} == {
        "hungry": ((0,), 30_000),
        "usual": ((1,), 20_480),
    }


def test_shares_count_as_shares_under_a_cap() -> None:
    pending = [share(f"s{n}", 400) for n in range(4)]
    made = plan(state(nodes=[node("n1")], pending=pending), replace(POLICY, max_running_gpus_per_learner=1), NOW)
    assert len(made.starts) == 2
    assert {(wait.reason, wait.facts.running_gpus) for wait in made.waits.values()} == {(WaitReason.LEARNER_CAP, 0.8)}


@pytest.mark.parametrize(("memory_mib", "together"), [(1_000, 4), (20_480, 2)])
def test_shares_that_wait_for_one_gpu_are_expected_on_it_together(memory_mib: int, together: int) -> None:
    busy, known = run("r", "n1", (0,)), {"predicted_p50_s": HOUR, "predicted_p90_s": HOUR}
    pending = [share(f"s{n}", 250, memory_mib, wall_s=2 * HOUR, **known) for n in range(5)]
    made = plan(state(nodes=[node("n1", total=1, free=0)], running=[busy], pending=pending), POLICY, NOW)
    waits = [made.waits[f"s{n}"].planned_p50_s or 0.0 for n in range(5)]
    rounds = [round((wait - waits[0]) / (1 + POLICY.overtaking_p50) / HOUR, 1) for wait in waits]
    assert rounds == [n // together for n in range(5)]


def test_shares_of_several_kinds_are_expected_on_one_gpu_but_not_beside_preemptible_ones() -> None:
    busy, known = run("r", "n1", (0,)), {"predicted_p50_s": HOUR, "predicted_p90_s": HOUR}
    pending = [
        share("half", 500, **known),
        share("quarter", 250, 2_000, gpu_type="A100", **known),
        share("preemptible", 250, is_preemptible=True, **known),
        share("last", 250, 3_000, **known),
    ]
    made = plan(state(nodes=[node("n1", total=1, free=0)], running=[busy], pending=pending), POLICY, NOW)
    at = {name: made.waits[name].start_p50_at for name in ("half", "quarter", "preemptible", "last")}
    assert at["half"] == at["quarter"] == at["last"]
    assert (at["preemptible"] or 0.0) > (at["half"] or 0.0)


def test_preemptible_shares_do_not_mix_with_others_on_a_gpu() -> None:
    pending = [share("s1", 400, **OLD), share("s2", 400, is_preemptible=True)]
    made = plan(state(nodes=[node("n1")], pending=pending), POLICY, NOW)
    assert {start.gpu_indices for start in made.starts} == {(0,), (1,)}


# Fragmentation and locality


def test_a_node_is_broken_into_only_if_nobody_asks_for_it_whole() -> None:
    # Closest fit would take the node with 3 free; jobs of 3 wait, jobs of 4 do not.
    nodes = (node("n1", free=3), node("n2", free=4))
    wide = [job(f"w{n}", gpus=3, owner="ben", not_before=NOW + HOUR) for n in range(9)]
    (start,) = plan(state(nodes=nodes, pending=[job("one", **OLD), *wide]), POLICY, NOW).starts
    assert start.node_id == "n2"


def test_nodes_that_hold_the_data_sets_are_preferred() -> None:
    nodes = (
        node("n1", free=1),
        node("n2", data_sets=frozenset({"imagenet"})),
        node("n3", data_sets=frozenset({"imagenet", "coco"})),
    )
    reads = frozenset({"imagenet", "coco"})
    (start,) = plan(state(nodes=nodes, pending=[job("j", data_sets=reads)]), POLICY, NOW).starts
    assert start.node_id == "n3"


# Sweeps and dependencies


def test_a_sweep_runs_as_many_at_once_as_it_may() -> None:
    sweep = {"group_id": "sweep", "max_running_of_group": 2}
    pending = [job(f"s{n}", **sweep) for n in range(3)]
    running = [run("r1", "n1", (0,), group_id="sweep")]
    made = plan(state(nodes=[node("n1", free=3)], running=running, pending=pending), POLICY, NOW)
    assert [start.job_id for start in made.starts] == ["s0"]
    wait = made.waits["s1"]
    assert (wait.reason, wait.facts.cap, wait.facts.running_jobs) == (WaitReason.GROUP_CAP, 2, 2)


def test_a_job_that_depends_on_open_ones_waits_for_them_by_name() -> None:
    wait = plan(state(nodes=[node("n1")], pending=[job("j", waits_for=("a", "b"))]), POLICY, NOW).waits["j"]
    assert (wait.reason, wait.facts.jobs_open, wait.start_p50_at) == (WaitReason.DEPENDENCY, 2, None)
