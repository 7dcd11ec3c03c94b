"""What time brings: grants that begin and end, lendings that are over. Idempotent; any number may run at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import Q

from campus.core.clock import database_now
from campus.core.errors import CampusError
from labs.quota.models import Grant, Lending

from .drawing import LEFT
from .grants import begin_grant, expire_grant
from .lending import close_lending, return_idle_loans

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Swept:
    """How many grants began and ended, how many lendings were closed, and how many of these failed."""

    begun: int
    ended: int
    closed: int
    failed: int


def sweep(*, leftovers: bool = False) -> Swept:
    """Begin and end what is due, each in its own transaction, so that one that fails keeps no other.

    With `leftovers`, also try again to take back what ended grants still have, because it was held, used by siblings
    or granted below. Three queries when nothing is due.
    """
    now = database_now()
    due = Q(state=Grant.State.ACTIVE, ends_at__lte=now)
    if leftovers:
        due |= Q(state=Grant.State.ENDED, seconds__gt=LEFT)
    ends = Grant.objects.filter(due).order_by("ends_at", "id").values_list("pk", "account__path")
    # The deepest first: what a cohort gives back, its campus can give back in turn.
    ending = [pk for pk, path in sorted(ends, key=lambda row: -len(row[1]))]
    # The widest first: a cohort's grant may come out of its campus's.
    begins = Grant.objects.filter(state=Grant.State.PLANNED, begins_at__lte=now)
    beginning = [
        pk for pk, path in sorted(begins.values_list("pk", "account__path"), key=lambda row: (len(row[1]), row[0]))
    ]
    over = Lending.objects.filter(Q(until_at__lte=now) | Q(recalled_at__isnull=False), closed_at__isnull=True)
    ended, failed_ends = _each(ending, lambda pk: expire_grant(grant_id=pk))
    begun, failed_begins = _each(beginning, lambda pk: begin_grant(grant_id=pk))
    closed, failed_closes = _each(list(over.values_list("pk", flat=True)), lambda pk: close_lending(lending_id=pk))
    if leftovers:
        with transaction.atomic():
            return_idle_loans()
    return Swept(begun, ended, closed, failed_ends + failed_begins + failed_closes)


def _each(ids: Iterable[int], act: Callable[[int], object]) -> tuple[int, int]:
    done = failed = 0
    for pk in ids:
        try:
            with transaction.atomic():
                done += bool(act(pk))
        except CampusError as error:
            # A grant whose parent is short stays planned; its page says so, and the next sweep tries again.
            logger.warning("quota_sweep_refused", id=pk, code=error.code, message=str(error.message))
            failed += 1
    return done, failed
