"""Borrowing from siblings when a job needs more than its account has, and returning what is no longer needed.

Called under the lock of a path that begins at the root. Lenders are locked behind it, out of the order of ids: whoever
else locks a lender's row to change what it has, has locked the root or the lender's parent before, which is ours now.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Q

from labs.quota.domain.lending import Offer, lendable_s, most_offered_s, share_out, to_repay_s
from labs.quota.models import Account, Allocation, Lending, Loan

from .locking import lock_accounts
from .standings import standing_of


def offered_s(account: Account, now: datetime, *, is_locking: bool = True) -> int:
    """Return the most that siblings would lend this account now. Two queries at most."""
    offers, lenders = _offers_to(account, now, is_locking=is_locking)
    return most_offered_s(offers, _lendable(lenders))


def borrow(account: Account, wanted_s: int, now: datetime) -> None:
    """Move `wanted_s` of siblings' allocation to this account; `offered_s` said that there is enough."""
    offers, lenders = _offers_to(account, now)
    shares = share_out(wanted_s, offers, _lendable(lenders))
    lender_of = {offer.lending_id: lenders[offer.lender_id] for offer in offers}
    for lending_id, part in shares:
        loan, _made = Loan.objects.get_or_create(lending_id=lending_id, borrower=account)
        move(loan, lender_of[lending_id], account, part)


def repay(path: Sequence[Account]) -> int:
    """Return to their lenders what the accounts of this path no longer need; returns the GPU-seconds.

    No query where nobody owes anything.
    """
    returned = 0
    for account in path:
        if account.borrowed_s:
            returned += repay_of(account)
    return returned


def repay_of(account: Account) -> int:
    """Return what this account no longer needs of its loans, the one that ends first before the others."""
    due_s = to_repay_s(free_s=account.available_s, dated_s=account.dated_s, borrowed_s=account.borrowed_s)
    if not due_s:
        return 0
    loans = list(
        Loan.objects.filter(borrower=account, out_s__gt=0)
        .select_related("lending")
        .order_by("lending__until_at", "lending_id")
    )
    lenders = lock_accounts(loan.lending.lender_id for loan in loans)
    left = due_s
    for loan in loans:
        part = min(left, loan.out_s)
        if part:
            move(loan, lenders[loan.lending.lender_id], account, -part)
            left -= part
    return due_s - left


def move(loan: Loan, lender: Account, borrower: Account, gpu_seconds: int) -> None:
    """Lend `gpu_seconds`, or return them when negative. Both rows are locked; they are brought along in memory.

    Their parent is the same, so what it granted in all stays as it is.
    """
    kind = Allocation.Kind.LOAN if gpu_seconds > 0 else Allocation.Kind.LOAN_BACK
    # Taken before given, so that no sum is ever too large.
    sides = [(lender, -gpu_seconds), (borrower, gpu_seconds)]
    Allocation.objects.bulk_create(
        Allocation(
            account=account, delta_s=delta, before_s=account.allocated_s, after_s=account.allocated_s + delta,
            kind=kind, loan=loan,
        )
        for account, delta in sides
    )  # fmt: skip
    Account.objects.filter(pk=lender.pk).update(
        allocated_s=F("allocated_s") - gpu_seconds, lent_s=F("lent_s") + gpu_seconds
    )
    Account.objects.filter(pk=borrower.pk).update(
        allocated_s=F("allocated_s") + gpu_seconds, borrowed_s=F("borrowed_s") + gpu_seconds
    )
    Lending.objects.filter(pk=loan.lending_id).update(out_s=F("out_s") + gpu_seconds)
    Loan.objects.filter(pk=loan.pk).update(out_s=F("out_s") + gpu_seconds)
    loan.out_s += gpu_seconds
    lender.allocated_s -= gpu_seconds
    lender.lent_s += gpu_seconds
    borrower.allocated_s += gpu_seconds
    borrower.borrowed_s += gpu_seconds


def _offers_to(account: Account, now: datetime, *, is_locking: bool = True) -> tuple[list[Offer], dict[int, Account]]:
    """Return the lendings open to this account, those meant for it alone first, and the lenders' rows, locked."""
    if account.parent_id is None:
        return [], {}
    rows = (
        Lending.objects.filter(
            Q(borrower__isnull=True) | Q(borrower=account),
            lender__parent_id=account.parent_id,
            lender__is_open=True,
            closed_at__isnull=True,
            recalled_at__isnull=True,
            from_at__lte=now,
            until_at__gt=now,
        )
        .exclude(lender=account)
        .order_by(F("borrower").asc(nulls_last=True), "until_at", "id")
    )
    offers = [Offer(row.pk, row.lender_id, row.limit_s - row.out_s - row.spent_s) for row in rows]
    lender_ids = {offer.lender_id for offer in offers}
    if not lender_ids:
        return offers, {}
    return offers, lock_accounts(lender_ids) if is_locking else Account.objects.in_bulk(lender_ids)


def _lendable(lenders: dict[int, Account]) -> dict[int, int]:
    return {pk: lendable_s(standing_of(lender)) for pk, lender in lenders.items()}
