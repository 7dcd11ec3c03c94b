"""Accounts in a tree, the append-only ledger, and who allocated what. All in whole GPU-seconds.

An account's allocation is a cap on everything below it. A job holds its worst case on its own account and on every
ancestor, so no level can be overdrawn. `used_s`, `held_s` and `granted_s` are kept beside the ledger in the same
transaction and are rebuilt from it every night (docs/decisions/0001).
"""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.people.models import Scope

from .reasons import in_words


class Account(models.Model):
    """Who may use how much. `path` holds the ids from the root to itself."""

    class Kind(models.TextChoices):
        PLATFORM = "PLATFORM", _("Platform")
        CAMPUS = "CAMPUS", _("Campus")
        PROGRAMME = "PROGRAMME", _("Programme")
        SPONSOR = "SPONSOR", _("Sponsor")
        COHORT = "COHORT", _("Cohort")
        LEARNER = "LEARNER", _("Learner")

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=160)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    path = ArrayField(models.BigIntegerField(), default=list, editable=False)
    scope = models.ForeignKey(
        Scope, on_delete=models.PROTECT, related_name="accounts", help_text=_("Whose staff look after it.")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="quota_accounts"
    )
    weight = models.PositiveIntegerField(_("fair-share weight"), default=1)
    max_running_gpus = models.PositiveIntegerField(_("most GPUs at once"), null=True, blank=True)
    overcommit_pct = models.PositiveIntegerField(
        # xgettext:no-python-format
        _("may grant in all, % of its own"),
        default=100,
        help_text=_("More than 100 lets children share slack."),
    )
    allocated_s = models.BigIntegerField(default=0)
    granted_s = models.BigIntegerField(default=0, help_text=_("What its children were allocated, summed."))
    held_s = models.BigIntegerField(default=0)
    used_s = models.BigIntegerField(default=0)
    dated_s = models.BigIntegerField(default=0, help_text=_("What its grants that end have left, summed."))
    borrowed_s = models.BigIntegerField(default=0, help_text=_("Part of its allocation that siblings lent it."))
    lent_s = models.BigIntegerField(default=0, help_text=_("What left its allocation for siblings' jobs."))
    learner_day_cap_s = models.BigIntegerField(_("most for one learner a day"), null=True, blank=True)
    learner_week_cap_s = models.BigIntegerField(_("most for one learner a week"), null=True, blank=True)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=["PLATFORM", "CAMPUS", "PROGRAMME", "SPONSOR", "COHORT", "LEARNER"]),
                name="account_kind",
            ),
            models.CheckConstraint(condition=Q(held_s__gte=0), name="account_held_not_negative"),
            models.CheckConstraint(condition=Q(used_s__gte=0), name="account_used_not_negative"),
            models.CheckConstraint(condition=Q(granted_s__gte=0), name="account_granted_not_negative"),
            models.CheckConstraint(
                condition=Q(allocated_s__gte=F("used_s") + F("held_s")), name="account_balance_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(granted_s__lte=F("allocated_s") * F("overcommit_pct") / 100),
                name="account_grants_within_overcommit",
            ),
            models.CheckConstraint(condition=Q(weight__gte=1), name="account_weight_positive"),
            models.CheckConstraint(
                condition=Q(dated_s__gte=0, borrowed_s__gte=0, lent_s__gte=0), name="account_parts_not_negative"
            ),
            models.CheckConstraint(
                condition=(Q(learner_day_cap_s__isnull=True) | Q(learner_day_cap_s__gte=0))
                & (Q(learner_week_cap_s__isnull=True) | Q(learner_week_cap_s__gte=0)),
                name="account_caps_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(kind="LEARNER", owner__isnull=False) | ~Q(kind="LEARNER"), name="account_learner_has_owner"
            ),
            models.UniqueConstraint(
                fields=("parent", "owner"), condition=Q(kind="LEARNER"), name="account_learner_once"
            ),
            models.UniqueConstraint(fields=("kind",), condition=Q(kind="PLATFORM"), name="account_one_platform"),
        )
        indexes = (GinIndex(fields=("path",), name="account_path"),)

    def __str__(self) -> str:
        return self.name

    @property
    def available_s(self) -> int:
        """What this account alone could still hold; an ancestor may have less."""
        return self.allocated_s - self.used_s - self.held_s

    @property
    def grantable_s(self) -> int:
        """What its children may be given on top of what they have."""
        return self.allocated_s * self.overcommit_pct // 100 - self.granted_s


