"""Requests for more GPU time: asking, approving (which allocates), declining, passing up, withdrawing.

Locks in one order: request rows by ascending id (what was raised for a request is younger than it), accounts last.
"""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotFound, TooManyAttempts
from campus.people.access import Standing
from campus.people.models import User
from labs.quota.access import allocating_roles, may_allocate
from labs.quota.domain.raising import Level, Raising, raising
from labs.quota.models import Account, QuotaRequest
from labs.quota.notices import tell_answer, tell_asked, tell_passed_up, tell_withdrawn
from labs.quota.shortage import over_quota
from labs.quota.zones import zone_of

from .accounts import REASON_LENGTH, allocate, standing_of
from .day_grants import grant_for_days
from .locking import lock_path

State = QuotaRequest.State

LEAST_S = 360  # a tenth of a GPU-hour, the step in which people allocate
MOST_S = 100_000 * 3600
MOST_DAYS = 400
MOST_A_DAY = 10
ASKED_LENGTH = 500
LABEL_LENGTH = 120


@transaction.atomic
def ask(*, account_id: int, asker: User, wanted_s: int, until: date, reason: str) -> QuotaRequest:
    """Ask that an account be given `wanted_s` more GPU-seconds, needed until a day of its campus.

    Raises NotFound, InvalidInput (wanted_s, until, reason), Conflict (account_closed, request_waiting: one at a time),
    TooManyAttempts beyond MOST_A_DAY in 24 hours. Who may ask is the caller's to check.
    """
    account = Account.objects.select_related("scope", "owner", "parent__scope").filter(pk=account_id).first()
    if account is None:
        raise NotFound
    reason = _checked(account, wanted_s, until, reason)
    lately = QuotaRequest.objects.filter(asker=asker, asked_at__gt=Now() - timedelta(days=1), raised_for=None)
    if lately.count() >= MOST_A_DAY:
        raise TooManyAttempts(_("You asked %(n)s times in a day. Ask again tomorrow.") % {"n": MOST_A_DAY})
    try:
        with transaction.atomic():
            made = QuotaRequest.objects.create(
                account=account, asker=asker, wanted_s=wanted_s, until=until, reason=reason
            )
    except IntegrityError as error:
        message = _("Your last request for this account is not answered yet. Withdraw it to ask for something else.")
        raise Conflict(message, code="request_waiting") from error
    _record(made, asker, "quota.requested", wanted_s=(None, wanted_s))
    tell_asked(made)
    return made


@transaction.atomic
def approve(
    *,
    request_id: int,
    actor: User,
    standing: Standing,
    given_s: int | None = None,
    until: date | None = None,
    answer: str = "",
) -> QuotaRequest:
    """Give what was asked for, or `given_s` of it, moving what is lacking down from as far up as the actor may.

    It is given for good, or as grants that end with the day `until`: on every level, so that what is unused goes all
    the way back. Raises NotFound, Conflict (request_decided, account_closed), InvalidInput (given_s, until, answer),
    OverQuota naming the account that is short. Who may decide is the caller's to check; `standing` says how far up
    the actor may allocate.
    """
    found = _lock(request_id)
    given_s = found.wanted_s if given_s is None else given_s
    if not 0 < given_s <= found.wanted_s:
        raise InvalidInput({"given_s": _("Give something, and at most what was asked for.")})
    answer = _short(answer)
    plan, accounts = _plan(found.account_id, given_s, standing)
    if plan.short_id is not None:
        short = accounts[plan.short_id]
        raise over_quota(short, plan.most_s, given_s, roles=allocating_roles(short.kind))
    because = f"#{found.pk} · {answer or found.reason}"[:REASON_LENGTH]
    for account_id, delta_s in plan.steps:
        if until is None:
            allocate(account_id=account_id, delta_s=delta_s, reason=because, actor=actor)
        else:
            _grant_until(account_id, delta_s, until, because, actor)
    found.given_until = until
    _decide(found, State.APPROVED, actor, answer=answer, given_s=given_s)
    tell_answer(found)
    return found


def _grant_until(account_id: int, gpu_seconds: int, until: date, because: str, actor: User) -> None:
    try:
        grant_for_days(
            account_id=account_id, gpu_seconds=gpu_seconds, label=because[:LABEL_LENGTH], last_on=until, actor=actor
        )
    except InvalidInput as error:
        names = {"last_on": "until", "gpu_seconds": "given_s"}
        raise InvalidInput({names.get(name, name): texts for name, texts in error.fields.items()}) from error


@transaction.atomic
def decline(*, request_id: int, actor: User, answer: str) -> QuotaRequest:
    """Say no, and why. Raises NotFound, Conflict (request_decided), InvalidInput (answer)."""
    found = _lock(request_id)
    answer = _short(answer)
    if not answer:
        raise InvalidInput({"answer": _("Say why, in a few words: who asked reads it.")})
    _decide(found, State.DECLINED, actor, answer=answer)
    tell_answer(found)
    return found


@transaction.atomic
def pass_up(*, request_id: int, actor: User, standing: Standing, note: str = "") -> QuotaRequest:
    """Ask further up for what the actor has too little of; returns the new request. The first one waits for it.

    Raises NotFound, InvalidInput (note), Conflict: request_decided, account_closed, enough_left (approve it instead),
    nobody_above (the platform itself is short).
    """
    found = _lock(request_id)
    note = _short(note)
    plan, accounts = _plan(found.account_id, found.wanted_s, standing)
    if plan.short_id is None:
        raise Conflict(_("There is enough to give; approve it instead."), code="enough_left")
    short = accounts[plan.short_id]
    if short.parent_id is None:
        message = _("“%(name)s” itself is short, and nothing lies above it.") % {"name": short.name}
        raise Conflict(message, code="nobody_above")
    raised = QuotaRequest.objects.create(
        account=short, asker=actor, wanted_s=plan.short_s, until=found.until, reason=note or found.reason,
        raised_for=found,
    )  # fmt: skip
    QuotaRequest.objects.filter(pk=found.pk).update(state=State.PASSED_UP)
    _record(raised, actor, "quota.requested", wanted_s=(None, raised.wanted_s))
    tell_passed_up(found, raised)
    tell_asked(raised)
    return raised


