"""Messages to phones: queued beside the notice, sent by Alimtalk, by SMS where Alimtalk does not take them.

Off until a provider's address is set (docs/operating.md). A kind goes to phones only where settings name a template for
it; what leaves the house is the template's own variables, the link, and no other fact of the notice.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation

from campus.core.models import Notice, NoticeSettings, PhoneMessage

from .channels import AlimtalkChannel, Channel, Outcome, PhoneText, Result, SmsChannel
from .kinds import kind_of, written_facts

logger = structlog.get_logger(__name__)

MOST = 100
MOST_TRIES = 8
LEASE = timedelta(minutes=10)
BUSY_S = LEASE.total_seconds() / 2
DELAY = timedelta(minutes=1)
#: So often a provider that does not answer is waited for, before the next way is tried.
PATIENCE = 3
NOT_TRIED = Result(Outcome.AWAY, "not tried")


def channels() -> list[tuple[str, Channel[PhoneText]]]:
    """Return the ways to a phone that settings switch on, the first choice first."""
    found: list[tuple[str, Channel[PhoneText]]] = []
    timeout_s = settings.NOTICES_PHONE_TIMEOUT_S
    for name, kind, given in (
        ("ALIMTALK", AlimtalkChannel, settings.NOTICES_ALIMTALK),
        ("SMS", SmsChannel, settings.NOTICES_SMS),
    ):
        if given["url"]:
            found.append((name, kind(**given, timeout_s=timeout_s)))
    return found


def phone_topics() -> frozenset[str]:
    """Return the topics of which at least one kind may go to a phone; none where no provider is set."""
    if not (settings.NOTICES_ALIMTALK["url"] or settings.NOTICES_SMS["url"]):
        return frozenset()
    return frozenset(kind_of(kind).topic for kind in settings.NOTICES_PHONE_TEMPLATES)


def queue_phone_messages(kind: str, key: str, rows: Sequence[Notice], wanted: set[int]) -> None:
    """Put a message beside each notice whose reader wants it on the phone and gave a number. Two queries at most.

    `rows` were just written; with a `key` some may have been there before, and those were queued then.
    """
    if not wanted or kind_of(kind).topic not in phone_topics() or kind not in settings.NOTICES_PHONE_TEMPLATES:
        return
    reachable = NoticeSettings.objects.filter(user_id__in=wanted).exclude(phone="").values("user_id")
    told = Notice.objects.filter(kind=kind, recipient_id__in=reachable, phone_message=None)
    told = told.filter(key=key) if key else told.filter(pk__in=[row.pk for row in rows])
    PhoneMessage.objects.bulk_create(
        [PhoneMessage(notice_id=pk, send_after=Now() + DELAY) for pk in told.values_list("pk", flat=True)],
        ignore_conflicts=True,
    )


def send_phone_messages(*, most: int = MOST) -> int:
    """Send at most `most` messages that are due; return how many left. What was read meanwhile is not sent."""
    ways, sent, until = channels(), 0, time.monotonic() + BUSY_S
    if not ways:
        return 0
    away: set[str] = set()
    for message in _claim(most):
        by, result = ("", NOT_TRIED) if time.monotonic() > until else _send(message, ways, away)
        _settle(message, by, result)
        sent += result.outcome is Outcome.SENT
    return sent


@transaction.atomic
def _claim(most: int) -> list[PhoneMessage]:
    due = PhoneMessage.objects.filter(state=PhoneMessage.State.DUE, send_after__lte=Now())
    due.exclude(notice__read_at=None).update(state=PhoneMessage.State.NONE)
    due.filter(notice__recipient__is_active=False).update(state=PhoneMessage.State.NONE)
    rows = due.order_by("send_after").select_for_update(of=("self",), skip_locked=True, no_key=True)
    claimed = list(rows.select_related("notice__recipient__notice_settings")[:most])
    PhoneMessage.objects.filter(pk__in=[row.pk for row in claimed]).update(
        send_after=Now() + LEASE, tries=F("tries") + 1
    )
    for row in claimed:
        row.tries += 1
    return claimed


def _send(message: PhoneMessage, ways: Sequence[tuple[str, Channel[PhoneText]]], away: set[str]) -> tuple[str, Result]:
    """Try one way after the other: the next one where a provider refuses, or did not answer PATIENCE times."""
    text, name, result = _text(message), "NONE", Result(Outcome.REFUSED, "no number or no way")
    if text is None:
        return name, result
    for name, channel in ways:
        if name == "ALIMTALK" and not text.template:
            continue
        result = NOT_TRIED if name in away else channel.send(text)
        if result.outcome is Outcome.AWAY:
            away.add(name)
        if result.outcome is Outcome.SENT or (result.outcome is not Outcome.REFUSED and message.tries <= PATIENCE):
            break
        logger.warning("phone_message_not_taken", message=message.pk, by=name, why=result.why)
    return name, result


def _settle(message: PhoneMessage, by: str, result: Result) -> None:
    """Note what became of it, unless another claimed it since; tried again after 2, 4, 8 … minutes."""
    mine = PhoneMessage.objects.filter(pk=message.pk, state=PhoneMessage.State.DUE, tries=message.tries)
    if result.outcome is Outcome.SENT:
        mine.update(state=PhoneMessage.State.SENT, by=by, why="")
    elif not by:
        mine.update(tries=message.tries - 1, send_after=Now())
    elif result.outcome is Outcome.REFUSED or message.tries >= MOST_TRIES:
        mine.update(state=PhoneMessage.State.FAILED, by=by, why=result.why)
    else:
        mine.update(send_after=Now() + timedelta(minutes=2**message.tries), why=result.why)


def _text(message: PhoneMessage) -> PhoneText | None:
    """What leaves the house: the facts that the kind's template names, and a link that asks for signing in."""
    notice = message.notice
    kept = getattr(notice.recipient, "notice_settings", None)
    template: dict[str, Any] | None = settings.NOTICES_PHONE_TEMPLATES.get(notice.kind)
    if kept is None or not kept.phone or template is None:
        return None
    link = f"{settings.CAMPUS_URL}{reverse('notice', args=[notice.pk])}"
    allowed = {name: value for name, value in notice.facts.items() if name in template.get("variables", ())}
    with translation.override(notice.recipient.language):
        facts = written_facts(allowed)
        title = " ".join((str(kind_of(notice.kind).title) % facts).split())
        variables = {name: facts[name] for name in template.get("variables", ())} | {"link": link}
    return PhoneText(
        reference=f"notice-{notice.pk}", to=kept.phone, text=f"[AI Campus] {title}\n{link}",
        template=template.get("code", ""), variables=tuple(variables.items()),
    )  # fmt: skip
