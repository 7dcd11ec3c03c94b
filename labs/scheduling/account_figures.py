"""What the quota desk shows of the scheduler's memory: each account's decayed use."""

from collections.abc import Collection

from django.utils import timezone

from labs.quota.beyond import Figure, register_figure

from .domain.fair_share import decayed
from .models import FairShareUse
from .snapshot_loader import policy


def register_figures() -> None:
    register_figure(Figure.DECAYED_S, decayed_use_of)


def decayed_use_of(account_ids: Collection[int]) -> dict[int, float]:
    """Return the GPU-seconds with which the queue weighs these accounts now. One query."""
    now, half_life_s = timezone.now(), policy().half_life_s
    rows = FairShareUse.objects.filter(account_id__in=account_ids).values_list("account_id", "gpu_seconds", "as_of")
    return {
        pk: decayed(max(0.0, used), max(0.0, (now - as_of).total_seconds()), half_life_s) for pk, used, as_of in rows
    }
