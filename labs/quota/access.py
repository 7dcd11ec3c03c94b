"""Who may see an account and who may allocate to it.

Its owner and the teaching staff of its scope see it. Platform administrators allocate anywhere; campus administrators
within their campus, but not to the campus's own account: that is the platform's to give.
"""

from django.db.models import Q, QuerySet

from campus.core.errors import NotAllowed, NotFound
from campus.people.access import ADMINISTERING, PLATFORM, TEACHING, Standing

from .models import Account

_RELATED = ("scope", "owner", "parent__scope")


def accounts_for(standing: Standing) -> QuerySet[Account]:
    """Return every account that this person may see, with scope, owner and parent."""
    if standing.user_id is None:
        return Account.objects.none()
    mine = Q(owner_id=standing.user_id)
    scopes = standing.scope_ids(TEACHING)
    seen = mine | Q(scope__path__overlap=scopes) if scopes else mine
    return Account.objects.filter(seen).select_related(*_RELATED)


def get_account_for(standing: Standing, account_id: int) -> Account:
    """Return the account. Raises NotFound for a stranger."""
    account = accounts_for(standing).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    return account


def looks_after(standing: Standing, account: Account) -> bool:
    """Say whether this person is of the account's staff, rather than only its owner."""
    return standing.holds(TEACHING, account.scope.path)


def allocating_roles(kind: str) -> frozenset[str]:
    """Return the roles that may allocate to an account of this kind, held where its parent is looked after."""
    return PLATFORM if kind in (Account.Kind.PLATFORM, Account.Kind.CAMPUS) else ADMINISTERING


def may_allocate(standing: Standing, account: Account) -> bool:
    """Say whether this person may change the allocation of `account`, whose scope and parent's scope are at hand."""
    above = account.parent or account
    return standing.holds(allocating_roles(account.kind), above.scope.path)


def get_account_to_allocate(standing: Standing, account_id: int) -> Account:
    """Return the account. Raises NotFound for a stranger, NotAllowed for who may only look."""
    account = get_account_for(standing, account_id)
    if not may_allocate(standing, account):
        raise NotAllowed
    return account
