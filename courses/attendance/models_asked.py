"""What learners ask of staff, excuses with documents and contests, and flags, which staff judge."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

from .models import Evidence, Mark

_BY: dict[str, Any] = {"on_delete": models.SET_NULL, "null": True, "blank": True, "related_name": "+"}


class Asked(models.Model):
    """Something that a learner asks and staff answer once."""

    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="%(class)ss")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="attendance_%(class)ss")
    text = models.TextField(_("what happened"), max_length=2000)
    asked_at = models.DateTimeField(db_default=Now())
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Excuse(Asked):
    """A request to be excused from a class, with documents."""

    class State(models.TextChoices):
        ASKED = "ASKED", pgettext_lazy("attendance", "Waiting")
        GRANTED = "GRANTED", pgettext_lazy("attendance", "Granted")
        REFUSED = "REFUSED", pgettext_lazy("attendance", "Refused")
        WITHDRAWN = "WITHDRAWN", pgettext_lazy("attendance", "Withdrawn")

    class Reason(models.TextChoices):
        ILLNESS = "ILLNESS", _("Illness")
        FAMILY = "FAMILY", _("Family event")
        OFFICIAL = "OFFICIAL", _("Official duty, reserve forces")
        WORK = "WORK", _("Interview or work")
        OTHER = "OTHER", _("Something else")

    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["ASKED", "GRANTED", "REFUSED", "WITHDRAWN"]), name="excuse_state"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=["ILLNESS", "FAMILY", "OFFICIAL", "WORK", "OTHER"]), name="excuse_reason"
            ),
            models.UniqueConstraint(
                fields=("session", "enrolment"),
                condition=Q(state__in=["ASKED", "GRANTED"]),
                name="excuse_one_that_counts",
            ),
        )
        indexes = (models.Index(fields=("session",), condition=Q(state="ASKED"), name="excuse_waiting"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.session_id}"


class ExcuseDocument(models.Model):
    """A document of an excuse, readable for who asked and who decides."""

    excuse = models.ForeignKey(Excuse, on_delete=models.PROTECT, related_name="documents")
    name = models.CharField(max_length=160)
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    file = models.FileField(upload_to="excuses/%Y/%m/")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("excuse", "digest"), name="excuse_document_once"),)

    def __str__(self) -> str:
        return self.name


class Contest(Asked):
    """A learner disputes a mark. Staff keep it, or put another in its place with a reason."""

    class State(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("attendance", "Waiting")
        CHANGED = "CHANGED", pgettext_lazy("attendance", "Mark changed")
        KEPT = "KEPT", pgettext_lazy("attendance", "Mark kept")

    mark = models.CharField(max_length=10, choices=Mark)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(state__in=["OPEN", "CHANGED", "KEPT"]), name="contest_state"),
            models.UniqueConstraint(
                fields=("session", "enrolment"), condition=Q(state="OPEN"), name="contest_one_open"
            ),
        )
        indexes = (models.Index(fields=("session",), condition=Q(state="OPEN"), name="contest_waiting"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.session_id}"


class Flag(models.Model):
    """Something remarkable about a check-in, for a person to judge. By itself it changes nothing."""

    class Kind(models.TextChoices):
        SHARED_DEVICE = "SHARED_DEVICE", _("One device for two people")
        FAR_NETWORK = "FAR_NETWORK", _("Another network than the room's")
        RELAYED = "RELAYED", _("Code passed on")

    class State(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("attendance", "To judge")
        DISMISSED = "DISMISSED", pgettext_lazy("attendance", "Harmless")
        UPHELD = "UPHELD", pgettext_lazy("attendance", "Check-in does not count")

    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="flags")
    other = models.ForeignKey(Evidence, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=14, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    raised_at = models.DateTimeField(db_default=Now())
    note = models.CharField(_("reason"), max_length=300, blank=True)
    judged_by = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("evidence", "kind"), name="flag_once_a_check_in"),
            models.CheckConstraint(condition=Q(kind__in=["SHARED_DEVICE", "FAR_NETWORK", "RELAYED"]), name="flag_kind"),
            models.CheckConstraint(condition=Q(state__in=["OPEN", "DISMISSED", "UPHELD"]), name="flag_state"),
            models.CheckConstraint(condition=Q(state="OPEN") | ~Q(note=""), name="flag_judged_with_a_reason"),
        )
        indexes = (models.Index(fields=("evidence",), condition=Q(state="OPEN"), name="flag_open"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.evidence_id}"
