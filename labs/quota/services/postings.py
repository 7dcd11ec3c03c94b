"""Posting to the ledger: hold, settle, release and refund the GPU-seconds of one attempt of a job.

A posting and the balances of every account above it change in one transaction, or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from campus.core.errors import Conflict, InvalidInput
from labs.quota.domain.balances import Room, change_of, first_short
from labs.quota.models import Account, LedgerEntry, UsageDay
from labs.quota.shortage import over_quota

from .locking import lock_path

Kind = LedgerEntry.Kind
REASON_LENGTH = 200


def hold(
    *,
    account_id: int,
    job_id: int,
    attempt: int,
    gpu_seconds: int,
    reason: str = "",
    at: datetime | None = None,
) -> None:
    """Hold an attempt's worst case on its account and on all above it. Four queries.

    Raises OverQuota (facts: short_account, short_account_id, available_s, wanted_s, helpers), InvalidInput for no
    positive seconds, Conflict when the attempt holds already or the account is closed. A repeated attempt
    (number above 1) is let through a closed account: the platform owes it.
    """
    if gpu_seconds <= 0:
        raise InvalidInput({"gpu_seconds": _("Hold at least one GPU-second.")})
    path, now = lock_path(account_id)
    if attempt == 1:
        _refuse_closed(path)
    _refuse_if_posted(_posted(path, job_id, attempt), {Kind.HOLD})
    rooms = [Room(account.pk, account.available_s) for account in path]
    short = first_short(rooms, gpu_seconds)
    if short is not None:
        raise over_quota(next(a for a in path if a.pk == short.account_id), short.available_s, gpu_seconds)
    _post(path, job_id, attempt, [(Kind.HOLD, gpu_seconds)], at or now, reason=reason)


def hold_all(*, account_id: int, holds: Sequence[tuple[int, int]], at: datetime | None = None) -> None:
    """Hold the worst case of the first attempts of several new jobs, given as (job id, GPU-seconds): all or none.

    Four queries, whatever their number. Raises as `hold`; OverQuota also says how many of them would fit
    (facts: would_fit), in their order.
    """
    if not holds or min(gpu_seconds for _job_id, gpu_seconds in holds) <= 0:
        raise InvalidInput({"gpu_seconds": _("Hold at least one GPU-second.")})
    path, now = lock_path(account_id)
    _refuse_closed(path)
    if LedgerEntry.objects.filter(job_id__in=[job_id for job_id, _seconds in holds]).exists():
        raise Conflict(_("This was booked before."), code="already_posted")
    wanted_s = sum(gpu_seconds for _job_id, gpu_seconds in holds)
    short = first_short([Room(account.pk, account.available_s) for account in path], wanted_s)
    if short is not None:
        error = over_quota(next(a for a in path if a.pk == short.account_id), short.available_s, wanted_s)
        room_s = min(account.available_s for account in path)
        error.facts["would_fit"] = sum(1 for total in accumulate(seconds for _, seconds in holds) if total <= room_s)
        raise error
    _post_lines(path, [(job_id, 1, Kind.HOLD, gpu_seconds) for job_id, gpu_seconds in holds], at or now)


def _refuse_closed(path: Sequence[Account]) -> None:
    closed = next((account for account in path if not account.is_open), None)
    if closed is not None:
        message = _("The GPU account “%(name)s” is closed. Ask its staff to open it.") % {"name": closed.name}
        raise Conflict(message, code="account_closed", facts={"account": closed.name})


def settle(
    *,
    account_id: int,
    job_id: int,
    attempt: int,
    held_s: int,
    charged_s: int,
    reason: str = "",
    day_zone: str = "",
    at: datetime | None = None,
) -> None:
    """Turn an attempt's hold into a charge and release the rest: CHARGE + RELEASE = HOLD. Six queries at most.

    `day_zone` is the IANA zone whose day the charge falls on (settings.TIME_ZONE when left out); `at` the time of the
    charge when it is not now. Raises Conflict when the attempt holds another amount or was settled or released
    before, InvalidInput unless 0 <= charged_s <= held_s.
    """
    if not 0 <= charged_s <= held_s:
        raise InvalidInput({"charged_s": _("A charge lies between nothing and what is held.")})
    path, now = lock_path(account_id)
    posted = _posted(path, job_id, attempt)
    _require_hold(posted, held_s)
    _refuse_if_posted(posted, {Kind.CHARGE, Kind.RELEASE})
    when = at or now
    day = _day_of(when, day_zone)
    postings = [(Kind.CHARGE, charged_s), (Kind.RELEASE, held_s - charged_s)]
    _post(path, job_id, attempt, postings, when, reason=reason, day=day)
    if charged_s:
        _count_day(path[-1], day, charged_s=charged_s, jobs=0 if posted.counted_on(day) else 1)


def release(*, account_id: int, job_id: int, attempt: int, reason: str = "", at: datetime | None = None) -> int:
    """Give an attempt's whole hold back, because it never started; returns the GPU-seconds. Four queries.

    Raises Conflict when it holds nothing, or was settled or released before.
    """
    path, now = lock_path(account_id)
    posted = _posted(path, job_id, attempt)
    held_s = _require_hold(posted, None)
    _refuse_if_posted(posted, {Kind.CHARGE, Kind.RELEASE})
    _post(path, job_id, attempt, [(Kind.RELEASE, held_s)], at or now, reason=reason)
    return held_s


def refund(
    *,
    account_id: int,
    job_id: int,
    attempt: int,
    gpu_seconds: int,
    reason: str = "",
    day_zone: str = "",
    at: datetime | None = None,
) -> None:
    """Give back what the platform lost of a settled attempt, on the day it is given back. Six queries at most.

    Raises InvalidInput unless 0 < gpu_seconds <= the attempt's charge, Conflict when it was refunded before or was
    never charged.
    """
    path, now = lock_path(account_id)
    posted = _posted(path, job_id, attempt)
    charge = posted.of_attempt(Kind.CHARGE)
    if charge is None:
        raise Conflict(_("This attempt was never charged."), code="not_charged")
    _refuse_if_posted(posted, {Kind.REFUND})
    if not 0 < gpu_seconds <= charge.gpu_seconds:
        facts = {"charged_s": charge.gpu_seconds}
        raise InvalidInput({"gpu_seconds": _("A refund is at most what was charged.")}, facts=facts)
    when = at or now
    day = _day_of(when, day_zone)
    _post(path, job_id, attempt, [(Kind.REFUND, gpu_seconds)], when, reason=reason, day=day)
    _count_day(path[-1], day, refunded_s=gpu_seconds)


@dataclass(frozen=True)
class _Posted:
    """A job's entries so far, seen from the attempt that is being posted."""

    entries: Sequence[LedgerEntry]
    attempt: int

    def of_attempt(self, kind: str) -> LedgerEntry | None:
        return next((entry for entry in self.entries if entry.attempt == self.attempt and entry.kind == kind), None)

    def counted_on(self, day: date) -> bool:
        """Say whether an earlier attempt made the job one of that day's charged jobs."""
        return any(entry.kind == Kind.CHARGE and entry.day == day and entry.gpu_seconds for entry in self.entries)


