"""Modules and lessons of a course run, and which lessons a learner has finished."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from courses.catalog.models import CourseRun, Enrolment


class Module(models.Model):
    """A week or a theme of a run."""

    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, related_name="modules")
    position = models.PositiveSmallIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=120)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    needs: models.ManyToManyField = models.ManyToManyField(
        "self", through="ModuleNeed", through_fields=("module", "needs"), symmetrical=False, related_name="needed_by"
    )
    is_published = models.BooleanField(_("published"), default=True)

    class Meta:
        ordering = ("run_id", "position")
        constraints = (models.UniqueConstraint(fields=("run", "position"), name="module_position_once"),)

    def __str__(self) -> str:
        return self.title


class ModuleNeed(models.Model):
    """`module` opens once `needs`, of the same run, is finished. That no ring arises is held by the run's lock."""

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="need_rows")
    needs = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="needed_rows")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("module", "needs"), name="module_need_once"),
            models.CheckConstraint(condition=~models.Q(module=models.F("needs")), name="module_needs_another"),
        )

    def __str__(self) -> str:
        return f"{self.module_id} < {self.needs_id}"


class Lesson(models.Model):
    """A page in Markdown, with maths between dollars and code in fences.

    Title and text are what learners read: version `shown_version`. `version` counts what was ever saved; where it is
    ahead, a draft waits.
    """

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="lessons")
    position = models.PositiveSmallIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"), blank=True, max_length=200_000)
    minutes = models.PositiveSmallIntegerField(_("minutes to read"), default=10)
    is_published = models.BooleanField(_("published"), default=True)
    changed_at = models.DateTimeField(db_default=Now())
    version = models.PositiveIntegerField(default=1, editable=False)
    shown_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("module_id", "position")
        constraints = (
            models.UniqueConstraint(fields=("module", "position"), name="lesson_position_once"),
            models.CheckConstraint(
                condition=models.Q(shown_version__lte=models.F("version")), name="lesson_shows_what_was_saved"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def has_draft(self) -> bool:
        return self.version > self.shown_version


class LessonVersion(models.Model):
    """A lesson as somebody saved it; never changed. `restored_from` is the version whose text was taken again."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    body = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    restored_from = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ("lesson_id", "-number")
        constraints = (models.UniqueConstraint(fields=("lesson", "number"), name="lesson_version_once"),)
        triggers = (pgtrigger.Protect(name="lesson_version_is_never_changed", operation=pgtrigger.Update),)

    def __str__(self) -> str:
        return f"{self.title} · {self.number}"


class LessonFile(models.Model):
    """A picture or file that a lesson's text names as `files/NAME`. A name is never taken again for other bytes."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    file = models.FileField(upload_to="lessons/%Y/%m/", max_length=300)
    size_bytes = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    media_type = models.CharField(max_length=40, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("lesson_id", "name")
        constraints = (models.UniqueConstraint(fields=("lesson", "name"), name="lesson_file_name_once"),)

    def __str__(self) -> str:
        return self.name


class LessonCompletion(models.Model):
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="lesson_completions")
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="completions")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("enrolment", "lesson"), name="lesson_completion_once"),)

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.lesson}"
