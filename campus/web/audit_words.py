"""The audit trail in words: what a verb says, what a field is called, how a value is shown."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from campus.core.formats import gpu_hours
from campus.core.models import AuditEntry

Text = str | Promise

VERBS: dict[str, Text] = {
    "role.granted": gettext_lazy("Role given"),
    "role.revoked": gettext_lazy("Role taken away"),
    "person.renamed": gettext_lazy("Name changed"),
    "person.phone_changed": gettext_lazy("Phone number changed"),
    "person.closed": gettext_lazy("Account closed"),
    "person.reopened": gettext_lazy("Account opened again"),
    "person.invited": gettext_lazy("Invited"),
    "campus.opened": gettext_lazy("Campus opened"),
    "campus.changed": gettext_lazy("Campus changed"),
    "building.added": gettext_lazy("Building added"),
    "room.added": gettext_lazy("Room added"),
    "room.changed": gettext_lazy("Room changed"),
    "programme.opened": gettext_lazy("Programme opened"),
    "programme.changed": gettext_lazy("Programme changed"),
    "course.opened": gettext_lazy("Course opened"),
    "course.changed": gettext_lazy("Course changed"),
    "term.opened": gettext_lazy("Term opened"),
    "term.changed": gettext_lazy("Term changed"),
    "courserun.opened": gettext_lazy("Course run opened"),
    "courserun.changed": gettext_lazy("Course run changed"),
    "courserun.copied": gettext_lazy("Course run copied"),
    "cohort.opened": gettext_lazy("Cohort opened"),
    "cohort.changed": gettext_lazy("Cohort changed"),
    "module.opened": gettext_lazy("Module added"),
    "module.changed": gettext_lazy("Module changed"),
    "module.moved": gettext_lazy("Module moved"),
    "module.needs_changed": gettext_lazy("What opens a module changed"),
    "module.deleted": gettext_lazy("Module deleted"),
    "lesson.opened": gettext_lazy("Lesson added"),
    "lesson.changed": gettext_lazy("Lesson changed"),
    "lesson.restored": gettext_lazy("Lesson restored"),
    "lesson.file_added": gettext_lazy("File added to a lesson"),
    "lesson.moved": gettext_lazy("Lesson moved"),
    "lesson.deleted": gettext_lazy("Lesson deleted"),
    "lab.opened": gettext_lazy("Lab added"),
    "lab.changed": gettext_lazy("Lab changed"),
    "lab.moved": gettext_lazy("Lab moved"),
    "lab.deleted": gettext_lazy("Lab deleted"),
    "material.opened": gettext_lazy("Material added"),
    "material.changed": gettext_lazy("Material changed"),
    "material.moved": gettext_lazy("Material moved"),
    "material.deleted": gettext_lazy("Material deleted"),
    "material.replaced": gettext_lazy("Version of a material uploaded"),
    "material.captioned": gettext_lazy("Captions of a video changed"),
    "material.chaptered": gettext_lazy("Chapters of a video changed"),
    "material.exported": gettext_lazy("Progress with materials exported"),
    "watchrule.changed": gettext_lazy("Share that finishes a video changed"),
    "assignment.opened": gettext_lazy("Assignment added"),
    "assignment.changed": gettext_lazy("Assignment changed"),
    "test_suite.opened": gettext_lazy("Tests of an assignment saved"),
    "deadline_change.opened": gettext_lazy("Deadline moved"),
    "deadline_change.revoked": gettext_lazy("Deadline put back"),
    "outage_offer.granted": gettext_lazy("More time given after an outage"),
    "outage_offer.declined": gettext_lazy("More time after an outage declined"),
    "groupset.opened": gettext_lazy("Groups of learners added"),
    "group.added": gettext_lazy("Group added"),
    "group.deleted": gettext_lazy("Group deleted"),
    "group.members_changed": gettext_lazy("Learners put into groups"),
    "outagepolicy.changed": gettext_lazy("Rules after an outage changed"),
    "latedaybank.changed": gettext_lazy("Late days set"),
    "scores.published": gettext_lazy("Grades published"),
    "regrade.started": gettext_lazy("Regrade started"),
    "regrade.published": gettext_lazy("Regrade published"),
    "regrade.discarded": gettext_lazy("Regrade discarded"),
    "enrolment.opened": gettext_lazy("Enrolled in a cohort"),
    "enrolment.changed": gettext_lazy("Enrolment changed"),
    "enrolment.withdrawn": gettext_lazy("Withdrawn from a cohort"),
    "quota.account_opened": gettext_lazy("Quota account opened"),
    "quota.allocated": gettext_lazy("GPU time allocated"),
    "quota.requested": gettext_lazy("GPU time asked for"),
    "quota.request_approved": gettext_lazy("Request for GPU time approved"),
    "quota.request_declined": gettext_lazy("Request for GPU time declined"),
    "quota.request_withdrawn": gettext_lazy("Request for GPU time withdrawn"),
    "quota.repaired": gettext_lazy("Balance put right"),
    "quota.grant_given": gettext_lazy("Grant given"),
    "quota.grant_cancelled": gettext_lazy("Grant cancelled"),
    "quota.grant_ended": gettext_lazy("Grant ended"),
    "quota.sponsor_added": gettext_lazy("Sponsor added"),
    "quota.lent": gettext_lazy("GPU time offered for lending"),
    "quota.recalled": gettext_lazy("Lending recalled"),
    "quota.rate_set": gettext_lazy("Rate of a GPU type set"),
    "quota.changed": gettext_lazy("GPU time and settings changed together"),
    "quota.undone": gettext_lazy("Changes to GPU time undone"),
    "environment.added": gettext_lazy("Environment added"),
    "environment.retired": gettext_lazy("Environment retired"),
    "environment.offered": gettext_lazy("Environment offered again"),
    "dataset.added": gettext_lazy("Data set added"),
    "dataset.retired": gettext_lazy("Data set retired"),
    "dataset.offered": gettext_lazy("Data set offered again"),
    "node.registered": gettext_lazy("Node registered"),
    "node.token_renewed": gettext_lazy("Node token renewed"),
    "node.drained": gettext_lazy("Node drained"),
    "node.resumed": gettext_lazy("Node takes jobs again"),
    "job.cancelled": gettext_lazy("Job cancelled"),
    "class.planned": gettext_lazy("Class planned"),
    "class.changed": gettext_lazy("Class changed"),
    "class.moved": gettext_lazy("Class moved"),
    "class.cancelled": gettext_lazy("Class cancelled"),
    "class.ended": gettext_lazy("Class ended early"),
    "series.planned": gettext_lazy("Weekly series planned"),
    "series.changed": gettext_lazy("Weekly series changed"),
    "series.ended": gettext_lazy("Rest of a series cancelled"),
    "holiday.added": gettext_lazy("Holiday added"),
    "holiday.removed": gettext_lazy("Holiday removed"),
    "stream.saved": gettext_lazy("Stream saved"),
    "reservation.made": gettext_lazy("GPUs kept for a class"),
    "reservation.moved": gettext_lazy("Class reservation moved"),
    "reservation.cancelled": gettext_lazy("Class reservation given up"),
    "reservation.released": gettext_lazy("Released, since nobody of the class came"),
    "site.owner_set": gettext_lazy("Owner of a site set"),
    "site.limited": gettext_lazy("Power cap or opening of a site set"),
    "site.lent": gettext_lazy("GPUs of a site lent"),
    "site.lending_ended": gettext_lazy("Lending of a site ended"),
    "attendance.marked": gettext_lazy("Attendance marked"),
    "attendance.mark_undone": gettext_lazy("Attendance mark taken back"),
    "attendance.flag_judged": gettext_lazy("Remarkable check-in judged"),
    "attendance.policy_changed": gettext_lazy("Attendance rules changed"),
    "attendance.excuse_decided": gettext_lazy("Excuse decided"),
    "attendance.contest_decided": gettext_lazy("Disputed mark decided"),
    "attendance.lab_consent": gettext_lazy("Consent to lab evidence changed"),
    "attendance.document_read": gettext_lazy("Document of an excuse read"),
    "attendance.exported": gettext_lazy("Attendance exported"),
    "gradebook.changed": gettext_lazy("Grading changed"),
    "gradebook.exported": gettext_lazy("Gradebook exported"),
    "gradebook.published": gettext_lazy("Final grades published"),
    "gradecategory.opened": gettext_lazy("Grade category added"),
    "gradecategory.changed": gettext_lazy("Grade category changed"),
    "gradecategory.deleted": gettext_lazy("Grade category deleted"),
    "gradeitem.opened": gettext_lazy("Grade item added"),
    "gradeitem.changed": gettext_lazy("Grade item changed"),
    "gradeitem.deleted": gettext_lazy("Grade item deleted"),
    "finaloverride.set": gettext_lazy("Final grade set by hand"),
    "finaloverride.ended": gettext_lazy("Final grade computed again"),
    "announcement.scheduled": gettext_lazy("Announcement scheduled"),
    "announcement.published": gettext_lazy("Announcement published"),
    "announcement.withheld": gettext_lazy("Announcement not published: its author has no role there now"),
    "announcement.edited": gettext_lazy("Announcement edited"),
    "announcement.withdrawn": gettext_lazy("Announcement withdrawn"),
    "support.noted": gettext_lazy("Signal of a learner noted"),
    "support.message_sent": gettext_lazy("Message to a learner sent"),
    "supportsettings.changed": gettext_lazy("Thresholds of signals changed"),
    "job.charge_corrected": gettext_lazy("Charge of a job corrected"),
}

#: What the filter offers: a name, and the beginnings of the verbs that belong to it.
AREAS: dict[str, tuple[Text, tuple[str, ...]]] = {
    "people": (gettext_lazy("People and roles"), ("role.", "person.")),
    "places": (gettext_lazy("Campuses and rooms"), ("campus.", "building.", "room.")),
    "courses": (
        gettext_lazy("Courses and materials"),
        (
            "programme.",
            "course.",
            "courserun.",
            "term.",
            "cohort.",
            "module.",
            "lesson.",
            "lab.",
            "material.",
            "watchrule.",
        ),
    ),
    "timetable": (gettext_lazy("Timetable"), ("class.", "series.", "holiday.", "stream.")),
    "attendance": (gettext_lazy("Attendance record"), ("attendance.",)),
    "grades": (gettext_lazy("Grades"), ("gradebook.", "gradecategory.", "gradeitem.", "finaloverride.")),
    "support": (gettext_lazy("Help for learners"), ("support.", "supportsettings.")),
    "announcements": (gettext_lazy("Announcements"), ("announcement.",)),
    "enrolments": (gettext_lazy("Enrolments"), ("enrolment.",)),
    "quota": (gettext_lazy("GPU quota"), ("quota.",)),
    "pool": (gettext_lazy("Nodes and jobs"), ("node.", "job.", "reservation.", "site.", "environment.", "dataset.")),
}

# Where a model's own name for the field says less to people, or the field is none of the model's.
_FIELDS: dict[str, Text] = {
    "role": gettext_lazy("Role"),
    "name": gettext_lazy("Name"),
    "is_active": gettext_lazy("May sign in"),
    "state": gettext_lazy("State"),
    "mode": gettext_lazy("Mode"),
    "allocated_s": gettext_lazy("Allocated"),
    "learner_quota_s": gettext_lazy("For each learner"),
    "starter": gettext_lazy("Starter files"),
    "phone": gettext_lazy("Phone number"),
}
_BALANCES = frozenset({"allocated_s", "granted_s", "held_s", "used_s", "learner_quota_s", "wanted_s", "given_s"})
_YES_NO: dict[bool, Text] = {
    True: pgettext_lazy("audited value", "yes"),
    False: pgettext_lazy("audited value", "no"),
}
_LONG = 80


@dataclass(frozen=True)
class Change:
    """One field, before and after; an empty text where there was nothing."""

    field: str
    before: str
    after: str


def verb(entry: AuditEntry) -> str:
    """Say what happened; a verb that is not listed is shown as it is stored."""
    return str(VERBS.get(entry.verb, entry.verb))


def changes(entry: AuditEntry) -> list[Change]:
    """Say which fields changed from what to what."""
    model = _model(entry.object_type)
    found = []
    for name, pair in entry.changes.items():
        field = _field(model, name)
        label = _FIELDS.get(name) or (field.verbose_name if field is not None else name)
        found.append(Change(str(label), _value(field, name, pair[0]), _value(field, name, pair[1])))
    return found


def _model(label: str) -> Any:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):  # an app that is no longer installed; its entries stay
        return None


def _field(model: Any, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model is not None else None
    except FieldDoesNotExist:
        return None


def _value(field: Any, name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(_YES_NO[value])
    if name in _BALANCES and isinstance(value, int):
        return gpu_hours(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    words = dict(field.flatchoices).get(value) if field is not None and getattr(field, "flatchoices", None) else None
    text = str(words or value)
    return text if len(text) <= _LONG else _("%(beginning)s…") % {"beginning": text[:_LONG]}
