"""Offering to lend, recalling, and closing a lending when it is over. Whole GPU-seconds.

Whole paths are locked, from the root, before any lender or borrower: call these before any other lock of accounts.
"""

from datetime import datetime
from typing import Any

from django.db.models import F, Func
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.models import User
from labs.quota.domain.allocation import MOST_S
from labs.quota.domain.lending import spent_s
from labs.quota.models import Account, Lending, Loan

from .borrowing import repay_of
from .locking import lock_accounts, lock_path


def lend(
    *,
    account_id: int,
    limit_s: int,
    until_at: datetime,
    from_at: datetime | None = None,
    borrower_id: int | None = None,
    reason: str,
    actor: User | None,
) -> Lending:
    """Let siblings (or one of them) use at most `limit_s` of what this account does not need, until `until_at`.

    Raises NotFound, InvalidInput (limit_s, until_at, borrower, reason).
    """
    path, now = lock_path(account_id)
    account = path[-1]
    starts = from_at or now
    fields: dict[str, str] = {}
    if not 0 < limit_s <= MOST_S:
        fields["limit_s"] = _("Lend more than nothing.")
    if until_at <= max(starts, now):
        fields["until_at"] = _("Choose an end after the beginning, and not in the past.")
    if not reason.strip():
        fields["reason"] = _("Say why, in a few words: the history shows it.")
    if account.parent_id is None:
        fields["borrower"] = _("There is no account beside this one.")
    elif borrower_id is not None:
        beside = Account.objects.filter(pk=borrower_id, parent_id=account.parent_id).exclude(pk=account.pk)
        if not beside.exists():
            fields["borrower"] = _("Lend to an account right beside this one.")
    if fields:
        raise InvalidInput(fields)
    lending = Lending.objects.create(
        lender=account, borrower_id=borrower_id, limit_s=limit_s, from_at=starts, until_at=until_at,
        reason=reason.strip()[:300], actor=actor,
    )  # fmt: skip
    _record(lending, "quota.lent", actor, {"limit_s": (0, limit_s)}, reason)
    return lending


def recall(*, lending_id: int, actor: User | None, reason: str) -> Lending:
    """End a lending now: nothing new is borrowed, and what borrowers' jobs hold comes back as they end.

    Raises NotFound, Conflict (lending_over), InvalidInput (reason).
    """
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why, in a few words: the history shows it.")})
    lending = _locked(lending_id)
    if lending.closed_at is not None or lending.recalled_at is not None:
        raise Conflict(_("This lending is over already."), code="lending_over")
    now = database_now()
    Lending.objects.filter(pk=lending.pk).update(recalled_at=now)
    lending.recalled_at = now
    _record(lending, "quota.recalled", actor, {"out_s": (lending.out_s, lending.out_s)}, reason)
    _close(lending, now)
    return Lending.objects.get(pk=lending.pk)


def close_lending(*, lending_id: int) -> bool:
    """Settle a lending whose time is over: what is free comes back, what was used stays with the borrower.

    Holds are waited for: False while some of it is still out. Nothing to do before its end. Raises NotFound.
    """
    lending = _locked(lending_id)
    now = database_now()
    if lending.closed_at is not None:
        return True
    if lending.recalled_at is None and lending.until_at > now:
        return False
    return _close(lending, now)


def return_idle_loans() -> int:
    """Return what borrowers no longer need, because they were allocated more of their own. Returns the GPU-seconds."""
    idle = Account.objects.filter(borrowed_s__gt=0, allocated_s__gt=F("used_s") + F("held_s") + F("dated_s"))
    returned = 0
    for pk in list(idle.order_by("pk").values_list("pk", flat=True)):
        path, _now = lock_path(pk)
        returned += repay_of(path[-1])
    return returned


def _locked(lending_id: int) -> Lending:
    """Lock the paths of the lender and of its borrowers, in one query; return the lending as it then stands."""
    lender_id = Lending.objects.filter(pk=lending_id).values_list("lender_id", flat=True).first()
    if lender_id is None:
        raise NotFound
    # The parent's row keeps new borrowers away before we know them all: a hold locks it as well.
    lock_path(lender_id)
    borrowers = Loan.objects.filter(lending_id=lending_id).values("borrower_id")
    lock_accounts(
        Account.objects.filter(pk__in=borrowers)
        .annotate(up=Func(F("path"), function="unnest"))
        .values_list("up", flat=True)
        .distinct()
    )
    return Lending.objects.select_related("lender__scope", "lender__owner").get(pk=lending_id)


def _close(lending: Lending, now: datetime) -> bool:
    for loan in Loan.objects.filter(lending=lending, out_s__gt=0):
        borrower = Account.objects.get(pk=loan.borrower_id)
        repay_of(borrower)
        loan.refresh_from_db()
        spent = spent_s(allocated_s=borrower.allocated_s, borrowed_s=borrower.borrowed_s, used_s=borrower.used_s)
        _write_off(loan, lending, min(loan.out_s, spent))
    closed = Lending.objects.filter(pk=lending.pk, out_s=0, closed_at__isnull=True).update(closed_at=now)
    return bool(closed)


def _write_off(loan: Loan, lending: Lending, gpu_seconds: int) -> None:
    """What the borrower's jobs used is nobody's to return: it stays in its allocation and is no loan any more."""
    if not gpu_seconds:
        return
    moved: dict[str, Any] = {"out_s": F("out_s") - gpu_seconds, "spent_s": F("spent_s") + gpu_seconds}
    Loan.objects.filter(pk=loan.pk).update(**moved)
    Lending.objects.filter(pk=lending.pk).update(**moved)
    Account.objects.filter(pk=loan.borrower_id).update(borrowed_s=F("borrowed_s") - gpu_seconds)
    Account.objects.filter(pk=lending.lender_id).update(lent_s=F("lent_s") - gpu_seconds)


def _record(lending: Lending, verb: str, actor: User | None, changes: dict[str, tuple[int, int]], reason: str) -> None:
    lender = lending.lender
    audit.record(
        actor=actor, verb=verb, target=lender, subject=lender.owner, scope_path=lender.scope.path, changes=changes,
        reason=reason.strip(),
    )  # fmt: skip
