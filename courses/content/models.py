"""Modules and lessons of a course run, and which lessons a learner has finished."""

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
    """A page in Markdown, with maths between dollars and code in fences."""

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="lessons")
    position = models.PositiveSmallIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"), blank=True, max_length=200_000)
    minutes = models.PositiveSmallIntegerField(_("minutes to read"), default=10)
    is_published = models.BooleanField(_("published"), default=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("module_id", "position")
        constraints = (models.UniqueConstraint(fields=("module", "position"), name="lesson_position_once"),)

    def __str__(self) -> str:
        return self.title


class LessonCompletion(models.Model):
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="lesson_completions")
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="completions")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("enrolment", "lesson"), name="lesson_completion_once"),)

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.lesson}"
