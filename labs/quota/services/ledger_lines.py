"""Writing ledger lines: the line, what grants pay of it, and every balance above it, in one go.

The account's path is locked by the caller; its rows in memory are brought along.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, Case, F, Value, When
from django.utils.translation import gettext as _

from campus.core.compiled import Compiled, Given
from campus.core.errors import Conflict
from labs.quota.domain.balances import Change, change_of
from labs.quota.models import Account, Grant, GrantDraw, LedgerEntry

Kind = LedgerEntry.Kind
REASON_LENGTH = 200
NO_CHANGE = Change()


@dataclass(frozen=True)
class Line:
    """A line to be written; `draws` are the GPU-seconds of it by grant."""

    job_id: int
    attempt: int
    kind: str
    gpu_seconds: int
    draws: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Posted:
    """A job's entries so far, seen from the attempt that is being posted."""

    entries: Sequence[LedgerEntry]
    attempt: int

    def of_attempt(self, kind: str) -> LedgerEntry | None:
        return next((entry for entry in self.entries if entry.attempt == self.attempt and entry.kind == kind), None)

    def counted_on(self, day: date) -> bool:
        """Say whether an earlier attempt made the job one of that day's charged jobs."""
        return any(entry.kind == Kind.CHARGE and entry.day == day and entry.gpu_seconds for entry in self.entries)

    @property
    def net_s(self) -> int:
        """What stayed charged of the attempt."""
        own = (entry for entry in self.entries if entry.attempt == self.attempt)
        return sum(change_of(entry.kind, entry.gpu_seconds).used_s for entry in own)

    def require_hold(self, held_s: int | None = None) -> LedgerEntry:
        """Return the attempt's hold. Raises Conflict (not_held) where it holds nothing, or another amount."""
        entry = self.of_attempt(Kind.HOLD)
        if entry is None or (held_s is not None and entry.gpu_seconds != held_s):
            facts = {"held_s": entry.gpu_seconds if entry else 0}
            raise Conflict(_("This attempt does not hold that much."), code="not_held", facts=facts)
        return entry

    def refuse(self, *kinds: str) -> None:
        """Raise Conflict (already_posted) where the attempt has a line of one of `kinds`."""
        if any(self.of_attempt(kind) for kind in kinds):
            raise Conflict(_("This was booked before."), code="already_posted")


_OF_JOB = Compiled(lambda: LedgerEntry.objects.filter(job_id=Given("job_id")).order_by("id"))


def posted_of(path: Sequence[Account], job_id: int, attempt: int) -> Posted:
    """Read the job's entries under the lock of its account, so that nobody adds one meanwhile."""
    entries: list[LedgerEntry] = _OF_JOB.models(job_id=job_id)
    if any(entry.account_id != path[-1].pk for entry in entries):
        raise Conflict(_("This job is booked on another account."), code="other_account")
    return Posted(entries, attempt)


# What most postings are: lines that no grant pays for, and what they do to every balance above, in one statement.
_WRITE = """
WITH written AS (
    INSERT INTO quota_ledgerentry
        (account_id, path, job_id, attempt, kind, gpu_seconds, reason, day, is_drawn, actor_id, at)
    SELECT %(account)s::bigint, %(path)s::bigint[], said.job_id, said.attempt, said.kind, said.gpu_seconds, %(reason)s,
           said.day, false, %(actor)s::bigint, %(at)s::timestamptz
    FROM unnest(%(jobs)s::bigint[], %(attempts)s::int[], %(kinds)s::text[], %(seconds)s::bigint[], %(days)s::date[])
         WITH ORDINALITY AS said (job_id, attempt, kind, gpu_seconds, day, place)
    ORDER BY said.place
    RETURNING id, job_id, attempt, kind
), balanced AS (
    UPDATE quota_account SET used_s = used_s + %(used_s)s, held_s = held_s + %(held_s)s
    WHERE id = ANY(%(path)s::bigint[])
)
SELECT id, job_id, attempt, kind FROM written
"""

_COUNT = """
INSERT INTO quota_usageday (account_id, path, day, charged_s, refunded_s, jobs)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (account_id, day) DO UPDATE SET charged_s = quota_usageday.charged_s + EXCLUDED.charged_s,
    refunded_s = quota_usageday.refunded_s + EXCLUDED.refunded_s, jobs = quota_usageday.jobs + EXCLUDED.jobs
"""


