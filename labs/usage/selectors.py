"""Reading use: by day, by group, and a person's jobs with their ledger lines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator
from django.db.models import DateField, QuerySet, Sum
from django.utils import timezone

from campus.core.compiled import IDS, Compiled, Given
from campus.people.access import TEACHING, Standing
from campus.people.models import User
from labs.jobs.models import Job
from labs.quota.models import Account, Grant, LedgerEntry, UsageDay
from labs.quota.selectors_grants import sponsored_for

from .domain.folding import AccountUse, GroupUse, Use, fold_by
from .domain.periods import Period
from .groupings import Grouping

JOBS_A_PAGE = 20


@dataclass(frozen=True)
class JobLine:
    """A job of one's own, with what it cost."""

    job: Job
    entries: list[LedgerEntry]
    net_s: int


@dataclass(frozen=True)
class Balance:
    """One's own account; `short` is an account above it that has less left than it has itself."""

    account: Account
    short: Account | None
    sponsored: Sequence[Grant] = ()


def today_in(zone: str) -> date:
    """Return the day that it is there."""
    return timezone.now().astimezone(ZoneInfo(zone)).date()


def balances_of(user: User) -> list[Balance]:
    """Return a person's own accounts, newest first, with what sponsors gave for them. Three queries."""
    accounts = list(Account.objects.filter(owner=user).select_related("parent", "scope").order_by("-id"))
    above = Account.objects.in_bulk({pk for account in accounts for pk in account.path})
    sponsored = sponsored_for(accounts)
    balances = []
    for account in accounts:
        up = [above[pk] for pk in account.path if pk in above]
        least = min(up, key=lambda other: other.available_s, default=account)
        short = least if least.available_s < account.available_s else None
        balances.append(Balance(account, short, sponsored[account.pk]))
    return balances


def use_by_day(account_ids: Sequence[int], period: Period) -> dict[date, Use]:
    """Return the use below these accounts by day; days without are left out. One query."""
    rows = _BY_DAY.rows(ids=list(account_ids), first=period.first, last=period.last)
    return {day: Use(charged, refunded, jobs) for day, charged, refunded, jobs in rows}


def _by_day() -> QuerySet[UsageDay, Any]:
    within = UsageDay.objects.filter(day__range=(Given("first", DateField()), Given("last", DateField()))).order_by()
    below = within.filter(path__overlap=Given("ids", IDS)).values_list("day")
    return below.annotate(c=Sum("charged_s"), r=Sum("refunded_s"), j=Sum("jobs"))


_BY_DAY = Compiled(_by_day)


def use_by_account(account: Account, period: Period, *, each_day: bool = False) -> list[AccountUse]:
    """Return the use of every single account below `account`. One query."""
    fields = ("path", "day") if each_day else ("path",)
    within = UsageDay.objects.filter(day__range=(period.first, period.last), path__contains=[account.pk])
    rows = within.order_by().values_list(*fields)
    sums = rows.annotate(c=Sum("charged_s"), r=Sum("refunded_s"), j=Sum("jobs"))
    return [AccountUse(tuple(path), Use(c, r, j), day[0] if day else None) for path, *day, c, r, j in sums]


def grouped(uses: Iterable[AccountUse], grouping: Grouping) -> list[GroupUse]:
    """Fold uses by a grouping; a group is named as people know it. One query.

    Two accounts of one name (a learner in two cohorts, two learners called alike) stay apart: their ids differ.
    """
    found = list(uses)
    ids = {account_id for use in found for account_id in use.path}
    if grouping.names_of is not None:
        return fold_by(found, grouping.names_of(ids))
    rows = Account.objects.filter(pk__in=ids, kind__in=grouping.kinds).order_by("pk")
    return fold_by(found, _told_apart(rows.values_list("pk", "name", "parent__name")))


def _told_apart(rows: Iterable[tuple[int, str, str | None]]) -> dict[int, str]:
    """Name accounts by themselves, where that is not enough with the one above, and at last with their number."""
    found = list(rows)
    alone = Counter(name for _pk, name, _above in found)
    with_above = Counter((name, above) for _pk, name, above in found)
    names = {}
    for pk, name, above in found:
        if alone[name] == 1:
            names[pk] = name
        else:
            names[pk] = f"{name} · {above}" if with_above[name, above] == 1 else f"{name} (#{pk})"
    return names


def jobs_with_lines(user: User, account_id: int | None, page: str | None) -> tuple[Page, list[JobLine]]:
    """Return a page of a person's jobs, newest first, each with its ledger lines. Three queries."""
    jobs = Job.objects.filter(owner=user).select_related("account__parent").order_by("-id")
    if account_id is not None:
        jobs = jobs.filter(account_id=account_id)
    shown = Paginator(jobs, JOBS_A_PAGE).get_page(page)
    entries: dict[int, list[LedgerEntry]] = {}
    for entry in LedgerEntry.objects.filter(job_id__in=[job.pk for job in shown]).order_by("id"):
        entries.setdefault(entry.job_id, []).append(entry)
    return shown, [JobLine(job, lines := entries.get(job.pk, []), _net(lines)) for job in shown]


def _net(entries: Iterable[LedgerEntry]) -> int:
    kinds = LedgerEntry.Kind
    signs = {kinds.CHARGE: 1, kinds.REFUND: -1, kinds.CREDIT: -1, kinds.DEBIT: 1}
    return sum(signs.get(kinds(entry.kind), 0) * entry.gpu_seconds for entry in entries)


def roots_for(standing: Standing) -> list[Account]:
    """Return the widest accounts of which this person is staff: none of them lies below another. One query."""
    scopes = standing.scope_ids(TEACHING)
    if not scopes:
        return []
    found = Account.objects.filter(scope__path__overlap=scopes).exclude(kind=Account.Kind.LEARNER).order_by("id")
    accounts = list(found)
    ids = {account.pk for account in accounts}
    return [account for account in accounts if not ids & set(account.path[:-1])]
