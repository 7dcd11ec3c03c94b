"""What a person may choose about: topics in words people understand, each gathering kinds of notices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from campus.core.models_choices import Way

Text = str | Promise

#: The headings of the settings page, in their order.
GROUPS: dict[str, Text] = {
    "classes": _("Classes and attendance"),
    "work": _("Assignments and grades"),
    "campus": _("Announcements and messages"),
    "labs": pgettext_lazy("notices", "GPU labs"),
    "teaching": _("What learners ask you"),
    "account": _("Your account"),
}


@dataclass(frozen=True)
class Topic:
    """Something to choose about. `must` takes the choice away: it always comes by e-mail and on the site.

    `predicate(request)` says to whom the settings offer it (to everybody, when left out); it may cost no query.
    """

    label: Text
    group: str
    default: str = Way.SITE
    text: Text = ""
    must: bool = False
    predicate: Callable[[HttpRequest], bool] | None = None


OTHER = "campus.other"
ASKED = "campus.asked"

_TOPICS: dict[str, Topic] = {
    ASKED: Topic(_("What you asked for or look after"), "campus", Way.MAIL),
    OTHER: Topic(_("Everything else"), "campus", Way.SITE),
}


def register_topics(topics: Mapping[str, Topic]) -> None:
    """Add topics by name; call it from `AppConfig.ready()`. Raises ValueError for an unknown group."""
    for name, topic in topics.items():
        if topic.group not in GROUPS:
            raise ValueError(f"no group of topics {topic.group!r} (topic {name!r})")
    _TOPICS.update(topics)


def topic_of(name: str) -> Topic:
    """Return a topic, or the one for everything that nobody put anywhere."""
    return _TOPICS.get(name, _TOPICS[OTHER])


def topics() -> dict[str, Topic]:
    """Return all topics by name, in the order of the settings page."""
    order = list(GROUPS)
    return dict(sorted(_TOPICS.items(), key=lambda pair: (order.index(pair[1].group), pair[1].must is False)))


def offered_to(request: HttpRequest) -> dict[str, Topic]:
    """Return the topics that this reader may choose about, by name, in the order of the settings page."""
    return {name: topic for name, topic in topics().items() if topic.predicate is None or topic.predicate(request)}


def chosen_way(topic: Topic, choice: str | None) -> str:
    """Return how a topic reaches whoever chose `choice`, or nothing."""
    if topic.must:
        return Way.MAIL
    return choice or topic.default
