"""Class sessions and their series, who and what each takes, holidays, office-hour slots, calendar feeds."""

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, URLValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campus.core.models import BilingualName
from campus.places.models import Booking, Campus, Room, one_of
from courses.catalog.models import Cohort, CourseRun
from courses.content.models import Module
from infra.pool.models import Site
from labs.scheduling.models import ClassReservation


class Holiday(BilingualName):
    """A day without classes, at one campus or (`campus` None) at all."""

    campus = models.ForeignKey(
        Campus, on_delete=models.CASCADE, null=True, blank=True, related_name="holidays", verbose_name=_("campus")
    )
    on = models.DateField(_("day"))

    class Meta:
        ordering = ("on", "id")
        constraints = (
            models.UniqueConstraint(fields=("on", "campus"), name="holiday_once_a_day", nulls_distinct=False),
        )


class Stream(BilingualName):
    """A channel over which classes are sent, one at a time; `url` is where learners watch."""

    url = models.CharField(_("address"), max_length=300, validators=[URLValidator(schemes=["https", "http"])])
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ("id",)


class Kind(models.TextChoices):
    LECTURE = "LECTURE", _("Lecture")
    LAB = "LAB", _("Lab class")
    EXAM = "EXAM", _("Exam")
    OFFICE = "OFFICE", _("Office hours")


class Place(models.Model):
    """A cohort of a class: the room in which it meets (None: online), and the GPUs kept for it there."""

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="%(class)ss")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="%(class)ss")
    gpus = models.PositiveSmallIntegerField(default=0)
    gpu_type = models.CharField(max_length=60, blank=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="%(class)ss")

    class Meta:
        abstract = True


class ClassSeries(models.Model):
    """A weekly pattern. Its sessions are rows of their own; a change reaches those to come that nobody changed."""

    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, related_name="class_series")
    title = models.CharField(_("title"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.LECTURE)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]), help_text=_("0: Monday.")
    )
    starts = models.TimeField(_("begins"))
    ends = models.TimeField(_("ends"))
    timezone = models.CharField(max_length=40, default="Asia/Seoul")
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"))
    skipped = ArrayField(models.DateField(), default=list, blank=True, help_text=_("Days without it."))
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, null=True, blank=True, related_name="series")
    teachers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="class_series", blank=True)
    slot_minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Of office hours."))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("run_id", "from_on", "id")
        verbose_name_plural = "class series"
        constraints = (
            models.CheckConstraint(condition=Q(weekdays__len__gte=1), name="series_has_a_weekday"),
            models.CheckConstraint(condition=Q(starts__lt=F("ends")), name="series_begins_before_it_ends"),
            models.CheckConstraint(condition=Q(from_on__lte=F("until_on")), name="series_from_before_until"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="series_kind"),
        )

    def __str__(self) -> str:
        return self.title


class SeriesProposal(models.Model):
    """A series of the run that this one was copied from, until somebody plans it anew: it holds and books nothing."""

    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, related_name="series_proposals")
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.LECTURE)
    weekdays = ArrayField(models.PositiveSmallIntegerField())
    starts = models.TimeField()
    ends = models.TimeField()
    from_on = models.DateField()
    until_on = models.DateField()
    slot_minutes = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("run_id", "from_on", "id")
        constraints = (models.CheckConstraint(condition=Q(kind__in=Kind.values), name="series_proposal_kind"),)

    def __str__(self) -> str:
        return self.title


class SeriesCohort(Place):
    series = models.ForeignKey(ClassSeries, on_delete=models.CASCADE, related_name="places")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("series", "cohort"), name="series_cohort_once"),)

    def __str__(self) -> str:
        return f"{self.series}: {self.cohort}"


