"""How a person wants to be told, and what leaves by other ways than the page: daily digests, messages to a phone."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

DIGEST_HOUR = 8


class Way(models.TextChoices):
    """How a notice reaches a person. All but OFF show it on the site too."""

    MAIL = "MAIL", _("E-mail at once")
    DIGEST = "DIGEST", _("In the daily e-mail")
    SITE = "SITE", _("On the site only")
    OFF = "OFF", _("Not at all")


class NoticeChoice(models.Model):
    """A person's choice for one topic; where there is none, the topic's own default counts."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_choices")
    topic = models.CharField(max_length=60)
    way = models.CharField(max_length=6, choices=Way)
    to_phone = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "topic"), name="notice_choice_once"),
            models.CheckConstraint(condition=Q(way__in=["MAIL", "DIGEST", "SITE", "OFF"]), name="notice_choice_way"),
        )

    def __str__(self) -> str:
        return f"{self.topic}: {self.way}"


class NoticeSettings(models.Model):
    """When a person's digest comes (the campus's hour), and their phone number (E.164), proven to be theirs."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="notice_settings"
    )
    digest_hour = models.PositiveSmallIntegerField(default=DIGEST_HOUR)
    phone = models.CharField(max_length=16, blank=True)
    phone_verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(digest_hour__lte=23), name="notice_digest_hour"),
            models.CheckConstraint(
                condition=Q(phone="", phone_verified_at=None)
                | Q(phone__regex=r"^\+[1-9][0-9]{7,14}$", phone_verified_at__isnull=False),
                name="notice_phone_is_proven",
            ),
        )

    def __str__(self) -> str:
        return f"{self.digest_hour}:00"


class PhoneCheck(models.Model):
    """A code sent to a number to prove it; the newest of a person counts. Only a digest of the code is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    phone = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(tries__lte=5), name="phone_check_tries"),)
        indexes = (
            models.Index(fields=("user", "-id"), name="phone_check_newest"),
            models.Index(fields=("phone", "sent_at"), name="phone_check_number"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.phone}"


class Digest(models.Model):
    """One person's e-mail of one day. It exists once: whoever sweeps second finds the day taken."""

    class Mail(models.TextChoices):
        DUE = "DUE"
        SENT = "SENT"
        NONE = "NONE"  # all of it had been read, or the account was closed
        FAILED = "FAILED"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    mail = models.CharField(max_length=6, choices=Mail, default=Mail.DUE)
    mail_after = models.DateTimeField()
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "day"), name="digest_once_a_day"),
            models.CheckConstraint(condition=Q(mail__in=["DUE", "SENT", "NONE", "FAILED"]), name="digest_mail"),
        )
        indexes = (models.Index(fields=("mail_after",), condition=Q(mail="DUE"), name="digest_due"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"


class PhoneMessage(models.Model):
    """A notice that goes to a phone as well. `by` says which channel took it, `why` what a provider answered."""

    class State(models.TextChoices):
        DUE = "DUE"
        SENT = "SENT"
        NONE = "NONE"  # read on the site before it left
        FAILED = "FAILED"

    notice = models.OneToOneField("core.Notice", on_delete=models.CASCADE, related_name="phone_message")
    state = models.CharField(max_length=6, choices=State, default=State.DUE)
    send_after = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    by = models.CharField(max_length=10, blank=True)
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(state__in=["DUE", "SENT", "NONE", "FAILED"]), name="phone_state"),
        )
        indexes = (models.Index(fields=("send_after",), condition=Q(state="DUE"), name="phone_due"),)

    def __str__(self) -> str:
        return f"{self.state} {self.by}"
