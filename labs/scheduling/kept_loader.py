"""What is kept for classes and what is lent, from the database to the planner's values."""

from datetime import date, datetime, timedelta

from django.db.models import DateField, DateTimeField, Q, QuerySet

from campus.core.compiled import Compiled, Given
from infra.pool.models import Site

from .domain.snapshot import LendingState, ReservationState, SiteState
from .domain.windows import Hours, windows
from .models import ClassReservation, SiteLending

#: Classes that begin later are in nobody's way yet: no job may run that long.
CLASSES_AHEAD = timedelta(days=2)

_SITE = ("id", "is_open", "campus__is_open", "power_cap_w", "campus_id", "owner__account_id")


def _booked() -> QuerySet[ClassReservation]:
    return ClassReservation.objects.filter(
        state=ClassReservation.State.BOOKED,
        end_at__gt=Given("now", DateTimeField()),
        start_at__lt=Given("ahead", DateTimeField()),
    )


def _lendings() -> QuerySet[SiteLending]:
    within = Q(last_day=None) | Q(last_day__gte=Given("last_from", DateField()))
    begun = SiteLending.objects.filter(ended_at=None, first_day__lte=Given("first_by", DateField()))
    return begun.filter(within).select_related("site__campus")


_SITES = Compiled(lambda: Site.objects.order_by("id").values_list(*_SITE))
_BOOKED = Compiled(_booked)
_BOOKED_FOR_WHOM = Compiled(lambda: _booked().select_related("account"))
_LENDINGS = Compiled(_lendings)
_LENDINGS_TO_WHOM = Compiled(lambda: _lendings().select_related("site__campus", "borrower"))


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


def classes_until(now: datetime, ahead: datetime) -> list[ClassReservation]:
    """Those that meet or will before `ahead`, with the account for which they are kept. One query."""
    return _BOOKED_FOR_WHOM.models(now=now, ahead=ahead)


def open_lendings(now: datetime) -> list[SiteLending]:
    """Those that are not over, with the borrower and the zone of their campus. One query."""
    return _LENDINGS_TO_WHOM.models(**_days(now))


def _days(now: datetime) -> dict[str, date]:
    """Who begins later or ended sooner is out of reach in every zone."""
    return {"first_by": now.date() + timedelta(days=3), "last_from": now.date() - timedelta(days=2)}


def lendings(now: datetime) -> tuple[LendingState, ...]:
    """The windows of lending that are open or will be soon. One query."""
    return tuple(
        LendingState(
            lender_site_id=row.site_id,
            borrower_account_id=row.borrower_id,
            max_gpus=row.max_gpus,
            from_at=opens.timestamp(),
            until_at=closes.timestamp(),
        )
        for row in _LENDINGS.models(**_days(now))
        for opens, closes in windows(hours_of(row), now)
    )


def hours_of(row: SiteLending) -> Hours:
    """The hours of a lending whose site and campus are at hand."""
    return Hours(row.first_day, row.last_day, row.opens_at, row.closes_at, row.site.campus.timezone)
