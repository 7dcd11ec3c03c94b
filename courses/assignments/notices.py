"""What learners and staff are told of assignments."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from campus.core.models import Way
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.topics import Topic, register_topics
from campus.people.api import INSTRUCTING
from campus.people.models import RoleGrant
from campus.people.requests import teaches

TOPICS = {
    "work.due": Topic(_("Deadlines: reminders, changes and more time"), "work"),
    "work.grades": Topic(_("Grades, and answers about them"), "work", Way.DIGEST),
    "teaching.outages": Topic(_("Learners whom an outage cost time"), "teaching", predicate=teaches),
}

KINDS = {
    "assignments.graded": NoticeKind(
        _("New grades in “%(course)s”"),
        _("Open your work to read points, feedback and how they came about."),
        icon="graduation-cap", tone="ok", topic="work.grades",
    ),
    "assignments.due": NoticeKind(
        _("“%(title)s” is due %(due_at)s"), _("Nothing of yours is handed in yet."), icon="alarm-clock", tone="action",
        topic="work.due"
    ),
    "assignments.extended": NoticeKind(
        _("You have more time for “%(title)s”"), _("Due %(due_at)s now. %(reason)s"), icon="alarm-clock", tone="ok",
        topic="work.due"
    ),
    "assignments.moved": NoticeKind(
        _("Another deadline: “%(title)s”"), _("Due %(due_at)s now. It was %(before_at)s."), icon="alarm-clock",
        tone="warn", topic="work.due"
    ),
    "assignments.many_moved": NoticeKind(
        _("%(count)s of your deadlines in “%(course)s” moved"),
        _("The list of assignments says when each is due now, and why."), icon="alarm-clock", tone="warn",
        topic="work.due",
    ),
    "assignments.group_handed_in": NoticeKind(
        _("%(name)s handed in “%(title)s” for your group"), _("Version %(number)s. It counts for all of you."),
        icon="users", tone="ok", topic="work.due",
    ),
    "assignments.offers": NoticeKind(
        _("The GPU pool failed learners before “%(title)s” is due"),
        _("%(learners)s of yours can be given more time with one click. The evidence is there."),
        icon="alarm-clock", tone="action", topic="teaching.outages",
    ),
}  # fmt: skip


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)


def instructors_of(scope_ids: Collection[int]) -> list[int]:
    """Return the ids of those who hold an instructor's role at one of these cohorts itself. One query."""
    staff = RoleGrant.objects.filter(scope_id__in=scope_ids, role__in=INSTRUCTING, user__is_active=True)
    return list(staff.values_list("user_id", flat=True).distinct())
