"""How busy the GPUs of each run are, a sample a minute."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from labs.jobs.models import Attempt


class GpuActivity(models.Model):
    """The last samples of one attempt: the mean utilisation of its GPUs in percent. Without a row none is measured.

    `idle_since` is set while it leaves them idle, `told_at` when its owner was told of that.
    """

    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, related_name="gpu_activity")
    samples = ArrayField(models.PositiveSmallIntegerField(), default=list)
    sampled_at = models.DateTimeField()
    idle_since = models.DateTimeField(null=True, blank=True)
    idle_pct = models.FloatField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(idle_since__isnull=True, idle_pct__isnull=True, told_at__isnull=True)
                | Q(idle_since__isnull=False, idle_pct__isnull=False),
                name="gpu_activity_idle_with_its_figure",
            ),
        )
        indexes = (models.Index(fields=("told_at",), condition=Q(idle_since__isnull=False), name="gpu_activity_idle"),)

    def __str__(self) -> str:
        return f"GPUs of {self.attempt_id}"
