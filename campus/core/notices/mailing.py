"""Sending the e-mails that are due: claimed in a transaction, sent outside of it, so that a slow server holds nothing.

A claim is a lease: what a killed worker had claimed is sent by the next sweep after LEASE. Several notices of one kind
become one e-mail, and after one of a kind the next waits for GATHER.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from campus.core.models import Notice

from .channels import MailChannel, Outcome, Result
from .letters import letter_about

logger = structlog.get_logger(__name__)

MOST = 100
MOST_TRIES = 8
LEASE = timedelta(minutes=10)
#: No letter is begun after half of the lease: what is left goes back, and no other worker sends it meanwhile.
BUSY_S = LEASE.total_seconds() / 2
GATHER = timedelta(minutes=10)
AWAY_FOR = timedelta(minutes=2)

NOT_TRIED = Result(Outcome.AWAY, "not tried")


@dataclass(frozen=True)
class Letter:
    """An e-mail, and what notes what became of it."""

    message: EmailMessage
    settle: Callable[[Result], None]


def send_due_mail(*, most: int = MOST) -> int:
    """Send the e-mails of at most `most` notices that are due; return how many e-mails left."""
    return post(_letter(group) for group in _claim(most))


def post(letters: Iterable[Letter]) -> int:
    """Send letters over one connection and settle each; once the server is away, the rest wait untried."""
    until, sent, away = time.monotonic() + BUSY_S, 0, False
    with MailChannel() as channel:
        for letter in letters:
            result = NOT_TRIED if away or time.monotonic() > until else channel.send(letter.message)
            if result.outcome is not Outcome.SENT and result is not NOT_TRIED:
                logger.warning("mail_not_sent", outcome=result.outcome.value, why=result.why)
            away = away or (result.outcome is Outcome.AWAY and result is not NOT_TRIED)
            letter.settle(result)
            sent += result.outcome is Outcome.SENT
    return sent


def settle(rows: QuerySet[Any], tries: int, result: Result) -> None:
    """Note on claimed rows (`mail`, `mail_after`, `mail_tries`) what became of them, unless another claimed them since.

    A server that is away costs no try; 4xx is tried again after 2, 4, 8 … minutes, MOST_TRIES times in all.
    """
    mine = rows.filter(mail="DUE", mail_tries=tries)
    if result.outcome is Outcome.SENT:
        mine.update(mail="SENT", mailed_at=Now())
    elif result.outcome is Outcome.AWAY:
        mine.update(mail_tries=tries - 1, mail_after=Now() + AWAY_FOR)
    elif result.outcome is Outcome.REFUSED or tries >= MOST_TRIES:
        mine.update(mail="FAILED")
    else:
        mine.update(mail_after=Now() + timedelta(minutes=2**tries))


def _letter(group: list[Notice]) -> Letter:
    rows, tries = Notice.objects.filter(pk__in=[notice.pk for notice in group]), group[0].mail_tries
    return Letter(letter_about(group), lambda result: settle(rows, tries, result))


@transaction.atomic
def _claim(most: int) -> list[list[Notice]]:
    """Take what is due, grouped by person, kind and number of tries; the read and the closed are not sent at all.

    With each due notice go its fellows of the same kind that would be due within the minute.
    """
    waiting = Notice.objects.filter(mail=Notice.Mail.DUE)
    due = waiting.filter(mail_after__lte=Now())
    due.exclude(read_at=None).update(mail=Notice.Mail.NONE)
    due.filter(recipient__is_active=False).update(mail=Notice.Mail.NONE)
    just_mailed = Notice.objects.filter(
        recipient=OuterRef("recipient"), kind=OuterRef("kind"), mailed_at__gt=Now() - GATHER
    )
    ripe = due.filter(~Exists(just_mailed)).order_by("mail_after")
    locked = ripe.select_for_update(of=("self",), skip_locked=True, no_key=True)
    claimed = list(locked.select_related("recipient")[:most])
    claimed += _fellows(waiting, claimed)
    Notice.objects.filter(pk__in=[notice.pk for notice in claimed]).update(
        mail_after=Now() + LEASE, mail_tries=F("mail_tries") + 1
    )
    groups: dict[tuple[int, str, int], list[Notice]] = defaultdict(list)
    for notice in sorted(claimed, key=lambda one: one.pk):
        notice.mail_tries += 1
        groups[notice.recipient_id, notice.kind, notice.mail_tries].append(notice)
    return list(groups.values())


def _fellows(waiting: QuerySet[Notice], claimed: list[Notice]) -> list[Notice]:
    """What was told to the same people of the same kinds a moment later, and was never tried."""
    pairs = {(notice.recipient_id, notice.kind) for notice in claimed if notice.mail_tries == 0}
    people, kinds = {one for one, _kind in pairs}, {kind for _one, kind in pairs}
    fresh = waiting.filter(mail_tries=0, read_at=None, recipient_id__in=people, kind__in=kinds)
    fresh = fresh.exclude(pk__in=[notice.pk for notice in claimed])
    rows = fresh.select_for_update(of=("self",), skip_locked=True, no_key=True).select_related("recipient")
    return [notice for notice in rows if (notice.recipient_id, notice.kind) in pairs]
