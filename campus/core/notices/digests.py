"""The daily e-mail: one a person and day, at the hour they chose in the campus's time zone, skipped when empty."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from campus.core.models import Digest, Notice
from campus.core.models_choices import DIGEST_HOUR

from .channels import Result
from .letters import digest_letter
from .mailing import LEASE, Letter, post, settle

MOST = 100


def send_digests(*, now: datetime, most: int = MOST) -> int:
    """Open the digests whose hour has come, and send at most `most`; return how many left. Idempotent."""
    open_digests(now=now)
    return post(_letter(digest, notices) for digest, notices in _claim(most))


@transaction.atomic
def open_digests(*, now: datetime) -> None:
    """Open today's digest for everybody whose hour has come and for whom something waits.

    Whose digest of an earlier day still waits for the server gets that one today, and no second.
    """
    local = now.astimezone(timezone.get_default_timezone())
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    hour = Coalesce("recipient__notice_settings__digest_hour", Value(DIGEST_HOUR))
    of_today = Q(day=local.date()) | Q(mail=Digest.Mail.DUE) | Q(mailed_at__gte=midnight)
    today = Digest.objects.filter(of_today, user=OuterRef("recipient"))
    waiting = Notice.objects.filter(mail=Notice.Mail.DIGEST, read_at=None, recipient__is_active=True)
    ready = waiting.alias(hour=hour).filter(~Exists(today), hour__lte=local.hour).order_by("recipient_id")
    people = ready.values_list("recipient_id", flat=True).distinct()
    # The sweep that comes second finds the day taken: UNIQUE (user, day).
    Digest.objects.bulk_create(
        [Digest(user_id=user_id, day=local.date(), mail_after=Now()) for user_id in people], ignore_conflicts=True
    )


@transaction.atomic
def _claim(most: int) -> list[tuple[Digest, list[Notice]]]:
    """Take digests that are due, each with what it carries; one that is empty by now is closed unsent."""
    due = Digest.objects.filter(mail=Digest.Mail.DUE, mail_after__lte=Now()).order_by("mail_after")
    locked = due.select_for_update(of=("self",), skip_locked=True, no_key=True)
    claimed = list(locked.select_related("user")[:most])
    ids, people = [digest.pk for digest in claimed], [digest.user_id for digest in claimed if digest.user.is_active]
    unread = Notice.objects.filter(mail=Notice.Mail.DIGEST, read_at=None, recipient_id__in=people)
    carried: dict[int, list[Notice]] = {}
    for notice in unread.select_related("recipient").order_by("id"):
        carried.setdefault(notice.recipient_id, []).append(notice)
    Digest.objects.filter(pk__in=ids).update(mail_after=Now() + LEASE, mail_tries=F("mail_tries") + 1)
    empty = [digest.pk for digest in claimed if digest.user_id not in carried]
    Digest.objects.filter(pk__in=empty).update(mail=Digest.Mail.NONE)
    found = []
    for digest in claimed:
        digest.mail_tries += 1
        if notices := carried.get(digest.user_id):
            Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(digest=digest)
            found.append((digest, notices))
    return found


def _letter(digest: Digest, notices: list[Notice]) -> Letter:
    def note(result: Result) -> None:
        with transaction.atomic():
            settle(Digest.objects.filter(pk=digest.pk), digest.mail_tries, result)
            if Digest.objects.filter(pk=digest.pk, mail=Digest.Mail.SENT).exists():
                carried = Notice.objects.filter(pk__in=[notice.pk for notice in notices], mail=Notice.Mail.DIGEST)
                carried.update(mail=Notice.Mail.SENT, mailed_at=Now())

    return Letter(digest_letter(digest, notices), note)
