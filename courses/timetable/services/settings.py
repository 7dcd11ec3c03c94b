"""Holidays and streams, which administrators keep."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import InvalidInput, NotAllowed, NotFound
from campus.people.api import ADMINISTERING, standing_of
from campus.people.models import User
from campus.places.models import Campus
from courses.catalog.api import clean
from courses.timetable.models import Holiday, Stream


@transaction.atomic
def add_holiday(
    *, on: date, name_ko: str, actor: User | None, name_en: str = "", campus_id: int | None = None
) -> Holiday:
    """Mark a day as without classes, at a campus or (None) everywhere. Planned classes stay: they are shown to move.

    Raises NotAllowed (not an administrator there), InvalidInput (the day is marked already).
    """
    campus = Campus.objects.select_related("scope").filter(pk=campus_id).first() if campus_id else None
    if campus_id and campus is None:
        raise NotFound
    _require(actor, campus)
    if Holiday.objects.filter(on=on, campus=campus).exists():
        raise InvalidInput({"on": _("This day is a holiday there already.")})
    holiday = Holiday(on=on, campus=campus, name_ko=name_ko.strip(), name_en=name_en.strip())
    clean(holiday)
    holiday.save()
    audit.record(actor=actor, verb="holiday.added", target=holiday, scope_path=campus.scope.path if campus else ())
    return holiday


@transaction.atomic
def remove_holiday(*, holiday_id: int, actor: User) -> None:
    """Make a holiday a day like others. Raises NotFound, NotAllowed."""
    holiday = Holiday.objects.select_related("campus__scope").filter(pk=holiday_id).first()
    if holiday is None:
        raise NotFound
    _require(actor, holiday.campus)
    path = holiday.campus.scope.path if holiday.campus else ()
    audit.record(actor=actor, verb="holiday.removed", target=holiday, scope_path=path)
    holiday.delete()


@transaction.atomic
def save_stream(
    *, name_ko: str, url: str, actor: User | None, name_en: str = "", is_active: bool = True,
    stream_id: int | None = None,
) -> Stream:  # fmt: skip
    """Add a stream, or change the one with `stream_id`. Raises NotFound, NotAllowed (administrators), InvalidInput."""
    if actor is not None and not standing_of(actor).is_administering:
        raise NotAllowed
    stream = Stream() if stream_id is None else Stream.objects.filter(pk=stream_id).first()
    if stream is None:
        raise NotFound
    before = stream.url
    stream.name_ko, stream.name_en, stream.url = name_ko.strip(), name_en.strip(), url.strip()
    stream.is_active = is_active
    clean(stream)
    stream.save()
    audit.record(actor=actor, verb="stream.saved", target=stream, changes={"url": (before, stream.url)})
    return stream


def _require(actor: User | None, campus: Campus | None) -> None:
    """A holiday everywhere is the platform's; one at a campus is its administrators'. None is the platform itself."""
    if actor is None:
        return
    standing = standing_of(actor)
    is_allowed = standing.holds(ADMINISTERING, campus.scope.path) if campus else standing.is_platform_admin
    if not is_allowed:
        raise NotAllowed
