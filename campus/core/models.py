"""The audit trail, notices, and the bilingual name that campuses, courses and environments share."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class BilingualName(models.Model):
    """A name in Korean and, where it is given, in English."""

    name_ko = models.CharField(_("name in Korean"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language, or in Korean where there is no other."""
        if self.name_en and not (get_language() or "ko").startswith("ko"):
            return self.name_en
        return self.name_ko


class AuditEntry(models.Model):
    """Who did what to whose what, when and from where. Append-only by a trigger.

    `actor` and `subject` stay as text when the account behind them is erased.
    """

    at = models.DateTimeField(db_default=Now(), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    actor_label = models.CharField(max_length=200, blank=True)
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    scope_path = models.JSONField(default=list, help_text=_("Ids of the scopes whose administrators may read this."))
    verb = models.CharField(max_length=60, db_index=True, help_text=_("For example quota.allocated."))
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    object_label = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict, help_text=_("Field to [before, after]."))
    reason = models.TextField(blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("object_type", "object_id"), name="audit_object"),
            models.Index(fields=("subject", "-id"), name="audit_subject"),
        )
        triggers = (
            pgtrigger.Protect(name="audit_is_append_only", operation=pgtrigger.Delete),
            # Erasing a person empties the two references; what was done stays as it was written.
            pgtrigger.ReadOnly(name="audit_is_read_only", exclude=["actor", "subject"]),
        )

    def __str__(self) -> str:
        return f"{self.verb} {self.object_label or self.object_id}"


class Notice(models.Model):
    """Something that one person is told. `kind` and `facts` become words in the reader's language, when it is read.

    `key` makes a notice that is told by a repeated sweep one notice. `mail` says what became of the e-mail, which
    is not sent before `mail_after`.
    """

    class Mail(models.TextChoices):
        NONE = "NONE"
        DUE = "DUE"
        DIGEST = "DIGEST"
        SENT = "SENT"
        FAILED = "FAILED"

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=60)
    facts = models.JSONField(default=dict)
    url = models.CharField(max_length=300)
    # None, not empty, where there is none: the unique constraint counts empty texts as equal.
    key = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=6, choices=Mail, default=Mail.NONE)
    mail_after = models.DateTimeField(null=True, blank=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)
    digest = models.ForeignKey("Digest", on_delete=models.SET_NULL, null=True, blank=True, related_name="notices")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(mail__in=["NONE", "DUE", "DIGEST", "SENT", "FAILED"]), name="notice_mail"
            ),
            models.CheckConstraint(
                condition=~models.Q(mail="DUE") | models.Q(mail_after__isnull=False), name="notice_due_has_a_time"
            ),
            models.UniqueConstraint(fields=("recipient", "key"), name="notice_key_once"),
        )
        indexes = (
            models.Index(fields=("recipient", "-id"), name="notice_newest"),
            models.Index(fields=("recipient",), condition=models.Q(read_at=None), name="notice_unread"),
            models.Index(fields=("mail_after",), condition=models.Q(mail="DUE"), name="notice_mail_due"),
            models.Index(fields=("recipient",), condition=models.Q(mail="DIGEST"), name="notice_for_digest"),
            models.Index(
                fields=("recipient", "kind", "mailed_at"), condition=~models.Q(mailed_at=None), name="notice_mailed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} for {self.recipient_id}"


# They point to what stands above.
from .models_choices import Digest as Digest  # noqa: E402
from .models_choices import NoticeChoice as NoticeChoice  # noqa: E402
from .models_choices import NoticeSettings as NoticeSettings  # noqa: E402
from .models_choices import PhoneCheck as PhoneCheck  # noqa: E402
from .models_choices import PhoneMessage as PhoneMessage  # noqa: E402
from .models_choices import Way as Way  # noqa: E402
