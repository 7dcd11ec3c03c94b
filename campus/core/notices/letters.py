"""The e-mails: one notice or several of a kind, and the daily digest; as text, and as HTML beside it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campus.core import formats
from campus.core.models import Digest, Notice

from .choices import DIGEST, unsubscribe_token
from .kinds import kind_of, words_of
from .topics import topic_of, topics

MOST_LINES = 100


def letter_about(notices: Sequence[Notice]) -> EmailMultiAlternatives:
    """Return the e-mail about notices of one kind for one person."""
    reader, topic = notices[0].recipient, kind_of(notices[0].kind).topic
    with translation.override(reader.language):
        lines = [_line(notice) for notice in notices]
        title = lines[0]["title"]
        if len(lines) > 1:
            more = len(lines) - 1
            counted = ngettext("%(title)s, and %(count)d more", "%(title)s, and %(count)d more", more)
            title = counted % {"title": title, "count": more}
        context = {"lines": lines, "topics": [_way_out(reader.pk, topic)]}
        return _letter(reader, title, context, unsubscribe=topic, reference=f"notice-{notices[0].pk}")


def digest_letter(digest: Digest, notices: Sequence[Notice]) -> EmailMultiAlternatives:
    """Return the e-mail of a day: what happened by topic, each with the way out of it."""
    reader = digest.user
    with translation.override(reader.language):
        shown = notices[:MOST_LINES]
        parts = []
        for name, topic in topics().items():
            mine = [_line(notice) for notice in shown if kind_of(notice.kind).topic == name]
            if mine:
                parts.append({"label": topic.label, "lines": mine} | _way_out(reader.pk, name))
        day = formats.campus_date(digest.day)
        title = _("Your day at AI Campus, %(day)s") % {"day": day}
        left = len(notices) - len(shown)
        context = {"parts": parts, "left": left, "topics": [part for part in parts if part["stop_url"]]}
        return _letter(reader, title, context, unsubscribe=DIGEST, reference=f"digest-{digest.pk}")


def _line(notice: Notice) -> dict[str, str]:
    words = words_of(notice.kind, notice.facts)
    url = f"{settings.CAMPUS_URL}{reverse('notice', args=[notice.pk])}"
    # A name may hold a line break; a line of an e-mail may not.
    return {"title": " ".join(words.title.split()), "text": " ".join(words.text.split()), "url": url}


def _way_out(user_id: int, topic: str) -> dict[str, str]:
    """The label and the link that ends a topic's e-mails; no link for one that must come."""
    about = topic_of(topic)
    stop_url = "" if about.must else _stop_url(user_id, topic)
    return {"name": topic, "label": str(about.label), "stop_url": stop_url}


def _stop_url(user_id: int, topic: str) -> str:
    return f"{settings.CAMPUS_URL}{reverse('notice-unsubscribe', args=[unsubscribe_token(user_id, topic)])}"


def _letter(
    reader: Any, title: str, context: dict[str, Any], *, unsubscribe: str, reference: str
) -> EmailMultiAlternatives:
    """Put text and HTML together. The same `reference` gives the same Message-ID: a letter sent twice is seen once."""
    host = settings.CAMPUS_URL.split("//", 1)[-1].split("/", 1)[0].split(":", 1)[0] or "localhost"
    headers = {"Message-ID": f"<{reference}@{host}>", "Auto-Submitted": "auto-generated"}
    if unsubscribe == DIGEST or not topic_of(unsubscribe).must:
        headers["List-Unsubscribe"] = f"<{_stop_url(reader.pk, unsubscribe)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    context |= {
        "reader": reader,
        "title": title,
        "settings_url": f"{settings.CAMPUS_URL}{reverse('notice-choices')}",
        "language": translation.get_language(),
    }
    text = render_to_string("core/mail/letter.txt", context)
    letter = EmailMultiAlternatives(title, text, to=[reader.email], headers=headers)
    letter.attach_alternative(render_to_string("core/mail/letter.html", context), "text/html")
    return letter
