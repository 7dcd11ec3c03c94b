"""What the scheduler remembers between cycles: decayed use, and what each cycle cost."""

from django.db import models
from django.db.models.functions import Now

from labs.quota.models import Account


class FairShareUse(models.Model):
    """An account's GPU-seconds with a half-life, as they stood at `as_of` (Slurm's decayed usage)."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="fair_share_use")
    gpu_seconds = models.FloatField(default=0.0)
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account}: {self.gpu_seconds:.0f}"


class Cycle(models.Model):
    """A scheduling cycle that changed something, for the pool page. Old rows are swept."""

    at = models.DateTimeField(db_default=Now(), db_index=True)
    pending = models.PositiveIntegerField()
    started = models.PositiveIntegerField()
    plan_ms = models.FloatField()
    total_ms = models.FloatField()

    def __str__(self) -> str:
        return f"{self.at}: {self.started} of {self.pending}"
