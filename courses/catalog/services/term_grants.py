"""GPU time for a term: quota knows dates and a label, the catalogue knows which term they are."""

from datetime import date

from django.db import transaction

from campus.core.errors import NotAllowed, NotFound
from campus.people.api import standing_of
from campus.people.models import User
from courses.catalog.models import Term
from labs.quota import api as quota
from labs.quota.access import get_account_for, may_allocate
from labs.quota.models import Account, Grant, Sponsor


@transaction.atomic
def grant_for_term(
    *,
    term_id: int,
    account_id: int,
    gpu_seconds: int,
    actor: User | None,
    sponsor: Sponsor | None = None,
    carry_pct: int = 0,
    carry_most_s: int | None = None,
    carry_until_on: date | None = None,
) -> Grant:
    """Give an account GPU time for a term: from its first day, or now, to the end of its last in the campus's zone.

    Raises NotFound, NotAllowed, InvalidInput (also for a term that is over), OverQuota as `quota.grant_for_days`.
    """
    term = Term.objects.filter(pk=term_id).first()
    account = Account.objects.select_related("scope").filter(pk=account_id).first()
    if term is None or account is None:
        raise NotFound
    if actor is not None:
        standing = standing_of(actor)
        if not may_allocate(standing, get_account_for(standing, account_id)):
            raise NotAllowed
    return quota.grant_for_days(
        account_id=account_id,
        gpu_seconds=gpu_seconds,
        label=term.name_ko,
        first_on=term.starts_on,
        last_on=term.ends_on,
        sponsor=sponsor,
        carry_pct=carry_pct,
        carry_most_s=carry_most_s,
        carry_until_on=carry_until_on,
        actor=actor,
    )
