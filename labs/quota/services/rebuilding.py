"""Proving that the kept balances equal the ledger, and repairing them when asked."""

from dataclasses import dataclass
from datetime import date

import structlog
from django.db.models import Count, Q, Sum

from campus.core import audit
from labs.quota.domain.balances import Change, Posting, fold
from labs.quota.models import Account, Allocation, LedgerEntry, UsageDay

from .locking import lock_accounts

logger = structlog.get_logger(__name__)

Kind = LedgerEntry.Kind
Day = tuple[int, int, int]  # charged_s, refunded_s, jobs
NO_DAY: Day = (0, 0, 0)


@dataclass(frozen=True)
class Difference:
    """A kept figure that is not what the ledger says. `day` is set where a day's use differs."""

    account_id: int
    field: str
    kept: int
    ledger: int
    day: date | None = None


def rebuild(*, repair: bool = False) -> list[Difference]:
    """Compare every balance and day of use with the ledger; with `repair`, write what the ledger says.

    All accounts are locked meanwhile, so that no posting falls between the sums. Differences go to the audit trail
    and the log. A difference that breaks a constraint (more used than allocated) raises IntegrityError on repair:
    that needs a person. Seven queries when all is well.
    """
    accounts = lock_accounts()
    differences = [*_balance_differences(accounts), *_day_differences(accounts)]
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
    for account in accounts.values():
        balance = balances.get(account.pk, Change())
        figures = {
            "used_s": balance.used_s,
            "held_s": balance.held_s,
            "allocated_s": allocated.get(account.pk, 0),
            "granted_s": granted.get(account.pk, 0),
        }
        found += [
            Difference(account.pk, field, getattr(account, field), value)
            for field, value in figures.items()
            if getattr(account, field) != value
        ]
    return found


def _day_differences(accounts: dict[int, Account]) -> list[Difference]:
    rows = LedgerEntry.objects.order_by().filter(day__isnull=False).values_list("account_id", "day")
    charge = Q(kind=Kind.CHARGE)
    totals = rows.annotate(
        charged=Sum("gpu_seconds", filter=charge, default=0),
        refunded=Sum("gpu_seconds", filter=Q(kind=Kind.REFUND), default=0),
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
        changes={f"{d.field} {d.day}" if d.day else d.field: (d.kept, d.ledger) for d in differences},
    )


def _repair(account: Account, differences: list[Difference]) -> None:
    balances = {difference.field: difference.ledger for difference in differences if difference.day is None}
    if balances:
        Account.objects.filter(pk=account.pk).update(**balances)
    days: dict[date, dict[str, int]] = {}
    for difference in differences:
        if difference.day is not None:
            days.setdefault(difference.day, {})[difference.field] = difference.ledger
    for day, figures in days.items():
        UsageDay.objects.update_or_create(
            account=account, day=day, defaults=figures, create_defaults={**figures, "path": account.path}
        )
