"""What the timetable tells people."""

from django.utils.translation import gettext_lazy as _

from campus.core.models import Way
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.topics import Topic, register_topics
from campus.people.requests import teaches

TOPICS = {
    "classes.changes": Topic(_("A class is moved, cancelled or made up for"), "classes", Way.MAIL),
    "classes.new": Topic(_("New classes in the timetable"), "classes"),
    "classes.reminders": Topic(_("Reminders before a class"), "classes"),
    "teaching.office_hours": Topic(_("Somebody comes to your office hours"), "teaching", predicate=teaches),
}

KINDS = {
    "timetable.added": NoticeKind(
        _("New class: %(title)s"), _("%(course)s, %(starts_at)s."), icon="circle-plus", tone="action",
        topic="classes.new"
    ),
    "timetable.make_up": NoticeKind(
        _("Make-up class: %(title)s"), _("%(course)s, %(starts_at)s."), icon="circle-plus", tone="action",
        topic="classes.changes"
    ),
    "timetable.moved": NoticeKind(
        _("Moved: %(title)s"), _("Now %(after_at)s. It was %(before_at)s."), icon="calendar-clock", tone="warn",
        topic="classes.changes",
    ),
    "timetable.place_changed": NoticeKind(
        _("Other place: %(title)s"), _("%(starts_at)s, now in: %(place)s."), icon="map-pin", tone="warn",
        topic="classes.changes"
    ),
    "timetable.cancelled": NoticeKind(
        _("Cancelled: %(title)s"), _("%(starts_at)s. Reason: %(reason)s"), icon="circle-x", tone="danger",
        topic="classes.changes"
    ),
    "timetable.series_added": NoticeKind(
        _("New classes: %(title)s"), _("%(course)s: %(count)s classes, the first %(starts_at)s."), icon="circle-plus",
        tone="action", topic="classes.new",
    ),
    "timetable.series_changed": NoticeKind(
        _("Weekly plan changed: %(title)s"), _("%(course)s: %(count)s classes, the next %(starts_at)s."),
        icon="calendar-clock", tone="warn", topic="classes.changes",
    ),
    "timetable.series_cancelled": NoticeKind(
        _("Classes cancelled: %(title)s"), _("%(course)s: %(count)s classes, from %(starts_at)s on."),
        icon="circle-x", tone="danger", topic="classes.changes",
    ),
    "timetable.reminder": NoticeKind(
        _("Soon: %(title)s"), _("%(starts_at)s. %(place)s"), icon="alarm-clock", tone="action",
        topic="classes.reminders"
    ),
    "timetable.slot_taken": NoticeKind(
        _("%(name)s comes to your office hours"), _("%(starts_at)s. About: %(topic)s"), icon="calendar-check",
        topic="teaching.office_hours"
    ),
    "timetable.slot_given_up": NoticeKind(
        _("%(name)s gave up an office-hour slot"), _("%(starts_at)s"), icon="circle-x", topic="teaching.office_hours"
    ),
}  # fmt: skip


def register_notices() -> None:
    """Called once, when the app is ready."""
    register_topics(TOPICS)
    register(KINDS)
