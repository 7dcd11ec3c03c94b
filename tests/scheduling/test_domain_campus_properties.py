"""What must hold with gangs, shares, classes, lending and preemption, whatever the campuses (hypothesis)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from labs.scheduling.domain.decisions import Plan
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.simulate import after, ended
from labs.scheduling.domain.snapshot import WHOLE_GPU, Snapshot
from tests.scheduling.domain_builders import NOW
from tests.scheduling.domain_campuses import CAMPUS, GPUS, campuses, spare_for_others

POLICY = Policy()
EXAMPLES = settings(max_examples=150, deadline=None)


def led_to(state: Snapshot, made: Plan, now: float = NOW) -> Snapshot:
    """The state that a plan leads to."""
    return after(state, made.starts, now, made.preempts)


@EXAMPLES
@given(campuses())
def test_no_gpu_is_overcommitted_by_whole_jobs_or_shares_or_memory(state: Snapshot) -> None:
    jobs, nodes = {job.id: job for job in state.pending}, {node.id: node for node in state.nodes}
    milli: Counter[tuple[object, int]] = Counter()
    memory: Counter[tuple[object, int]] = Counter()
    made = plan(state, POLICY, NOW)
    for start in made.starts:
        job = jobs[start.job_id]
        assert len(start.parts) == job.nodes
        assert len({part.node_id for part in start.parts}) == job.nodes
        assert len({nodes[part.node_id].site_id for part in start.parts}) == 1
        assert all(len(part.gpu_indices) == job.gpus for part in start.parts)
        if job.gpu_milli < WHOLE_GPU:
            assert nodes[start.node_id].is_shareable
            own = nodes[start.node_id].gpu_memory_mib * job.gpu_milli // WHOLE_GPU
            assert start.gpu_memory_mib == (own if job.min_gpu_memory_mib is None else job.min_gpu_memory_mib)
    for run in led_to(state, made).running:
        for part in run.places:
            for gpu in part.gpu_indices:
                milli[part.node_id, gpu] += run.gpu_milli
                memory[part.node_id, gpu] += run.gpu_memory_mib
    assert all(used <= WHOLE_GPU for used in milli.values())
    assert all(used <= nodes[node_id].gpu_memory_mib for (node_id, _), used in memory.items())


@EXAMPLES
@given(campuses())
def test_planning_again_starts_nothing_and_asks_nobody(state: Snapshot) -> None:
    made = plan(state, POLICY, NOW)
    again = plan(led_to(state, made), POLICY, NOW)
    assert (again.starts, again.preempts) == ((), ())
    assert again.reservations == made.reservations
    assert dict(again.waits) == dict(made.waits)


@EXAMPLES
@given(campuses(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(state: Snapshot, random: object) -> None:
    shuffled = {}
    for name in ("sites", "nodes", "accounts", "running", "pending", "reservations", "lendings"):
        values = list(getattr(state, name))
        random.shuffle(values)  # type: ignore[attr-defined]
        shuffled[name] = tuple(values)
    one, other = plan(state, POLICY, NOW), plan(Snapshot(**shuffled), POLICY, NOW)
    assert (one.starts, set(one.preempts), one.reservations) == (other.starts, set(other.preempts), other.reservations)
    assert dict(one.waits) == dict(other.waits)


@EXAMPLES
@given(campuses())
def test_only_preemptible_runs_of_no_class_are_asked_to_end_each_once_and_in_nobodys_vain(state: Snapshot) -> None:
    made = plan(state, POLICY, NOW)
    runs, jobs = {run.job_id: run for run in state.running}, {job.id: job for job in state.pending}
    asked = [preempt.job_id for preempt in made.preempts]
    assert len(set(asked)) == len(asked)
    for preempt in made.preempts:
        assert runs[preempt.job_id].is_preemptible
        assert not runs[preempt.job_id].is_ending
        if preempt.for_job_id is not None:
            assert preempt.for_job_id in made.waits
            assert runs[preempt.job_id].is_borrowed or not jobs[preempt.for_job_id].is_preemptible
    # Once they have ended, a job that had them end starts (of several, those whose room no other one took).
    helped = {preempt.for_job_id for preempt in made.preempts if preempt.for_job_id is not None}
    then = led_to(state, made)
    for job_id in asked:
        then = ended(then, job_id, NOW, POLICY, NOW)
    then = replace(then, pending=tuple(replace(job, has_room_made=job.id in helped) for job in then.pending))
    started = {start.job_id for start in plan(then, POLICY, NOW).starts}
    assert bool(helped & started) is bool(helped)


@EXAMPLES
@given(campuses())
def test_a_class_always_finds_its_gpus_free_of_others_when_it_begins(state: Snapshot) -> None:
    then = led_to(state, plan(state, POLICY, NOW))
    for kept in state.reservations:
        if kept.release_at > NOW:
            upon = sum(len(run.gpu_indices) for run in then.running if run.reservation_id == kept.id)
            assert upon <= kept.gpus
            assert spare_for_others(then, [], kept.site_id, max(NOW, kept.start_at)) >= kept.gpus


@EXAMPLES
@given(campuses())
def test_nobody_asks_a_class_in_vain_for_what_was_kept_for_it(state: Snapshot) -> None:
    """While a class is on, what its cohort does not use is either free or being cleared."""
    then = led_to(state, plan(state, POLICY, NOW))
    for kept in state.reservations:
        if kept.start_at <= NOW < min(kept.end_at, kept.release_at):
            nodes = {node.id for node in state.nodes if node.site_id == kept.site_id}
            others = {
                (part.node_id, gpu)
                for run in then.running
                if run.reservation_id != kept.id and not run.is_ending
                for part in run.places
                if part.node_id in nodes
                for gpu in part.gpu_indices
            }
            assert GPUS * len(nodes) - len(others) >= kept.gpus


@EXAMPLES
@given(campuses())
def test_a_lender_gets_back_by_the_end_of_the_window_and_lends_no_more_than_it_said(state: Snapshot) -> None:
    made = plan(state, POLICY, NOW)
    then = led_to(state, made)
    sites = {site.id: site for site in state.sites}
    of_node = {node.id: node.site_id for node in state.nodes}
    begun = {start.job_id for start in made.starts}
    for run in then.running:
        site = of_node[run.node_id]
        is_foreign = sites[site].owner_account_id is not None and CAMPUS[str(run.owner_id)] != site
        if run.job_id in begun and run.reservation_id is None:
            assert run.is_borrowed is is_foreign
        if run.job_id in begun and run.is_borrowed:
            (lending,) = [one for one in state.lendings if one.lender_site_id == site]
            assert run.is_preemptible or NOW + run.wall_s <= lending.until_at
            lent = sum(one.gpus_held for one in then.running if one.is_borrowed and of_node[one.node_id] == site)
            assert lent <= lending.max_gpus + 1e-6


@EXAMPLES
@given(campuses())
def test_a_sweep_never_runs_more_at_once_than_it_may(state: Snapshot) -> None:
    then = led_to(state, plan(state, POLICY, NOW))
    assert sum(run.group_id == "sweep" for run in then.running) <= 2
