"""Policies, evidence, verdicts with their history, stations that take check-ins, excuses, contests, flags.

Evidence, policies and the history of verdicts are append-only by triggers, as the ledger is. What could tell who was
where (marks of devices and networks) lies apart in `DeviceMark`, and is deleted after a while.
"""

import uuid
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.places.models import Room
from courses.catalog.models import CourseRun, Enrolment
from courses.timetable.models import ClassSession

_BY: dict[str, Any] = {"on_delete": models.SET_NULL, "null": True, "blank": True, "related_name": "+"}


class Mark(models.TextChoices):
    NONE = "NONE", pgettext_lazy("attendance", "Not yet")
    PRESENT = "PRESENT", pgettext_lazy("attendance", "Present")
    LATE = "LATE", pgettext_lazy("attendance", "Late")
    LEFT_EARLY = "LEFT_EARLY", pgettext_lazy("attendance", "Left early")
    EXCUSED = "EXCUSED", pgettext_lazy("attendance", "Excused")
    ABSENT = "ABSENT", pgettext_lazy("attendance", "Absent")


class Policy(models.Model):
    """A run's rules. A change is a new version; the newest counts for every class of the run."""

    run = models.ForeignKey(CourseRun, on_delete=models.PROTECT, related_name="attendance_policies")
    version = models.PositiveIntegerField()
    rules = models.JSONField()
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("run_id", "-version")
        constraints = (
            models.UniqueConstraint(fields=("run", "version"), name="policy_version_once_a_run"),
            models.CheckConstraint(condition=Q(version__gte=1), name="policy_version_from_one"),
        )
        triggers = (
            pgtrigger.Protect(name="policy_is_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="policy_is_read_only", exclude=["made_by"]),
        )

    def __str__(self) -> str:
        return f"{self.run} v{self.version}"


class Station(models.Model):
    """A screen or kiosk that takes check-ins of one class. Who knows `key` may use it, until it is closed."""

    class Kind(models.TextChoices):
        SCREEN = "SCREEN", _("Room screen")
        KIOSK = "KIOSK", _("Kiosk")

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="stations")
    kind = models.CharField(max_length=6, choices=Kind)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=["SCREEN", "KIOSK"]), name="station_kind"),
            models.UniqueConstraint(
                fields=("session", "kind", "room"),
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="station_open_once_a_room",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.session}"


class KioskCode(models.Model):
    """Six digits that a learner's page shows for a few minutes, to be typed at a kiosk of that class, once."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="kiosk_codes")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="kiosk_codes")
    code = models.CharField(max_length=6, validators=[MinLengthValidator(6)])
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "code"), name="kiosk_code_once_a_class"),
            models.UniqueConstraint(fields=("session", "enrolment"), name="kiosk_code_one_a_learner"),
        )

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.session_id}"


class Evidence(models.Model):
    """Something that was seen, or that a person said. Never changed; a later row may undo it.

    `key` makes what a repeated task finds one row. `batch` joins what one person did at once.
    """

    class Kind(models.TextChoices):
        QR = "QR", _("Code on the room's screen")
        KIOSK = "KIOSK", _("Kiosk")
        STREAM = "STREAM", _("Stream")
        LAB = "LAB", _("Lab")
        STAFF = "STAFF", _("Staff")

    class Act(models.TextChoices):
        IN = "IN", _("Came")
        OUT = "OUT", _("Went")
        SPAN = "SPAN", _("Was there")
        MARK = "MARK", _("Marked")
        UNDO = "UNDO", _("Undone")

    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="attendance_evidence")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="attendance_evidence")
    kind = models.CharField(max_length=6, choices=Kind)
    act = models.CharField(max_length=4, choices=Act)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    mark = models.CharField(max_length=10, choices=Mark, blank=True)
    station = models.ForeignKey(Station, on_delete=models.PROTECT, null=True, blank=True, related_name="evidence")
    undoes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    batch = models.UUIDField(null=True, blank=True)
    key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=["QR", "KIOSK", "STREAM", "LAB", "STAFF"]), name="evidence_kind"
            ),
            models.CheckConstraint(
                condition=Q(act="SPAN", until__gt=F("at")) | ~Q(act="SPAN") & Q(until=None),
                name="evidence_span_has_end",
            ),
            models.CheckConstraint(
                condition=Q(act="MARK", kind="STAFF", mark__in=["PRESENT", "LATE", "LEFT_EARLY", "EXCUSED", "ABSENT"])
                | ~Q(act="MARK") & Q(mark=""),
                name="evidence_mark_is_of_staff",
            ),
            models.CheckConstraint(
                condition=Q(act="UNDO", kind="STAFF", undoes__isnull=False) | ~Q(act="UNDO") & Q(undoes=None),
                name="evidence_undo_names_what",
            ),
            models.CheckConstraint(condition=~Q(kind="STAFF") | ~Q(reason=""), name="evidence_of_staff_has_a_reason"),
            models.CheckConstraint(condition=Q(act__in=["IN", "OUT", "SPAN", "MARK", "UNDO"]), name="evidence_act"),
        )
        indexes = (
            models.Index(fields=("session", "enrolment"), name="evidence_of_session"),
            models.Index(fields=("enrolment", "session"), name="evidence_of_enrolment"),
            models.Index(fields=("batch",), condition=Q(batch__isnull=False), name="evidence_batch"),
        )
        triggers = (
            pgtrigger.Protect(name="evidence_is_append_only", operation=pgtrigger.Delete),
            # Erasing a person who marked others empties one reference; what was seen stays as it was written.
            pgtrigger.ReadOnly(name="evidence_is_read_only", exclude=["by"]),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.act} {self.enrolment_id}"


class DeviceMark(models.Model):
    """Hashes of the device and the network of a check-in, kept apart from it because they are kept for a while only."""

    evidence = models.OneToOneField(Evidence, on_delete=models.CASCADE, related_name="device")
    device = models.CharField(max_length=32, blank=True)
    network = models.CharField(max_length=32, blank=True)
    step = models.BigIntegerField(default=0)
    is_fresh = models.BooleanField(default=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("at",), name="device_mark_age"),)

    def __str__(self) -> str:
        return f"{self.evidence_id}"


class StreamWatch(models.Model):
    """A page on which somebody watches now. What it saw becomes evidence in parts, and the row goes when they leave."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="stream_watches")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="stream_watches")
    tab = models.UUIDField()
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    parts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "enrolment", "tab"), name="stream_watch_once_a_tab"),
            models.CheckConstraint(condition=Q(seen_at__gte=F("since")), name="stream_watch_in_order"),
        )
        indexes = (models.Index(fields=("seen_at",), name="stream_watch_seen"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.session_id}"


class Register(models.Model):
    """A class whose verdicts were drawn after its end, and for which `sequence` of it."""

    session = models.OneToOneField(ClassSession, on_delete=models.CASCADE, related_name="register")
    sequence = models.PositiveIntegerField()
    closed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.session}"


