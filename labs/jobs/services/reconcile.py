"""Finding what a lost nudge, node or process left behind. Idempotent: any number of these may run at once."""

from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models.functions import Now

from infra.pool import api as pool
from infra.pool.models import Node
from labs.jobs.domain.states import OVER, JobState
from labs.jobs.live import tell_pool
from labs.jobs.models import Attempt, Dependency, Job
from labs.jobs.nudges import nudge_scheduler

from .closing import cancel_waiting
from .ending import end_dependents
from .lost import lose_attempt

logger = structlog.get_logger(__name__)

BATCH = 200


@dataclass(frozen=True)
class Reconciled:
    """What one pass did."""

    lost_attempts: int
    nodes_down: int
    cancelled_dependents: int = 0
    cancelled_of_closed: int = 0


def reconcile() -> Reconciled:
    """End attempts whose lease has run out (claimed or not), and mark silent nodes as down. Times are the database's.

    Each attempt is ended in a transaction of its own, so that one that fails holds up no other.
    """
    down = pool.mark_silent_nodes_down()
    expired = Attempt.objects.exclude(state=Attempt.State.ENDED).filter(lease_expires_at__lt=Now())
    lost = 0
    for attempt_id in list(expired.order_by("lease_expires_at").values_list("pk", flat=True)[:BATCH]):
        lost += _lose(attempt_id, expired_only=True, cause="lease_expired")
    # Nobody is there to take these up: another node may have them now rather than when their lease ends.
    waiting = Attempt.objects.filter(state=Attempt.State.ASSIGNED, node__state=Node.State.DOWN)
    for attempt_id in list(waiting.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        lost += _lose(attempt_id, expired_only=False, cause="node_down")
    if lost or down:
        with transaction.atomic():
            nudge_scheduler()
            tell_pool()
    return Reconciled(
        lost_attempts=lost,
        nodes_down=len(down),
        cancelled_dependents=_end_dependents(),
        cancelled_of_closed=_cancel_of_closed(),
    )


def _cancel_of_closed() -> int:
    """Cancel what was submitted on an account, or requeued, while it was being closed."""
    left = Job.objects.filter(state=Job.State.QUEUED, account__is_open=False).order_by("account_id")
    account_ids = left.values_list("account_id", flat=True).distinct()
    return sum(cancel_waiting(account_id=account_id) for account_id in list(account_ids[:BATCH]))


def _end_dependents() -> int:
    """Cancel what waits for the success of a job that had none, where that job's process did not come to it."""
    unsuccessful = [state.value for state in OVER - {JobState.SUCCEEDED}]
    broken = Dependency.objects.filter(
        condition=Dependency.Condition.OK, job__state=Job.State.QUEUED, after__state__in=unsuccessful
    )
    after_ids = broken.order_by("after_id").values_list("after_id", flat=True).distinct()
    return sum(end_dependents(after_id) for after_id in list(after_ids[:BATCH]))


def _lose(attempt_id: int, *, expired_only: bool, cause: str) -> bool:
    try:
        return lose_attempt(attempt_id=attempt_id, cause=cause, expired_only=expired_only)
    except Exception:
        logger.exception("attempt_not_reconciled", attempt=attempt_id)
        return False
