"""Announcements, and to whom each was brought. A delivery exists once a person: that is what makes bringing safe."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.places.models import Campus
from courses.catalog.models import Cohort, CourseRun


class Announcement(models.Model):
    """A text for people of one place. `cursor` is the last person it was brought to; `brought_at` ends the bringing."""

    class Reach(models.TextChoices):
        COHORT = "COHORT", _("Cohort")
        RUN = "RUN", pgettext_lazy("announcement", "Course")
        CAMPUS = "CAMPUS", _("Campus")
        EVERYONE = "EVERYONE", _("All campuses")

    class Role(models.TextChoices):
        ALL = "ALL", _("Learners and staff")
        LEARNERS = "LEARNERS", _("Learners only")
        STAFF = "STAFF", _("Staff only")

    class State(models.TextChoices):
        DRAFT = "DRAFT", pgettext_lazy("announcement", "Draft")
        SCHEDULED = "SCHEDULED", pgettext_lazy("announcement", "Scheduled")
        PUBLISHED = "PUBLISHED", pgettext_lazy("announcement", "Published")
        WITHDRAWN = "WITHDRAWN", pgettext_lazy("announcement", "Withdrawn")

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    reach = models.CharField(max_length=8, choices=Reach)
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    campus = models.ForeignKey(Campus, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    role = models.CharField(pgettext_lazy("announcement", "to whom"), max_length=8, choices=Role, default=Role.ALL)
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"), max_length=20_000)
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    publish_at = models.DateTimeField(_("publish at"), null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    # When its time came, its author could not announce there any more; it is a draft again until somebody publishes it.
    withheld_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    cursor = models.BigIntegerField(default=0)
    brought_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-published_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=(
                    Q(reach="COHORT", cohort__isnull=False, run=None, campus=None)
                    | Q(reach="RUN", cohort=None, run__isnull=False, campus=None)
                    | Q(reach="CAMPUS", cohort=None, run=None, campus__isnull=False)
                    | Q(reach="EVERYONE", cohort=None, run=None, campus=None)
                ),
                name="announcement_names_one_place",
            ),
            models.CheckConstraint(condition=Q(role__in=["ALL", "LEARNERS", "STAFF"]), name="announcement_role"),
            models.CheckConstraint(
                condition=(
                    Q(state="DRAFT", published_at=None)
                    | Q(state="SCHEDULED", published_at=None, publish_at__isnull=False)
                    | Q(state__in=["PUBLISHED", "WITHDRAWN"], published_at__isnull=False)
                ),
                name="announcement_state",
            ),
        )
        indexes = (
            models.Index(fields=("publish_at",), condition=Q(state="SCHEDULED"), name="announcement_scheduled"),
            models.Index(fields=("id",), condition=Q(state="PUBLISHED", brought_at=None), name="announcement_to_bring"),
            models.Index(fields=("-published_at",), condition=Q(state="PUBLISHED"), name="announcement_newest"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def scope_path(self) -> list[int]:
        """The scopes whose administrators may read of it in the audit trail; empty for all of the platform."""
        place = self.cohort or self.campus
        return list(place.scope.path) if place is not None else []


class Delivery(models.Model):
    """That an announcement was brought to a person, and when they read it."""

    announcement = models.ForeignKey(Announcement, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("announcement", "recipient"), name="delivery_once_a_person"),)
        indexes = (models.Index(fields=("recipient", "announcement"), name="delivery_recipient"),)

    def __str__(self) -> str:
        return f"{self.announcement_id} for {self.recipient_id}"
