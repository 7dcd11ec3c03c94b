"""Videos, files and notebooks of a module: their versions, captions, and what learners watched and opened."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.catalog.models import CourseRun, Enrolment
from courses.content.models import Module

DEFAULT_FINISH_PCT = 90
_BY: dict[str, Any] = {"on_delete": models.SET_NULL, "null": True, "blank": True, "related_name": "+"}
_PCT = (MinValueValidator(1), MaxValueValidator(100))


class WatchRule(models.Model):
    """How much of a video a learner of this run must have watched; a run without a row asks for DEFAULT_FINISH_PCT."""

    run = models.OneToOneField(CourseRun, on_delete=models.CASCADE, related_name="watch_rule")
    finish_pct = models.PositiveSmallIntegerField(
        _("a video is finished at, in percent"), default=DEFAULT_FINISH_PCT, validators=_PCT
    )

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(finish_pct__range=(1, 100)), name="watch_rule_pct"),)

    def __str__(self) -> str:
        return f"{self.run}: {self.finish_pct} %"


class Material(models.Model):
    """Something to watch, open or read in a module. What it holds lies in its versions; the newest is shown.

    `changed_at` follows its versions and captions too, so that who keeps what can be found of it hears of them.
    """

    class Kind(models.TextChoices):
        VIDEO = "VIDEO", pgettext_lazy("material", "Video")
        FILE = "FILE", pgettext_lazy("material", "File")
        NOTEBOOK = "NOTEBOOK", pgettext_lazy("material", "Notebook")

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="materials")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(
        _("description"), blank=True, max_length=20_000, help_text=_("Markdown, shown below it.")
    )
    minutes = models.PositiveSmallIntegerField(_("minutes it takes"), default=10)
    finish_pct = models.PositiveSmallIntegerField(
        _("finished at, in percent"),
        null=True,
        blank=True,
        validators=_PCT,
        help_text=_("Empty: as the course has it."),
    )
    is_published = models.BooleanField(_("published"), default=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("module_id", "position", "id")
        constraints = (
            models.UniqueConstraint(fields=("module", "position"), name="material_position_once"),
            models.CheckConstraint(condition=Q(kind__in=["VIDEO", "FILE", "NOTEBOOK"]), name="material_kind"),
            models.CheckConstraint(
                condition=Q(finish_pct=None) | Q(finish_pct__range=(1, 100), kind="VIDEO"), name="material_finish_pct"
            ),
        )

    def __str__(self) -> str:
        return self.title


class MaterialVersion(models.Model):
    """What a material held from `at` on. Never changed. A stored file, or a video elsewhere by its HLS address.

    `text` is what can be searched of a file or notebook; a video's lies in its captions.
    """

    material = models.ForeignKey(Material, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    file = models.FileField(max_length=200, blank=True)
    hls_url = models.URLField(_("HLS address"), max_length=500, blank=True)
    name = models.CharField(max_length=130, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("material_id", "-number")
        constraints = (
            models.UniqueConstraint(fields=("material", "number"), name="material_version_once"),
            models.CheckConstraint(
                condition=Q(file="", sha256="", hls_url__startswith="https://")
                | ~Q(file="") & ~Q(sha256="") & Q(hls_url=""),
                name="material_version_file_or_address",
            ),
            models.CheckConstraint(
                condition=Q(duration_ms=None) | Q(duration_ms__gt=0), name="material_version_duration"
            ),
        )
        triggers = (pgtrigger.ReadOnly(name="material_version_is_read_only", exclude=["uploader"]),)

    def __str__(self) -> str:
        return f"{self.material} v{self.number}"

    @property
    def duration_s(self) -> float:
        return (self.duration_ms or 0) / 1000


class CaptionTrack(models.Model):
    """A video's words in one language, as [[start_ms, end_ms, text], …]. A correction replaces it."""

    class Language(models.TextChoices):
        KO = "ko", "한국어"
        EN = "en", "English"

    version = models.ForeignKey(MaterialVersion, on_delete=models.CASCADE, related_name="captions")
    language = models.CharField(max_length=2, choices=Language)
    cues = models.JSONField()
    transcript = models.TextField()
    uploader = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-language",)
        constraints = (
            models.UniqueConstraint(fields=("version", "language"), name="caption_once_a_language"),
            models.CheckConstraint(condition=Q(language__in=["ko", "en"]), name="caption_language"),
        )

    def __str__(self) -> str:
        return f"{self.version} {self.language}"


class Chapter(models.Model):
    """A part of a video that begins at `at_ms`."""

    version = models.ForeignKey(MaterialVersion, on_delete=models.CASCADE, related_name="chapters")
    at_ms = models.PositiveIntegerField()
    title = models.CharField(max_length=120)

    class Meta:
        ordering = ("version_id", "at_ms")
        constraints = (models.UniqueConstraint(fields=("version", "at_ms"), name="chapter_once_a_time"),)

    def __str__(self) -> str:
        return self.title


class WatchCredit(models.Model):
    """What counts of what one learner watched of one version: the sum of its evidence, as `domain.intervals` folds it.

    `pieces` is [[start_ms, end_ms], …] in order. `revision` grows with every report: two tabs that fold the same state
    cannot both write it.
    """

    version = models.ForeignKey(MaterialVersion, on_delete=models.PROTECT, related_name="credits")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="watch_credits")
    pieces = models.JSONField(default=list)
    seconds = models.PositiveIntegerField(default=0)
    percent = models.PositiveSmallIntegerField(default=0)
    position_ms = models.PositiveIntegerField(default=0)
    slack_ms = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("version", "enrolment"), name="watch_credit_once"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="watch_credit_percent"),
        )
        indexes = (models.Index(fields=("enrolment",), name="watch_credit_enrolment"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.version_id} {self.percent} %"


class WatchEvidence(models.Model):
    """A report of a player: what it claims was played, and what of it counted. Append-only.

    `tab` and `number` name the report, so that one that is sent again counts once.
    """

    version = models.ForeignKey(MaterialVersion, on_delete=models.PROTECT, related_name="watched")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="watched")
    tab = models.UUIDField()
    number = models.PositiveIntegerField()
    claimed = models.JSONField(default=list)
    counted = models.JSONField(default=list)
    refused_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("version", "enrolment", "tab", "number"), name="watch_report_once"),
        )
        triggers = (
            pgtrigger.Protect(name="watch_evidence_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.version_id} {self.number}"


class Opening(models.Model):
    """A learner opened or downloaded a version, the first time."""

    version = models.ForeignKey(MaterialVersion, on_delete=models.PROTECT, related_name="openings")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="openings")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("version", "enrolment"), name="opening_once"),)
        indexes = (models.Index(fields=("enrolment",), name="opening_enrolment"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.version_id}"
