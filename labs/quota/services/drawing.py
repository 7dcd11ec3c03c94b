"""Which grants pay for a job: read under the lock of the path, decided by labs.quota.domain.grants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import F

from labs.quota.domain.balances import CHARGE, CREDIT, DEBIT, HOLD, REFUND
from labs.quota.domain.grants import Source, draw, moved
from labs.quota.models import Account, Grant, GrantDraw, LedgerEntry

LEFT = F("held_s") + F("used_s") + F("returned_s") + F("carried_s")


@dataclass
class Purse:
    """The grants that a job on this path could draw from, and what is no longer anybody's to use.

    `overdue` is, by account, what ended grants have left there until it is taken back.
    """

    sources: list[Source] = field(default_factory=list)
    account_of: dict[int, int] = field(default_factory=dict)
    overdue: dict[int, int] = field(default_factory=dict)

    def take(self, wanted_s: int) -> dict[int, int]:
        """Draw, and remember it for the next line."""
        drawn = draw(wanted_s, self.sources)
        self.sources = [replace(s, left_s=s.left_s - drawn.get(s.grant_id, 0)) for s in self.sources]
        return drawn


def purse_of(path: Sequence[Account], now: datetime) -> Purse:
    """Read what the grants on this path have left. No query where no account has any, else one."""
    purse = Purse()
    if not any(account.dated_s for account in path):
        return purse
    levels = {account.pk: level for level, account in enumerate(path)}
    grants = Grant.objects.filter(
        account_id__in=levels, state__in=(Grant.State.ACTIVE, Grant.State.ENDED), seconds__gt=LEFT
    )
    for grant in grants:
        level = levels[grant.account_id]
        if grant.state == Grant.State.ACTIVE and grant.ends_at > now:
            purse.sources.append(_source(grant, level, grant.left_s))
            purse.account_of[grant.pk] = grant.account_id
            continue
        short_levels = path[: level + 1] if grant.sponsor_id else [path[level]]
        for account in short_levels:
            purse.overdue[account.pk] = purse.overdue.get(account.pk, 0) + grant.left_s
    return purse


@dataclass
class Drawn:
    """What an attempt's hold drew, and what of that is used now, by grant."""

    sources: list[Source] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    account_of: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)

    @property
    def held(self) -> dict[int, int]:
        return {source.grant_id: source.left_s for source in self.sources}

    def part_of(self, net_s: int) -> dict[int, int]:
        """Return what the grants pay of a net charge of `net_s`."""
        return draw(net_s, self.sources)

    def given_back(self, before_s: int, after_s: int) -> dict[int, int]:
        """Return what grants get back when the net charge falls."""
        change = moved(self.part_of(after_s), self.part_of(before_s))
        parts = {key: min(part, self.used.get(key, 0)) for key, part in change.items()}
        return {key: part for key, part in parts.items() if part > 0}

    def charged_again(self, before_s: int, after_s: int) -> dict[int, int]:
        """Return what grants pay when the net charge rises again, as far as they still have it."""
        change = moved(self.part_of(before_s), self.part_of(after_s))
        parts = {key: min(part, self.left.get(key, 0)) for key, part in change.items()}
        return {key: part for key, part in parts.items() if part > 0}


_SIGN: Mapping[str, int] = {CHARGE: 1, DEBIT: 1, REFUND: -1, CREDIT: -1}


def drawn_by(hold: LedgerEntry, path: Sequence[Account]) -> Drawn:
    """Read what grants paid of the attempt of this hold. One query, none where they paid nothing."""
    drawn = Drawn()
    if not hold.is_drawn:
        return drawn
    levels = {account.pk: level for level, account in enumerate(path)}
    rows = GrantDraw.objects.filter(entry__job_id=hold.job_id, entry__attempt=hold.attempt)
    for row in rows.select_related("entry", "grant"):
        grant = row.grant
        if row.entry.kind == HOLD:
            drawn.sources.append(_source(grant, levels[grant.account_id], row.gpu_seconds))
            drawn.account_of[grant.pk] = grant.account_id
            drawn.left[grant.pk] = grant.left_s if grant.state == Grant.State.ACTIVE else 0
        elif row.entry.kind in _SIGN:
            sign = _SIGN[row.entry.kind]
            drawn.used[grant.pk] = drawn.used.get(grant.pk, 0) + sign * row.gpu_seconds
    return drawn


def _source(grant: Grant, level: int, left_s: int) -> Source:
    return Source(grant.pk, level, grant.sponsor_id is not None, grant.ends_at, left_s)
