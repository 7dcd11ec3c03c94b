"""Screens and kiosks of a class, their codes, and the six digits that a learner types at a kiosk."""

import secrets
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from campus.core.compiled import Compiled, Given
from campus.core.errors import Conflict, InvalidInput, TooManyAttempts
from campus.people.models import User
from courses.attendance.domain.rolling import Scan, code_of, read, step_of
from courses.attendance.models import KioskCode, Station
from courses.catalog.models import Enrolment
from courses.timetable.models import ClassSession

_OPEN_STATION = Compiled(lambda: Station.objects.filter(pk=Given("pk"), closed_at=None).order_by())
_STATION_AND_CLASS = Compiled(
    lambda: (
        Station.objects.select_related("session__run__course", "room").filter(pk=Given("pk"), closed_at=None).order_by()
    )
)

CODE_FOR = timedelta(minutes=5)
WRONG_TRIES, WRONG_PER_S = 20, 60
_DRAWS = 20


@transaction.atomic
def open_station(*, session: ClassSession, kind: str, room_id: int | None, actor: User) -> Station:
    """Open a screen or kiosk of a class for a room (None: anywhere), or return the open one.

    Raises Conflict for a class that was cancelled, InvalidInput for a kind or room that it does not have.
    """
    if kind not in Station.Kind.values:
        raise InvalidInput({"kind": _("Choose a screen or a kiosk.")})
    if room_id is not None and not session.places.filter(room_id=room_id).exists():
        raise InvalidInput({"room": _("The class is not in this room.")})
    if not session.is_planned:
        raise Conflict(_("This class was cancelled."), code="cancelled")
    made = Station(session=session, kind=kind, room_id=room_id, opened_by=actor)
    Station.objects.bulk_create([made], ignore_conflicts=True)
    open_ones = Station.objects.filter(session=session, kind=kind, closed_at=None)
    return open_ones.get(room__isnull=True) if room_id is None else open_ones.get(room_id=room_id)


def close_station(*, station: Station, now: datetime) -> None:
    """Close a station: its address leads nowhere any more, its codes hold no longer. Twice is as once."""
    Station.objects.filter(pk=station.pk, closed_at=None).update(closed_at=now)


def shown_code(station: Station, now: datetime) -> str:
    """The code that the room's screen shows now, with the station's number, as it stands in the address."""
    return f"{station.pk}-{code_of(_secret(station), station.pk, step_of(now))}"


def read_code(text: str, now: datetime) -> tuple[Station, Scan]:
    """Return the station and the scan of a code. Raises Conflict for one that holds no longer, or never did."""
    number, _dash, code = text.partition("-")
    found = None
    if number.isascii() and number.isdecimal() and len(number) < 19:
        found = _OPEN_STATION.model(pk=int(number))
    scan = read(_secret(found), found.pk, code, now) if found and found.kind == Station.Kind.SCREEN else None
    if found is None or scan is None:
        raise Conflict(
            _("This code is no longer shown. Scan the one that is on the screen now; it changes every 15 seconds."),
            code="stale_code",
        )
    return found, scan


def station_of(number: int) -> Station | None:
    """An open station with its class, the course and the room; None where it was closed or never was."""
    return _STATION_AND_CLASS.model(pk=number)


def _secret(station: Station) -> bytes:
    return salted_hmac("attendance.rolling-code", station.key.hex, algorithm="sha256").digest()


def kiosk_code(*, session: ClassSession, enrolment: Enrolment, now: datetime) -> KioskCode:
    """Return the six digits that a learner may type at a kiosk of this class; new ones when the old ran out."""
    kept = KioskCode.objects.filter(session=session, enrolment=enrolment).first()
    if kept is not None and kept.expires_at > now:
        return kept
    for _draw in range(_DRAWS):
        digits = f"{secrets.randbelow(10**6):06}"
        try:
            with transaction.atomic():
                KioskCode.objects.filter(session=session, expires_at__lte=now).delete()
                made, _is_new = KioskCode.objects.update_or_create(
                    session=session, enrolment=enrolment, defaults={"code": digits, "expires_at": now + CODE_FOR}
                )
                return made
        except IntegrityError:  # somebody of this class has these digits
            continue
    raise Conflict(_("No code could be made. Please try again."))


def spend_at_kiosk(*, station: Station, typed: str, now: datetime) -> Enrolment:
    """Return whose code (which is used up) or card number was typed. Raises InvalidInput, TooManyAttempts.

    The answer never says whether a number exists elsewhere on campus.
    """
    tries = f"kiosk-wrong:{station.pk}"
    if (cache.get(tries) or 0) >= WRONG_TRIES:
        raise TooManyAttempts(_("Too many wrong numbers. Wait a minute."))
    text = typed.strip().replace(" ", "")[:30]
    found = _by_code(station, text, now) or _by_card(station, text)
    if found is None:
        cache.add(tries, 0, WRONG_PER_S)
        try:
            cache.incr(tries)
        except ValueError:  # it ran out in between
            cache.set(tries, 1, WRONG_PER_S)
        raise InvalidInput({"number": _("Nobody of this class has this number. Is the code still valid?")})
    return found


def _by_code(station: Station, text: str, now: datetime) -> Enrolment | None:
    if len(text) != 6 or not text.isascii() or not text.isdecimal():
        return None
    held = KioskCode.objects.filter(session_id=station.session_id, code=text, expires_at__gt=now)
    row = held.select_related("enrolment__user", "enrolment__cohort").first()
    # Used up by whoever deletes it.
    return row.enrolment if row is not None and KioskCode.objects.filter(pk=row.pk).delete()[0] else None


def _by_card(station: Station, text: str) -> Enrolment | None:
    if not text:
        return None
    return (
        Enrolment.objects.select_related("user", "cohort")
        .filter(
            cohort__sessioncohorts__session=station.session_id, state=Enrolment.State.ACTIVE,
            user__member_number__iexact=text, user__is_active=True,
        )
        .first()
    )  # fmt: skip
