"""Grants as people date them: from a first day to a last one, in the time zone of the account's campus."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campus.core.clock import database_now
from campus.core.errors import InvalidInput, NotFound
from campus.people.models import User
from labs.quota.models import Account, Grant, Sponsor
from labs.quota.zones import zone_of

from .grants import give_grant

# The service's names of its instants, and ours of the days.
_DAYS = {"begins_at": "first_on", "ends_at": "last_on", "carry_until_at": "carry_until_on"}


def grant_for_days(
    *,
    account_id: int,
    gpu_seconds: int,
    label: str,
    last_on: date,
    first_on: date | None = None,
    sponsor: Sponsor | None = None,
    carry_pct: int = 0,
    carry_most_s: int | None = None,
    carry_until_on: date | None = None,
    actor: User | None,
    reason: str = "",
) -> Grant:
    """Give an account GPU-seconds from the beginning of `first_on` (now, when left out) to the end of `last_on`.

    Raises as `give_grant`, InvalidInput with first_on, last_on and carry_until_on for the days. Lock nothing before.
    """
    account = Account.objects.select_related("scope").filter(pk=account_id).first()
    if account is None:
        raise NotFound
    zone, now = ZoneInfo(zone_of(account.scope.path)), database_now()
    begins_at = datetime.combine(first_on, time(), zone) if first_on else now
    try:
        return give_grant(
            account_id=account_id, gpu_seconds=gpu_seconds, label=label, sponsor=sponsor, carry_pct=carry_pct,
            carry_most_s=carry_most_s, actor=actor, reason=reason,
            begins_at=begins_at if begins_at > now else None,
            ends_at=end_of(last_on, zone),
            carry_until_at=end_of(carry_until_on, zone) if carry_until_on else None,
        )  # fmt: skip
    except InvalidInput as error:
        error.fields = {_DAYS.get(name, name): texts for name, texts in error.fields.items()}
        raise


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant after a day."""
    return datetime.combine(day + timedelta(days=1), time(), zone)
