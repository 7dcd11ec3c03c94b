"""What the scheduler remembers between cycles, what is kept for classes, and whose a site's GPUs are."""

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from infra.pool.models import Site
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
    waits_told_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the jobs of a long queue were last told why they wait.")
    )
    # What planned waits are multiplied by (labs.scheduling.domain.fitting.Fit); none until there is a record to fit to.
    start_fit = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="scheduler_mark_is_one"),)

    def __str__(self) -> str:
        return f"entry {self.seen_entry_id}, nudge {self.seen_nudge}"


# The last line of defence, whoever writes: no instant at which more GPUs are kept than the site has. The site's row is
# locked first, so of two who book at once the second sees the first. The service says the same in words, and before.
_NEVER_MORE_THAN_THERE_ARE = """
PERFORM 1 FROM pool_site WHERE id = NEW.site_id FOR NO KEY UPDATE;
IF EXISTS (
    WITH kept AS (
        SELECT gpus, gpu_type, start_at, end_at FROM scheduling_classreservation
        WHERE site_id = NEW.site_id AND state = 'BOOKED' AND id <> NEW.id
          AND start_at < NEW.end_at AND end_at > NEW.start_at
        UNION ALL SELECT NEW.gpus, NEW.gpu_type, NEW.start_at, NEW.end_at
    ), there AS (
        SELECT gpu.gpu_type FROM pool_gpu AS gpu JOIN pool_node AS node ON node.id = gpu.node_id
        WHERE node.site_id = NEW.site_id AND node.confinement <> 'REFUSED'
    )
    SELECT FROM (SELECT start_at AS at FROM kept WHERE start_at >= NEW.start_at UNION SELECT NEW.start_at) AS moments
    CROSS JOIN LATERAL (SELECT * FROM kept WHERE start_at <= at AND end_at > at) AS then_kept
    GROUP BY at
    HAVING SUM(gpus) > (SELECT COUNT(*) FROM there) OR (NEW.gpu_type <> '' AND
        SUM(gpus) FILTER (WHERE gpu_type = NEW.gpu_type)
        > (SELECT COUNT(*) FROM there WHERE there.gpu_type = NEW.gpu_type))
) THEN
    RAISE EXCEPTION 'more GPUs are kept than the site has' USING ERRCODE = 'check_violation';
END IF;
RETURN NEW;
"""


class ClassReservation(models.Model):
    """GPUs of a site that are kept for a class: for the jobs of an account (a cohort's) and of all below it."""

    class State(models.TextChoices):
        BOOKED = "BOOKED", _("Booked")
        RELEASED = "RELEASED", _("Released, since nobody came")
        CANCELLED = "CANCELLED", _("Cancelled")

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="class_reservations", verbose_name=_("for whom")
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="class_reservations", verbose_name=_("site"))
    title = models.CharField(_("class"), max_length=160)
    gpus = models.PositiveSmallIntegerField(_("GPUs"))
    gpu_type = models.CharField(_("GPU type"), max_length=60, blank=True, help_text=_("Empty means any."))
    start_at = models.DateTimeField(_("begins"))
    end_at = models.DateTimeField(_("ends"))
    release_after_s = models.PositiveIntegerField(
        _("released after"), default=900, help_text=_("Seconds in which nobody of the class has a job.")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.BOOKED)
    used_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When somebody of the class was last seen with a job, while it met.")
    )
    given_up_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was released or cancelled."))
    # None, not empty, where there is none: the unique constraint counts empty texts as equal.
    key = models.CharField(  # noqa: DJ001
        max_length=80, null=True, blank=True, help_text=_("What it was booked for, in the words of who booked it.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("start_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(state="BOOKED", given_up_at=None)
                | Q(state__in=["RELEASED", "CANCELLED"], given_up_at__isnull=False),
                name="reservation_state_and_when_given_up",
            ),
            models.CheckConstraint(condition=Q(gpus__gte=1), name="reservation_keeps_a_gpu"),
            models.CheckConstraint(condition=Q(start_at__lt=F("end_at")), name="reservation_begins_before_it_ends"),
            models.UniqueConstraint(fields=("key",), name="reservation_key_once"),
        )
        indexes = (
            models.Index(fields=("site", "start_at"), condition=Q(state="BOOKED"), name="reservation_booked"),
            models.Index(fields=("end_at",), condition=Q(state="BOOKED"), name="reservation_booked_by_end"),
            models.Index(fields=("site", "start_at", "end_at"), name="reservation_week"),
        )
        triggers = (
            pgtrigger.Trigger(
                name="never_more_than_there_are",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("site_id", "gpus", "gpu_type", "start_at", "end_at", "state"),
                condition=pgtrigger.Q(new__state="BOOKED"),
                func=_NEVER_MORE_THAN_THERE_ARE,
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def short_name(self) -> str:
        return f"{self.title} #{self.pk}"


class SiteOwner(models.Model):
    """Whose a site's GPUs are: those of an account and all below it. A site without one is everybody's."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="owner")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="owned_sites", verbose_name=_("belongs to")
    )

    def __str__(self) -> str:
        return f"{self.site}: {self.account}"


class SiteLending(models.Model):
    """Hours in which a site lends GPUs to others than its owner: every day between two dates, in the campus's time.

    `opens_at` and `closes_at` are times of day; a closing that is not after the opening is the next day's, so
    equal ones lend around the clock. Without `last_day` it goes on until it is ended.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="lendings", verbose_name=_("site"))
    borrower = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="borrowed_sites",
        verbose_name=_("to whom"),
        help_text=_("Left open: to everybody."),
    )
    max_gpus = models.PositiveSmallIntegerField(_("GPUs at most"), validators=[MaxValueValidator(10_000)])
    first_day = models.DateField(_("from day"))
    last_day = models.DateField(_("to day"), null=True, blank=True, help_text=_("Left open: until it is ended."))
    opens_at = models.TimeField(_("from"))
    closes_at = models.TimeField(_("until"), help_text=_("Not after the beginning: of the next day."))
    ended_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("first_day", "id")
        constraints = (
            models.CheckConstraint(condition=Q(max_gpus__gte=1), name="lending_lends_a_gpu"),
            models.CheckConstraint(
                condition=Q(last_day=None) | Q(last_day__gte=F("first_day")), name="lending_days_in_order"
            ),
        )

    def __str__(self) -> str:
        return f"{self.site}: {self.max_gpus}"
