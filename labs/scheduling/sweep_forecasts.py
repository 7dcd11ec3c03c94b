"""What a sweep would hold, and from when to when it would run, before it is submitted."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import InvalidInput
from labs.jobs import api as jobs
from labs.quota.api import room_for
from labs.quota.models import Account

from .domain import planner
from .domain.snapshot import WHOLE_GPU, PendingJob
from .forecasts import held_s, joining_job
from .snapshot_loader import fitted_policy, load
from .waits import at

#: The group of runs that are not submitted yet: no row has it.
_GROUP = 2**62


@dataclass(frozen=True)
class SweepForecast:
    """GPU-seconds that all runs would hold, how many of them would fit, and when the first starts and the last ends.

    Times are None where nobody can say. `end_p50_at` and `end_p90_at` are halves and nine tenths by what such runs
    took before, or by the time limit where nothing is known.
    """

    runs: int
    hold_s: int
    available_s: int
    short_account: str
    would_fit: int
    starts_now: int
    start_p50_at: datetime | None
    start_p90_at: datetime | None
    end_p50_at: datetime | None
    end_p90_at: datetime | None

    @property
    def is_affordable(self) -> bool:
        return self.would_fit >= self.runs


def forecast_sweep(
    *,
    user: Any,
    account: Account | None,
    runs: int,
    max_running: int | None,
    gpus: int,
    gpu_type: str,
    wall_s: int,
    preferred_campus_id: int | None = None,
    work_key: str = "",
    gpu_milli: int = WHOLE_GPU,
    gpu_memory_mib: int | None = None,
) -> SweepForecast:
    """Plan the queue as it stands with the whole sweep in it. Raises InvalidInput as `forecast`."""
    jobs.check_size(gpus=gpus, gpu_type=gpu_type, wall_s=wall_s, gpu_milli=gpu_milli, gpu_memory_mib=gpu_memory_mib)
    if account is None:
        raise InvalidInput({"account": _("You have no GPU time yet. It comes with a place in a cohort.")})
    with transaction.atomic():
        now = database_now()
        loaded = load(now, extra=[(account.pk, user.pk, work_key)])
    one = joining_job(loaded, user, account, now, gpus, gpu_type, wall_s, preferred_campus_id, work_key)
    one = replace(one, gpu_milli=gpu_milli, min_gpu_memory_mib=gpu_memory_mib)
    group = _GROUP if max_running else None
    joining = [replace(one, id=_GROUP + n, group_id=group, max_running_of_group=max_running) for n in range(runs)]
    snapshot = replace(loaded.snapshot, pending=(*loaded.snapshot.pending, *joining))
    made = planner.plan(snapshot, fitted_policy(), now.timestamp())
    begun = {start.job_id for start in made.starts}
    waits = [made.waits[run.id] for run in joining if run.id not in begun]
    p50s = [now.timestamp()] * (runs - len(waits)) + [wait.start_p50_at for wait in waits]
    p90s = [now.timestamp()] * (runs - len(waits)) + [wait.start_p90_at for wait in waits]
    per_run_s = held_s(gpus=gpus, gpu_type=gpu_type, wall_s=wall_s, gpu_milli=gpu_milli)
    available_s, short_account = room_for(account, runs * per_run_s, now)
    return SweepForecast(
        runs=runs,
        hold_s=runs * per_run_s,
        available_s=available_s,
        short_account=short_account,
        would_fit=min(runs, available_s // max(1, per_run_s)),
        starts_now=runs - len(waits),
        start_p50_at=at(_first(p50s)),
        start_p90_at=at(_first(p90s)),
        end_p50_at=at(_last(p50s, _run_s(one, one.predicted_p50_s))),
        end_p90_at=at(_last(p90s, _run_s(one, one.predicted_p90_s))),
    )


def _run_s(job: PendingJob, predicted_s: float | None) -> float:
    return job.wall_s if predicted_s is None else predicted_s


def _first(starts: list[float | None]) -> float | None:
    known = [start for start in starts if start is not None]
    return min(known, default=None)


def _last(starts: list[float | None], run_s: float) -> float | None:
    """When the last run ends; None where the start of some run is not known."""
    known = [start for start in starts if start is not None]
    return max(known) + run_s if len(known) == len(starts) else None
