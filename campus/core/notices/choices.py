"""What people chose: read in bulk where a notice is told, changed on their settings page or by a link in an e-mail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from campus.core.errors import InvalidInput, NotFound
from campus.core.models import Notice, NoticeChoice, NoticeSettings, Way

from .kinds import kinds_of
from .topics import chosen_way, topic_of, topics

#: A link in an e-mail names either a topic or all that the digest carries.
DIGEST = "digest"
_SALT = "campus.core.notices.unsubscribe"


@dataclass(frozen=True)
class Chosen:
    way: str
    to_phone: bool = False


def chosen_by(user_ids: Iterable[int], topic: str) -> dict[int, Chosen]:
    """Return how each of these people wants to hear of a topic. One query."""
    about, wanted = topic_of(topic), list(user_ids)
    rows = NoticeChoice.objects.filter(topic=topic, user_id__in=wanted).values_list("user_id", "way", "to_phone")
    found = {user_id: Chosen(chosen_way(about, way), to_phone) for user_id, way, to_phone in rows}
    usual = Chosen(chosen_way(about, None))
    return {user_id: found.get(user_id, usual) for user_id in wanted}


def choices_of(user_id: int) -> dict[str, Chosen]:
    """Return one person's choice for every topic. One query."""
    rows = NoticeChoice.objects.filter(user_id=user_id).values_list("topic", "way", "to_phone")
    made = {topic: (way, to_phone) for topic, way, to_phone in rows}
    chosen = {}
    for name, about in topics().items():
        way, to_phone = made.get(name, (None, False))
        chosen[name] = Chosen(chosen_way(about, way), to_phone)
    return chosen


@transaction.atomic
def save_choices(*, user_id: int, chosen: Mapping[str, Chosen], digest_hour: int) -> None:
    """Keep a person's choices; what waits to be sent follows them at once.

    `digest_hour` is the campus's hour, 0 to 23. Raises InvalidInput.
    """
    if digest_hour not in range(24):
        raise InvalidInput({"digest_hour": _("Choose an hour of the day.")})
    NoticeSettings.objects.update_or_create(user_id=user_id, defaults={"digest_hour": digest_hour})
    for name, choice in chosen.items():
        if name in topics():
            _choose(user_id, name, choice)


def _choose(user_id: int, topic: str, choice: Chosen) -> None:
    if choice.way not in Way.values:
        raise InvalidInput({topic: _("Choose one of the ways in the list.")})
    way = chosen_way(topic_of(topic), choice.way)
    NoticeChoice.objects.update_or_create(
        user_id=user_id, topic=topic, defaults={"way": way, "to_phone": choice.to_phone}
    )
    waiting = Notice.objects.filter(
        recipient_id=user_id, kind__in=kinds_of(topic), mail__in=[Notice.Mail.DUE, Notice.Mail.DIGEST]
    )
    if way in (Way.SITE, Way.OFF):
        waiting.update(mail=Notice.Mail.NONE)
    elif way == Way.DIGEST:
        waiting.update(mail=Notice.Mail.DIGEST)


def unsubscribe_token(user_id: int, topic: str) -> str:
    """Return what a link in an e-mail carries; it works as long as the account, and for this one thing only."""
    return signing.dumps([user_id, topic], salt=_SALT)


def read_token(token: str) -> tuple[int, str]:
    """Return (person, topic). Raises NotFound where it was not signed by us, or for a topic that must come."""
    try:
        user_id, topic = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise NotFound from error
    if topic != DIGEST and (topic not in topics() or topic_of(topic).must):
        raise NotFound
    return int(user_id), str(topic)


@transaction.atomic
def unsubscribe(*, token: str) -> str:
    """Stop the e-mails that a link names; the notices stay on the site. Return the topic. Raises NotFound."""
    user_id, topic = read_token(token)
    chosen = choices_of(user_id)
    stopped = [topic] if topic != DIGEST else [name for name, one in chosen.items() if one.way == Way.DIGEST]
    for name in stopped:
        _choose(user_id, name, Chosen(Way.SITE, chosen[name].to_phone))
    return topic
