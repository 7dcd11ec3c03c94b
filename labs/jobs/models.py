"""Jobs, their attempts, and what those leave behind: log, metrics, artifacts, events."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.places.models import Campus
from infra.pool.models import Node
from labs.environments.models import DataSet, Environment
from labs.quota.api import cost_s
from labs.quota.models import Account

from .domain.asks import GpuAsk
from .domain.shares import WHOLE_GPU
from .models_leases import GpuLease as GpuLease


class SourceBundle(models.Model):
    """The files of a submission, stored once by content.

    `files` maps a path to {"text": str} or, for bytes that are no UTF-8, {"base64": str}.
    """

    digest = models.CharField(max_length=64, unique=True)
    files = models.JSONField()
    size_bytes = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.digest[:12]


class Sweep(models.Model):
    """One program over many parameters: its jobs share source and settings, and differ in `Job.parameters`.

    `grid` maps names to lists of values; it is empty where the runs were listed one by one. `runs` counts the places
    (`Job.sweep_index`, from 1); a place that was run again has several jobs, of which the newest counts.
    """

    class Direction(models.TextChoices):
        HIGHER = "max", _("Higher is better")
        LOWER = "min", _("Lower is better")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sweeps")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sweeps")
    title = models.CharField(max_length=160)
    grid = models.JSONField(default=dict, blank=True)
    names = models.JSONField(default=list, help_text=_("The parameters, in the order in which they were given."))
    runs = models.PositiveSmallIntegerField()
    metric = models.CharField(max_length=64, blank=True, help_text=_("The result by which the best run is found."))
    direction = models.CharField(max_length=3, choices=Direction, default=Direction.HIGHER)
    max_running = models.PositiveSmallIntegerField(null=True, blank=True)
    submitted_at = models.DateTimeField(db_default=Now())
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001  (as Job's)
    request_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(runs__gte=1), name="sweep_has_a_run"),
            models.CheckConstraint(
                condition=Q(max_running=None) | Q(max_running__gte=1), name="sweep_may_run_one_at_least"
            ),
            models.CheckConstraint(condition=Q(direction__in=["max", "min"]), name="sweep_direction"),
            models.UniqueConstraint(fields=("owner", "idempotency_key"), name="sweep_idempotency_key_once"),
        )
        indexes = (models.Index(fields=("owner", "-id"), name="sweep_owner_newest"),)

    def __str__(self) -> str:
        return f"{self.title} ({self.runs})"


class Job(models.Model):
    """What a learner asked to be run. `hold_s` is what its next attempt holds, in GPU-seconds."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        RUNNING = "RUNNING", _("Running")
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        FAILED = "FAILED", _("Failed")
        TIMED_OUT = "TIMED_OUT", _("Timed out")
        CANCELLED = "CANCELLED", _("Cancelled")

    class EndReason(models.TextChoices):
        NONE = "", ""
        COMPLETED = "COMPLETED", _("Ended by itself with exit code 0")
        EXIT_CODE = "EXIT_CODE", _("The program ended with an error")
        OUT_OF_MEMORY = "OUT_OF_MEMORY", _("It needed more memory than it was given")
        OUTPUT_FLOOD = "OUTPUT_FLOOD", _("It printed more than a log may hold")
        WALL_LIMIT = "WALL_LIMIT", _("It reached its time limit")
        CANCELLED = "CANCELLED", _("Cancelled")
        PLATFORM = "PLATFORM", _("The platform lost it; nothing was charged")
        ENVIRONMENT = "ENVIRONMENT", _("Its environment could not be built; nothing was charged")
        DEPENDENCY = "DEPENDENCY", _("A job that it was to follow did not succeed; nothing was charged")
        ACCOUNT_CLOSED = "ACCOUNT_CLOSED", _("Its quota account was closed before it started; nothing was charged")

    class Purpose(models.TextChoices):
        OWN = "OWN", _("A run of one's own")
        CLASS = "CLASS", _("Work of a class that meets now")
        GRADING = "GRADING", _("Grading")

    OPEN_STATES = (State.QUEUED, State.RUNNING)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="jobs")
    title = models.CharField(max_length=160)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, related_name="jobs")
    data_sets = models.ManyToManyField(DataSet, blank=True, related_name="jobs")
    source = models.ForeignKey(SourceBundle, on_delete=models.PROTECT, related_name="jobs")
    entrypoint = models.CharField(max_length=255, default="main.py")
    gpus = models.PositiveSmallIntegerField(default=1)
    gpu_milli = models.PositiveSmallIntegerField(
        default=WHOLE_GPU, db_default=WHOLE_GPU, help_text=_("Thousandths of a GPU; less than 1000 is a share of one.")
    )
    gpu_memory_mib = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("The least memory of each GPU in MiB, or of the share. Empty means any, and for a share its part."),
    )
    gpu_type = models.CharField(max_length=60, blank=True, help_text=_("Empty means any."))
    wall_s = models.PositiveIntegerField()
    rate = models.DecimalField(
        max_digits=7,
        decimal_places=3,
        default=Decimal(1),
        help_text=_("What a second on one of its GPUs costs, fixed when it was submitted."),
    )
    preferred_campus = models.ForeignKey(Campus, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    deadline_at = models.DateTimeField(null=True, blank=True)
    work_key = models.CharField(
        max_length=80, blank=True, help_text=_("Jobs of the same work, by which run times are predicted.")
    )
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.OWN)
    is_preemptible = models.BooleanField(
        default=False, help_text=_("It may be asked to save its work and end, and goes on later.")
    )

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    end_reason = models.CharField(max_length=16, choices=EndReason, default=EndReason.NONE, blank=True)
    exit_code = models.SmallIntegerField(null=True, blank=True)
    end_detail = models.CharField(max_length=300, blank=True)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    charged_s = models.BigIntegerField(default=0, help_text=_("GPU-seconds that stayed charged."))
    preempted_count = models.PositiveSmallIntegerField(default=0)
    kept_s = models.PositiveIntegerField(
        default=0, help_text=_("Seconds of its time limit that preempted attempts used and their checkpoints keep.")
    )
    result = models.JSONField(default=dict, help_text=_("metrics.json, when the job wrote a flat one."))

    # What the last scheduling cycle said of it (labs.scheduling.domain); shown, never decided upon.
    wait_reason = models.CharField(max_length=30, blank=True)
    wait_facts = models.JSONField(default=dict)
    # For how long it waited for what its owner or account set (a cap, a dependency), and since when it does so now.
    held_back_s = models.PositiveIntegerField(default=0, db_default=0)
    held_back_from = models.DateTimeField(null=True, blank=True)
    queue_place = models.PositiveIntegerField(null=True, blank=True)
    start_p50_at = models.DateTimeField(null=True, blank=True)
    start_p90_at = models.DateTimeField(null=True, blank=True)
    factors = models.JSONField(default=dict, help_text=_("What its order was made of when it was started."))
    # The first range that was given, kept to be held against what came (labs.scheduling.promises).
    promised_p50_at = models.DateTimeField(null=True, blank=True)
    promised_p90_at = models.DateTimeField(null=True, blank=True)
    # When that was, and the seconds of waiting as planned before any fit: what the next ranges are fitted to.
    promised_at = models.DateTimeField(null=True, blank=True)
    planned_p50_s = models.FloatField(null=True, blank=True)
    planned_p90_s = models.FloatField(null=True, blank=True)

    work_url = models.CharField(
        max_length=200, blank=True, help_text=_("Where the work it belongs to is described, for example a lab.")
    )
    # None, not empty, where there is none: the unique constraint counts empty texts as equal.
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001
    request_digest = models.CharField(max_length=64, blank=True)
    rerun_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="reruns")

    sweep = models.ForeignKey(
        Sweep, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs", db_index=False
    )
    sweep_index = models.PositiveSmallIntegerField(null=True, blank=True)
    parameters = models.JSONField(default=dict, blank=True, help_text=_("What params.json and PARAM_… tell it."))

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED"]),
                name="job_state",
            ),
            models.CheckConstraint(condition=Q(gpus__gte=1), name="job_has_a_gpu"),
            models.CheckConstraint(
                condition=Q(gpu_milli=1000) | Q(gpu_milli__gte=1, gpu_milli__lt=1000, gpus=1),
                name="job_share_is_of_one_gpu",
            ),
            models.CheckConstraint(
                condition=Q(gpu_memory_mib=None) | Q(gpu_memory_mib__gte=1), name="job_gpu_memory_is_some"
            ),
            models.CheckConstraint(condition=Q(wall_s__gte=1), name="job_has_a_wall_limit"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="job_costs_something"),
            models.CheckConstraint(
                condition=Q(state__in=["QUEUED", "RUNNING"], ended_at=None)
                | ~Q(state__in=["QUEUED", "RUNNING"]) & ~Q(ended_at=None),
                name="job_ended_iff_over",
            ),
            models.UniqueConstraint(fields=("owner", "idempotency_key"), name="job_idempotency_key_once"),
            models.CheckConstraint(
                condition=Q(purpose="OWN") | Q(purpose__in=["CLASS", "GRADING"], is_preemptible=False),
                name="job_purpose_and_only_own_runs_are_preemptible",
            ),
            models.CheckConstraint(condition=Q(kept_s__lt=F("wall_s")), name="job_keeps_less_than_its_wall_limit"),
            models.CheckConstraint(
                condition=Q(sweep=None, sweep_index=None) | ~Q(sweep=None) & ~Q(sweep_index=None),
                name="job_has_a_place_iff_in_a_sweep",
            ),
        )
        indexes = (
            models.Index(fields=("id",), condition=Q(state="QUEUED"), name="job_queued"),
            models.Index(fields=("id",), condition=Q(state="RUNNING"), name="job_running"),
            models.Index(fields=("owner", "-id"), name="job_owner_newest"),
            models.Index(fields=("account", "-id"), name="job_account_newest"),
            models.Index(fields=("sweep", "sweep_index", "-id"), condition=~Q(sweep=None), name="job_sweep_place"),
            models.Index(fields=("work_key", "owner", "-id"), name="job_work_owner"),
            models.Index(fields=("-id",), condition=~Q(promised_p90_at=None), name="job_promised_newest"),
            models.Index(
                fields=("work_key", "-id"),
                condition=Q(state__in=["SUCCEEDED", "FAILED", "TIMED_OUT"]) & ~Q(work_key=""),
                name="job_work_newest",
            ),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def wall_left_s(self) -> int:
        """Seconds that its next or open attempt may run: what checkpoints keep counts towards the limit."""
        return self.wall_s - self.kept_s

    @property
    def gpus_in_all(self) -> Decimal:
        """Its GPUs as they are charged and counted: a share of one counts as that share."""
        return GpuAsk(self.gpus, self.gpu_milli).in_all

    @property
    def is_share(self) -> bool:
        """It has a part of one GPU, and others may have the rest."""
        return self.gpu_milli < WHOLE_GPU

    @property
    def hold_s(self) -> int:
        """In seconds of account, rounded up."""
        return cost_s(gpu_seconds=self.gpus_in_all * self.wall_left_s, rate=self.rate)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def short_name(self) -> str:
        return f"#{self.pk}"


class Dependency(models.Model):
    """`job` starts only after `after` has ended as `condition` says. Only on older jobs, so no ring can come about."""

    class Condition(models.TextChoices):
        OK = "afterok", _("only if it succeeds")
        ANY = "afterany", _("however it ends")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="dependencies")
    after = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="dependents")
    condition = models.CharField(max_length=8, choices=Condition, default=Condition.OK)

    class Meta:
        ordering = ("after_id",)
        constraints = (
            models.UniqueConstraint(fields=("job", "after"), name="dependency_once"),
            models.CheckConstraint(condition=Q(after__lt=F("job")), name="dependency_on_an_older_job"),
            models.CheckConstraint(condition=Q(condition__in=["afterok", "afterany"]), name="dependency_condition"),
        )

    def __str__(self) -> str:
        return f"job {self.job_id} {self.condition} {self.after_id}"


