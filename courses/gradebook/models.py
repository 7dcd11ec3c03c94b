"""How a run is graded, its categories and items, cells, published finals, and questions about them."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from courses.assignments.models import Assignment
from courses.catalog.models import CourseRun, Enrolment


class Gradebook(models.Model):
    """How a run is graded as a whole. `bands` are [name, least percent] pairs, best first; none: percent alone."""

    run = models.OneToOneField(CourseRun, on_delete=models.CASCADE, related_name="gradebook")
    bands = models.JSONField(default=list, blank=True)
    decimals = models.PositiveSmallIntegerField(_("decimal places"), default=2)
    missing_is_zero = models.BooleanField(_("what is missing counts as zero"), default=True)
    cap = models.DecimalField(_("most percent"), max_digits=6, decimal_places=2, null=True, blank=True, default=100)
    finals_published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(decimals__lte=4), name="gradebook_decimals"),
            models.CheckConstraint(condition=Q(cap=None) | Q(cap__gt=0), name="gradebook_cap"),
        )

    def __str__(self) -> str:
        return str(self.run)


class GradeCategory(models.Model):
    """A part of the grade. Weights need not sum to 100: they are shares of what counts."""

    class Weighting(models.TextChoices):
        POINTS = "POINTS", _("Items count by their points")
        EQUAL = "EQUAL", _("All items count alike")

    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, related_name="grade_categories")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("name"), max_length=80)
    weight = models.DecimalField(_("weight in percent"), max_digits=6, decimal_places=2)
    drop_lowest = models.PositiveSmallIntegerField(_("how many of the worst are left out"), default=0)
    weighting = models.CharField(_("weighting"), max_length=10, choices=Weighting, default=Weighting.POINTS)

    class Meta:
        ordering = ("run_id", "position", "id")
        verbose_name_plural = "grade categories"
        constraints = (
            models.UniqueConstraint(fields=("run", "name"), name="grade_category_name_once"),
            models.CheckConstraint(condition=Q(weight__gte=0), name="grade_category_weight"),
            models.CheckConstraint(condition=Q(weighting__in=["POINTS", "EQUAL"]), name="grade_category_weighting"),
        )

    def __str__(self) -> str:
        return self.name


class GradeItem(models.Model):
    """A column. An assignment's marks come from its grading, attendance's from its verdicts; a cell overrides them."""

    class Kind(models.TextChoices):
        MANUAL = "MANUAL", _("Entered by hand")
        ASSIGNMENT = "ASSIGNMENT", _("Assignment")
        ATTENDANCE = "ATTENDANCE", _("Attendance")

    category = models.ForeignKey(GradeCategory, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MANUAL)
    title = models.CharField(_("title"), max_length=120)
    out_of = models.DecimalField(_("points"), max_digits=8, decimal_places=2)
    is_bonus = models.BooleanField(_("bonus: adds points and asks for none"), default=False)
    is_published = models.BooleanField(_("learners see it"), default=False)
    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, null=True, blank=True, related_name="grade_item"
    )

    class Meta:
        ordering = ("category__position", "category_id", "position", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=["MANUAL", "ASSIGNMENT", "ATTENDANCE"]), name="grade_item_kind"
            ),
            models.CheckConstraint(condition=Q(out_of__gt=0), name="grade_item_has_points"),
            models.CheckConstraint(
                condition=Q(kind="ASSIGNMENT", assignment__isnull=False) | ~Q(kind="ASSIGNMENT") & Q(assignment=None),
                name="grade_item_assignment",
            ),
        )

    def __str__(self) -> str:
        return self.title


class Cell(models.Model):
    """What staff entered for a learner and an item. PENDING: nothing (any more); then the item's own source speaks."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("Nothing entered")
        GRADED = "GRADED", _("Graded")
        MISSING = "MISSING", _("Missing")
        EXCUSED = "EXCUSED", _("Excused")

    item = models.ForeignKey(GradeItem, on_delete=models.PROTECT, related_name="cells")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="grade_cells")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    points = models.DecimalField(max_digits=9, decimal_places=3, null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=0)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("item", "enrolment"), name="grade_cell_once"),
            models.CheckConstraint(
                condition=Q(state="GRADED", points__isnull=False)
                | Q(state__in=["PENDING", "MISSING", "EXCUSED"], points=None),
                name="grade_cell_points_when_graded",
            ),
            models.CheckConstraint(condition=Q(points=None) | Q(points__gte=0), name="grade_cell_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.item}"


class Entry(models.Model):
    """One act on many cells: typing, a paste, an import, an undo. What it changed are its `CellChange` rows."""

    class Kind(models.TextChoices):
        TYPED = "TYPED", _("Entered in the grid")
        IMPORTED = "IMPORTED", _("Imported")
        UNDONE = "UNDONE", _("Undone")

    run = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="grade_entries")
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.CharField(max_length=300, blank=True)
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class CellChange(models.Model):
    """A cell's history, append-only. `before` and `after` as people type them."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="changes")
    cell = models.ForeignKey(Cell, on_delete=models.PROTECT, related_name="changes")
    version = models.PositiveIntegerField()
    before = models.CharField(max_length=16, blank=True)
    after = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("cell", "version"), name="grade_change_once_a_version"),)
        triggers = (
            pgtrigger.Protect(name="grade_changes_are_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.cell_id} v{self.version}"


class FinalOverride(models.Model):
    """A final percentage set by hand, with its reason. The computed one stays visible beside it."""

    enrolment = models.OneToOneField(Enrolment, on_delete=models.PROTECT, related_name="final_override")
    percent = models.DecimalField(_("percent"), max_digits=6, decimal_places=2)
    reason = models.CharField(_("reason"), max_length=300)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(percent__gte=0), name="final_override_not_negative"),
            models.CheckConstraint(condition=~Q(reason=""), name="final_override_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.percent}"


class PublishedGrade(models.Model):
    """A final grade as it was published. A later one replaces it and leaves it in the history."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="published_grades")
    percent = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    band = models.CharField(max_length=20, blank=True)
    computed = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    is_current = models.BooleanField(default=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("enrolment",), condition=Q(is_current=True), name="published_grade_one_is_current"
            ),
        )
        triggers = (
            pgtrigger.Protect(name="published_grades_stay", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="published_grades_are_read_only", exclude=["is_current"]),
        )

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.percent}"


class RegradeRequest(models.Model):
    """A learner's question about a mark, and staff's answer."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("Waiting for an answer")
        CHANGED = "CHANGED", _("Answered: the mark changed")
        KEPT = "KEPT", _("Answered: the mark stays")

    item = models.ForeignKey(GradeItem, on_delete=models.PROTECT, related_name="regrade_requests")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="regrade_requests")
    text = models.TextField(_("What should be looked at again, and why?"), max_length=2000)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    answer = models.TextField(_("answer"), max_length=2000, blank=True)
    asked_at = models.DateTimeField(db_default=Now())
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("item", "enrolment"), condition=Q(state="OPEN"), name="regrade_one_open_request"
            ),
            models.CheckConstraint(condition=Q(state__in=["OPEN", "CHANGED", "KEPT"]), name="regrade_state"),
            models.CheckConstraint(
                condition=Q(state="OPEN", answered_at=None) | ~Q(state="OPEN") & Q(answered_at__isnull=False),
                name="regrade_answered_when_closed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.enrolment}: {self.item}"
