"""Time that is offered to learners whom the platform's faults touched before a deadline, with the evidence."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.catalog.models import CourseRun, Enrolment
from labs.jobs.models import Job

from .models_work import Assignment, DeadlineChange


class OutagePolicy(models.Model):
    """What a run of a course offers after a fault of the platform; `domain.outages.Policy` has the defaults."""

    run = models.OneToOneField(CourseRun, on_delete=models.CASCADE, related_name="outage_policy")
    look_back_h = models.PositiveSmallIntegerField(
        _("hours before the deadline that count"), default=24, validators=[MinValueValidator(1), MaxValueValidator(336)]
    )
    least_wait_min = models.PositiveSmallIntegerField(
        _("a wait counts from, in minutes"), default=60, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    most_h = models.PositiveSmallIntegerField(
        _("most hours that are offered"), default=24, validators=[MaxValueValidator(336)]
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(look_back_h__gte=1, look_back_h__lte=336, least_wait_min__gte=1, most_h__lte=336),
                name="outage_policy_in_bounds",
            ),
        )

    def __str__(self) -> str:
        return f"{self.run}: {self.most_h} h"


class OutageOffer(models.Model):
    """Hours offered to one learner for one assignment. While OPEN it follows the evidence; afterwards it stands.

    LAPSED: the learner's deadline moved as far by other ways meanwhile. `lost_s` seconds between the two times.
    """

    class State(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("offer state", "Open")
        GRANTED = "GRANTED", pgettext_lazy("offer state", "Granted")
        DECLINED = "DECLINED", pgettext_lazy("offer state", "Declined")
        LAPSED = "LAPSED", pgettext_lazy("offer state", "Had more time already")

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="outage_offers")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="outage_offers")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    hours = models.PositiveSmallIntegerField()
    lost_s = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    made_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    change = models.OneToOneField(DeadlineChange, on_delete=models.PROTECT, null=True, related_name="outage_offer")

    class Meta:
        ordering = ("assignment_id", "enrolment_id", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("assignment", "enrolment"), condition=Q(state="OPEN"), name="outage_offer_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="GRANTED", change__isnull=False, decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="DECLINED", change=None, decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="LAPSED", change=None, decided_at__isnull=False)
                | Q(state="OPEN", change=None, decided_at=None),
                name="outage_offer_decided_once",
            ),
            models.CheckConstraint(condition=Q(hours__gte=1, lost_s__gte=1), name="outage_offer_gives_something"),
        )

    def __str__(self) -> str:
        return f"{self.assignment} · {self.enrolment}: {self.hours} h"


class OutageEvidence(models.Model):
    """A lost or a waiting run behind an offer. The same trouble counts once for a learner and assignment.

    `attempt` is set where a run was lost; `until_at` is None while it was not over.
    """

    offer = models.ForeignKey(OutageOffer, on_delete=models.CASCADE, related_name="evidence")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="+", db_index=False)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="+")
    attempt = models.PositiveSmallIntegerField(null=True, blank=True)
    node = models.CharField(max_length=60, blank=True)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    held_back_s = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("from_at", "id")
        constraints = (models.UniqueConstraint(fields=("assignment", "enrolment", "key"), name="outage_evidence_once"),)

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.key}"
