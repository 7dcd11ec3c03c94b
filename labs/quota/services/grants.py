"""Grants that end: giving one, beginning it, and taking back at its end what nobody used or holds.

Each function locks the whole path of the grant's account, from the root, and works on what it then finds: any number
of them may run at once, and running again changes nothing. Call them before any other lock of accounts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from campus.core import audit, formats
from campus.core.errors import CampusError, Conflict, InvalidInput, NotFound
from campus.people.models import User
from labs.quota.domain.allocation import MOST_S, Refusal, judge
from labs.quota.domain.grants import CarryOver, close, most_added_s, returnable_s
from labs.quota.models import Account, Allocation, Grant, Sponsor
from labs.quota.shortage import over_quota

from .locking import lock_path
from .standings import standing_of

State = Grant.State


def give_grant(
    *,
    account_id: int,
    gpu_seconds: int,
    label: str,
    ends_at: datetime,
    begins_at: datetime | None = None,
    sponsor: Sponsor | None = None,
    carry_pct: int = 0,
    carry_most_s: int | None = None,
    carry_until_at: datetime | None = None,
    actor: User | None,
    reason: str = "",
) -> Grant:
    """Give an account GPU-seconds from `begins_at` (now, when left out) until `ends_at`.

    Without a sponsor they are the parent's; a sponsor's are new on this level and all above. One that begins later is
    posted then. Of what is unused at the end, `carry_pct` percent and at most `carry_most_s` stay: until
    `carry_until_at`, or for good. Raises NotFound, InvalidInput (fields named as the parameters), OverQuota when an
    account above has less to grant.
    """
    path, now = lock_path(account_id)
    begins_at = begins_at or now
    _check(gpu_seconds, label, begins_at, ends_at, now, sponsor, carry_pct, carry_most_s, carry_until_at)
    grant = Grant.objects.create(
        account=path[-1], sponsor=sponsor, label=label.strip(), begins_at=begins_at, ends_at=ends_at,
        carry_pct=carry_pct, carry_most_s=carry_most_s, carry_until_at=carry_until_at, planned_s=gpu_seconds,
        actor=actor,
    )  # fmt: skip
    if begins_at <= now:
        _begin(grant, path)
    _record(grant, path[-1], "quota.grant_given", actor, {"gpu_seconds": (0, gpu_seconds)}, reason)
    return grant


def begin_grant(*, grant_id: int) -> bool:
    """Post a planned grant whose time has come. False when there was nothing to do. Raises NotFound, OverQuota."""
    grant, path, now = _locked(grant_id)
    if grant.state != State.PLANNED or grant.begins_at > now:
        return False
    _begin(grant, path)
    return True


def cancel_grant(*, grant_id: int, actor: User | None, reason: str = "") -> Grant:
    """Cancel a grant that has not begun. Raises NotFound, Conflict (grant_begun)."""
    grant, path, _now = _locked(grant_id)
    if grant.state != State.PLANNED:
        raise Conflict(_("This grant has begun. End it instead."), code="grant_begun")
    grant.state = State.CANCELLED
    grant.save(update_fields=["state"])
    _record(grant, path[-1], "quota.grant_cancelled", actor, {"gpu_seconds": (grant.planned_s, 0)}, reason)
    return grant


def end_grant(*, grant_id: int, actor: User | None, reason: str) -> Grant:
    """End an open grant before its time: nothing is carried over. Raises NotFound, Conflict, InvalidInput (reason)."""
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why, in a few words: the history shows it.")})
    grant, path, now = _locked(grant_id)
    if grant.state != State.ACTIVE:
        raise Conflict(_("This grant is not open."), code="grant_not_open")
    grant.carry_pct = 0
    left_s = grant.left_s
    _take_back(grant, path, now, reason=reason.strip(), actor=actor)
    _record(grant, path[-1], "quota.grant_ended", actor, {"left_s": (left_s, grant.left_s)}, reason)
    return grant


def expire_grant(*, grant_id: int) -> int:
    """Take back what an ended grant has left, as far as it is free; returns the GPU-seconds that went back.

    Nothing to do before its end. What is used, held or granted below stays until it comes free: call it again.
    """
    grant, path, now = _locked(grant_id)
    is_due = grant.state == State.ENDED or (grant.state == State.ACTIVE and grant.ends_at <= now)
    if not is_due:
        return 0
    was_open = grant.state == State.ACTIVE
    left_s = grant.left_s
    returned_s = _take_back(grant, path, now, reason="", actor=None)
    if was_open:
        _record(grant, path[-1], "quota.grant_ended", None, {"left_s": (left_s, grant.left_s)}, "")
    return returned_s


def _locked(grant_id: int) -> tuple[Grant, list[Account], datetime]:
    account_id = Grant.objects.filter(pk=grant_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound
    path, now = lock_path(account_id)
    return Grant.objects.select_related("sponsor").get(pk=grant_id), path, now


def _begin(grant: Grant, path: Sequence[Account]) -> None:
    seconds = grant.planned_s
    refusal = _refusal(grant, path, seconds)
    if refusal is not None:
        raise refusal
    levels = path if grant.sponsor_id else path[-1:]
    above = path[:-1] if grant.sponsor_id else path[-2:-1]
    _post(grant, levels, above, seconds, kind=Allocation.Kind.GRANT, actor=grant.actor)
    grant.state, grant.seconds = State.ACTIVE, seconds
    grant.save(update_fields=["state", "seconds"])
    _date(path[-1], seconds)


def _refusal(grant: Grant, path: Sequence[Account], seconds: int) -> CampusError | None:
    account = path[-1]
    if grant.sponsor_id:
        most_s = most_added_s([standing_of(level) for level in path[:-1]])
        if seconds > min(most_s, MOST_S - account.allocated_s):
            limit = formats.gpu_hours(most_s)
            text = _("The accounts above could take in at most %(limit)s.") % {"limit": limit}
            return InvalidInput({"gpu_seconds": text}, facts={"limit_s": most_s})
        return None
    parent = path[-2] if len(path) > 1 else None
    outcome = judge(seconds, standing_of(account), standing_of(parent) if parent else None)
    if outcome.refusal is Refusal.PARENT_SHORT and parent is not None:
        return over_quota(parent, outcome.limit_s or 0, seconds)
    if outcome.refusal is not None:
        limit = formats.gpu_hours(outcome.limit_s or 0)
        text = _("That is more than an account can hold; add at most %(limit)s.") % {"limit": limit}
        return InvalidInput({"gpu_seconds": text}, facts={"limit_s": outcome.limit_s})
    return None


def _take_back(grant: Grant, path: Sequence[Account], now: datetime, *, reason: str, actor: User | None) -> int:
    """Carry over and give back what is due now; the grant counts as ended. Returns what went back."""
    account = path[-1]
    rule = CarryOver(grant.carry_pct, grant.carry_most_s)
    closing = close(left_s=grant.left_s, carried_s=grant.carried_s, returned_s=grant.returned_s, rule=rule)
    above = [standing_of(level) for level in path[:-1]] if grant.sponsor_id else []
    other_s = account.dated_s - grant.left_s
    returned_s = returnable_s(closing.due_s, standing_of(account), other_s, above)
    grant.carried_s += closing.carry_s
    grant.returned_s += returned_s
    if grant.state == State.ACTIVE:
        grant.state, grant.ended_at = State.ENDED, now
    grant.save(update_fields=["carried_s", "returned_s", "state", "ended_at", "carry_pct"])
    stays_dated = _carry(grant, closing.carry_s)
    _date(account, -returned_s - (0 if stays_dated else closing.carry_s))
    if returned_s:
        levels = path if grant.sponsor_id else path[-1:]
        upper = path[:-1] if grant.sponsor_id else path[-2:-1]
        _post(grant, levels, upper, -returned_s, kind=Allocation.Kind.EXPIRY, reason=reason, actor=actor)
    return returned_s


def _carry(grant: Grant, gpu_seconds: int) -> bool:
    """Carry into a grant of its own where there is a date; say whether that was so. For good, it is the account's."""
    if grant.carry_until_at is None or not gpu_seconds:
        return False
    following = Grant.objects.filter(carried_from=grant).first()
    if following is None:
        Grant.objects.create(
            account_id=grant.account_id, sponsor=grant.sponsor, label=grant.label, begins_at=grant.ends_at,
            ends_at=grant.carry_until_at, carried_from=grant, state=State.ACTIVE, planned_s=gpu_seconds,
            seconds=gpu_seconds, actor=grant.actor,
        )  # fmt: skip
    else:
        Grant.objects.filter(pk=following.pk).update(
            seconds=F("seconds") + gpu_seconds, planned_s=F("planned_s") + gpu_seconds
        )
    return True


