"""Reading accounts, the ledger, the history of allocations, and use by day."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, QuerySet, Sum

from campus.people.access import Standing

from .access import accounts_for, may_allocate
from .forecasts import Outlook, outlooks_of
from .models import Account, Allocation, LedgerEntry, UsageDay


@dataclass
class TreeRow:
    """A line of the quota tree. `depth` counts from 1; `learners` are the accounts that open below it on demand."""

    account: Account
    depth: int
    may_allocate: bool
    learners: int = 0
    last_change: Allocation | None = None
    outlook: Outlook | None = None
    has_rows_below: bool = False
    below: list["TreeRow"] = field(default_factory=list)

    @property
    def grantable_s(self) -> int:
        return self.account.grantable_s

    @property
    def opens(self) -> bool:
        return self.has_rows_below or self.learners > 0


def ledger_of_job(job_id: int) -> list[LedgerEntry]:
    """Return a job's ledger lines in the order in which they were posted. One query."""
    return list(LedgerEntry.objects.filter(job_id=job_id).order_by("id"))


def quota_tree(standing: Standing) -> list[TreeRow]:
    """Return what this person may see as lines from the roots down. Four queries, whatever its size.

    Learners' accounts are counted, not listed, below an account of which the person is staff; one's own are lines.
    """
    visible = accounts_for(standing)
    learner = Account.Kind.LEARNER
    counts = dict(visible.filter(kind=learner).order_by().values_list("parent_id").annotate(n=Count("id")))
    accounts = list(visible.exclude(kind=learner))
    shown = {account.pk for account in accounts}
    own = visible.filter(kind=learner, owner_id=standing.user_id)
    accounts += [account for account in own if account.parent_id not in shown]
    changes = _last_changes([account.pk for account in accounts])
    rows = {
        account.pk: TreeRow(
            account=account,
            depth=1,
            may_allocate=may_allocate(standing, account),
            learners=counts.get(account.pk, 0) if account.kind != learner else 0,
            last_change=changes.get(account.pk),
        )
        for account in accounts
    }
    roots: list[TreeRow] = []
    for row in rows.values():
        above = rows.get(row.account.parent_id or 0)
        (above.below if above else roots).append(row)
    return list(_lines(roots, 1))


def _lines(rows: list[TreeRow], depth: int) -> list[TreeRow]:
    lines: list[TreeRow] = []
    for row in sorted(rows, key=lambda row: (row.account.name, row.account.pk)):
        row.depth, row.has_rows_below = depth, bool(row.below)
        lines += [row, *_lines(row.below, depth + 1)]
    return lines


def with_outlooks(rows: list[TreeRow]) -> list[TreeRow]:
    """Give each line the outlook of its account. Three queries, whatever their number."""
    outlooks = outlooks_of([row.account for row in rows])
    for row in rows:
        row.outlook = outlooks.get(row.account.pk)
    return rows


def children_rows(standing: Standing, children: Collection[Account], depth: int) -> list[TreeRow]:
    """Return lines for these children of one account, each with its last change. One query."""
    changes = _last_changes([child.pk for child in children])
    return [
        TreeRow(child, depth, may_allocate(standing, child), last_change=changes.get(child.pk)) for child in children
    ]


def _last_changes(account_ids: Collection[int]) -> dict[int, Allocation]:
    newest = Allocation.objects.filter(account_id__in=account_ids).order_by("account_id", "-id").distinct("account_id")
    return {change.account_id: change for change in newest.select_related("actor")}


def children_of(account: Account) -> QuerySet[Account]:
    """Return the accounts right below one, by name."""
    return account.children.select_related("scope", "owner", "parent__scope").order_by("kind", "name", "id")


def ledger_below(account: Account) -> QuerySet[LedgerEntry]:
    """Return the ledger lines that count for an account, newest first, with the accounts they were booked on."""
    ids = Account.objects.filter(path__contains=[account.pk]).order_by().values("pk")
    return LedgerEntry.objects.filter(account_id__in=ids).select_related("account", "actor").order_by("-id")


def history_of(account: Account) -> QuerySet[Allocation]:
    """Return an account's allocations, newest first, with who made them."""
    return account.allocations.select_related("actor", "grant", "loan__borrower", "loan__lending__lender").order_by(
        "-id"
    )


def used_by_day(account_id: int, first: date, last: date) -> dict[date, int]:
    """Return the GPU-seconds that stayed charged below an account, by day. One query; days without use are left out."""
    days = UsageDay.objects.filter(path__contains=[account_id], day__range=(first, last)).order_by().values_list("day")
    sums = days.annotate(charged=Sum("charged_s"), refunded=Sum("refunded_s"))
    return {day: charged - refunded for day, charged, refunded in sums}