def _posted(path: Sequence[Account], job_id: int, attempt: int) -> _Posted:
    """Read the job's entries under the lock of its account, so that nobody adds one meanwhile."""
    entries = list(LedgerEntry.objects.filter(job_id=job_id))
    if any(entry.account_id != path[-1].pk for entry in entries):
        raise Conflict(_("This job is booked on another account."), code="other_account")
    return _Posted(entries, attempt)


def _require_hold(posted: _Posted, held_s: int | None) -> int:
    entry = posted.of_attempt(Kind.HOLD)
    if entry is None or (held_s is not None and entry.gpu_seconds != held_s):
        facts = {"held_s": entry.gpu_seconds if entry else 0}
        raise Conflict(_("This attempt does not hold that much."), code="not_held", facts=facts)
    return entry.gpu_seconds


def _refuse_if_posted(posted: _Posted, kinds: set[str]) -> None:
    if any(posted.of_attempt(kind) for kind in kinds):
        raise Conflict(_("This was booked before."), code="already_posted")


def _post(
    path: Sequence[Account],
    job_id: int,
    attempt: int,
    postings: Sequence[tuple[str, int]],
    at: datetime,
    *,
    reason: str = "",
    day: date | None = None,
) -> None:
    _post_lines(path, [(job_id, attempt, kind, seconds) for kind, seconds in postings], at, reason=reason, day=day)


def _post_lines(
    path: Sequence[Account],
    lines: Sequence[tuple[int, int, str, int]],
    at: datetime,
    *,
    reason: str = "",
    day: date | None = None,
) -> None:
    """Write (job id, attempt, kind, GPU-seconds) and what they do to every balance above. Two queries."""
    leaf = path[-1]
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            account=leaf, path=leaf.path, job_id=job_id, attempt=attempt, kind=kind, gpu_seconds=gpu_seconds,
            reason=reason[:REASON_LENGTH], at=at, day=day if kind in {Kind.CHARGE, Kind.REFUND} else None,
        )
        for job_id, attempt, kind, gpu_seconds in lines
    )  # fmt: skip
    changes = [change_of(kind, gpu_seconds) for _job_id, _attempt, kind, gpu_seconds in lines]
    Account.objects.filter(pk__in=leaf.path).update(
        used_s=F("used_s") + sum(change.used_s for change in changes),
        held_s=F("held_s") + sum(change.held_s for change in changes),
    )


def _day_of(at: datetime, day_zone: str) -> date:
    return at.astimezone(ZoneInfo(day_zone or settings.TIME_ZONE)).date()


def _count_day(account: Account, day: date, *, charged_s: int = 0, refunded_s: int = 0, jobs: int = 0) -> None:
    """Add to the account's day. The account's lock makes update-then-create safe."""
    updated = UsageDay.objects.filter(account=account, day=day).update(
        charged_s=F("charged_s") + charged_s, refunded_s=F("refunded_s") + refunded_s, jobs=F("jobs") + jobs
    )
    if not updated:
        UsageDay.objects.create(
            account=account, path=account.path, day=day, charged_s=charged_s, refunded_s=refunded_s, jobs=jobs
        )
