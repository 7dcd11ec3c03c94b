"""What learners are told of assignments."""

from django.utils.translation import gettext_lazy as _

from campus.core.notices.kinds import NoticeKind, register

KINDS = {
    "assignments.graded": NoticeKind(
        _("New grades in “%(course)s”"),
        _("Open your work to read points, feedback and how they came about."),
        icon="graduation-cap", tone="ok", mails=True,
    ),
    "assignments.due": NoticeKind(
        _("“%(title)s” is due %(due_at)s"), _("Nothing of yours is handed in yet."), icon="alarm-clock", tone="action"
    ),
    "assignments.extended": NoticeKind(
        _("You have more time for “%(title)s”"), _("Due %(due_at)s now. %(reason)s"), icon="alarm-clock", tone="ok"
    ),
}  # fmt: skip


def register_notices() -> None:
    register(KINDS)
