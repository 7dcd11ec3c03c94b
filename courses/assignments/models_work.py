"""Assignments of a run: what is asked, until when, how it is tested, and what learners handed in."""

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from courses.catalog.models import Cohort, Enrolment
from courses.content.models import Module
from labs.environments.models import Environment
from labs.jobs.models import Job, SourceBundle

from .models_groups import Group, GroupSet

_PCT = (MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100)))


class Assignment(models.Model):
    """Work that is handed in and graded. `rubric` is what `domain.rubrics` reads; empty: points are given by hand.

    A LAB assignment is done by running its lab; a lab without an assignment is practice. Times shift only through
    `domain.deadlines`.
    """

    class Kind(models.TextChoices):
        FILE = "FILE", _("Files")
        TEXT = "TEXT", _("Text")
        NOTEBOOK = "NOTEBOOK", _("Notebook")
        LAB = "LAB", _("Lab")

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="assignments")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.FILE)
    lab = models.OneToOneField(
        "assignments.Lab",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignment",
        verbose_name=_("lab"),
    )
    title = models.CharField(_("title"), max_length=120)
    brief = models.TextField(_("brief"), blank=True, max_length=100_000)
    points = models.DecimalField(
        _("points"), max_digits=8, decimal_places=2, default=100, validators=[MinValueValidator(Decimal("0.01"))]
    )
    rubric = models.JSONField(_("rubric"), default=list, blank=True)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True, help_text=_("Empty: late work stays welcome."))
    attempts_allowed = models.PositiveSmallIntegerField(
        _("attempts"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as many as wished."),
    )
    late_grace_s = models.PositiveIntegerField(_("grace after the deadline"), default=0)
    late_interval_s = models.PositiveIntegerField(
        _("a deduction for each begun"), default=86400, validators=[MinValueValidator(60)]
    )
    late_deduct_pct = models.DecimalField(
        _("deduction in percent of the points"), max_digits=5, decimal_places=2, default=0, validators=_PCT
    )
    late_floor_pct = models.DecimalField(
        _("late work keeps at least, in percent"), max_digits=5, decimal_places=2, default=0, validators=_PCT
    )
    allows_late_days = models.BooleanField(_("late days may be used"), default=True)
    group_set = models.ForeignKey(
        GroupSet, on_delete=models.PROTECT, null=True, blank=True, related_name="assignments",
        verbose_name=_("handed in by groups of"), help_text=_("Empty: everybody hands in alone."),
    )  # fmt: skip
    is_anonymous = models.BooleanField(_("graded without names"), default=False)
    is_published = models.BooleanField(_("published"), default=True)
    # How often the course's own times changed, and when last: what calendar programs compare.
    deadline_sequence = models.PositiveIntegerField(default=0)
    deadline_changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("module_id", "position", "id")
        constraints = (
            models.UniqueConstraint(fields=("module", "position"), name="assignment_position_once"),
            models.CheckConstraint(condition=Q(points__gt=0), name="assignment_points"),
            models.CheckConstraint(
                condition=Q(kind="LAB", lab__isnull=False) | Q(kind__in=["FILE", "TEXT", "NOTEBOOK"], lab=None),
                name="assignment_lab_iff_kind",
            ),
            models.CheckConstraint(
                condition=Q(due_at=None) | Q(opens_at=None) | Q(due_at__gt=F("opens_at")),
                name="assignment_due_after_open",
            ),
            models.CheckConstraint(
                condition=Q(closes_at=None) | Q(due_at__isnull=False, closes_at__gte=F("due_at")),
                name="assignment_closes_after_due",
            ),
            models.CheckConstraint(
                condition=Q(attempts_allowed=None) | Q(attempts_allowed__gte=1), name="assignment_attempts"
            ),
            models.CheckConstraint(
                condition=Q(
                    late_deduct_pct__gte=0,
                    late_deduct_pct__lte=100,
                    late_floor_pct__gte=0,
                    late_floor_pct__lte=100,
                    late_interval_s__gte=60,
                ),
                name="assignment_late_policy",
            ),
        )

    def __str__(self) -> str:
        return self.title


class LateDayBank(models.Model):
    """How many days each learner of a run may take in all, without a deduction.

    Learners take them one by one, or (`is_automatic`) late work takes as many as it needs when it is handed in.
    """

    run = models.OneToOneField("catalog.CourseRun", on_delete=models.CASCADE, related_name="late_day_bank")
    days = models.PositiveSmallIntegerField(_("late days for each learner"), default=0)
    is_automatic = models.BooleanField(_("late work takes them by itself"), default=False)

    def __str__(self) -> str:
        return f"{self.run}: {self.days}"


class DeadlineChange(models.Model):
    """A deadline that differs for a cohort or a learner, by whom and why. Revoked, never deleted.

    COHORT sets `due_at` (and `closes_at`); EXTENSION and OUTAGE never shorten; ACCOMMODATION gives `factor_pct` percent
    of the time, for one assignment or (without one) for all of the run; LATE_DAY adds a day from the learner's bank.
    """

    class Kind(models.TextChoices):
        COHORT = "COHORT", _("Cohort's own deadline")
        EXTENSION = "EXTENSION", _("Extension")
        OUTAGE = "OUTAGE", _("Extension after an outage")
        ACCOMMODATION = "ACCOMMODATION", _("Accommodation")
        LATE_DAY = "LATE_DAY", _("Late day")

    kind = models.CharField(max_length=14, choices=Kind)
    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, null=True, blank=True, related_name="deadline_changes"
    )
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, null=True, blank=True, related_name="deadline_changes"
    )
    due_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    factor_pct = models.PositiveSmallIntegerField(null=True, blank=True)
    # What an OUTAGE was: hours, from_at and until_at (ISO), so that each reader has it in their own words.
    facts = models.JSONField(default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="COHORT", cohort__isnull=False, enrolment=None)
                & Q(assignment__isnull=False, due_at__isnull=False)
                | Q(kind__in=["EXTENSION", "OUTAGE"], cohort=None, enrolment__isnull=False)
                & Q(assignment__isnull=False, due_at__isnull=False)
                | Q(kind="ACCOMMODATION", cohort=None, enrolment__isnull=False, factor_pct__gt=100)
                | Q(kind="LATE_DAY", cohort=None, enrolment__isnull=False, assignment__isnull=False),
                name="deadline_change_fits_its_kind",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="deadline_change_says_why"),
            models.CheckConstraint(
                condition=Q(kind="LATE_DAY") | Q(approver__isnull=False), name="deadline_change_says_who"
            ),
            models.UniqueConstraint(
                fields=("assignment", "cohort"),
                condition=Q(kind="COHORT", revoked_at=None),
                name="deadline_one_a_cohort",
            ),
        )
        indexes = (models.Index(fields=("enrolment", "assignment"), name="deadline_change_enrolment"),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


class TestSuite(models.Model):
    """A version of an assignment's tests, with the environment and the seed that they are run with. Append-only.

    `cases` lists what the sources hold ([name, title, weight, is_visible]), so that a test that does not report fails.
    """

    __test__ = False  # pytest collects what is called Test…

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="suites")
    version = models.PositiveSmallIntegerField()
    visible = models.TextField(_("visible tests"), blank=True, max_length=100_000)
    hidden = models.TextField(_("hidden tests"), blank=True, max_length=100_000)
    cases = models.JSONField(default=list)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, related_name="+")
    seed = models.PositiveIntegerField(_("seed"), default=0)
    wall_s = models.PositiveIntegerField(_("time limit"), default=300)
    gpus = models.PositiveSmallIntegerField(_("GPUs"), default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("assignment_id", "-version")
        constraints = (
            models.UniqueConstraint(fields=("assignment", "version"), name="test_suite_version_once"),
            models.CheckConstraint(condition=Q(gpus__gte=1, wall_s__gte=1), name="test_suite_asks_for_something"),
        )
        triggers = (pgtrigger.Protect(name="test_suite_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return f"{self.assignment} · {self.version}"


class Submission(models.Model):
    """A version of somebody's work, as it was handed in. Append-only; `digest` is its files' SHA-256.

    `enrolment` handed it in; it is the work of all its `owners`, who are the members of `group` at that moment.
    `due_at` is the deadline that counted at that moment, and `late_s` how many seconds after it this came.
    """

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="submissions")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="submissions")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions")
    number = models.PositiveSmallIntegerField()
    source = models.ForeignKey(SourceBundle, on_delete=models.PROTECT, related_name="submissions")
    digest = models.CharField(max_length=64)
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions", help_text=_("A lab's run.")
    )
    due_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("assignment_id", "enrolment_id", "-number")
        constraints = (
            models.UniqueConstraint(
                fields=("assignment", "enrolment", "number"), condition=Q(group=None), name="submission_number_once"
            ),
            models.UniqueConstraint(
                fields=("assignment", "group", "number"),
                condition=Q(group__isnull=False),
                name="submission_number_once_a_group",
            ),
        )
        indexes = (models.Index(fields=("enrolment", "assignment"), name="submission_enrolment"),)
        triggers = (
            pgtrigger.Protect(name="submission_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="submission_is_its_learners",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="INSERT INTO assignments_submissionmember (submission_id, enrolment_id) "
                "VALUES (NEW.id, NEW.enrolment_id) ON CONFLICT DO NOTHING; RETURN NEW;",
            ),
        )

    def __str__(self) -> str:
        return f"{self.assignment} · {self.enrolment} · {self.number}"


class AttemptReturn(models.Model):
    """A submission that does not count as an attempt: the platform failed it, or staff gave it back."""

    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="returned")
    reason = models.CharField(max_length=300)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.submission}: {self.reason}"