class Attempt(models.Model):
    """One try at running a job on one node, under a lease. Only the holder of `fence` may speak for it."""

    class State(models.TextChoices):
        ASSIGNED = "ASSIGNED", _("Given to a node")
        CLAIMED = "CLAIMED", _("Being prepared")
        RUNNING = "RUNNING", _("Running")
        ENDED = "ENDED", _("Ended")

    class Outcome(models.TextChoices):
        NONE = "", ""
        SETTLED = "SETTLED", _("Ended and settled")
        LOST = "LOST", _("Lost by the platform and refunded")
        PREEMPTED = "PREEMPTED", _("Made room for another, queued again")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="attempts")
    fence = models.BigIntegerField()
    boot_id = models.CharField(max_length=40, blank=True, help_text=_("The agent's run that claimed it."))
    state = models.CharField(max_length=10, choices=State, default=State.ASSIGNED)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.NONE, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    assigned_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    run_s = models.FloatField(null=True, blank=True, help_text=_("Seconds the program ran, by the node's clock."))
    lost_s = models.PositiveIntegerField(default=0, help_text=_("GPU-seconds lost by the platform and refunded."))
    is_borrowed = models.BooleanField(default=False, help_text=_("It ran on a site that another account owns."))
    # A row of labs.scheduling, which this app does not know.
    reservation_id = models.BigIntegerField(
        null=True, blank=True, help_text=_("The class reservation upon which it was started.")
    )
    preempt_requested_at = models.DateTimeField(null=True, blank=True)
    preempt_grace_s = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Seconds between the request to end and the kill.")
    )
    preempt_reason = models.CharField(max_length=20, blank=True)
    preempt_for_job_id = models.BigIntegerField(null=True, blank=True, help_text=_("The job that it makes room for."))
    kept_s = models.PositiveIntegerField(default=0, help_text=_("Seconds of its run that its checkpoint keeps."))
    cpu_s = models.FloatField(null=True, blank=True)
    peak_memory_bytes = models.BigIntegerField(null=True, blank=True)
    gpu_labels = models.JSONField(default=list, help_text=_("The GPUs it was given, as shown to people."))
    log_bytes = models.BigIntegerField(default=0)
    log_is_truncated = models.BooleanField(default=False)
    report = models.JSONField(default=dict, help_text=_("What the node said when it ended, skipped outputs included."))

    class Meta:
        ordering = ("job_id", "number")
        constraints = (
            models.UniqueConstraint(fields=("job", "number"), name="attempt_number_once"),
            models.UniqueConstraint(fields=("fence",), name="attempt_fence_once"),
            models.UniqueConstraint(fields=("job",), condition=~Q(state="ENDED"), name="attempt_one_open_a_job"),
            models.CheckConstraint(
                condition=Q(state__in=["ASSIGNED", "CLAIMED", "RUNNING", "ENDED"]), name="attempt_state"
            ),
            models.CheckConstraint(
                condition=Q(state="ENDED", lease_expires_at=None) | ~Q(state="ENDED") & ~Q(lease_expires_at=None),
                name="attempt_lease_iff_open",
            ),
            models.CheckConstraint(
                condition=Q(preempt_requested_at=None, preempt_grace_s=None)
                | ~Q(preempt_requested_at=None) & ~Q(preempt_grace_s=None),
                name="attempt_grace_iff_preempted",
            ),
        )
        indexes = (
            models.Index(fields=("node", "state"), condition=~Q(state="ENDED"), name="attempt_open_by_node"),
            models.Index(fields=("lease_expires_at",), condition=~Q(state="ENDED"), name="attempt_open_by_lease"),
            models.Index(
                fields=("preempt_for_job_id",), condition=~Q(preempt_for_job_id=None), name="attempt_makes_room_for"
            ),
        )

    def __str__(self) -> str:
        return f"job {self.job_id}, attempt {self.number}"