def _post(
    grant: Grant,
    levels: Sequence[Account],
    above: Sequence[Account],
    delta_s: int,
    *,
    kind: str,
    reason: str = "",
    actor: Any,
) -> None:
    """Add `delta_s` to the allocation of `levels` and to what `above` granted, with a line of history for each."""
    Allocation.objects.bulk_create(
        Allocation(
            account=level, delta_s=delta_s, before_s=level.allocated_s, after_s=level.allocated_s + delta_s,
            reason=reason[:300], actor=actor, kind=kind, grant=grant,
        )
        for level in levels
    )  # fmt: skip
    allocated = Account.objects.filter(pk__in=[level.pk for level in levels])
    granting = Account.objects.filter(pk__in=[level.pk for level in above])
    # The order keeps every constraint between the two: room first when it grows, grants first when it shrinks.
    if delta_s > 0:
        allocated.update(allocated_s=F("allocated_s") + delta_s)
        granting.update(granted_s=F("granted_s") + delta_s)
    else:
        granting.update(granted_s=F("granted_s") + delta_s)
        allocated.update(allocated_s=F("allocated_s") + delta_s)
    for level in levels:
        level.allocated_s += delta_s
    for level in above:
        level.granted_s += delta_s


def _date(account: Account, change_s: int) -> None:
    if change_s:
        Account.objects.filter(pk=account.pk).update(dated_s=F("dated_s") + change_s)
        account.dated_s += change_s


