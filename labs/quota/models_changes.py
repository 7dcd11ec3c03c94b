"""Rates by GPU type, batches of changes that can be undone, and lending between siblings."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Rate(models.Model):
    """What a second on a GPU of this type costs from `from_at` on, in seconds of account. Append-only."""

    gpu_type = models.CharField(
        _("GPU type"), max_length=60, blank=True, help_text=_("Empty is for jobs that leave the type open.")
    )
    rate = models.DecimalField(_("rate"), max_digits=7, decimal_places=3)
    from_at = models.DateTimeField(_("from"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("gpu_type", "-from_at", "-id")
        constraints = (models.CheckConstraint(condition=Q(rate__gt=0), name="rate_positive"),)
        indexes = (models.Index(fields=("gpu_type", "-from_at", "-id"), name="rate_newest"),)
        triggers = (pgtrigger.Protect(name="rate_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.gpu_type or '*'} × {self.rate.normalize():f}"


class Batch(models.Model):
    """Changes to accounts that were made together, with one reason, and that can be undone together, once."""

    reason = models.CharField(_("reason"), max_length=300)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"batch {self.pk}"


class SettingChange(models.Model):
    """History of an account's settings: weight, overcommit and caps. Append-only."""

    class Field(models.TextChoices):
        WEIGHT = "weight", _("fair-share weight")
        # xgettext:no-python-format
        OVERCOMMIT = "overcommit_pct", _("may grant in all, % of its own")
        MOST_GPUS = "max_running_gpus", _("most GPUs at once")
        DAY_CAP = "learner_day_cap_s", _("most for one learner a day")
        WEEK_CAP = "learner_week_cap_s", _("most for one learner a week")

    account = models.ForeignKey("quota.Account", on_delete=models.PROTECT, related_name="setting_changes")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="setting_changes")
    field = models.CharField(max_length=20, choices=Field)
    before = models.BigIntegerField(null=True)
    after = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("batch", "account", "field"), name="setting_change_once"),
            models.CheckConstraint(
                condition=Q(
                    field__in=[
                        "weight",
                        "overcommit_pct",
                        "max_running_gpus",
                        "learner_day_cap_s",
                        "learner_week_cap_s",
                    ]
                ),
                name="setting_change_field",
            ),
        )
        triggers = (
            pgtrigger.Protect(name="setting_change_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.field}: {self.before} to {self.after}"


class Lending(models.Model):
    """Leave for siblings to use what an account neither uses nor gave on: up to `limit_s`, until `until_at`.

    Nothing moves until a sibling's job needs more than its own account has; what it no longer needs comes back at
    once. `out_s` is what is with the borrowers now, `spent_s` what their jobs used and nobody can return.
    """

    lender = models.ForeignKey("quota.Account", on_delete=models.PROTECT, related_name="lendings")
    borrower = models.ForeignKey(
        "quota.Account", on_delete=models.PROTECT, null=True, blank=True, related_name="offers",
        help_text=_("Empty means every account beside it."),
    )  # fmt: skip
    limit_s = models.BigIntegerField()
    from_at = models.DateTimeField(_("from"))
    until_at = models.DateTimeField(_("until"))
    recalled_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text=_("When everything was back or spent."))
    out_s = models.BigIntegerField(default=0)
    spent_s = models.BigIntegerField(default=0)
    reason = models.CharField(_("reason"), max_length=300)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("until_at", "id")
        constraints = (
            models.CheckConstraint(condition=Q(limit_s__gt=0), name="lending_of_something"),
            models.CheckConstraint(condition=Q(until_at__gt=F("from_at")), name="lending_ends_after_it_begins"),
            models.CheckConstraint(condition=Q(out_s__gte=0, spent_s__gte=0), name="lending_out_not_negative"),
            models.CheckConstraint(
                condition=Q(limit_s__gte=F("out_s") + F("spent_s")), name="lending_out_within_limit"
            ),
            models.CheckConstraint(condition=Q(closed_at__isnull=True) | Q(out_s=0), name="lending_closed_is_settled"),
            models.CheckConstraint(
                condition=Q(borrower__isnull=True) | ~Q(borrower=F("lender")), name="lending_to_another"
            ),
        )
        indexes = (
            models.Index(fields=("lender",), condition=Q(closed_at__isnull=True), name="lending_open_by_lender"),
            models.Index(fields=("until_at",), condition=Q(closed_at__isnull=True), name="lending_to_close"),
        )

    def __str__(self) -> str:
        return f"{self.lender} lends"


class Loan(models.Model):
    """What one sibling has of a lending. `out_s` is with it now; `spent_s` was used and stays."""

    lending = models.ForeignKey(Lending, on_delete=models.PROTECT, related_name="loans")
    borrower = models.ForeignKey("quota.Account", on_delete=models.PROTECT, related_name="loans")
    out_s = models.BigIntegerField(default=0)
    spent_s = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("lending", "borrower"), name="loan_once"),
            models.CheckConstraint(condition=Q(out_s__gte=0, spent_s__gte=0), name="loan_out_not_negative"),
        )
        indexes = (models.Index(fields=("borrower",), condition=Q(out_s__gt=0), name="loan_open_by_borrower"),)

    def __str__(self) -> str:
        return f"{self.out_s} s to {self.borrower}"
