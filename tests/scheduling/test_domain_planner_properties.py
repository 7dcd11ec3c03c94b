"""What must hold of every plan, whatever the pool, the queue and the caps (hypothesis)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from labs.scheduling.domain.decisions import Plan, WaitReason
from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import Policy
from labs.scheduling.domain.simulate import after
from labs.scheduling.domain.snapshot import Id, Snapshot
from tests.scheduling.domain_builders import NOW, snapshots, tight_snapshots

POLICIES = st.builds(
    Policy,
    reservations=st.sampled_from((0, 1, 4)),
    max_running_gpus_per_learner=st.sampled_from((None, 1, 4)),
    estimate_jobs=st.sampled_from((0, 3, 400)),
    environment_probes=st.sampled_from((1, 64)),
)
STATES = st.one_of(snapshots(), tight_snapshots())
EXAMPLES = settings(max_examples=120, deadline=None)


def running_gpus(state: Snapshot, chain: dict[Id, list[Id]]) -> Counter[Id]:
    """GPUs that run under each account, its ancestors too."""
    held: Counter[Id] = Counter()
    for run in state.running:
        for account_id in chain[run.account_id]:
            held[account_id] += len(run.gpu_indices)
    return held


def chains(state: Snapshot) -> dict[Id, list[Id]]:
    """Each account's ancestors, itself first."""
    parent = {account.id: account.parent_id for account in state.accounts}
    found: dict[Id, list[Id]] = {}
    for account_id in parent:
        found[account_id] = []
        at: Id | None = account_id
        while at is not None:
            found[account_id].append(at)
            at = parent[at]
    return found


def as_values(made: Plan) -> tuple[object, ...]:
    """All that a plan says, comparable."""
    return made.starts, dict(made.waits), made.reservations


@EXAMPLES
@given(STATES, POLICIES)
def test_every_job_either_starts_or_waits_for_one_named_reason(state: Snapshot, policy: Policy) -> None:
    made = plan(state, policy, NOW)
    started = [start.job_id for start in made.starts]
    assert len(set(started)) == len(started)
    assert {*started, *made.waits} == {job.id for job in state.pending}
    assert not set(started) & set(made.waits)
    for wait in made.waits.values():
        assert isinstance(wait.reason, WaitReason)
        assert wait.reason not in (WaitReason.JUST_SUBMITTED, WaitReason.NEXT_PASS)
        assert wait.place >= 1


@EXAMPLES
@given(STATES, POLICIES)
def test_a_start_takes_free_gpus_of_one_node_that_is_what_the_job_asked_for(state: Snapshot, policy: Policy) -> None:
    jobs, nodes = {job.id: job for job in state.pending}, {node.id: node for node in state.nodes}
    open_sites = {site.id for site in state.sites if site.is_open}
    taken: set[tuple[Id, int]] = set()
    for start in plan(state, policy, NOW).starts:
        job, node = jobs[start.job_id], nodes[start.node_id]
        assert len(start.gpu_indices) == job.gpus
        assert set(start.gpu_indices) <= set(node.free_gpus)
        assert not taken & {(node.id, gpu) for gpu in start.gpu_indices}
        taken |= {(node.id, gpu) for gpu in start.gpu_indices}
        assert node.is_schedulable
        assert node.site_id in open_sites
        assert job.gpu_type in (None, node.gpu_type)
        assert (job.min_gpu_memory_mib or 0) <= node.gpu_memory_mib
        assert job.required_site_id in (None, node.site_id)
        assert (job.not_before or NOW) <= NOW


@EXAMPLES
@given(STATES, POLICIES)
def test_no_start_breaks_a_cap_or_uses_a_closed_account(state: Snapshot, policy: Policy) -> None:
    made = plan(state, policy, NOW)
    chain, accounts = chains(state), {account.id: account for account in state.accounts}
    jobs = {job.id: job for job in state.pending}
    then = after(state, made.starts, NOW)
    before, held = running_gpus(state, chain), running_gpus(then, chain)
    for account in state.accounts:
        if account.max_running_gpus is not None and held[account.id] > before[account.id]:
            assert held[account.id] <= account.max_running_gpus
    started_by = {jobs[start.job_id].owner_id for start in made.starts}
    for owner in started_by:
        if policy.max_running_gpus_per_learner is not None:
            mine = sum(len(run.gpu_indices) for run in then.running if run.owner_id == owner)
            assert mine <= policy.max_running_gpus_per_learner
    for start in made.starts:
        assert all(accounts[above].is_open for above in chain[jobs[start.job_id].account_id])


