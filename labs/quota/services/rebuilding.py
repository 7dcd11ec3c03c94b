"""Proving that the kept balances equal the ledger, and repairing them when asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from django.db.models import Count, F, Q, Sum

from campus.core import audit
from labs.quota.domain.balances import Change, Posting, change_of, fold
from labs.quota.models import Account, Allocation, Grant, GrantDraw, LedgerEntry, Lending, Loan, UsageDay

from .locking import lock_accounts

logger = structlog.get_logger(__name__)

Kind = LedgerEntry.Kind
Day = tuple[int, int, int]  # charged_s, refunded_s, jobs
NO_DAY: Day = (0, 0, 0)
_TABLES: dict[str, Any] = {"grant": Grant, "loan": Loan, "lending": Lending}


@dataclass(frozen=True)
class Difference:
    """A kept figure that is not what the ledger says.

    `day` is set where a day's use differs, `row` (table and id) where a figure of a grant, lending or loan does.
    """

    account_id: int
    field: str
    kept: int
    ledger: int
    day: date | None = None
    row: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """What differs, in one word for programs: used_s, `grant 7 used_s`, `charged_s 2026-11-21`."""
        where = f"{self.row[0]} {self.row[1]} " if self.row else ""
        return f"{where}{self.field}" + (f" {self.day}" if self.day else "")


def rebuild(*, repair: bool = False) -> list[Difference]:
    """Compare every balance and day of use with the ledger; with `repair`, write what the ledger says.

    All accounts are locked meanwhile, so that no posting falls between the sums. Differences go to the audit trail
    and the log. A difference that breaks a constraint (more used than allocated) raises IntegrityError on repair:
    that needs a person. Twelve queries when all is well.
    """
    accounts = lock_accounts()
    differences = [
        *_balance_differences(accounts),
        *_day_differences(accounts),
        *_grant_differences(),
        *_loan_differences(),
    ]
    for difference in differences:
        logger.error("quota_differs", repair=repair, **vars(difference))
    for account_id in sorted({difference.account_id for difference in differences}):
        own = [difference for difference in differences if difference.account_id == account_id]
        _report(accounts[account_id], own, repair=repair)
        if repair:
            _repair(accounts[account_id], own)
    logger.info("quota_rebuilt", accounts=len(accounts), differences=len(differences), repair=repair)
    return differences


def _balance_differences(accounts: dict[int, Account]) -> list[Difference]:
    sums = LedgerEntry.objects.order_by().values_list("path", "kind").annotate(total=Sum("gpu_seconds"))
    balances = fold(Posting(tuple(path), kind, total) for path, kind, total in sums)
    allocated = dict(Allocation.objects.order_by().values_list("account_id").annotate(total=Sum("delta_s")))
    granted: dict[int, int] = {}
    for account in accounts.values():
        if account.parent_id:
            granted[account.parent_id] = granted.get(account.parent_id, 0) + allocated.get(account.pk, 0)
    found = []
    dated = _sums((grant.account_id, grant.left_s) for grant in Grant.objects.filter(state__in=["ACTIVE", "ENDED"]))
    loans = list(Loan.objects.values_list("borrower_id", "lending__lender_id", "out_s"))
    borrowed = _sums((borrower, out) for borrower, _lender, out in loans)
    lent = _sums((lender, out) for _borrower, lender, out in loans)
    for account in accounts.values():
        balance = balances.get(account.pk, Change())
        figures = {
            "used_s": balance.used_s,
            "held_s": balance.held_s,
            "allocated_s": allocated.get(account.pk, 0),
            "granted_s": granted.get(account.pk, 0),
            "dated_s": dated.get(account.pk, 0),
            "borrowed_s": borrowed.get(account.pk, 0),
            "lent_s": lent.get(account.pk, 0),
        }
        found += [
            Difference(account.pk, field, getattr(account, field), value)
            for field, value in figures.items()
            if getattr(account, field) != value
        ]
    return found


def _sums(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for key, amount in pairs:
        sums[key] = sums.get(key, 0) + amount
    return sums


def _grant_differences() -> list[Difference]:
    """A grant's use and holds are what its draws add up to; what it was given and gave back is in the history."""
    drawn: dict[int, Change] = {}
    draws = GrantDraw.objects.order_by().values_list("grant_id", "entry__kind").annotate(total=Sum("gpu_seconds"))
    for grant_id, kind, total in draws:
        change, so_far = change_of(kind, total), drawn.get(grant_id, Change())
        drawn[grant_id] = Change(so_far.used_s + change.used_s, so_far.held_s + change.held_s)
    own = Allocation.objects.filter(grant__isnull=False, account=F("grant__account"))
    posted = {
        (grant_id, kind): total
        for grant_id, kind, total in own.order_by().values_list("grant_id", "kind").annotate(total=Sum("delta_s"))
    }
    carried = dict(Grant.objects.filter(carried_into__isnull=False).values_list("carried_into__pk", "carried_s"))
    found = []
    for grant in Grant.objects.order_by("pk"):
        balance = drawn.get(grant.pk, Change())
        figures = {
            "used_s": balance.used_s,
            "held_s": balance.held_s,
            "seconds": posted.get((grant.pk, Allocation.Kind.GRANT), 0) + carried.get(grant.pk, 0),
            "returned_s": -posted.get((grant.pk, Allocation.Kind.EXPIRY), 0),
        }
        found += _row_differences(grant.account_id, ("grant", grant.pk), grant, figures)
    return found


