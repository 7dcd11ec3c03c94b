"""Requests for more GPU time: who asks for which account, who answered how, and what was asked further up for it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class QuotaRequest(models.Model):
    """A person asks that an account be given more of its parent's. All amounts in GPU-seconds.

    `raised_for` is the request below that this one was made for, where its approver had too little to give.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("request state", "Open")
        PASSED_UP = "PASSED_UP", pgettext_lazy("request state", "Passed up")
        APPROVED = "APPROVED", pgettext_lazy("request state", "Approved")
        DECLINED = "DECLINED", pgettext_lazy("request state", "Declined")
        WITHDRAWN = "WITHDRAWN", pgettext_lazy("request state", "Withdrawn")

    WAITING = (State.OPEN, State.PASSED_UP)

    account = models.ForeignKey("quota.Account", on_delete=models.PROTECT, related_name="requests")
    asker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="quota_requests")
    wanted_s = models.BigIntegerField()
    until = models.DateField(_("needed until"))
    reason = models.CharField(_("reason"), max_length=500)
    raised_for = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="raised")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    asked_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    given_s = models.BigIntegerField(null=True, blank=True)
    given_until = models.DateField(
        null=True, blank=True, help_text=_("The last day of what was given; empty: for good.")
    )
    answer = models.CharField(_("answer"), max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "PASSED_UP", "APPROVED", "DECLINED", "WITHDRAWN"]), name="request_state"
            ),
            models.CheckConstraint(condition=Q(wanted_s__gt=0), name="request_of_something"),
            models.CheckConstraint(
                condition=Q(state="APPROVED", given_s__gt=0, given_s__lte=F("wanted_s"))
                | ~Q(state="APPROVED") & Q(given_s__isnull=True),
                name="request_given_iff_approved",
            ),
            models.CheckConstraint(
                condition=Q(given_until__isnull=True) | Q(state="APPROVED"), name="request_given_until_iff_approved"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "PASSED_UP"], decided_at__isnull=True)
                | ~Q(state__in=["OPEN", "PASSED_UP"]) & Q(decided_at__isnull=False),
                name="request_decided_iff_over",
            ),
            models.UniqueConstraint(
                fields=("account", "asker"),
                condition=Q(state__in=["OPEN", "PASSED_UP"], raised_for__isnull=True),
                name="request_one_waiting",
            ),
            models.UniqueConstraint(
                fields=("raised_for",), condition=Q(state__in=["OPEN", "PASSED_UP"]), name="request_raised_once"
            ),
        )
        indexes = (
            models.Index(fields=("account", "-id"), name="request_account_newest"),
            models.Index(fields=("asker", "-id"), name="request_asker_newest"),
            models.Index(fields=("id",), condition=Q(state="OPEN"), name="request_open"),
        )

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def is_waiting(self) -> bool:
        return self.state in self.WAITING