@EXAMPLES
@given(STATES, POLICIES)
def test_no_start_draws_more_power_than_its_site_may(state: Snapshot, policy: Policy) -> None:
    made = plan(state, policy, NOW)
    nodes = {node.id: node for node in state.nodes}
    then = after(state, made.starts, NOW)
    for site in state.sites:
        if site.power_cap_w is not None and any(nodes[s.node_id].site_id == site.id for s in made.starts):
            drawn = sum(
                len(run.gpu_indices) * nodes[run.node_id].watts_per_gpu
                for run in then.running
                if nodes[run.node_id].site_id == site.id
            )
            started = sum(
                len(s.gpu_indices) * nodes[s.node_id].watts_per_gpu
                for s in made.starts
                if nodes[s.node_id].site_id == site.id
            )
            assert not started or site.base_power_w + drawn <= site.power_cap_w


@EXAMPLES
@given(STATES, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(state: Snapshot, policy: Policy, random: object) -> None:
    shuffled = {}
    for name in ("sites", "nodes", "accounts", "running", "pending"):
        values = list(getattr(state, name))
        random.shuffle(values)  # type: ignore[attr-defined]
        shuffled[name] = tuple(values)
    assert as_values(plan(Snapshot(**shuffled), policy, NOW)) == as_values(plan(state, policy, NOW))


@EXAMPLES
@given(STATES, POLICIES)
def test_planning_again_on_the_state_a_plan_leads_to_changes_nothing(state: Snapshot, policy: Policy) -> None:
    made = plan(state, policy, NOW)
    again = plan(after(state, made.starts, NOW), policy, NOW)
    assert again.starts == ()
    assert again.reservations == made.reservations
    assert dict(again.waits) == dict(made.waits)


@EXAMPLES
@given(STATES, POLICIES)
def test_start_estimates_lie_ahead_and_p50_is_not_after_p90(state: Snapshot, policy: Policy) -> None:
    for wait in plan(state, policy, NOW).waits.values():
        assert (wait.start_p50_at is None) == (wait.start_p90_at is None)
        if wait.start_p50_at is not None and wait.start_p90_at is not None:
            assert NOW <= wait.start_p50_at <= wait.start_p90_at


@EXAMPLES
@given(STATES, POLICIES)
def test_every_reservation_can_be_kept_if_all_runs_last_to_their_wall_limits(state: Snapshot, policy: Policy) -> None:
    made = plan(state, policy, NOW)
    then = after(state, made.starts, NOW)
    jobs = {job.id: job for job in state.pending}
    for reservation in made.reservations:
        node = next(node for node in then.nodes if node.id == reservation.node_id)
        free = len(node.free_gpus) + sum(
            len(run.gpu_indices)
            for run in then.running
            if run.node_id == node.id and max(run.started_at + run.wall_s, NOW + 1) <= reservation.start_at
        )
        promised = sum(
            other.gpus
            for other in made.reservations
            if other.node_id == node.id
            and other.start_at <= reservation.start_at < other.start_at + jobs[other.job_id].wall_s
        )
        assert promised <= free


@EXAMPLES
@given(STATES, st.integers(0, 3))
def test_a_pass_starts_no_more_than_it_may_and_says_so(state: Snapshot, limit: int) -> None:
    made = plan(state, replace(Policy(), max_decisions=limit), NOW)
    assert len(made.starts) <= limit
    assert len(made.starts) + len(made.waits) == len(state.pending)


FIRST_COME = Policy(
    weight_fair_share=0.0, weight_shortness=0.0, weight_slack=0.0, weight_lost_attempt=0.0, narrow_age=1.0
)


@EXAMPLES
@given(tight_snapshots(), st.integers(1, 4))
def test_no_backfill_delays_the_first_blocked_job_past_what_it_had_without_it(state: Snapshot, kept: int) -> None:
    policy = replace(FIRST_COME, reservations=kept)
    queue = sorted(state.pending, key=lambda job: (job.submitted_at, job.id))
    full = plan(state, policy, NOW)
    for length, job in enumerate(queue, start=1):
        # The others are there, so that the mix of shapes is the same, but may not start yet.
        later = tuple(replace(other, not_before=NOW + 1) for other in queue[length:])
        alone = plan(replace(state, pending=(*queue[:length], *later)), policy, NOW)
        if job.id in alone.waits:
            before = next(r.start_at for r in alone.reservations if r.job_id == job.id)
            behind = next(r.start_at for r in full.reservations if r.job_id == job.id)
            assert behind <= before
            break