def write_lines(
    path: Sequence[Account],
    lines: Sequence[Line],
    at: datetime,
    *,
    account_of: Mapping[int, int] | None = None,
    reason: str = "",
    day: date | None = None,
    actor: Any = None,
) -> list[LedgerEntry]:
    """Write the lines and what they do to grants and balances. One query, four where grants pay.

    `account_of` says whose grants those of the draws are.
    """
    leaf = path[-1]
    entries = [
        LedgerEntry(
            account=leaf, path=leaf.path, job_id=line.job_id, attempt=line.attempt, kind=line.kind,
            gpu_seconds=line.gpu_seconds, reason=reason[:REASON_LENGTH], at=at, is_drawn=bool(line.draws), actor=actor,
            day=day if line.kind in LedgerEntry.USE else None,
        )
        for line in lines
    ]  # fmt: skip
    changes = [change_of(line.kind, line.gpu_seconds) for line in lines]
    used_s, held_s = sum(change.used_s for change in changes), sum(change.held_s for change in changes)
    dated: dict[int, int] = {}
    if any(line.draws for line in lines):
        LedgerEntry.objects.bulk_create(entries)
        dated = _write_draws(entries, lines, account_of or {})
        Account.objects.filter(pk__in=leaf.path).update(
            used_s=F("used_s") + used_s, held_s=F("held_s") + held_s, dated_s=F("dated_s") + _by_key(dated)
        )
    else:
        _write_at_once(entries, used_s, held_s)
    for account in path:
        account.used_s += used_s
        account.held_s += held_s
        account.dated_s += dated.get(account.pk, 0)
    return entries


def _write_at_once(entries: Sequence[LedgerEntry], used_s: int, held_s: int) -> None:
    first = entries[0]
    said: dict[str, Any] = {
        "account": first.account_id,
        "path": first.path,
        "reason": first.reason,
        "actor": first.actor_id,
        "at": first.at,
        "jobs": [entry.job_id for entry in entries],
        "attempts": [entry.attempt for entry in entries],
        "kinds": [str(entry.kind) for entry in entries],
        "seconds": [entry.gpu_seconds for entry in entries],
        "days": [entry.day for entry in entries],
        "used_s": used_s,
        "held_s": held_s,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, said)
        pks = {(job_id, attempt, kind): pk for pk, job_id, attempt, kind in cursor.fetchall()}
    for entry in entries:
        entry.pk = pks[entry.job_id, entry.attempt, str(entry.kind)]
        entry._state.adding = False


def _write_draws(
    entries: Sequence[LedgerEntry], lines: Sequence[Line], account_of: Mapping[int, int]
) -> dict[int, int]:
    """Write what grants pay of each line, and return by how much that changes what is left to each account's grants."""
    pairs = [(entry, line) for entry, line in zip(entries, lines, strict=True) if line.draws]
    if not pairs:
        return {}
    GrantDraw.objects.bulk_create(
        GrantDraw(entry=entry, grant_id=grant_id, gpu_seconds=part)
        for entry, line in pairs
        for grant_id, part in sorted(line.draws.items())
    )
    used: dict[int, int] = {}
    held: dict[int, int] = {}
    for _entry, line in pairs:
        for grant_id, part in line.draws.items():
            change = change_of(line.kind, part)
            used[grant_id] = used.get(grant_id, 0) + change.used_s
            held[grant_id] = held.get(grant_id, 0) + change.held_s
    Grant.objects.filter(pk__in=used).update(used_s=F("used_s") + _by_key(used), held_s=F("held_s") + _by_key(held))
    dated: dict[int, int] = {}
    for grant_id in used:
        account_id = account_of[grant_id]
        dated[account_id] = dated.get(account_id, 0) - used[grant_id] - held[grant_id]
    return dated


def _by_key(amounts: Mapping[int, int]) -> Any:
    whens = [When(pk=key, then=Value(amount)) for key, amount in amounts.items()]
    return Case(*whens, default=Value(0), output_field=BigIntegerField())


def day_of(at: datetime, day_zone: str) -> date:
    """Return the day on which a charge at this time counts, in an IANA zone (settings.TIME_ZONE when it is empty)."""
    return at.astimezone(ZoneInfo(day_zone or settings.TIME_ZONE)).date()


def count_day(account: Account, day: date, *, charged_s: int = 0, refunded_s: int = 0, jobs: int = 0) -> None:
    """Add to the account's day. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [account.pk, account.path, day, charged_s, refunded_s, jobs])
