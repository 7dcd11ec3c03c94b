"""Grants that end, the sponsors behind some of them, and what each ledger line drew from which grant."""

from datetime import datetime, timedelta

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.core.models import BilingualName


class Sponsor(BilingualName):
    """A company, a province or another body that gives GPU time. Its grants are shown as its own."""

    class Kind(models.TextChoices):
        COMPANY = "COMPANY", _("Company")
        PUBLIC = "PUBLIC", _("Public body")
        OTHER = "OTHER", _("Other")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.COMPANY)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("name_ko", "id")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=["COMPANY", "PUBLIC", "OTHER"]), name="sponsor_kind"),
            models.UniqueConstraint(fields=("name_ko",), name="sponsor_name_once"),
        )


class Grant(models.Model):
    """GPU-seconds that an account has from `begins_at` to `ends_at`. What is unused then goes back where it came from.

    A sponsor's are new on every level above; all others are the parent's. `left_s` is what nobody has drawn yet.
    """

    class State(models.TextChoices):
        PLANNED = "PLANNED", _("Begins later")
        ACTIVE = "ACTIVE", _("Open")
        ENDED = "ENDED", _("Ended")
        CANCELLED = "CANCELLED", _("Cancelled")

    account = models.ForeignKey("quota.Account", on_delete=models.PROTECT, related_name="grants")
    sponsor = models.ForeignKey(Sponsor, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    label = models.CharField(_("label"), max_length=120, help_text=_("The term or the agreement, as people know it."))
    begins_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    carry_pct = models.PositiveSmallIntegerField(
        # xgettext:no-python-format
        _("of what is unused, % carried over"),
        default=0,
    )
    carry_most_s = models.BigIntegerField(null=True, blank=True, help_text=_("GPU-seconds; empty means no limit."))
    carry_until_at = models.DateTimeField(
        _("carried over until"), null=True, blank=True, help_text=_("Empty means for good: it becomes the account's.")
    )
    carried_from = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="carried_into"
    )
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    planned_s = models.BigIntegerField(help_text=_("What was promised."))
    seconds = models.BigIntegerField(default=0, help_text=_("What was posted when it began, and carried into it."))
    held_s = models.BigIntegerField(default=0)
    used_s = models.BigIntegerField(default=0)
    returned_s = models.BigIntegerField(default=0)
    carried_s = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("When its unused rest was first taken back."))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("ends_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["PLANNED", "ACTIVE", "ENDED", "CANCELLED"]), name="grant_state"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("begins_at")), name="grant_ends_after_it_begins"),
            models.CheckConstraint(condition=Q(planned_s__gt=0), name="grant_of_something"),
            models.CheckConstraint(
                condition=Q(held_s__gte=0, used_s__gte=0, returned_s__gte=0, carried_s__gte=0),
                name="grant_figures_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(seconds__gte=F("held_s") + F("used_s") + F("returned_s") + F("carried_s")),
                name="grant_left_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["ACTIVE", "ENDED"]) | Q(seconds=0), name="grant_posted_iff_begun"
            ),
            models.CheckConstraint(
                condition=Q(state="ENDED", ended_at__isnull=False) | ~Q(state="ENDED") & Q(ended_at__isnull=True),
                name="grant_ended_at_iff_ended",
            ),
            models.CheckConstraint(condition=Q(carry_pct__lte=100), name="grant_carries_at_most_all"),
            models.CheckConstraint(
                condition=Q(carry_most_s__isnull=True) | Q(carry_most_s__gte=0), name="grant_carry_limit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(carry_until_at__isnull=True) | Q(carry_until_at__gt=F("ends_at")),
                name="grant_carried_beyond_its_end",
            ),
            # What a sponsor gave stays the sponsor's: it can be carried into another date, never for good.
            models.CheckConstraint(
                condition=Q(sponsor__isnull=True) | Q(carry_pct=0) | Q(carry_until_at__isnull=False),
                name="grant_sponsored_stays_dated",
            ),
        )
        indexes = (
            models.Index(fields=("account", "ends_at"), name="grant_account_end"),
            models.Index(fields=("begins_at",), condition=Q(state="PLANNED"), name="grant_to_begin"),
            models.Index(fields=("ends_at",), condition=Q(state__in=["ACTIVE", "ENDED"]), name="grant_to_end"),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def is_open(self) -> bool:
        """Whether it counts, or will: neither ended nor cancelled."""
        return self.state in (self.State.PLANNED, self.State.ACTIVE)

    @property
    def last_at(self) -> datetime:
        """The last moment of it: what ends at midnight ends, as people say, the day before."""
        return self.ends_at - timedelta(microseconds=1)

    @property
    def left_s(self) -> int:
        """What nobody has drawn, and what was not given back or carried over."""
        return self.seconds - self.held_s - self.used_s - self.returned_s - self.carried_s


class GrantDraw(models.Model):
    """How much of a ledger line a grant paid, or got back. Append-only, as the line itself."""

    entry = models.ForeignKey("quota.LedgerEntry", on_delete=models.PROTECT, related_name="draws")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="draws")
    gpu_seconds = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("entry", "grant"), name="grant_draw_once"),
            models.CheckConstraint(condition=Q(gpu_seconds__gt=0), name="grant_draw_of_something"),
        )
        triggers = (pgtrigger.Protect(name="grant_draw_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.gpu_seconds} s of {self.grant}"
