"""Opening accounts, and allocating GPU-seconds down the tree."""

from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from campus.core import audit, formats
from campus.core.errors import CampusError, Conflict, InvalidInput, NotFound
from campus.people.models import Scope, User
from labs.quota.access import allocating_roles
from labs.quota.domain.allocation import Outcome, Refusal, judge
from labs.quota.models import Account, Allocation
from labs.quota.shortage import over_quota

from .locking import lock_accounts, require_transaction
from .standings import standing_of

REASON_LENGTH = 300
OVERCOMMIT_PCT = (1, 1000)


def open_account(
    *,
    kind: str,
    name: str,
    parent: Account | None,
    scope: Scope,
    owner: User | None = None,
    allocated_s: int = 0,
    actor: User | None = None,
    overcommit_pct: int = 100,
    weight: int = 1,
    reason: str = "",
) -> Account:
    """Open an account below `parent` with `allocated_s` GPU-seconds of the parent's (minted for the platform's).

    Without a reason the history says that it was opened. Raises InvalidInput for a kind, name, owner or parent that
    does not fit, OverQuota when the parent has less to grant, Conflict (account_exists) when the learner has one
    there or the platform's is open already.
    """
    require_transaction()
    _check_new(kind, name, parent, owner, allocated_s, overcommit_pct)
    locked = lock_accounts([parent.pk])[parent.pk] if parent else None
    if kind == Account.Kind.LEARNER and Account.objects.filter(kind=kind, parent=locked, owner=owner).exists():
        raise Conflict(_("This learner has a GPU account there already."), code="account_exists")
    if kind == Account.Kind.PLATFORM and Account.objects.filter(kind=kind).exists():
        raise Conflict(_("The platform's GPU account is open already."), code="account_exists")
    account = Account.objects.create(
        kind=kind, name=name.strip(), parent=locked, scope=scope, owner=owner, overcommit_pct=overcommit_pct,
        weight=weight,
    )  # fmt: skip
    account.path = [*(locked.path if locked else []), account.pk]
    account.save(update_fields=["path"])
    audit.record(
        actor=actor, verb="quota.account_opened", target=account, subject=owner, scope_path=scope.path,
        changes={"allocated_s": (0, allocated_s)}, reason=reason,
    )  # fmt: skip
    if allocated_s:
        _apply(account, locked, allocated_s, reason, actor)
    return account


def allocate(*, account_id: int, delta_s: int, reason: str, actor: User | None) -> Allocation:
    """Give an account `delta_s` more GPU-seconds of its parent's, or take some back when negative.

    The platform's are minted. Raises NotFound, InvalidInput (fields delta_s, reason) for nothing, no reason, or
    less than what is used, held or granted below; OverQuota when the parent has less to grant.
    """
    require_transaction()
    reason = reason.strip()
    if not reason:
        raise InvalidInput({"reason": _("Say why, in a few words: the history shows it.")})
    if len(reason) > REASON_LENGTH:
        raise InvalidInput({"reason": _("Use at most %(n)s characters.") % {"n": REASON_LENGTH}})
    ids = Account.objects.filter(pk=account_id).values_list("pk", "parent_id").first()
    if ids is None:
        raise NotFound()
    accounts = lock_accounts(pk for pk in ids if pk)
    account = accounts[account_id]
    allocation = _apply(account, accounts.get(ids[1]) if ids[1] else None, delta_s, reason, actor)
    audit.record(
        actor=actor, verb="quota.allocated", target=account, subject=account.owner, scope_path=account.scope.path,
        changes={"allocated_s": (allocation.before_s, allocation.after_s)}, reason=reason,
    )  # fmt: skip
    return allocation


def preview(*, account: Account, delta_s: int) -> Outcome:
    """Say what `allocate` would leave, and whether it would be refused; changes nothing."""
    return judge(delta_s, standing_of(account), standing_of(account.parent) if account.parent else None)


def refusal_of(outcome: Outcome, account: Account, delta_s: int) -> CampusError:
    """Return the error that explains a refused allocation. `outcome.refusal` must be set."""
    if outcome.refusal is Refusal.PARENT_SHORT and account.parent is not None:
        return over_quota(account.parent, outcome.limit_s or 0, delta_s, roles=allocating_roles(account.parent.kind))
    facts: dict[str, Any] = {"before_s": outcome.before_s, "wanted_s": delta_s, "limit_s": outcome.limit_s}
    words = refusal_words(outcome.refusal or Refusal.NOTHING, outcome.limit_s)
    return InvalidInput({"delta_s": words}, facts=facts)


def refusal_words(refusal: Refusal, limit_s: int | None) -> str:
    """Say why an allocation is refused, and the most that would do."""
    limit = formats.gpu_hours(abs(limit_s or 0))
    texts = {
        Refusal.NOTHING: _("Enter how much to add, or a negative number to take back."),
        Refusal.TOO_MUCH: _("That is more than an account can hold; add at most %(limit)s."),
        Refusal.BELOW_USE: _("That would be less than what is used and held; take back at most %(limit)s."),
        Refusal.BELOW_DATED: _(
            "That would take from grants that end by themselves; take back at most %(limit)s, or end a grant."
        ),
        Refusal.BELOW_GRANTS: _("That would be less than what was granted below; take back at most %(limit)s."),
        Refusal.PARENT_SHORT: _("The account above has less left to grant; add at most %(limit)s."),
    }
    return texts[refusal] % {"limit": limit}


def _apply(account: Account, parent: Account | None, delta_s: int, reason: str, actor: User | None) -> Allocation:
    """Change the allocation and what the parent granted; both rows are locked."""
    outcome = judge(delta_s, standing_of(account), standing_of(parent) if parent else None)
    if outcome.refusal:
        raise refusal_of(outcome, account, delta_s)
    Account.objects.filter(pk=account.pk).update(allocated_s=F("allocated_s") + delta_s)
    account.allocated_s += delta_s
    if parent is not None:
        Account.objects.filter(pk=parent.pk).update(granted_s=F("granted_s") + delta_s)
        parent.granted_s += delta_s
    return Allocation.objects.create(
        account=account,
        delta_s=delta_s,
        before_s=outcome.before_s,
        after_s=outcome.after_s,
        reason=reason[:REASON_LENGTH],
        actor=actor,
    )


def _check_new(
    kind: str, name: str, parent: Account | None, owner: User | None, allocated_s: int, overcommit_pct: int
) -> None:
    fields: dict[str, str] = {}
    low, high = OVERCOMMIT_PCT
    if kind not in Account.Kind.values:
        fields["kind"] = _("There is no such kind of account.")
    elif (kind == Account.Kind.PLATFORM) != (parent is None):
        fields["parent"] = _("Every account but the platform's has one above it.")
    if not 0 < len(name.strip()) <= 160:
        fields["name"] = _("Give it a name of at most 160 characters.")
    if kind == Account.Kind.LEARNER and owner is None:
        fields["owner"] = _("Say whose account it is.")
    if allocated_s < 0:
        fields["allocated_s"] = _("An account opens with nothing or more.")
    if not low <= overcommit_pct <= high:
        fields["overcommit_pct"] = _("Use %(low)s to %(high)s %%.") % {"low": low, "high": high}
    if fields:
        raise InvalidInput(fields)
