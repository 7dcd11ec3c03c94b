"""Posting to the ledger: hold, settle, release and refund the GPU-seconds of one attempt of a job.

A posting and the balances of every account above it change in one transaction, or not at all. Where an account has
grants that end, or owes a sibling, its posting takes a few queries more than said below.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.utils.translation import gettext as _

from campus.core.errors import Conflict, InvalidInput
from labs.quota.domain.balances import Room, first_short
from labs.quota.domain.grants import moved
from labs.quota.models import Account, LedgerEntry
from labs.quota.shortage import over_quota

from .borrowing import borrow, offered_s, repay
from .capping import check_caps
from .drawing import Purse, drawn_by, purse_of
from .ledger_lines import Line, count_day, day_of, posted_of, write_lines
from .locking import lock_path

Kind = LedgerEntry.Kind


def hold(
    *,
    account_id: int,
    job_id: int,
    attempt: int,
    gpu_seconds: int,
    reason: str = "",
    at: datetime | None = None,
) -> None:
    """Hold an attempt's worst case on its account and on all above it. Three queries.

    What an account lacks it borrows from siblings who lend. Raises OverQuota (facts: short_account,
    short_account_id, available_s, wanted_s, helpers; with code day_cap or week_cap: cap_s, used_s, held_s, renews_at),
    InvalidInput for no positive seconds, Conflict when the attempt holds already or the account is closed. A repeated
    attempt (number above 1) passes a closed account and caps: the platform owes it.
    """
    if gpu_seconds <= 0:
        raise InvalidInput({"gpu_seconds": _("Hold at least one GPU-second.")})
    path, now = lock_path(account_id)
    if attempt == 1:
        _refuse_closed(path)
    posted_of(path, job_id, attempt).refuse(Kind.HOLD)
    if attempt == 1:
        check_caps(path, gpu_seconds, now)
    purse = purse_of(path, now)
    _make_room(path, purse, gpu_seconds, now)
    line = Line(job_id, attempt, Kind.HOLD, gpu_seconds, purse.take(gpu_seconds))
    write_lines(path, [line], at or now, account_of=purse.account_of, reason=reason)


def hold_all(*, account_id: int, holds: Sequence[tuple[int, int]], at: datetime | None = None) -> None:
    """Hold the worst case of the first attempts of several new jobs, given as (job id, GPU-seconds): all or none.

    Three queries, whatever their number. Raises as `hold`; OverQuota also says how many of them would fit
    (facts: would_fit), in their order.
    """
    if not holds or min(gpu_seconds for _job_id, gpu_seconds in holds) <= 0:
        raise InvalidInput({"gpu_seconds": _("Hold at least one GPU-second.")})
    path, now = lock_path(account_id)
    _refuse_closed(path)
    if LedgerEntry.objects.filter(job_id__in=[job_id for job_id, _seconds in holds]).exists():
        raise Conflict(_("This was booked before."), code="already_posted")
    amounts = [gpu_seconds for _job_id, gpu_seconds in holds]
    check_caps(path, sum(amounts), now, parts=amounts)
    purse = purse_of(path, now)
    _make_room(path, purse, sum(amounts), now, parts=amounts)
    lines = [Line(job_id, 1, Kind.HOLD, gpu_seconds, purse.take(gpu_seconds)) for job_id, gpu_seconds in holds]
    write_lines(path, lines, at or now, account_of=purse.account_of)


def _refuse_closed(path: Sequence[Account]) -> None:
    closed = next((account for account in path if not account.is_open), None)
    if closed is not None:
        message = _("The GPU account “%(name)s” is closed. Ask its staff to open it.") % {"name": closed.name}
        raise Conflict(message, code="account_closed", facts={"account": closed.name})


def _make_room(path: Sequence[Account], purse: Purse, wanted_s: int, now: datetime, parts: Sequence[int] = ()) -> None:
    """See that every level can hold `wanted_s`, borrowing where siblings lend. Raises OverQuota."""
    rooms = [Room(account.pk, account.available_s - purse.overdue.get(account.pk, 0)) for account in path]
    if first_short(rooms, wanted_s) is None:
        return
    offered = {room.account_id: 0 for room in rooms}
    for account, room in zip(path, rooms, strict=True):
        if room.available_s < wanted_s:
            offered[account.pk] = offered_s(account, now)
    reach = [Room(room.account_id, room.available_s + offered[room.account_id]) for room in rooms]
    short = first_short(reach, wanted_s)
    if short is not None:
        error = over_quota(next(a for a in path if a.pk == short.account_id), short.available_s, wanted_s)
        if parts:
            room_s = min(room.available_s for room in reach)
            error.facts["would_fit"] = sum(1 for total in accumulate(parts) if total <= room_s)
        raise error
    for account, room in zip(path, rooms, strict=True):
        if room.available_s < wanted_s:
            borrow(account, wanted_s - room.available_s, now)


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
    """Turn an attempt's hold into a charge and release the rest: CHARGE + RELEASE = HOLD. Four queries.

    `day_zone` is the IANA zone whose day the charge falls on (settings.TIME_ZONE when left out); `at` the time of the
    charge when it is not now. Raises Conflict when the attempt holds another amount or was settled or released
    before, InvalidInput unless 0 <= charged_s <= held_s.
    """
    if not 0 <= charged_s <= held_s:
        raise InvalidInput({"charged_s": _("A charge lies between nothing and what is held.")})
    path, now = lock_path(account_id)
    posted = posted_of(path, job_id, attempt)
    entry = posted.require_hold(held_s)
    posted.refuse(Kind.CHARGE, Kind.RELEASE)
    when = at or now
    day = day_of(when, day_zone)
    drawn = drawn_by(entry, path)
    paid = drawn.part_of(charged_s)
    lines = [
        Line(job_id, attempt, Kind.CHARGE, charged_s, paid),
        Line(job_id, attempt, Kind.RELEASE, held_s - charged_s, moved(paid, drawn.held)),
    ]
    write_lines(path, lines, when, account_of=drawn.account_of, reason=reason, day=day)
    if charged_s:
        count_day(path[-1], day, charged_s=charged_s, jobs=0 if posted.counted_on(day) else 1)
    repay(path)


def release(*, account_id: int, job_id: int, attempt: int, reason: str = "", at: datetime | None = None) -> int:
    """Give an attempt's whole hold back, because it never started; returns the GPU-seconds. Three queries.

    Raises Conflict when it holds nothing, or was settled or released before.
    """
    path, now = lock_path(account_id)
    posted = posted_of(path, job_id, attempt)
    entry = posted.require_hold()
    posted.refuse(Kind.CHARGE, Kind.RELEASE)
    drawn = drawn_by(entry, path)
    line = Line(job_id, attempt, Kind.RELEASE, entry.gpu_seconds, drawn.held)
    write_lines(path, [line], at or now, account_of=drawn.account_of, reason=reason)
    repay(path)
    return entry.gpu_seconds


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
    """Give back what the platform lost of a settled attempt, on the day it is given back. Four queries.

    Raises InvalidInput unless 0 < gpu_seconds <= what stayed charged of the attempt, Conflict when it was refunded
    before or was never charged.
    """
    path, now = lock_path(account_id)
    posted = posted_of(path, job_id, attempt)
    if posted.of_attempt(Kind.CHARGE) is None:
        raise Conflict(_("This attempt was never charged."), code="not_charged")
    posted.refuse(Kind.REFUND)
    net_s = posted.net_s
    if not 0 < gpu_seconds <= net_s:
        raise InvalidInput({"gpu_seconds": _("A refund is at most what was charged.")}, facts={"charged_s": net_s})
    when = at or now
    day = day_of(when, day_zone)
    drawn = drawn_by(posted.require_hold(), path)
    line = Line(job_id, attempt, Kind.REFUND, gpu_seconds, drawn.given_back(net_s, net_s - gpu_seconds))
    write_lines(path, [line], when, account_of=drawn.account_of, reason=reason, day=day)
    count_day(path[-1], day, refunded_s=gpu_seconds)
    repay(path)


def correct(
    *,
    account_id: int,
    job_id: int,
    attempt: int,
    seen_s: int,
    charged_s: int,
    reason: str,
    actor: Any,
    day_zone: str = "",
) -> LedgerEntry:
    """Correct what a settled attempt stays charged from `seen_s` to `charged_s`, by a line of its own.

    Returns the CREDIT or DEBIT. Raises InvalidInput (charged_s, reason) for no reason, no difference, or more than
    was held; Conflict when it was never settled, or when others corrected what the actor saw (charge_changed, with
    charged_s); OverQuota when an account lacks what is to be charged.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput({"reason": _("Say why, in a few words: the history shows it.")})
    if len(reason) > 200:
        raise InvalidInput({"reason": _("Use at most %(n)s characters.") % {"n": 200}})
    path, now = lock_path(account_id)
    posted = posted_of(path, job_id, attempt)
    entry = posted.require_hold()
    if posted.of_attempt(Kind.RELEASE) is None:
        raise Conflict(_("Only a job that is over can be corrected."), code="not_settled")
    net_s = posted.net_s
    if net_s != seen_s:
        facts = {"charged_s": net_s}
        raise Conflict(_("Somebody corrected this job meanwhile. Look again."), code="charge_changed", facts=facts)
    if not 0 <= charged_s <= entry.gpu_seconds:
        text = _("A charge lies between nothing and what was held, %(most)s GPU-seconds.")
        raise InvalidInput({"charged_s": text % {"most": entry.gpu_seconds}}, facts={"most_s": entry.gpu_seconds})
    if charged_s == net_s:
        raise InvalidInput({"charged_s": _("That is what it is charged already.")})
    drawn = drawn_by(entry, path)
    day = day_of(now, day_zone)
    more_s = charged_s - net_s
    if more_s > 0:
        _make_room(path, purse_of(path, now), more_s, now)
        line = Line(job_id, attempt, Kind.DEBIT, more_s, drawn.charged_again(net_s, charged_s))
        count_day(path[-1], day, charged_s=more_s)
    else:
        line = Line(job_id, attempt, Kind.CREDIT, -more_s, drawn.given_back(net_s, charged_s))
        count_day(path[-1], day, refunded_s=-more_s)
    written = write_lines(path, [line], now, account_of=drawn.account_of, reason=reason, day=day, actor=actor)
    repay(path)
    return written[0]
