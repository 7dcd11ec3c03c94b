"""What is kept for classes and what is lent, from the database to the planner's values."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import DateField, DateTimeField, Q, QuerySet

from campus.core.compiled import Compiled, Given
from infra.pool.models import Site

from .domain.snapshot import LendingState, ReservationState, SiteState
from .domain.windows import Hours, windows
from .models import ClassReservation, SiteLending

#: Classes that begin later are in nobody's way yet: no job may run that long.
CLASSES_AHEAD = timedelta(days=2)

_SITE = ("id", "is_open", "campus__is_open", "power_cap_w", "campus_id", "owner__account_id")


_SITES = Compiled(lambda: Site.objects.order_by("id").values_list(*_SITE))
_BOOKED = Compiled(
    lambda: ClassReservation.objects.filter(
        state=ClassReservation.State.BOOKED,
        end_at__gt=Given("now", DateTimeField()),
        start_at__lt=Given("ahead", DateTimeField()),
    )
)
_LENDINGS = Compiled(lambda: _lendings(Given("first_by", DateField()), Given("last_from", DateField())))


def sites() -> tuple[tuple[SiteState, ...], dict[int, int]]:
    """Every site, and the first site of each campus. One query."""
    states: list[SiteState] = []
    of_campus: dict[int, int] = {}
    for site_id, is_open, campus_is_open, power_cap_w, campus_id, owner_id in _SITES.rows():
        states.append(
            SiteState(site_id, is_open=is_open and campus_is_open, power_cap_w=power_cap_w, owner_account_id=owner_id)
        )
        of_campus.setdefault(campus_id, site_id)
    return tuple(states), of_campus


def reservations(now: datetime) -> tuple[ReservationState, ...]:
    """The classes that meet or will soon. One query.

    Nothing is released that somebody uses: `tend_reservations` has moved `used_at` before.
    """
    rows: list[ClassReservation] = _BOOKED.models(now=now, ahead=now + CLASSES_AHEAD)
    return tuple(
        ReservationState(
            id=row.pk,
            account_id=row.account_id,
            site_id=row.site_id,
            gpus=row.gpus,
            gpu_type=row.gpu_type or None,
            start_at=row.start_at.timestamp(),
            end_at=row.end_at.timestamp(),
            release_at=max(row.start_at, row.used_at or row.start_at).timestamp() + row.release_after_s,
        )
        for row in rows
    )


def open_lendings(now: datetime) -> QuerySet[SiteLending]:
    """Those that are not over, with the zone of their campus. One query."""
    return _lendings(*_days(now))


def _days(now: datetime) -> tuple[date, date]:
    """Who begins later or ended sooner is out of reach in every zone."""
    return now.date() + timedelta(days=3), now.date() - timedelta(days=2)


def _lendings(first_by: Any, last_from: Any) -> QuerySet[SiteLending]:
    return (
        SiteLending.objects.filter(ended_at=None, first_day__lte=first_by)
        .filter(Q(last_day=None) | Q(last_day__gte=last_from))
        .select_related("site__campus")
    )


def lendings(now: datetime) -> tuple[LendingState, ...]:
    """The windows of lending that are open or will be soon. One query."""
    first_by, last_from = _days(now)
    return tuple(
        LendingState(
            lender_site_id=row.site_id,
            borrower_account_id=row.borrower_id,
            max_gpus=row.max_gpus,
            from_at=opens.timestamp(),
            until_at=closes.timestamp(),
        )
        for row in _LENDINGS.models(first_by=first_by, last_from=last_from)
        for opens, closes in windows(hours_of(row), now)
    )


def hours_of(row: SiteLending) -> Hours:
    """The hours of a lending whose site and campus are at hand."""
    return Hours(row.first_day, row.last_day, row.opens_at, row.closes_at, row.site.campus.timezone)