def _check(
    gpu_seconds: int,
    label: str,
    begins_at: datetime,
    ends_at: datetime,
    now: datetime,
    sponsor: Sponsor | None,
    carry_pct: int,
    carry_most_s: int | None,
    carry_until_at: datetime | None,
) -> None:
    fields: dict[str, str] = {}
    if not 0 < gpu_seconds <= MOST_S:
        fields["gpu_seconds"] = _("Give more than nothing.")
    if not 0 < len(label.strip()) <= 120:
        fields["label"] = _("Say which term or agreement it is for, in at most 120 characters.")
    if ends_at <= max(begins_at, now):
        fields["ends_at"] = _("A grant ends after it begins, and not in the past.")
    if not 0 <= carry_pct <= 100:
        fields["carry_pct"] = _("Use 0 to 100 %%.") % {}
    if carry_most_s is not None and carry_most_s < 0:
        fields["carry_most_s"] = _("Use nothing or more, or leave it empty for no limit.")
    if carry_until_at is not None and carry_until_at <= ends_at:
        fields["carry_until_at"] = _("What is carried over lasts longer than the grant.")
    if sponsor is not None and carry_pct and carry_until_at is None:
        fields["carry_until_at"] = _("What a sponsor gave stays the sponsor's: say until when it is carried over.")
    if fields:
        raise InvalidInput(fields)


def _record(
    grant: Grant, account: Account, verb: str, actor: User | None, changes: dict[str, tuple[int, int]], reason: str
) -> None:
    audit.record(
        actor=actor, verb=verb, target=grant, subject=account.owner, scope_path=account.scope.path, changes=changes,
        reason=reason.strip(),
    )  # fmt: skip
