"""Grading: runs of tests, regrades of a whole assignment, scores and their history."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from courses.catalog.models import CourseRun, Enrolment
from labs.jobs.models import Job

from .models_work import Assignment, Submission, TestSuite


class RegradeBatch(models.Model):
    """All that counts of an assignment tested anew, of a cohort or of everybody. Nothing changes until published."""

    class State(models.TextChoices):
        RUNNING = "RUNNING", _("Running")
        PUBLISHED = "PUBLISHED", _("Published")
        DISCARDED = "DISCARDED", _("Discarded")

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="regrades")
    cohort = models.ForeignKey(
        "catalog.Cohort", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("cohort")
    )
    suite = models.ForeignKey(TestSuite, on_delete=models.PROTECT, related_name="regrades")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    reason = models.CharField(_("reason"), max_length=300)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["RUNNING", "PUBLISHED", "DISCARDED"]), name="regrade_batch_state"
            ),
            models.UniqueConstraint(
                fields=("assignment",), condition=Q(state="RUNNING"), name="regrade_one_open_an_assignment"
            ),
        )

    def __str__(self) -> str:
        return f"{self.assignment} · {self.pk}"


class GradingRun(models.Model):
    """One run of a suite over one submission, as a job that the cohort's account pays.

    `key` signs the report, so that the tested program cannot write one; `report` is what `domain.reports` folded.
    """

    class State(models.TextChoices):
        WAITING = "WAITING", _("Waits for GPU time")
        QUEUED = "QUEUED", _("Being tested")
        DONE = "DONE", _("Tested")
        PLATFORM = "PLATFORM", _("The platform failed")

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="grading_runs")
    suite = models.ForeignKey(TestSuite, on_delete=models.PROTECT, related_name="runs")
    batch = models.ForeignKey(RegradeBatch, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, null=True, blank=True, related_name="grading_run")
    key = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    why = models.CharField(max_length=300, blank=True)
    report = models.JSONField(default=dict)
    raw = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "QUEUED", "PLATFORM"], raw=None) | Q(state="DONE", raw__isnull=False),
                name="grading_run_scored_iff_done",
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", job=None) | ~Q(state="WAITING") & Q(job__isnull=False),
                name="grading_run_has_a_job_once_queued",
            ),
            models.UniqueConstraint(fields=("submission", "batch"), name="grading_run_once_a_batch"),
        )
        indexes = (models.Index(fields=("id",), condition=Q(state__in=["WAITING", "QUEUED"]), name="grading_run_open"),)

    def __str__(self) -> str:
        return f"{self.submission} · {self.suite}"


class Score(models.Model):
    """What a learner got for an assignment. Changed only by compare-and-swap on `version`.

    `tested` are the points of the tests (of a published or first run), `raw` what the grader gave in all, `adjusted`
    what remains after `late_deduction`. MISSING is not stored: it is what has no score and no submission when due.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("Not published")
        PUBLISHED = "PUBLISHED", _("Published")
        EXCUSED = "EXCUSED", _("Excused")

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="scores")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="scores")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, null=True, blank=True, related_name="scores")
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    tested = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    raw = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    late_deduction = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    adjusted = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    # A member's own share of a group's work: added to what the group got, with the reason.
    adjustment = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    adjustment_reason = models.CharField(max_length=300, blank=True)
    picks = models.JSONField(default=dict)  # points by a criterion's key, and "given" by hand, as texts
    comment = models.TextField(_("comment"), blank=True, max_length=20_000)
    why = models.JSONField(default=list)  # as `domain.scoring` gave it
    grader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("assignment_id", "enrolment_id")
        constraints = (
            models.UniqueConstraint(fields=("assignment", "enrolment"), name="score_once"),
            models.CheckConstraint(condition=Q(state__in=["DRAFT", "PUBLISHED", "EXCUSED"]), name="score_state"),
            models.CheckConstraint(
                condition=Q(raw=None, adjusted=None) | Q(raw__gte=0, adjusted__gte=0), name="score_raw_iff_adjusted"
            ),
            models.CheckConstraint(
                condition=~Q(state="PUBLISHED") | Q(raw__isnull=False), name="score_published_is_set"
            ),
            models.CheckConstraint(
                condition=Q(adjustment=0) | ~Q(adjustment_reason=""), name="score_adjustment_says_why"
            ),
            models.CheckConstraint(condition=~Q(state="EXCUSED") | ~Q(comment=""), name="score_excused_says_why"),
        )
        indexes = (models.Index(fields=("enrolment",), name="score_enrolment"),)

    def __str__(self) -> str:
        return f"{self.assignment} · {self.enrolment}: {self.adjusted}"


class ScoreChange(models.Model):
    """A line of a score's history: what it was set to, by whom. Append-only."""

    score = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="history")
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10)
    raw = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    adjusted = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    picks = models.JSONField(default=dict)
    comment = models.TextField(blank=True)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("score_id", "version")
        constraints = (models.UniqueConstraint(fields=("score", "version"), name="score_change_version_once"),)
        triggers = (
            pgtrigger.Protect(name="score_change_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.score_id} v{self.version}"


class SavedComment(models.Model):
    """A sentence that graders of a run use again."""

    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, related_name="saved_comments")
    text = models.CharField(_("text"), max_length=500)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("run", "text"), name="saved_comment_once"),)

    def __str__(self) -> str:
        return self.text
