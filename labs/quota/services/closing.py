"""Closing an account: nothing new may be held, and what is free goes back where it came from."""

from django.utils.translation import gettext as _

from campus.people.models import User
from labs.quota.models import Account, Grant

from .accounts import allocate
from .borrowing import repay_of
from .grants import cancel_grant, end_grant
from .locking import lock_path


def close_account(*, account_id: int, reason: str, actor: User | None) -> None:
    """End its grants, return its loans, give back what is neither used nor held, and close it. Raises NotFound.

    The ledger stays, and jobs that wait or run keep what they hold.
    """
    path, _now = lock_path(account_id)
    reason = reason.strip() or _("Closed")
    for grant in Grant.objects.filter(account_id=account_id, state=Grant.State.PLANNED):
        cancel_grant(grant_id=grant.pk, actor=actor, reason=reason)
    for grant in Grant.objects.filter(account_id=account_id, state=Grant.State.ACTIVE):
        end_grant(grant_id=grant.pk, actor=actor, reason=reason)
    account = Account.objects.get(pk=path[-1].pk)
    if account.borrowed_s:
        repay_of(account)
    free_s = account.available_s - account.dated_s
    if free_s > 0:
        allocate(account_id=account_id, delta_s=-free_s, reason=reason, actor=actor)
    Account.objects.filter(pk=account_id).update(is_open=False)
