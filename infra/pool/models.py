"""The GPU pool: sites, nodes, GPUs, and the package environments that each node holds."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.core.models import BilingualName
from campus.places.models import Campus


class Site(BilingualName):
    """A data hall with its own power. `power_cap_w` in watts; none means no cap."""

    slug = models.SlugField(max_length=40, unique=True)
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, related_name="sites", verbose_name=_("campus"))
    power_cap_w = models.PositiveIntegerField(_("power cap in watts"), null=True, blank=True)
    is_open = models.BooleanField(_("open"), default=True)

    class Meta:
        ordering = ("id",)


class Node(models.Model):
    """A server of the pool. It proves itself by a token of which we keep the SHA-256 only."""

    class State(models.TextChoices):
        UP = "UP", _("Up")
        DRAINING = "DRAINING", _("Draining")
        DOWN = "DOWN", _("Down")

    class Confinement(models.TextChoices):
        FULL = "FULL", _("Confined")
        UNCONFINED = "UNCONFINED", _("Not confined")
        REFUSED = "REFUSED", _("Refuses learners' code")

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="nodes")
    name = models.SlugField(max_length=60, unique=True)
    token_digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State, default=State.DOWN)
    drain_reason = models.CharField(max_length=200, blank=True)
    boot_id = models.CharField(max_length=40, blank=True, help_text=_("Changes whenever the node's agent starts."))
    agent_version = models.CharField(max_length=40, blank=True)
    confinement = models.CharField(max_length=10, choices=Confinement, default=Confinement.REFUSED)
    confinement_detail = models.CharField(max_length=300, blank=True)
    shares_gpus = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Several jobs may have a part of one of its GPUs each: something on it bounds them."),
    )
    data_sets = ArrayField(
        models.CharField(max_length=64),
        default=list,
        db_default=[],
        help_text=_("Digests of the data sets that lie on it, as its agent said last."),
    )
    cpu_count = models.PositiveIntegerField(default=0)
    memory_mib = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("site_id", "name")
        constraints = (
            models.CheckConstraint(condition=models.Q(state__in=["UP", "DRAINING", "DOWN"]), name="node_state"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def queue(self) -> str:
        """The Celery queue that this node's agent listens to."""
        return f"node.{self.name}"


class Gpu(models.Model):
    """One GPU of a node, or a CPU slot that a machine without GPUs declares in its place."""

    class Kind(models.TextChoices):
        NVIDIA = "NVIDIA", _("NVIDIA GPU")
        CPU_SLOT = "CPU_SLOT", _("CPU slot, not a GPU")

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="gpus")
    index = models.PositiveSmallIntegerField()
    uuid = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind)
    gpu_type = models.CharField(max_length=60, help_text=_("What a job asks for, for example nvidia-h100."))
    memory_mib = models.PositiveIntegerField(default=0)
    watts = models.PositiveIntegerField(default=0, help_text=_("Power at full load, for the site's cap."))
    is_healthy = models.BooleanField(default=True)
    utilisation_pct = models.PositiveSmallIntegerField(null=True, blank=True)
    memory_used_mib = models.PositiveIntegerField(null=True, blank=True)
    power_w = models.PositiveIntegerField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("node_id", "index")
        constraints = (
            models.UniqueConstraint(fields=("node", "index"), name="gpu_index_once_a_node"),
            models.CheckConstraint(condition=models.Q(kind__in=["NVIDIA", "CPU_SLOT"]), name="gpu_kind"),
        )

    def __str__(self) -> str:
        return f"{self.node}/{self.index}"


class NodeEnvironment(models.Model):
    """A package environment, by the digest of what it was made from, as it stands on one node."""

    class State(models.TextChoices):
        BUILDING = "BUILDING", _("Being built")
        READY = "READY", _("Ready")
        FAILED = "FAILED", _("Failed")

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="environments")
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State)
    detail = models.TextField(blank=True)
    size_bytes = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("node", "digest"), name="node_environment_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["BUILDING", "READY", "FAILED"]), name="node_environment_state"
            ),
        )

    def __str__(self) -> str:
        return f"{self.node}: {self.digest[:12]}"