class LogChunk(models.Model):
    """Bytes of an attempt's log. `start` is the offset of its first byte; chunks leave no gap."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="log_chunks")
    start = models.BigIntegerField()
    content = models.BinaryField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("start",)
        constraints = (models.UniqueConstraint(fields=("attempt", "start"), name="log_chunk_start_once"),)

    def __str__(self) -> str:
        return f"{self.attempt}, from byte {self.start}"


class MetricPoint(models.Model):
    """One line of metrics: finite numbers by name, in the order in which the job gave them."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="metric_points")
    seq = models.PositiveIntegerField()
    run_s = models.FloatField()
    values = models.JSONField()

    class Meta:
        ordering = ("seq",)
        constraints = (models.UniqueConstraint(fields=("attempt", "seq"), name="metric_point_seq_once"),)

    def __str__(self) -> str:
        return f"{self.attempt}, point {self.seq}"


class Artifact(models.Model):
    """A file that an attempt left. It counts only once its attempt is settled (`is_published`).

    Those of a checkpoint are never published: they are for the next attempt, and go when the job is over.
    """

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="artifacts")
    path = models.CharField(max_length=400)
    size_bytes = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    file = models.FileField(max_length=300)
    is_published = models.BooleanField(default=False)
    is_checkpoint = models.BooleanField(default=False)

    class Meta:
        ordering = ("path",)
        constraints = (models.UniqueConstraint(fields=("attempt", "path"), name="artifact_path_once"),)

    def __str__(self) -> str:
        return self.path


class JobEvent(models.Model):
    """A line of the job's timeline. `facts` fills the words that `kind` stands for."""

    class Kind(models.TextChoices):
        SUBMITTED = "SUBMITTED", _("Submitted")
        ASSIGNED = "ASSIGNED", _("Given to a node")
        CLAIMED = "CLAIMED", _("The node prepares it")
        STARTED = "STARTED", _("Started")
        LOST = "LOST", _("Lost by the platform, refunded")
        PREEMPT_REQUESTED = "PREEMPT_REQUESTED", _("Asked to make room")
        PREEMPTED = "PREEMPTED", _("Made room, queued again")
        CANCEL_REQUESTED = "CANCEL_REQUESTED", _("Cancelling")
        ENDED = "ENDED", _("Ended")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    attempt = models.PositiveSmallIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=20, choices=Kind)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.kind} of job {self.job_id}"
