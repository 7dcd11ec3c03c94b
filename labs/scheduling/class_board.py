"""What the page of kept and lent GPUs shows: each site's week, by day. A fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from campus.people.access import ADMINISTERING, Standing
from infra.pool.models import Site
from labs.quota.models import Account

from .models import ClassReservation, SiteLending

DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Entry:
    """A class on a day: where its bar begins and how long it is, in minutes of that day."""

    row: ClassReservation
    from_minute: int
    minutes: int

    @property
    def starts(self) -> str:
        return f"{self.from_minute // 60:02}:{self.from_minute % 60:02}"

    @property
    def ends(self) -> str:
        minute = self.from_minute + self.minutes
        return f"{minute // 60:02}:{minute % 60:02}"


@dataclass
class Day:
    day: date
    entries: list[Entry] = field(default_factory=list)


@dataclass
class SiteWeek:
    site: Site
    days: list[Day]
    lendings: list[SiteLending]
    may_edit: bool

    @property
    def is_empty(self) -> bool:
        return not any(day.entries for day in self.days)


def sites_for(standing: Standing) -> QuerySet[Site]:
    """The sites whose GPUs this person may keep and lend."""
    found = Site.objects.order_by("id")
    return found if standing.is_platform_admin else found.filter(
        campus__scope__path__overlap=standing.scope_ids(ADMINISTERING)
    )  # fmt: skip


def accounts_for_classes(standing: Standing) -> QuerySet[Account]:
    """The accounts for which this person may keep GPUs: cohorts and what they belong to."""
    found = Account.objects.filter(is_open=True).exclude(kind=Account.Kind.LEARNER).order_by("kind", "name")
    found = found.select_related("parent")
    return found.filter(scope__path__overlap=standing.scope_ids(ADMINISTERING))


def monday_of(given: str, today: date) -> date:
    """The first day of the week that a query string names, or of this one."""
    try:
        day = date.fromisoformat(given)
        day = day if 2000 <= day.year <= 2200 else today
    except ValueError:
        day = today
    return day - timedelta(days=day.weekday())


def weeks(standing: Standing, monday: date) -> list[SiteWeek]:
    """Every site's week, each in its campus's own time. Three queries."""
    sites = list(Site.objects.select_related("campus__scope", "owner__account").order_by("id"))
    begins = datetime.combine(monday, time(), ZoneInfo("UTC")) - timedelta(days=1)
    rows = ClassReservation.objects.filter(end_at__gt=begins, start_at__lt=begins + timedelta(days=9))
    of_site: dict[int, list[ClassReservation]] = defaultdict(list)
    for row in rows.exclude(state=ClassReservation.State.CANCELLED).select_related("account"):
        of_site[row.site_id].append(row)
    lent: dict[int, list[SiteLending]] = defaultdict(list)
    for one in SiteLending.objects.filter(ended_at=None).select_related("borrower"):
        lent[one.site_id].append(one)
    return [_week(site, of_site[site.pk], lent[site.pk], standing, monday) for site in sites]


def _week(site: Site, rows: Any, lent: list[SiteLending], standing: Standing, monday: date) -> SiteWeek:
    zone = ZoneInfo(site.campus.timezone)
    days = [Day(monday + timedelta(days=n)) for n in range(7)]
    for row in rows:
        for day in days:
            midnight = datetime.combine(day.day, time(), zone)
            first = max(0, int((row.start_at - midnight).total_seconds() // 60))
            last = min(DAY_MINUTES, int((row.end_at - midnight).total_seconds() // 60))
            if first < last:
                day.entries.append(Entry(row, first, last - first))
    return SiteWeek(site, days, lent, standing.holds(ADMINISTERING, site.campus.scope.path))


def accounts_to_lend_to() -> QuerySet[Account]:
    """The accounts of campuses, programmes, sponsors and cohorts, wherever they are."""
    found = Account.objects.filter(is_open=True).exclude(kind__in=["LEARNER", "PLATFORM"])
    return found.select_related("parent").order_by("kind", "name")