def _loan_differences() -> list[Difference]:
    """What is out of a loan is what the history moved, less what was used up; a lending is the sum of its loans."""
    own = Allocation.objects.filter(loan__isnull=False, account=F("loan__borrower"))
    moved = dict(own.order_by().values_list("loan_id").annotate(total=Sum("delta_s")))
    found = []
    out: dict[int, int] = {}
    spent: dict[int, int] = {}
    for loan in Loan.objects.order_by("pk"):
        figures = {"out_s": moved.get(loan.pk, 0) - loan.spent_s}
        found += _row_differences(loan.borrower_id, ("loan", loan.pk), loan, figures)
        out[loan.lending_id] = out.get(loan.lending_id, 0) + figures["out_s"]
        spent[loan.lending_id] = spent.get(loan.lending_id, 0) + loan.spent_s
    for lending in Lending.objects.order_by("pk"):
        figures = {"out_s": out.get(lending.pk, 0), "spent_s": spent.get(lending.pk, 0)}
        found += _row_differences(lending.lender_id, ("lending", lending.pk), lending, figures)
    return found


def _row_differences(account_id: int, row: tuple[str, int], kept: object, figures: dict[str, int]) -> list[Difference]:
    return [
        Difference(account_id, field, getattr(kept, field), value, row=row)
        for field, value in figures.items()
        if getattr(kept, field) != value
    ]


def _day_differences(accounts: dict[int, Account]) -> list[Difference]:
    rows = LedgerEntry.objects.order_by().filter(day__isnull=False).values_list("account_id", "day")
    charge = Q(kind=Kind.CHARGE)
    totals = rows.annotate(
        charged=Sum("gpu_seconds", filter=Q(kind__in=[Kind.CHARGE, Kind.DEBIT]), default=0),
        refunded=Sum("gpu_seconds", filter=Q(kind__in=[Kind.REFUND, Kind.CREDIT]), default=0),
        jobs=Count("job_id", filter=charge & Q(gpu_seconds__gt=0), distinct=True),
    )
    ledger = {(account_id, day): tuple(figures) for account_id, day, *figures in totals if any(figures)}
    kept = {
        (account_id, day): tuple(figures)
        for account_id, day, *figures in UsageDay.objects.filter(account_id__in=accounts).values_list(
            "account_id", "day", "charged_s", "refunded_s", "jobs"
        )
    }
    return [
        Difference(account_id, field, kept.get((account_id, day), NO_DAY)[index], value, day)
        for account_id, day in sorted(ledger.keys() | kept.keys())
        for index, field in enumerate(("charged_s", "refunded_s", "jobs"))
        if kept.get((account_id, day), NO_DAY)[index] != (value := ledger.get((account_id, day), NO_DAY)[index])
    ]


def _report(account: Account, differences: list[Difference], *, repair: bool) -> None:
    audit.record(
        actor=None,
        verb="quota.repaired" if repair else "quota.differs",
        target=account,
        subject=account.owner,
        scope_path=account.scope.path,
        changes={difference.name: (difference.kept, difference.ledger) for difference in differences},
    )


def _repair(account: Account, differences: list[Difference]) -> None:
    balances = {d.field: d.ledger for d in differences if d.day is None and d.row is None}
    if balances:
        Account.objects.filter(pk=account.pk).update(**balances)
    for difference in differences:
        if difference.row is not None:
            table, pk = difference.row
            _TABLES[table].objects.filter(pk=pk).update(**{difference.field: difference.ledger})
    days: dict[date, dict[str, int]] = {}
    for difference in differences:
        if difference.day is not None:
            days.setdefault(difference.day, {})[difference.field] = difference.ledger
    for day, figures in days.items():
        UsageDay.objects.update_or_create(
            account=account, day=day, defaults=figures, create_defaults={**figures, "path": account.path}
        )
