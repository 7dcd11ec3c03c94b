"""The knobs of the planner, each with the default that a campus starts with."""

from __future__ import annotations

from dataclasses import dataclass

from labs.scheduling.domain.fitting import Fit

DAY_S = 86_400.0
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """How jobs are ordered, how far ahead GPUs are kept, and how much one pass may do. Weights are plain numbers.

    A job's priority is the sum of its factors, each a number between 0 and its weight, but for age, which grows
    without end. So a job goes before all that are submitted ``overtaking_days`` after it, whoever submits them: that
    bound is what rules starvation out.
    """

    #: Decayed use halves in this time (Slurm's Fair Tree uses a week).
    half_life_s: float = 7 * DAY_S
    #: First in the fair order gets the whole weight, and half of it who has as many before him as learners wait.
    weight_fair_share: float = 2.0
    #: Added for each day of waiting; a job of fewer GPUs than ``wide_gpus`` ages at a share of that in its first days,
    #: for it fits in a gap, while a wide one must wait until a node empties.
    weight_age_per_day: float = 1.0
    wide_gpus: float = 8.0
    narrow_age: float = 0.25
    narrow_age_s: float = 7 * DAY_S
    #: For a job of no GPU time; none from ``long_area_gpu_s`` of predicted GPU time on, in equal steps of doublings.
    #: A natural logarithm of GPU time thus weighs about as much as a day of waiting. Fitted to a trace, see
    #: docs/decisions/0006.
    weight_shortness: float = 10.0
    short_area_gpu_s: float = 60.0
    long_area_gpu_s: float = 300 * HOUR_S
    #: For a job whose predicted P90 end is at its deadline or past it; falls to none at ``slack_horizon_s``.
    weight_slack: float = 2.0
    #: GPU-seconds that a learner may start with that boost for one piece of work; it fades as they are spent.
    slack_gpu_s: float = 8 * HOUR_S
    slack_horizon_s: float = 12 * HOUR_S
    #: For a job that the platform lost an attempt of: it has waited before.
    weight_lost_attempt: float = 1.0
    #: For the first of a burst (``predict.trials``): it tells how long the others are.
    weight_trial: float = 3.0

    #: GPUs are kept for at most so many blocked jobs; those behind them may overtake only without delaying these. It is
    #: fewer where more work waits than the pool does in ``deep_queue_s`` (``reservations_for``).
    reservations: int = 16
    deep_queue_s: float = 2 * DAY_S
    #: At most so many GPUs of one owner run at once; None is no cap.
    max_running_gpus_per_learner: int | None = None
    #: At most so many starts in one pass, so that its transaction stays short.
    max_decisions: int = 1_000

    #: A preemptible run may stand where a class begins, or a lending ends, only if that is at least so far off: enough
    #: to be worth while, and to be asked to end in time.
    clearing_s: float = 900.0
    #: Runs are asked to end so long before their GPUs are needed, beside their grace.
    clear_ahead_s: float = 60.0
    #: For a job, no run is asked to end in its first seconds, nor for a gain smaller than so many.
    least_run_s: float = 600.0
    least_gain_s: float = 300.0

    #: A placement looks at so many of the best-fitting nodes for one that has the environment ready.
    environment_probes: int = 64
    #: Start times of so many first jobs are found by walking the ends of runs forward; later ones by throughput.
    estimate_jobs: int = 400
    #: Newcomers go ahead, so a wait is planned to take so much longer than the work ahead says (P50, P90).
    overtaking_p50: float = 0.3
    overtaking_p90: float = 2.5
    #: What planned waits are multiplied by, from what became of the last ones: this moves estimates and starts nothing.
    fit: Fit = Fit()  # noqa: RUF009 - it is frozen, too

    def reservations_for(self, waiting_gpu_s: float, gpus: int) -> int:
        """For how many blocked jobs GPUs are kept while so many predicted GPU-seconds wait for a pool of so many GPUs.

        What is kept idles until it is whole. A queue that lasts for days soon gives the room back to wide jobs; one
        that lasts for weeks never does, so there twice the work halves what is kept. One job always has its promise.
        """
        pool_s = waiting_gpu_s / max(1, gpus)
        if pool_s <= self.deep_queue_s:
            return self.reservations
        return min(self.reservations, max(1, int(self.reservations * self.deep_queue_s / pool_s)))

    @property
    def overtaking_days(self) -> float:
        """Days after its submission from which on no new job goes ahead of one that waits."""
        most = self.weight_fair_share + self.weight_shortness + self.weight_slack
        most += self.weight_lost_attempt + self.weight_trial
        return most / self.weight_age_per_day + (1.0 - self.narrow_age) * self.narrow_age_s / DAY_S