class Ruled(models.Model):
    """What a verdict says: the mark, whole minutes, the reasons' names and the policy by which it was drawn."""

    mark = models.CharField(max_length=10, choices=Mark, default=Mark.NONE)
    minutes = models.PositiveSmallIntegerField(default=0)
    late_min = models.PositiveSmallIntegerField(default=0)
    early_min = models.PositiveSmallIntegerField(default=0)
    why = models.JSONField(default=list)
    arrived_at = models.DateTimeField(null=True, blank=True)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class Verdict(Ruled):
    """The verdict on a learner in a class as it stands. `revision` grows with each change; history holds them all."""

    session = models.ForeignKey(ClassSession, on_delete=models.PROTECT, related_name="verdicts")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="verdicts")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "enrolment"), name="verdict_once_a_class"),
            models.CheckConstraint(condition=Q(mark__in=Mark.values), name="verdict_mark"),
            models.CheckConstraint(
                condition=Q(revision=0, policy=None) | Q(revision__gte=1, policy__isnull=False),
                name="verdict_names_its_policy",
            ),
        )
        indexes = (models.Index(fields=("enrolment", "session"), name="verdict_of_enrolment"),)

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {self.mark}"


class VerdictHistory(Ruled):
    """Each verdict that ever stood, and what made it."""

    class Cause(models.TextChoices):
        EVIDENCE = "EVIDENCE", _("New evidence")
        STAFF = "STAFF", _("A person's mark")
        POLICY = "POLICY", _("Another policy")
        EXCUSE = "EXCUSE", _("An excuse")
        CLOSE = "CLOSE", _("The class ended")
        TIMETABLE = "TIMETABLE", _("The class was moved")
        CONSENT = "CONSENT", _("Consent to lab evidence")

    verdict = models.ForeignKey(Verdict, on_delete=models.PROTECT, related_name="history")
    cause = models.CharField(max_length=10, choices=Cause)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **_BY)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-revision",)
        verbose_name_plural = "verdict histories"
        constraints = (
            models.UniqueConstraint(fields=("verdict", "revision"), name="verdict_revision_once"),
            models.CheckConstraint(
                condition=Q(cause__in=["EVIDENCE", "STAFF", "POLICY", "EXCUSE", "CLOSE", "TIMETABLE", "CONSENT"]),
                name="verdict_history_cause",
            ),
        )
        triggers = (
            pgtrigger.Protect(name="verdict_history_is_append_only", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="verdict_history_is_read_only", exclude=["by"]),
        )

    def __str__(self) -> str:
        return f"{self.verdict_id} r{self.revision}"


class LabConsent(models.Model):
    """A learner lets the times of their lab runs count as evidence; it may be taken back at any time."""

    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="lab_consent")
    given_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.enrolment_id}"


# They point to what stands above.
from .models_asked import Contest as Contest  # noqa: E402
from .models_asked import Excuse as Excuse  # noqa: E402
from .models_asked import ExcuseDocument as ExcuseDocument  # noqa: E402
from .models_asked import Flag as Flag  # noqa: E402