class LedgerEntry(models.Model):
    """One posting of one attempt. It counts for `account` and for all of `path`.

    When a job is over, HOLD = CHARGE + RELEASE for each attempt, and what was used is CHARGE - REFUND. Staff correct
    that by a CREDIT (given back) or a DEBIT (charged after all), as often as they must, within the hold.
    """

    class Kind(models.TextChoices):
        HOLD = "HOLD", _("Hold")
        CHARGE = "CHARGE", _("Charge")
        RELEASE = "RELEASE", _("Release")
        REFUND = "REFUND", _("Refund")
        CREDIT = "CREDIT", _("Correction: given back")
        DEBIT = "DEBIT", _("Correction: charged")

    USE = (Kind.CHARGE, Kind.REFUND, Kind.CREDIT, Kind.DEBIT)

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    path = ArrayField(models.BigIntegerField())
    job_id = models.BigIntegerField()
    attempt = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    gpu_seconds = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    day = models.DateField(
        null=True, blank=True, help_text=_("The campus's day on which a charge or refund counts as use.")
    )
    is_drawn = models.BooleanField(default=False, help_text=_("Grants that end paid a part of it."))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text=_("Who corrected."),
    )  # fmt: skip
    at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("job_id", "attempt", "kind"),
                condition=Q(kind__in=["HOLD", "CHARGE", "RELEASE", "REFUND"]),
                name="ledger_once_per_job_attempt_kind",
            ),
            models.CheckConstraint(condition=Q(gpu_seconds__gte=0), name="ledger_seconds_not_negative"),
            models.CheckConstraint(
                condition=Q(kind__in=["HOLD", "CHARGE", "RELEASE", "REFUND", "CREDIT", "DEBIT"]), name="ledger_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["CHARGE", "REFUND", "CREDIT", "DEBIT"], day__isnull=False)
                | Q(kind__in=["HOLD", "RELEASE"], day__isnull=True),
                name="ledger_day_iff_use",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["CREDIT", "DEBIT"], actor__isnull=False, gpu_seconds__gt=0) & ~Q(reason="")
                | Q(kind__in=["HOLD", "CHARGE", "RELEASE", "REFUND"], actor__isnull=True),
                name="ledger_correction_says_who_and_why",
            ),
        )
        indexes = (
            models.Index(fields=("account", "at"), name="ledger_account_at"),
            models.Index(fields=("job_id",), name="ledger_job"),
        )
        triggers = (pgtrigger.Protect(name="ledger_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.kind} {self.gpu_seconds} s, job {self.job_id}"

    @property
    def reason_text(self) -> str:
        """Why it was posted, in the reader's language."""
        return in_words(self.reason)


class Allocation(models.Model):
    """History of what an account was given or lost, by whom and why. Append-only."""

    class Kind(models.TextChoices):
        CHANGE = "CHANGE", _("Allocation")
        GRANT = "GRANT", _("Grant")
        EXPIRY = "EXPIRY", _("Unused part of a grant")
        LOAN = "LOAN", _("Loan")
        LOAN_BACK = "LOAN_BACK", _("Loan returned")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="allocations")
    delta_s = models.BigIntegerField()
    before_s = models.BigIntegerField()
    after_s = models.BigIntegerField()
    reason = models.CharField(_("reason"), max_length=300)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CHANGE)
    batch = models.ForeignKey(
        "quota.Batch", on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    grant = models.ForeignKey(
        "quota.Grant", on_delete=models.PROTECT, null=True, blank=True, related_name="allocations"
    )
    loan = models.ForeignKey("quota.Loan", on_delete=models.PROTECT, null=True, blank=True, related_name="allocations")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(after_s=F("before_s") + F("delta_s")), name="allocation_adds_up"),
            models.CheckConstraint(
                condition=Q(kind="CHANGE", grant__isnull=True, loan__isnull=True)
                | Q(kind__in=["GRANT", "EXPIRY"], grant__isnull=False, loan__isnull=True)
                | Q(kind__in=["LOAN", "LOAN_BACK"], grant__isnull=True, loan__isnull=False),
                name="allocation_kind_says_whence",
            ),
        )
        triggers = (pgtrigger.Protect(name="allocation_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.account}: {self.before_s} to {self.after_s}"


class UsageDay(models.Model):
    """A learner account's use on one day of its campus. Written with the ledger, rebuilt from it every night."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="usage_days")
    path = ArrayField(models.BigIntegerField())
    day = models.DateField()
    charged_s = models.BigIntegerField(default=0)
    refunded_s = models.BigIntegerField(default=0)
    jobs = models.PositiveIntegerField(default=0, help_text=_("Jobs that were charged that day."))

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "day"), name="usage_day_once"),)
        indexes = (
            GinIndex(fields=("path",), name="usage_day_path"),
            models.Index(fields=("day",), name="usage_day_day"),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.day}"


from .models_changes import Batch as Batch  # noqa: E402  (they point to what stands above)
from .models_changes import Lending as Lending  # noqa: E402
from .models_changes import Loan as Loan  # noqa: E402
from .models_changes import Rate as Rate  # noqa: E402
from .models_changes import SettingChange as SettingChange  # noqa: E402
from .models_grants import Grant as Grant  # noqa: E402
from .models_grants import GrantDraw as GrantDraw  # noqa: E402
from .models_grants import Sponsor as Sponsor  # noqa: E402
from .models_requests import QuotaRequest as QuotaRequest  # noqa: E402  (it points to what stands above)
