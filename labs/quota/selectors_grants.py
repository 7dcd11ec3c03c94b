"""Reading grants, what sponsors paid, and lending."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q, QuerySet, Sum

from .models import Account, Grant, GrantDraw, Lending, Sponsor


@dataclass
class SponsorUse:
    """What a sponsor gave at an account or below it; `days` is its use by day, of all accounts there."""

    sponsor: Sponsor
    given_s: int = 0
    used_s: int = 0
    held_s: int = 0
    left_s: int = 0
    days: dict[str, int] = field(default_factory=dict)


def grants_below(account: Account) -> QuerySet[Grant]:
    """Return the grants of an account and of those below it, those that end first before the others. One query."""
    found = Grant.objects.filter(account__path__contains=[account.pk]).select_related("sponsor", "account")
    return found.order_by("state", "ends_at", "id")


def grants_of(account: Account) -> Sequence[Grant]:
    """Return what an account can draw upon: its own grants, and the sponsors' above it. One query."""
    own = Q(account=account)
    above = Q(account_id__in=account.path, sponsor__isnull=False, state=Grant.State.ACTIVE)
    return list(Grant.objects.filter(own | above).select_related("sponsor", "account").order_by("ends_at", "id"))


def sponsor_uses(account: Account, first: date | None = None, last: date | None = None) -> list[SponsorUse]:
    """Return what each sponsor gave at or below an account and what jobs below used, by day too. Two queries.

    A grant from above counts with what jobs below this account drew from it.
    """
    uses: dict[int, SponsorUse] = {}
    below = Grant.objects.filter(account__path__contains=[account.pk], sponsor__isnull=False)
    for grant in below.select_related("sponsor"):
        use = uses.setdefault(grant.sponsor_id or 0, SponsorUse(_sponsor_of(grant)))
        use.given_s += 0 if grant.carried_from_id else grant.seconds
        use.held_s += grant.held_s
        use.left_s += grant.left_s
    signs = {"CHARGE": 1, "DEBIT": 1, "REFUND": -1, "CREDIT": -1}
    draws = GrantDraw.objects.filter(
        entry__account__path__contains=[account.pk], entry__day__isnull=False, grant__sponsor__isnull=False
    )
    if first:
        draws = draws.filter(entry__day__gte=first)
    if last:
        draws = draws.filter(entry__day__lte=last)
    rows = draws.order_by().values_list("grant__sponsor", "entry__day", "entry__kind")
    sums = list(rows.annotate(total=Sum("gpu_seconds")))
    missing = {sponsor_id for sponsor_id, *_rest in sums} - uses.keys()
    for sponsor in Sponsor.objects.filter(pk__in=missing) if missing else []:
        uses[sponsor.pk] = SponsorUse(sponsor)
    for sponsor_id, day, kind, total in sums:
        use = uses[sponsor_id]
        use.used_s += signs[kind] * total
        use.days[day.isoformat()] = use.days.get(day.isoformat(), 0) + signs[kind] * total
    for use in uses.values():
        use.days = dict(sorted(use.days.items()))
    return sorted(uses.values(), key=lambda use: (-use.used_s, use.sponsor.pk))


def _sponsor_of(grant: Grant) -> Sponsor:
    sponsor = grant.sponsor
    if sponsor is None:
        raise ValueError(f"grant {grant.pk} has no sponsor")
    return sponsor


def lendings_of(account: Account) -> list[Lending]:
    """Return what an account lends and what is offered to it, open ones only. One query."""
    open_ones = Lending.objects.filter(closed_at__isnull=True)
    to_it = Q(lender__parent_id=account.parent_id) & (Q(borrower__isnull=True) | Q(borrower=account))
    own = Q(lender=account)
    found = open_ones.filter(own | to_it if account.parent_id else own).select_related("lender", "borrower")
    return list(found.order_by("until_at", "id"))


@dataclass
class SponsorLine:
    """A sponsor, and its grants to accounts that the reader administers."""

    sponsor: Sponsor
    grants: list[Grant] = field(default_factory=list)

    @property
    def given_s(self) -> int:
        return sum(grant.seconds for grant in self.grants if grant.carried_from_id is None)

    @property
    def used_s(self) -> int:
        return sum(grant.used_s for grant in self.grants)

    @property
    def held_s(self) -> int:
        return sum(grant.held_s for grant in self.grants)


def sponsors_with_grants(accounts: QuerySet[Account]) -> list[SponsorLine]:
    """Return every sponsor with its grants to these accounts, those that end first before the others. Two queries."""
    lines = {sponsor.pk: SponsorLine(sponsor) for sponsor in Sponsor.objects.all()}
    grants = Grant.objects.filter(sponsor__isnull=False, account__in=accounts.order_by().values("pk"))
    for grant in grants.select_related("account").order_by("ends_at", "id"):
        lines[grant.sponsor_id or 0].grants.append(grant)
    return list(lines.values())


def sponsored_for(accounts: Sequence[Account]) -> dict[int, list[Grant]]:
    """Return, for each account, the sponsors' open grants that its jobs draw from, also those above. One query."""
    above = {pk for account in accounts for pk in account.path}
    grants = Grant.objects.filter(account_id__in=above, sponsor__isnull=False, state=Grant.State.ACTIVE)
    found = list(grants.select_related("sponsor").order_by("ends_at", "id")) if above else []
    return {account.pk: [grant for grant in found if grant.account_id in account.path] for account in accounts}
