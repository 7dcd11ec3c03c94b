"""Telling people, and what they do with it: reading one, reading all. Mail leaves later (`mailing`)."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from campus.core.models import Notice, Way

from .choices import Chosen, chosen_by
from .kinds import is_registered, kind_of
from .live import tell
from .phones import queue_phone_messages

# Who sits before the page has read it by then, and is spared the e-mail.
MAIL_DELAY = timedelta(minutes=1)


def notify(
    *, recipient_ids: Iterable[int], kind: str, url: str, facts: Mapping[str, Any] | None = None, key: str = ""
) -> None:
    """Tell each of these people once, inside the caller's transaction; pages hear of it after the commit.

    `facts` is what JSON holds: days and times as ISO texts. With a `key`, whoever was told under it before is not told
    again; whoever turned the topic off is not told at all. Raises RuntimeError outside a transaction, ValueError for a
    kind that nobody registered or a url that leads off the campus.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("notices are a part of what they tell of; call this inside its transaction")
    if not is_registered(kind):
        raise ValueError(f"no kind of notice {kind!r}")
    if not url.startswith("/") or url.startswith("//"):
        raise ValueError(f"a notice leads to a page of the campus, not to {url!r}")
    chosen = chosen_by(sorted(set(recipient_ids)), kind_of(kind).topic)
    rows = [
        Notice(recipient_id=recipient_id, kind=kind, url=url, facts=dict(facts or {}), key=key or None, **_mail(choice))
        for recipient_id, choice in chosen.items()
        if choice.way != Way.OFF
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=bool(key))
    queue_phone_messages(kind, key, rows, {pk for pk, choice in chosen.items() if choice.to_phone})
    tell(notice.recipient_id for notice in rows)


def _mail(choice: Chosen) -> dict[str, Any]:
    """How the notice's e-mail begins: due after a moment, for the digest, or none."""
    if choice.way == Way.MAIL:
        return {"mail": Notice.Mail.DUE, "mail_after": Now() + MAIL_DELAY}
    return {"mail": Notice.Mail.DIGEST if choice.way == Way.DIGEST else Notice.Mail.NONE}


def open_notice(*, user_id: int, notice_id: int) -> str | None:
    """Mark a notice of one's own as read; return where it leads, or None where there is none of that number."""
    mine = Notice.objects.filter(recipient_id=user_id, pk=notice_id)
    url = mine.values_list("url", flat=True).first()
    if url is not None and mine.filter(read_at=None).update(read_at=Now()):
        tell([user_id])
    return url


def read_all(*, user_id: int) -> int:
    """Mark all of one's notices as read; return how many there were."""
    count = Notice.objects.filter(recipient_id=user_id, read_at=None).update(read_at=Now())
    if count:
        tell([user_id])
    return count
