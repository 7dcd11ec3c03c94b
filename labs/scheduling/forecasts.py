"""What a job would hold and when it would start, before it is submitted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.clock import database_now
from campus.core.errors import InvalidInput
from labs.jobs import api as jobs
from labs.quota.api import cost_s, rate_of, room_for
from labs.quota.models import Account

from .domain import planner
from .domain.snapshot import WHOLE_GPU, PendingJob
from .snapshot_loader import Loaded, fitted_policy, load
from .waits import at, facts_of

#: The id of the job that is not submitted yet: above every row's.
_JOINING = 2**62


@dataclass(frozen=True)
class Forecast:
    """GPU-seconds that would be held, what is left for them (what siblings lend counts), and the expected start (half
    by P50, nine tenths by P90).

    Times are None where nobody can say. `place` is 1 for a job that would be next; `starts_now` says that it would not
    wait at all.
    """

    hold_s: int
    available_s: int
    short_account: str
    start_p50_at: datetime | None
    start_p90_at: datetime | None
    place: int
    reason: str
    facts: Mapping[str, Any]
    run_p50_s: float
    run_p90_s: float
    gpu_seconds: int = 0
    """What it would run at most on its GPUs; `hold_s` is what that costs."""

    @property
    def costs_otherwise(self) -> bool:
        """Whether a GPU-second does not cost a second of account."""
        return self.hold_s != self.gpu_seconds

    @property
    def is_affordable(self) -> bool:
        return self.hold_s <= self.available_s

    @property
    def starts_now(self) -> bool:
        return not self.reason


def forecast(
    *,
    user: Any,
    account: Account | None,
    gpus: int,
    gpu_type: str,
    wall_s: int,
    preferred_campus_id: int | None = None,
    work_key: str = "",
    gpu_milli: int = WHOLE_GPU,
    gpu_memory_mib: int | None = None,
) -> Forecast:
    """Plan the queue as it stands with one more job in it.

    Raises InvalidInput (gpus, gpu_type, gpu_milli, gpu_memory_mib, wall_s, account).
    """
    jobs.check_size(gpus=gpus, gpu_type=gpu_type, wall_s=wall_s, gpu_milli=gpu_milli, gpu_memory_mib=gpu_memory_mib)
    if account is None:
        raise InvalidInput({"account": _("You have no GPU time yet. It comes with a place in a cohort.")})
    with transaction.atomic():
        now = database_now()
        loaded = load(now, extra=[(account.pk, user.pk, work_key)])
    joining = joining_job(loaded, user, account, now, gpus, gpu_type, wall_s, preferred_campus_id, work_key)
    joining = replace(joining, gpu_milli=gpu_milli, min_gpu_memory_mib=gpu_memory_mib)
    found = planner.forecast(loaded.snapshot, fitted_policy(), now.timestamp(), joining)
    hold_s = held_s(gpus=gpus, gpu_type=gpu_type, wall_s=wall_s, gpu_milli=gpu_milli)
    available_s, short_account = room_for(account, hold_s, now)
    return Forecast(
        hold_s=hold_s,
        available_s=available_s,
        short_account=short_account,
        start_p50_at=at(found.start_p50_at),
        start_p90_at=at(found.start_p90_at),
        place=found.place,
        reason=found.reason.value if found.reason else "",
        facts=facts_of(found, loaded.node_ids),
        run_p50_s=joining.predicted_p50_s or 0.0,
        run_p90_s=joining.predicted_p90_s or 0.0,
        gpu_seconds=cost_s(gpu_seconds=_seconds(gpus, wall_s, gpu_milli)),
    )


def held_s(*, gpus: int, gpu_type: str, wall_s: int, gpu_milli: int = WHOLE_GPU) -> int:
    """Seconds of account that such a job would hold, at today's rate for the GPU type."""
    return cost_s(gpu_seconds=_seconds(gpus, wall_s, gpu_milli), rate=rate_of(gpu_type))


def _seconds(gpus: int, wall_s: int, gpu_milli: int) -> Decimal:
    """GPU-seconds: those of a share of a GPU are that part of a whole one's."""
    return jobs.GpuAsk(gpus, gpu_milli).in_all * wall_s


def joining_job(
    loaded: Loaded,
    user: Any,
    account: Account,
    now: datetime,
    gpus: int,
    gpu_type: str,
    wall_s: int,
    campus_id: int | None,
    work_key: str,
) -> PendingJob:
    """A job that is not submitted yet, as the planner takes it."""
    predicted = loaded.samples.predict(work_key, user.pk, wall_s)
    return PendingJob(
        id=_JOINING,
        owner_id=user.pk,
        account_id=account.pk,
        submitted_at=now.timestamp(),
        gpus=gpus,
        wall_s=float(wall_s),
        gpu_type=gpu_type or None,
        preferred_site_id=loaded.site_of_campus.get(campus_id) if campus_id is not None else None,
        predicted_p50_s=predicted.p50_s,
        predicted_p90_s=predicted.p90_s,
    )


def account_for(user: Any, account_id: int | None) -> Account | None:
    """The user's account of that id, or the newest open one of theirs when none is named."""
    own = Account.objects.filter(owner=user, is_open=True).order_by("-id")
    return own.filter(pk=account_id).first() if account_id is not None else own.first()