@transaction.atomic
def withdraw(*, request_id: int, actor: User) -> QuotaRequest:
    """Take one's own request back, and what was asked further up for it.

    Raises NotFound, Conflict (request_decided).
    """
    found = _lock(request_id, states=QuotaRequest.WAITING)
    for raised in QuotaRequest.objects.filter(raised_for=found, state__in=QuotaRequest.WAITING):
        withdraw(request_id=raised.pk, actor=actor)
    _decide(found, State.WITHDRAWN, actor)
    tell_withdrawn(found)
    return found


def way_for(account: Account, wanted_s: int, standing: Standing, above: dict[int, Account]) -> Raising:
    """Say how this person could give an account `wanted_s`, without locks; `above` holds its ancestors with scopes."""
    return raising(account.pk, wanted_s, _levels([above[pk] for pk in account.path[:-1]], standing))


def _plan(account_id: int, wanted_s: int, standing: Standing) -> tuple[Raising, dict[int, Account]]:
    """Lock the account and all above it, and say how to raise it."""
    path, _now = lock_path(account_id)
    closed = next((account for account in path if not account.is_open), None)
    if closed is not None:
        message = _("The GPU account “%(name)s” is closed. Ask its staff to open it.") % {"name": closed.name}
        raise Conflict(message, code="account_closed", facts={"account": closed.name})
    # The locked rows have the figures; these have the scopes that say who may allocate.
    rows = Account.objects.select_related("scope", "parent__scope").in_bulk([account.pk for account in path])
    accounts = [rows[account.pk] for account in path]
    return raising(account_id, wanted_s, _levels(accounts[:-1], standing)), rows


def _levels(above: list[Account], standing: Standing) -> list[Level]:
    return [Level(one.pk, standing_of(one), may_allocate(standing, one)) for one in reversed(above)]


def _lock(request_id: int, states: tuple[str, ...] = (State.OPEN,)) -> QuotaRequest:
    """Lock a request and the one it was raised for. Raises NotFound, Conflict where it is not in one of `states`."""
    ids = QuotaRequest.objects.filter(pk=request_id).values_list("pk", "raised_for_id").first()
    if ids is None:
        raise NotFound
    rows = QuotaRequest.objects.filter(pk__in=[pk for pk in ids if pk]).order_by("pk")
    locked = {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
    found = locked[request_id]
    if found.state not in states:
        facts = {"state": found.state}
        if found.state == State.PASSED_UP:
            raise Conflict(_("It was passed up and waits for an answer there."), code="request_passed_up", facts=facts)
        raise Conflict(_("It was answered or withdrawn meanwhile."), code="request_decided", facts=facts)
    return found


def _decide(found: QuotaRequest, state: str, actor: User, *, answer: str = "", given_s: int | None = None) -> None:
    """Write the answer; a request that waited for this one is open again. All rows are locked."""
    now = timezone.now()
    found.state, found.decided_by, found.decided_at, found.answer, found.given_s = state, actor, now, answer, given_s
    found.save(update_fields=["state", "decided_by", "decided_at", "answer", "given_s", "given_until"])
    if found.raised_for_id is not None:
        QuotaRequest.objects.filter(pk=found.raised_for_id, state=State.PASSED_UP).update(state=State.OPEN)
    _record(found, actor, f"quota.request_{state.lower()}", given_s=(None, given_s), reason=answer)


def _record(made: QuotaRequest, actor: User, verb: str, *, reason: str = "", **changes: tuple[Any, Any]) -> None:
    audit.record(
        actor=actor, verb=verb, target=made, subject=made.account.owner, scope_path=made.account.scope.path,
        changes=changes, reason=reason or made.reason,
    )  # fmt: skip


def _checked(account: Account, wanted_s: int, until: date, reason: str) -> str:
    """Return the reason without blanks around it. Raises InvalidInput, Conflict."""
    if not account.is_open:
        message = _("The GPU account “%(name)s” is closed. Ask its staff to open it.") % {"name": account.name}
        raise Conflict(message, code="account_closed", facts={"account": account.name})
    fields: dict[str, str] = {}
    reason = reason.strip()
    today = timezone.now().astimezone(ZoneInfo(zone_of(account.scope.path))).date()
    if not LEAST_S <= wanted_s <= MOST_S:
        fields["wanted_s"] = _("Ask for 0.1 to 100,000 GPU-hours.")
    if not today <= until <= today + timedelta(days=MOST_DAYS):
        fields["until"] = _("Choose a day from today on, at most %(days)s days ahead.") % {"days": MOST_DAYS}
    if not 0 < len(reason) <= ASKED_LENGTH:
        fields["reason"] = _("Say what it is for, in at most %(n)s characters.") % {"n": ASKED_LENGTH}
    if fields:
        raise InvalidInput(fields)
    return reason


def _short(text: str) -> str:
    text = text.strip()
    if len(text) > REASON_LENGTH:
        raise InvalidInput({"answer": _("Use at most %(n)s characters.") % {"n": REASON_LENGTH}})
    return text
