"""What learners are told of assignments."""

from django.utils.translation import gettext_lazy as _

from campus.core.models import Way
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.topics import Topic, register_topics

TOPICS = {
    "work.due": Topic(_("Deadlines: reminders and more time"), "work"),
    "work.grades": Topic(_("Grades, and answers about them"), "work", Way.DIGEST),
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
}  # fmt: skip


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)
