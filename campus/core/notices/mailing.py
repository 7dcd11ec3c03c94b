"""Sending the e-mails that are due: claimed in a transaction, sent outside of it, so that a slow server holds nothing.

A claim is a lease: what a killed worker had claimed is sent by the next sweep after LEASE.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from campus.core.models import Notice

from .kinds import words_of

logger = structlog.get_logger(__name__)

MOST = 100
MOST_TRIES = 5
LEASE = timedelta(minutes=10)


def send_due_mail(*, most: int = MOST) -> int:
    """Send at most `most` e-mails that are due; return how many left. What was read meanwhile is not sent."""
    sent = 0
    for notice in _claim(most):
        try:
            _message(notice).send()
        except (OSError, ValueError) as error:  # SMTP's errors are OSErrors; a header that cannot be is a ValueError
            logger.warning("notice_mail_failed", notice=notice.pk, tries=notice.mail_tries, error=repr(error))
            _failed(notice)
        else:
            Notice.objects.filter(pk=notice.pk).update(mail=Notice.Mail.SENT)
            sent += 1
    return sent


@transaction.atomic
def _claim(most: int) -> list[Notice]:
    due = Notice.objects.filter(mail=Notice.Mail.DUE, mail_after__lte=Now())
    due.exclude(read_at=None).update(mail=Notice.Mail.NONE)
    due.filter(recipient__is_active=False).update(mail=Notice.Mail.NONE)
    rows = due.order_by("mail_after").select_for_update(of=("self",), skip_locked=True, no_key=True)
    claimed = list(rows.select_related("recipient")[:most])
    Notice.objects.filter(pk__in=[notice.pk for notice in claimed]).update(
        mail_after=Now() + LEASE, mail_tries=F("mail_tries") + 1
    )
    for notice in claimed:
        notice.mail_tries += 1
    return claimed


def _failed(notice: Notice) -> None:
    """Try again after 2, 4, 8 … minutes; after MOST_TRIES no more: the page still has it."""
    if notice.mail_tries >= MOST_TRIES:
        Notice.objects.filter(pk=notice.pk).update(mail=Notice.Mail.FAILED)
    else:
        wait = timedelta(minutes=2**notice.mail_tries)
        Notice.objects.filter(pk=notice.pk).update(mail_after=Now() + wait)


def _message(notice: Notice) -> EmailMessage:
    reader = notice.recipient
    with translation.override(reader.language):
        words = words_of(notice.kind, notice.facts)
        why = _("You get this e-mail because it is about what you asked for or look after at AI Campus.")
        lines = [_("Hello %(name)s,") % {"name": reader.name}, words.title, words.text]
        lines += [f"{settings.CAMPUS_URL}{notice.url}", f"-- \n{why}"]
    # A name may hold a line break; a subject may not.
    subject = " ".join(words.title.split())
    return EmailMessage(subject, "\n\n".join(line for line in lines if line) + "\n", to=[reader.email])
