"""Proving a phone number: a code goes to it, and only who types it in has the number kept.

The number that is kept is always a proven one (a constraint), so nothing else is ever sent to another. Of a code only
a keyed digest is kept.
"""

import secrets
from datetime import datetime

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import CampusError, InvalidInput, TooManyAttempts
from campus.core.formats import campus_time
from campus.core.models import NoticeSettings, PhoneCheck

from .channels import Channel, Outcome, PhoneText
from .domain import codes, numbers
from .domain.codes import Verdict
from .phones import channels

logger = structlog.get_logger(__name__)

_SALT = "campus.core.notices.phone_codes"


class NotSent(CampusError):
    """No provider took the code."""

    status = 503
    code = "not_sent"


def code_ways() -> list[tuple[str, Channel[PhoneText]]]:
    """Return the ways that can carry a code: SMS, and Alimtalk where a template for codes was approved."""
    template = settings.NOTICES_PHONE_CODE_TEMPLATE
    return [(name, channel) for name, channel in channels() if name != "ALIMTALK" or template]


def send_code(*, user_id: int, phone: str) -> PhoneCheck:
    """Send a code to a number as it was typed. The one before works no longer.

    Raises InvalidInput (phone), TooManyAttempts (with `until_at`), NotSent where no provider took it; that try counts.
    """
    try:
        number = numbers.e164(phone)
    except numbers.BadNumber as error:
        words = _("Write a phone number such as 010-1234-5678, or +82 10 1234 5678.")
        raise InvalidInput({"phone": words}) from error
    code = f"{secrets.randbelow(10**codes.DIGITS):0{codes.DIGITS}}"
    check = _open_check(user_id, number, code)
    _send(check, code)
    return check


@transaction.atomic
def _open_check(user_id: int, number: str, code: str) -> PhoneCheck:
    _lock(user_id, number)
    now = database_now()
    recent = PhoneCheck.objects.filter(sent_at__gt=now - codes.DAY)
    asked = list(recent.filter(user_id=user_id).values_list("sent_at", flat=True))
    until = codes.wait_until(asked, list(recent.filter(phone=number).values_list("sent_at", flat=True)), now)
    if until is not None:
        words = _("A code was sent a short while ago. You can ask for another from %(when)s on.")
        raise TooManyAttempts(words % {"when": campus_time(until)}, facts={"until_at": until.isoformat()})
    PhoneCheck.objects.filter(user_id=user_id, sent_at__lte=now - codes.DAY).delete()
    return PhoneCheck.objects.create(user_id=user_id, phone=number, digest=_digest(user_id, number, code), sent_at=now)


def _lock(user_id: int, number: str) -> None:
    """One at a time for a person and for a number, so that both limits hold however many ask at once."""
    with connection.cursor() as cursor:
        for key in (f"phone:{number}", f"phone-of:{user_id}"):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _send(check: PhoneCheck, code: str) -> None:
    text = PhoneText(
        reference=f"phone-code-{check.pk}", to=check.phone,
        text="[AI Campus] " + _("Your code is %(code)s. It works for 10 minutes.") % {"code": code},
        template=settings.NOTICES_PHONE_CODE_TEMPLATE, variables=(("code", code),),
    )  # fmt: skip
    for name, channel in code_ways():
        result = channel.send(text)
        if result.outcome is Outcome.SENT:
            return
        logger.warning("phone_code_not_taken", check=check.pk, by=name, outcome=result.outcome.value)
    raise NotSent(_("The code could not be sent. Check the number, and try again in a minute."))


def confirm_code(*, user_id: int, code: str) -> str:
    """Keep the number that the newest code went to, if this is the code; return it.

    Raises InvalidInput (code): wrong, too late, or tried too often. Each wrong try counts, also when it raises.
    """
    verdict, number = _try(user_id, "".join(code.split()))
    if verdict is not Verdict.RIGHT:
        raise InvalidInput({"code": _words(verdict)}, code=f"code_{verdict.value}")
    return number


@transaction.atomic
def _try(user_id: int, code: str) -> tuple[Verdict, str]:
    newest = PhoneCheck.objects.select_for_update().filter(user_id=user_id).order_by("-id").first()
    now = database_now()
    is_same = newest is not None and constant_time_compare(newest.digest, _digest(user_id, newest.phone, code))
    verdict = codes.judge(_sent(newest), is_same, now)
    if newest is None:
        return verdict, ""
    if verdict is Verdict.RIGHT:
        newest.used_at = now
        _keep(user_id, newest.phone, now)
    elif codes.is_open(_sent(newest), now):
        newest.tries += 1
    newest.save(update_fields=["used_at", "tries"])
    return verdict, newest.phone


@transaction.atomic
def forget_phone(*, user_id: int) -> None:
    """Keep no number of this person any longer; nothing goes to a phone."""
    _keep(user_id, "", None)
    PhoneCheck.objects.filter(user_id=user_id, used_at=None).update(used_at=database_now())


def _keep(user_id: int, number: str, proven_at: datetime | None) -> None:
    """Keep this number instead of the one before; the trail says that it changed, not what it is."""
    kept, _is_new = NoticeSettings.objects.select_for_update().get_or_create(user_id=user_id)
    before, kept.phone, kept.phone_verified_at = kept.phone, number, proven_at
    kept.save(update_fields=["phone", "phone_verified_at"])
    if before != number:
        user = get_user_model().objects.get(pk=user_id)
        audit.record(
            actor=user, verb="person.phone_changed", target=user, subject=user,
            changes={"phone": (numbers.masked(before), numbers.masked(number))},
        )  # fmt: skip


def open_check(user_id: int, now: datetime) -> PhoneCheck | None:
    """Return the check whose code can still be typed in. One query."""
    newest = PhoneCheck.objects.filter(user_id=user_id).order_by("-id").first()
    return newest if codes.is_open(_sent(newest), now) else None


def _sent(check: PhoneCheck | None) -> codes.Sent | None:
    return codes.Sent(check.sent_at, check.tries, check.used_at is not None) if check else None


def _digest(user_id: int, number: str, code: str) -> str:
    return salted_hmac(_SALT, f"{user_id}:{number}:{code}", algorithm="sha256").hexdigest()


def _words(verdict: Verdict) -> str:
    return {
        Verdict.WRONG: _("This is not the code that was sent."),
        Verdict.EXPIRED: _("This code works no longer. Ask for a new one."),
        Verdict.SPENT: _("The code was typed in wrongly too often. Ask for a new one."),
    }[verdict]
