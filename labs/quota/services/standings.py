"""An account's figures as the rules in labs.quota.domain see them."""

from labs.quota.domain.allocation import Standing
from labs.quota.models import Account


def standing_of(account: Account) -> Standing:
    """Return what an account's allocation is judged by."""
    return Standing(
        allocated_s=account.allocated_s,
        used_s=account.used_s,
        held_s=account.held_s,
        granted_s=account.granted_s,
        overcommit_pct=account.overcommit_pct,
        dated_s=account.dated_s,
    )
