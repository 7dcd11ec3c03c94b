"""Thresholds of a run, what staff noted about a signal, what they wrote to learners. Nothing here rates a person."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.catalog.models import CourseRun, Enrolment

from .domain.signals import Kind, Thresholds

_USUAL = Thresholds()
_BY = {"on_delete": models.SET_NULL, "null": True, "related_name": "+"}


class SupportSettings(models.Model):
    """From which figures on a run's signals are shown; where there is no row, those of the house."""

    run = models.OneToOneField(CourseRun, on_delete=models.CASCADE, primary_key=True, related_name="+")
    absences = models.PositiveSmallIntegerField(_("absences, lates folded in"), default=_USUAL.absences)
    lessons_pct = models.PositiveSmallIntegerField(
        _("behind the middle of the cohort, % of lessons"), default=_USUAL.lessons_pct
    )
    missing = models.PositiveSmallIntegerField(_("assignments not handed in"), default=_USUAL.missing)
    late = models.PositiveSmallIntegerField(_("assignments handed in late"), default=_USUAL.late)
    idle_days = models.PositiveSmallIntegerField(_("days without a GPU job"), default=_USUAL.idle_days)
    falling_pct = models.PositiveSmallIntegerField(
        _("last two grades lower, percentage points"), default=_USUAL.falling_pct
    )

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(lessons_pct__lte=100, falling_pct__lte=100), name="support_percentages"),
        )

    def __str__(self) -> str:
        return str(self.run)


class SupportNote(models.Model):
    """That somebody looked at a signal. It hides the signal until its level is above the one noted."""

    class Act(models.TextChoices):
        TALKED = "TALKED", pgettext_lazy("support", "Talked to")
        DISMISSED = "DISMISSED", pgettext_lazy("support", "No help needed")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10)
    level = models.IntegerField()
    act = models.CharField(max_length=9, choices=Act)
    text = models.CharField(pgettext_lazy("support", "note"), max_length=500, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)  # type: ignore[arg-type]
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="support_note_kind"),
            models.CheckConstraint(condition=Q(act__in=["TALKED", "DISMISSED"]), name="support_note_act"),
        )
        indexes = (models.Index(fields=("enrolment", "kind", "-id"), name="support_note_newest"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id} {self.kind}"


class SupportMessage(models.Model):
    """What staff wrote to a learner; the learner and the staff of the cohort may read it."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)  # type: ignore[arg-type]
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"), max_length=5_000)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("enrolment", "-id"), name="support_message_newest"),)

    def __str__(self) -> str:
        return self.title
