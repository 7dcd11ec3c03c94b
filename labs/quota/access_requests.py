"""Who may ask for more, who sees a request, and who decides it.

A learner asks for their own account, instructors and administrators for the cohort, programme or campus that they look
after. Who may allocate to the account decides; who may do that needs not ask. Staff of the account may look.
"""

from django.db.models import Q, QuerySet

from campus.core.errors import NotAllowed, NotFound
from campus.people.access import ADMINISTERING, INSTRUCTING, PLATFORM, TEACHING, Standing
from campus.people.models import RoleGrant

from .access import allocating_roles, get_account_for, may_allocate
from .models import Account, QuotaRequest

_RELATED = ("account__scope", "account__parent__scope", "asker", "decided_by", "raised_for__account")


def may_ask(standing: Standing, account: Account) -> bool:
    """Say whether this person may ask for more for `account`, whose scope and parent's scope are at hand."""
    if account.parent_id is None or may_allocate(standing, account):
        return False
    if account.kind == Account.Kind.LEARNER:
        return account.owner_id is not None and account.owner_id == standing.user_id
    return standing.holds(INSTRUCTING, account.scope.path)


def get_account_to_ask_for(standing: Standing, account_id: int) -> Account:
    """Return the account. Raises NotFound for a stranger, NotAllowed for who may only look, or may allocate."""
    account = get_account_for(standing, account_id)
    if not may_ask(standing, account):
        raise NotAllowed
    return account


def decided_by(standing: Standing) -> Q:
    """Return the condition of requests that this person may decide."""
    campus = Q(account__kind=Account.Kind.CAMPUS)
    administered, platform = standing.scope_ids(ADMINISTERING), standing.scope_ids(PLATFORM)
    below = ~campus & Q(account__parent__scope__path__overlap=administered) if administered else Q(pk__in=())
    return below | (campus & Q(account__parent__scope__path__overlap=platform) if platform else Q(pk__in=()))


def requests_for(standing: Standing) -> QuerySet[QuotaRequest]:
    """Return every request that this person may see: as asker, as decider, as staff of the account."""
    if standing.user_id is None:
        return QuotaRequest.objects.none()
    scopes = standing.scope_ids(TEACHING)
    seen = Q(asker_id=standing.user_id) | decided_by(standing)
    if scopes:
        seen |= Q(account__scope__path__overlap=scopes)
    return QuotaRequest.objects.filter(seen).select_related(*_RELATED)


def may_decide(standing: Standing, request: QuotaRequest) -> bool:
    """Say whether this person may decide a request that came from `requests_for`."""
    return may_allocate(standing, request.account)


def get_request_for(standing: Standing, request_id: int) -> QuotaRequest:
    """Return the request. Raises NotFound for a stranger."""
    found = requests_for(standing).filter(pk=request_id).first()
    if found is None:
        raise NotFound
    return found


def get_request_to_decide(standing: Standing, request_id: int) -> QuotaRequest:
    """Return the request. Raises NotFound for a stranger, NotAllowed for who may only look."""
    found = get_request_for(standing, request_id)
    if not may_decide(standing, found):
        raise NotAllowed
    return found


def get_own_request(standing: Standing, request_id: int) -> QuotaRequest:
    """Return the request to its asker. Raises NotFound for a stranger, NotAllowed for who may only look."""
    found = get_request_for(standing, request_id)
    if found.asker_id != standing.user_id:
        raise NotAllowed
    return found


def deciders_of(account: Account) -> list[int]:
    """Return the ids of the nearest people who may allocate to `account`: those of the lowest scope that has any.

    One query; the account's parent and its scope are at hand.
    """
    above = account.parent or account
    grants = RoleGrant.objects.filter(
        role__in=allocating_roles(account.kind), scope_id__in=above.scope.path, user__is_active=True
    )
    held: dict[int, list[int]] = {}
    for user_id, scope_id in grants.order_by("pk").values_list("user_id", "scope_id"):
        held.setdefault(scope_id, []).append(user_id)
    return next((held[scope_id] for scope_id in reversed(above.scope.path) if scope_id in held), [])
