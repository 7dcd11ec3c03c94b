"""Programmes, courses, terms, runs, cohorts and enrolments."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campus.core.models import BilingualName
from campus.people.models import Scope
from campus.places.models import Campus
from labs.quota.models import Account


class Programme(BilingualName):
    slug = models.SlugField(max_length=60, unique=True)
    summary_ko = models.TextField(blank=True)
    summary_en = models.TextField(blank=True)

    class Meta:
        ordering = ("slug",)


class ProgrammeAccount(models.Model):
    """A programme's quota account at one campus; opened when the first cohort there needs it."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="campus_accounts")
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, related_name="programme_accounts")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="programme_link")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("programme", "campus"), name="programme_account_once_a_campus"),)

    def __str__(self) -> str:
        return f"{self.programme} · {self.campus}"


class Course(BilingualName):
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="courses")
    code = models.CharField(_("code"), max_length=20, unique=True)
    summary_ko = models.TextField(blank=True)
    summary_en = models.TextField(blank=True)

    class Meta:
        ordering = ("code",)

    @property
    def summary(self) -> str:
        if self.summary_en and not (get_language() or "ko").startswith("ko"):
            return self.summary_en
        return self.summary_ko


class Term(BilingualName):
    slug = models.SlugField(max_length=20, unique=True)
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ("-starts_on",)
        constraints = (models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="term_ends_after_start"),)


class CourseRun(models.Model):
    """A course as it is given in one term."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="runs")
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="runs")
    slug = models.SlugField(max_length=60, unique=True)
    is_published = models.BooleanField(_("published"), default=False)

    class Meta:
        ordering = ("-term__starts_on", "course__code")
        constraints = (models.UniqueConstraint(fields=("course", "term"), name="course_run_once_a_term"),)

    def __str__(self) -> str:
        return f"{self.course.name} · {self.term.name}"


class RunCopy(models.Model):
    """A run that was made from another; `key` names the form that was sent, so that it is made once."""

    run = models.OneToOneField(CourseRun, on_delete=models.CASCADE, related_name="copied_from")
    source = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="copies")
    key = models.UUIDField(unique=True)
    weeks = models.SmallIntegerField()
    taken = models.JSONField(default=list)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.source} → {self.run}"


class Cohort(models.Model):
    """Learners who take a run together, at a home campus, on site or online. Seats are exact."""

    run = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="cohorts")
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(_("name"), max_length=80)
    seats = models.PositiveIntegerField(_("seats"))
    seats_taken = models.PositiveIntegerField(default=0, editable=False)
    self_enrolment_opens_at = models.DateTimeField(_("self-enrolment opens"), null=True, blank=True)
    self_enrolment_closes_at = models.DateTimeField(_("self-enrolment closes"), null=True, blank=True)
    learner_quota_s = models.PositiveIntegerField(_("GPU-seconds a learner gets on enrolment"), default=20 * 3600)
    scope = models.OneToOneField(Scope, on_delete=models.PROTECT, related_name="cohort")
    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="cohort")

    class Meta:
        ordering = ("run_id", "name")
        constraints = (
            models.UniqueConstraint(fields=("run", "name"), name="cohort_name_once_a_run"),
            models.CheckConstraint(condition=Q(seats_taken__lte=F("seats")), name="cohort_seats_not_exceeded"),
        )

    def __str__(self) -> str:
        return self.name


class Enrolment(models.Model):
    """A learner's place in a cohort. A seat is taken while the state is ACTIVE or COMPLETED."""

    class Mode(models.TextChoices):
        ONSITE = "ONSITE", _("On site")
        ONLINE = "ONLINE", _("Online")

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", _("Enrolled")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn")
        COMPLETED = "COMPLETED", _("Completed")

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="enrolments")
    run = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="enrolments")
    mode = models.CharField(_("mode"), max_length=10, choices=Mode, default=Mode.ONSITE)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    enrolled_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("cohort_id", "user__name", "id")
        constraints = (
            models.UniqueConstraint(fields=("cohort", "user"), name="enrolment_once_a_cohort"),
            models.UniqueConstraint(
                fields=("run", "user"), condition=Q(state="ACTIVE"), name="enrolment_one_active_a_run"
            ),
            models.CheckConstraint(condition=Q(mode__in=["ONSITE", "ONLINE"]), name="enrolment_mode"),
            models.CheckConstraint(condition=Q(state__in=["ACTIVE", "WITHDRAWN", "COMPLETED"]), name="enrolment_state"),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.cohort}"
