"""What learners are told: that somebody of their staff wrote to them. It always comes by e-mail too."""

from django.utils.translation import gettext_lazy as _

from campus.core.notices.kinds import NoticeKind, register
from campus.core.notices.topics import Topic, register_topics

TOPICS = {"support.messages": Topic(_("Messages that your teachers write to you"), "campus", must=True)}

KINDS = {
    "support.message": NoticeKind(
        _("%(author)s wrote to you: %(title)s"), "%(text)s", icon="mail", tone="action", topic="support.messages"
    )
}


def register_notices() -> None:
    register_topics(TOPICS)
    register(KINDS)
