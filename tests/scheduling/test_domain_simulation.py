"""The planner over time: nobody starves, wide jobs keep their promise, estimates mean something."""

from __future__ import annotations

import random
from dataclasses import replace

from labs.scheduling.domain.planner import plan
from labs.scheduling.domain.policy import DAY_S, Policy
from labs.scheduling.domain.simulate import Arrival, Simulation
from tests.scheduling.domain_builders import HOUR, NOW, PEOPLE, job, node, state

NODES = (node("n1", total=4), node("n2", total=4))


def narrow_flood(hours: float, owner: str = "ben", every_s: float = 300.0) -> list[Arrival]:
    """One-GPU jobs of 40 to 60 minutes, a little more than eight GPUs can take."""
    rng = random.Random(5)
    count = int(hours * HOUR / every_s)
    return [
        Arrival(
            job(f"flood-{n:04}", owner=owner, wall_s=2 * HOUR, submitted_at=NOW + n * every_s),
            run_s=rng.uniform(0.67, 1.0) * HOUR,
        )
        for n in range(count)
    ]


def test_a_wide_job_is_not_starved_by_an_endless_flood_of_narrow_ones() -> None:
    wide = Arrival(job("wide", owner="ann", gpus=4, wall_s=3 * HOUR, submitted_at=NOW + 4 * HOUR), run_s=HOUR)
    flood = narrow_flood(hours=16)
    # Once it has aged to the head of the queue, which light weights on shortness make soon.
    policy = Policy(weight_shortness=0.5, weight_age_per_day=2.0, wide_gpus=4)
    with_promise = Simulation(state(nodes=NODES), [wide, *flood], policy).run()
    assert with_promise["wide"].started_at - wide.job.submitted_at <= 2.5 * HOUR
    # Negative control: without reservations the flood takes each GPU as it comes free.
    without = Simulation(state(nodes=NODES), [wide, *flood], replace(policy, reservations=0)).run()
    assert without["wide"].started_at - wide.job.submitted_at > 5 * HOUR


def test_the_heaviest_learner_with_the_longest_job_starts_within_the_bound_that_ageing_gives() -> None:
    policy = Policy(weight_age_per_day=72.0, narrow_age_s=2 * HOUR)
    bound_s = policy.overtaking_days * DAY_S
    assert bound_s == 7.5 * HOUR
    accounts = tuple(
        replace(account, decayed_use_gpu_s=1e9) if account.id == "ann" else account for account in state().accounts
    )
    heavy = Arrival(job("heavy", owner="ann", gpus=4, wall_s=6 * HOUR, submitted_at=NOW + 600), run_s=HOUR)
    outcomes = Simulation(state(nodes=NODES, accounts=accounts), [heavy, *narrow_flood(hours=16)], policy).run()
    # After the bound nothing new overtakes it, so it waits for what was ahead then: at most a few wall limits.
    assert outcomes["heavy"].started_at - heavy.job.submitted_at <= bound_s + 3 * 2 * HOUR


def test_the_first_reservation_only_ever_moves_earlier_and_is_kept() -> None:
    policy = Policy(weight_fair_share=0.0, weight_shortness=0.0, weight_slack=0.0)
    rng = random.Random(11)
    arrivals = [
        Arrival(
            job(
                f"j{n:03}",
                owner=rng.choice(PEOPLE),
                gpus=rng.choice((1, 1, 2, 4)),
                wall_s=HOUR,
                submitted_at=NOW + n * 120.0,
            ),
            run_s=rng.uniform(0.05, 1.2) * HOUR,
        )
        for n in range(150)
    ]
    simulation = Simulation(state(nodes=NODES), arrivals, policy)
    promised: dict[object, float] = {}
    kept = 0
    for step in simulation.steps():
        for start in step.plan.starts:
            if start.job_id in promised:
                kept += 1
                assert step.at <= promised[start.job_id]
        if step.plan.reservations:
            first = step.plan.reservations[0]
            assert first.start_at <= promised.get(first.job_id, first.start_at)
            promised[first.job_id] = first.start_at
    assert kept > 20
    assert len(simulation.outcomes) == len(arrivals)


def test_start_estimates_hold_about_as_often_as_they_say() -> None:
    rng = random.Random(3)
    arrivals = []
    for n in range(400):
        p50_s = rng.uniform(300.0, 2_400.0)
        arrivals.append(
            Arrival(
                job(
                    f"j{n:03}",
                    owner=rng.choice(PEOPLE),
                    gpus=rng.choice((1, 1, 2)),
                    wall_s=2 * HOUR,
                    submitted_at=NOW + n * 200.0,
                    predicted_p50_s=p50_s,
                    predicted_p90_s=p50_s * 1.6,
                ),
                run_s=p50_s * rng.lognormvariate(0.0, 0.37),
            )
        )
    outcomes = Simulation(state(nodes=NODES), arrivals, Policy()).run().values()
    waited = [o for o in outcomes if o.promised_p90_at is not None and o.promised_p90_at > o.promised_p50_at + 1]
    held = sum(o.started_at <= o.promised_p90_at for o in waited) / len(waited)
    assert len(waited) > 100
    assert 0.8 <= held <= 0.97


def test_a_simulation_gives_back_all_it_took() -> None:
    simulation = Simulation(state(nodes=NODES), narrow_flood(hours=2), Policy(), planner=plan)
    simulation.run()
    assert simulation.state.running == ()
    assert [node.free_gpus for node in simulation.state.nodes] == [(0, 1, 2, 3), (0, 1, 2, 3)]
    charged = sum(outcome.ended_at - outcome.started_at for outcome in simulation.outcomes.values())
    owned = next(a for a in simulation.state.accounts if a.id == "ben").decayed_use_gpu_s
    assert 0.95 * charged < owned <= charged