class ClassSession(models.Model):
    """One meeting of a class, everywhere at once. `sequence` grows with each change of time or place (RFC 5545)."""

    class State(models.TextChoices):
        PLANNED = "PLANNED", _("Planned")
        CANCELLED = "CANCELLED", _("Cancelled")

    run = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="class_sessions")
    series = models.ForeignKey(ClassSeries, on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions")
    series_on = models.DateField(null=True, blank=True, help_text=_("The day of the pattern that it stands for."))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.LECTURE)
    title = models.CharField(_("title"), max_length=120)
    note = models.TextField(_("note"), max_length=2000, blank=True)
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    cancel_reason = models.CharField(max_length=300, blank=True)
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="make_ups")
    module = models.ForeignKey(Module, on_delete=models.SET_NULL, null=True, blank=True, related_name="class_sessions")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, null=True, blank=True, related_name="sessions")
    slot_minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Of office hours."))
    is_changed_by_hand = models.BooleanField(default=False)
    sequence = models.PositiveIntegerField(default=0)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("starts_at", "id")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="session_kind"),
            models.CheckConstraint(condition=Q(state__in=["PLANNED", "CANCELLED"]), name="session_state"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="session_begins_before_it_ends"),
            models.CheckConstraint(
                condition=Q(kind="OFFICE", slot_minutes__gte=5) | ~Q(kind="OFFICE") & Q(slot_minutes=None),
                name="session_slots_are_of_office_hours",
            ),
            models.UniqueConstraint(fields=("series", "series_on"), name="session_once_a_day_of_its_series"),
            ExclusionConstraint(
                name="session_stream_once_at_a_time",
                expressions=(
                    (one_of("stream"), RangeOperators.OVERLAPS),
                    (
                        Func("starts_at", "ends_at", function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ),
                condition=Q(state="PLANNED", stream__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("starts_at", "ends_at"), name="session_when"),
            models.Index(fields=("run", "starts_at"), name="session_of_run"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_planned(self) -> bool:
        return self.state == self.State.PLANNED

    @property
    def is_make_up(self) -> bool:
        return self.replaces_id is not None

    @property
    def takes_attendance(self) -> bool:
        """Office hours have visitors, not a roll."""
        return self.kind != Kind.OFFICE

    @property
    def booking_key(self) -> str:
        """What its rooms and GPUs are booked under."""
        return f"class:{self.pk}"

    def is_over(self, now: datetime) -> bool:
        return self.ends_at <= now


class SessionCohort(Place):
    """A cohort of a session. `period` is the session's while it takes the cohort's time: None once cancelled, and for
    office hours, to which nobody must come."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="places")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, blank=True, related_name="class_places")
    reservation = models.OneToOneField(
        ClassReservation, on_delete=models.PROTECT, null=True, blank=True, related_name="class_place"
    )
    period = DateTimeRangeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("session", "cohort"), name="session_cohort_once"),
            ExclusionConstraint(
                name="session_cohort_once_at_a_time",
                expressions=((one_of("cohort"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.session}: {self.cohort}"


class SessionTeacher(models.Model):
    """Who teaches a session. `period` is the session's; None once it is cancelled."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="teachers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="classes_taught")
    period = DateTimeRangeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("session", "user"), name="session_teacher_once"),
            ExclusionConstraint(
                name="session_teacher_once_at_a_time",
                expressions=((one_of("user"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.session}: {self.user}"


class OfficeSlot(models.Model):
    """A part of office hours that a learner took. A slot nobody took has no row."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    learner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="office_slots")
    topic = models.CharField(_("topic"), max_length=200, blank=True)
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("starts_at",)
        constraints = (
            models.UniqueConstraint(fields=("session", "starts_at"), name="office_slot_taken_once"),
            models.UniqueConstraint(fields=("session", "learner"), name="office_slot_one_a_learner"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="office_slot_begins_before_it_ends"),
        )

    def __str__(self) -> str:
        return f"{self.session}: {self.learner}"


class CalendarFeed(models.Model):
    """A secret address that a calendar program reads: a person's classes, or a cohort's. A new one ends the old."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="calendar_feeds"
    )
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, null=True, blank=True, related_name="calendar_feeds")
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(user=None, cohort__isnull=False) | Q(user__isnull=False, cohort=None),
                name="feed_is_of_a_person_or_a_cohort",
            ),
            models.UniqueConstraint(
                fields=("user", "cohort"), condition=Q(revoked_at=None), nulls_distinct=False, name="feed_once"
            ),
        )

    def __str__(self) -> str:
        return f"feed {self.pk}"
