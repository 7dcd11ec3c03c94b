"""Reading requests: the queue with the facts that its approvers need, one's own, the history of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from campus.people.access import Standing

from .access_requests import decided_by, may_decide, requests_for
from .domain.raising import Raising
from .forecasts import Outlook, outlooks_of
from .models import Account, QuotaRequest
from .services.requests import way_for

State = QuotaRequest.State


@dataclass(frozen=True)
class Card:
    """A request with what one needs to decide it. `way` says how this reader could give it; None where not theirs."""

    request: QuotaRequest
    outlook: Outlook | None
    may_decide: bool
    way: Raising | None = None
    short: Account | None = None
    left_above_s: int = 0

    @property
    def can_give_all(self) -> bool:
        return self.way is not None and self.way.short_id is None

    @property
    def gives_until(self) -> date | None:
        """The day until which it was asked for, as long as that is to come."""
        return self.request.until if self.request.until >= timezone.localdate() else None

    @property
    def can_give_some(self) -> bool:
        return self.way is not None and self.way.short_id is not None and self.way.most_s >= 360

    @property
    def can_pass_up(self) -> bool:
        return self.short is not None and self.short.parent_id is not None


def to_decide(standing: Standing) -> QuerySet[QuotaRequest]:
    """Return the open requests that this person may decide, oldest first."""
    return requests_for(standing).filter(decided_by(standing), state=State.OPEN).order_by("id")


def asked_by(standing: Standing) -> QuerySet[QuotaRequest]:
    """Return what this person asked for, newest first."""
    return requests_for(standing).filter(asker_id=standing.user_id).order_by("-id")


def answered_for(standing: Standing) -> QuerySet[QuotaRequest]:
    """Return what was answered, withdrawn or passed up of what this person may decide, newest first."""
    return requests_for(standing).filter(decided_by(standing)).exclude(state=State.OPEN).order_by("-id")


def cards_of(standing: Standing, found: Sequence[QuotaRequest]) -> list[Card]:
    """Return these requests with their facts. Four queries, whatever their number."""
    outlooks = outlooks_of([one.account for one in found])
    ids = {pk for one in found for pk in one.account.path}
    above = Account.objects.select_related("scope", "parent__scope").in_bulk(ids)
    return [_card(standing, one, outlooks.get(one.account_id), above) for one in found]


def _card(standing: Standing, found: QuotaRequest, outlook: Outlook | None, above: dict[int, Account]) -> Card:
    decides = may_decide(standing, found)
    if not (decides and found.state == State.OPEN):
        return Card(found, outlook, decides)
    way = way_for(found.account, found.wanted_s, standing, above)
    parent = above[found.account.path[-2]]
    left_s = parent.allocated_s * parent.overcommit_pct // 100 - parent.granted_s
    return Card(found, outlook, decides, way, above.get(way.short_id or 0), max(left_s, 0))


@dataclass(frozen=True)
class Step:
    """A line of a request's history. `kind` is asked, passed_up, or a state that ended it."""

    at: datetime
    kind: str
    who: str
    request: QuotaRequest
    text: str = ""


def history_of(found: QuotaRequest) -> list[Step]:
    """Return how a request came to be what it is, oldest first, with what was asked further up for it. One query."""
    steps = [Step(found.asked_at, "asked", found.asker.name, found, found.reason), *_ending(found)]
    raised: Any = found.raised.select_related("account", "asker", "decided_by").order_by("id")
    for one in raised:
        steps += [Step(one.asked_at, "passed_up", one.asker.name, one, one.reason), *_ending(one)]
    return sorted(steps, key=lambda step: step.at)


def _ending(found: QuotaRequest) -> list[Step]:
    if found.decided_at is None or found.decided_by is None:
        return []
    return [Step(found.decided_at, found.state, found.decided_by.name, found, found.answer)]


def waiting_for(account: Account, user_id: int | None) -> QuotaRequest | None:
    """Return this person's request for the account that is not answered yet."""
    waiting = QuotaRequest.objects.filter(account=account, asker_id=user_id, state__in=QuotaRequest.WAITING)
    return waiting.filter(raised_for=None).first()
