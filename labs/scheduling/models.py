"""What the scheduler remembers between cycles: decayed use, and what each cycle cost."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

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


class SchedulerMark(models.Model):
    """How far the last committed cycle had seen: one row. What lies behind it is news."""

    seen_entry_id = models.BigIntegerField(default=0, help_text=_("The last ledger entry folded into FairShareUse."))
    seen_nudge = models.BigIntegerField(default=0, help_text=_("How many cycles had been asked for when it began."))

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="scheduler_mark_is_one"),)

    def __str__(self) -> str:
        return f"entry {self.seen_entry_id}, nudge {self.seen_nudge}"
