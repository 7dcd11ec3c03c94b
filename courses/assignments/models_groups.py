"""Groups of learners who hand in one work, and whose work a submission is."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from courses.catalog.models import CourseRun, Enrolment


class GroupSet(models.Model):
    """A way to divide a run's learners; assignments of the run may use it."""

    run = models.ForeignKey(CourseRun, on_delete=models.CASCADE, related_name="group_sets")
    name = models.CharField(_("name"), max_length=80)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("run_id", "id")
        constraints = (models.UniqueConstraint(fields=("run", "name"), name="group_set_name_once_a_run"),)

    def __str__(self) -> str:
        return self.name


class Group(models.Model):
    group_set = models.ForeignKey(GroupSet, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(_("name"), max_length=80)

    class Meta:
        ordering = ("group_set_id", "id")
        constraints = (models.UniqueConstraint(fields=("group_set", "name"), name="group_name_once_a_set"),)

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """Somebody's time in a group. Ended, never deleted: `left_at` is None while it lasts, in one group of a set."""

    group_set = models.ForeignKey(GroupSet, on_delete=models.CASCADE, related_name="+")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="group_memberships")
    joined_at = models.DateTimeField(db_default=Now())
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("group_id", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("group_set", "enrolment"), condition=Q(left_at=None), name="group_member_of_one_a_set"
            ),
        )

    def __str__(self) -> str:
        return f"{self.group}: {self.enrolment}"


class SubmissionMember(models.Model):
    """Whose work a submission is: whoever handed it in (kept by the database), and their group as it was then."""

    submission = models.ForeignKey("assignments.Submission", on_delete=models.PROTECT, related_name="owners")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("submission_id", "enrolment_id")
        constraints = (models.UniqueConstraint(fields=("submission", "enrolment"), name="submission_member_once"),)
        triggers = (
            pgtrigger.Protect(name="submission_member_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.enrolment_id}"
