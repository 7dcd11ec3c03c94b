"""What the timetable tells people."""

from django.utils.translation import gettext_lazy as _

from campus.core.notices.kinds import NoticeKind, register

KINDS = {
    "timetable.added": NoticeKind(
        _("New class: %(title)s"), _("%(course)s, %(starts_at)s."), icon="circle-plus", tone="action"
    ),
    "timetable.make_up": NoticeKind(
        _("Make-up class: %(title)s"), _("%(course)s, %(starts_at)s."), icon="circle-plus", tone="action", mails=True
    ),
    "timetable.moved": NoticeKind(
        _("Moved: %(title)s"), _("Now %(after_at)s. It was %(before_at)s."), icon="calendar-clock", tone="warn",
        mails=True,
    ),
    "timetable.place_changed": NoticeKind(
        _("Other place: %(title)s"), _("%(starts_at)s, now in: %(place)s."), icon="map-pin", tone="warn", mails=True
    ),
    "timetable.cancelled": NoticeKind(
        _("Cancelled: %(title)s"), _("%(starts_at)s. Reason: %(reason)s"), icon="circle-x", tone="danger", mails=True
    ),
    "timetable.series_added": NoticeKind(
        _("New classes: %(title)s"), _("%(course)s: %(count)s classes, the first %(starts_at)s."), icon="circle-plus",
        tone="action",
    ),
    "timetable.series_changed": NoticeKind(
        _("Weekly plan changed: %(title)s"), _("%(course)s: %(count)s classes, the next %(starts_at)s."),
        icon="calendar-clock", tone="warn", mails=True,
    ),
    "timetable.series_cancelled": NoticeKind(
        _("Classes cancelled: %(title)s"), _("%(course)s: %(count)s classes, from %(starts_at)s on."),
        icon="circle-x", tone="danger", mails=True,
    ),
    "timetable.reminder": NoticeKind(
        _("Soon: %(title)s"), _("%(starts_at)s. %(place)s"), icon="alarm-clock", tone="action"
    ),
    "timetable.slot_taken": NoticeKind(
        _("%(name)s comes to your office hours"), _("%(starts_at)s. About: %(topic)s"), icon="calendar-check"
    ),
    "timetable.slot_given_up": NoticeKind(
        _("%(name)s gave up an office-hour slot"), _("%(starts_at)s"), icon="circle-x"
    ),
}  # fmt: skip


def register_notices() -> None:
    """Called once, when the app is ready."""
    register(KINDS)
