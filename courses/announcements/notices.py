"""What readers are told: that something was announced."""

from django.utils.translation import gettext_lazy as _

from campus.core.models import Way
from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.topics import Topic, register_topics

TOPICS = {"announcements": Topic(_("Announcements of your courses and campus"), "campus", Way.MAIL)}

KINDS = {
    "announcements.published": NoticeKind(
        "%(title)s", _("Announcement by %(author)s for %(place)s."), icon="megaphone", topic="announcements"
    ),
    "announcements.withheld": NoticeKind(
        _("Your announcement did not go out: %(title)s"),
        _("You may no longer announce to %(place)s. Staff there find it as a draft."),
        icon="megaphone",
        tone="warn",
        topic="announcements",
    ),
}


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)
