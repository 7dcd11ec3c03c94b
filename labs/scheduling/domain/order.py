"""The order of the queue: fair share, age, shortness, slack, lost attempts and trials as one sum of factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labs.scheduling.domain import sorting
from labs.scheduling.domain.backlog import Backlog, Floats, Ints
from labs.scheduling.domain.decisions import Factors
from labs.scheduling.domain.policy import DAY_S, Policy


@dataclass(frozen=True, slots=True)
class Priorities:
    """Factors of all jobs of a backlog as arrays; only the rows of ``order`` mean anything."""

    fair_share: Floats
    age: Floats
    shortness: Floats
    slack: Floats
    lost_attempt: Floats
    trial: Floats
    total: Floats
    #: Indices into the backlog, first to go first.
    order: Ints

    def factors(self, job: int) -> Factors:
        """The factors of one job, to be stored with its decision and shown."""
        return Factors(
            fair_share=float(self.fair_share[job]),
            age=float(self.age[job]),
            shortness=float(self.shortness[job]),
            slack=float(self.slack[job]),
            lost_attempt=float(self.lost_attempt[job]),
            trial=float(self.trial[job]),
            total=float(self.total[job]),
        )


def prioritise(backlog: Backlog, policy: Policy, now: float, chosen: Ints, fair_place: Ints) -> Priorities:
    """Order the ``chosen`` jobs, given their places in the fair order (0 first). Ties go by submission, then id.

    Fair share falls hyperbolically with the place: it decides who is
    at the head, whatever the length of the queue, and leaves the long tail to age and shortness.
    """
    fair_share = np.zeros(backlog.size)
    learners = max(1, int(np.count_nonzero(np.bincount(backlog.leaves[chosen]))))
    fair_share[chosen] = policy.weight_fair_share / (1.0 + fair_place / learners)
    age = policy.weight_age_per_day * aged_s(backlog.units, now - backlog.eligible_at, policy) / DAY_S
    shortness = policy.weight_shortness * shortness_of(backlog.units * backlog.p50_s, policy)
    slack_s = backlog.deadline_at - backlog.p90_s - now
    near = np.clip(1.0 - slack_s / policy.slack_horizon_s, 0.0, 1.0)
    # A deadline that has passed can no longer be met, so it moves nobody else back.
    slack = policy.weight_slack * np.where(backlog.deadline_at >= now, near, 0.0)
    due = np.flatnonzero(slack)
    slack[due] *= 1.0 - np.clip(backlog.slack_spent_s[due] / policy.slack_gpu_s, 0, 1)
    lost_attempt = np.where(backlog.is_retried, policy.weight_lost_attempt, 0.0)
    trial = np.where(backlog.is_trial, policy.weight_trial, 0.0)
    total = fair_share + age + shortness + slack + lost_attempt + trial
    order = chosen[sorting.by_whole_numbers(sorting.ranks(-total[chosen]), chosen)]
    return Priorities(fair_share, age, shortness, slack, lost_attempt, trial, total, order)


def aged_s(gpus: Floats, waited_s: Floats, policy: Policy) -> Floats:
    """Seconds of waiting that count: a share of the first days of a narrow job's, all of what comes after them."""
    waited_s = np.maximum(0.0, waited_s)
    uncounted = (1.0 - policy.narrow_age) * np.minimum(waited_s, policy.narrow_age_s)
    return np.asarray(waited_s - np.where(gpus < policy.wide_gpus, uncounted, 0.0), dtype=np.float64)


def shortness_of(area_gpu_s: Floats, policy: Policy) -> Floats:
    """1 for jobs of no GPU time, 0 from ``long_area_gpu_s`` on; each doubling of the predicted GPU time costs as much.

    So it tells a minute from an hour as well as an hour from a day, which slowdown weighs alike.
    """
    doublings = np.log1p(area_gpu_s / policy.short_area_gpu_s) / np.log1p(
        policy.long_area_gpu_s / policy.short_area_gpu_s
    )
    return np.asarray(np.maximum(0.0, 1.0 - doublings), dtype=np.float64)
