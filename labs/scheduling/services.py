"""The scheduling cycle: one lock, one snapshot, one plan, written by compare-and-swap."""

import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from campus.core.clock import database_now
from campus.core.compiled import Compiled
from labs.jobs import api as jobs
from labs.jobs.nudges import nudge_scheduler, nudges_asked

from .domain.planner import plan
from .domain.snapshot import Id
from .fair_use import fold_ledger
from .models import Cycle, SchedulerMark
from .snapshot_loader import fitted_policy, load, policy
from .tending import anything_to_plan, tend_reservations
from .waits import write_waits

logger = structlog.get_logger(__name__)

#: The pool's advisory lock. Any fixed number that nothing else in this database uses.
POOL_LOCK = 7_205_759_403_792_793
#: A scheduler that is stopped in mid-cycle loses its session, and with it the lock.
LOCK_IDLE = "30s"
ROUNDS = 10
#: Between two rounds a cycle rests as long as it took, at most so long: in a rush half a core is left to those who
#: submit and settle, and the next round starts what came meanwhile at once. Seconds.
MOST_REST_S = 0.25
#: A queue of more jobs than this is told why it waits at most so often (seconds): writing all of its rows costs several
#: times what planning does, and a place far back is news for nobody. What may start is started by every cycle.
LONG_QUEUE = 200
TELL_EVERY_S = 2.0
KEEP_CYCLES = timedelta(days=7)


class Done(StrEnum):
    """What became of a call."""

    RAN = "ran"
    BUSY = "busy"
    """Another cycle held the lock; it looks again before it ends."""
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True)
class CycleResult:
    """What the cycles of one call did. Milliseconds."""

    done: Done
    pending: int = 0
    started: int = 0
    told: int = 0
    plan_ms: float = 0.0
    total_ms: float = 0.0
    preempted: int = 0


def run_cycle(*, only_if_asked: bool = False) -> CycleResult:
    """Start what may start, and say of the rest why it waits. Any number of these may be called at once.

    The lock is a transaction's advisory lock, and it is tried, not waited for: it goes with the transaction or the
    connection however that ends, and callers do not queue up behind a slow cycle. A call that finds it taken may leave:
    its nudge was counted before, and the holder looks at the count once more after its commit, when the lock is free.
    With `only_if_asked` nothing is done when a cycle has already seen the last nudge, so a burst costs one cycle.
    """
    if only_if_asked and nudges_asked() <= _seen_nudge():
        return CycleResult(Done.NOTHING_NEW)
    result = CycleResult(Done.BUSY)
    for _round in range(ROUNDS):
        asked = nudges_asked()
        ran = _one_cycle(asked)
        if ran is None:
            return result
        result = _sum(result, ran)
        if nudges_asked() <= asked:
            return result
        time.sleep(min(ran.total_ms / 1000, MOST_REST_S))
    nudge_scheduler()
    return result


_SEEN_NUDGE = Compiled(lambda: SchedulerMark.objects.filter(pk=1).values_list("seen_nudge"))


def _seen_nudge() -> int:
    seen = _SEEN_NUDGE.row()
    return int(seen[0]) if seen else 0


def _one_cycle(asked: int) -> CycleResult | None:
    """One cycle in one transaction; None if another holds the lock."""
    began = time.perf_counter()
    with transaction.atomic():
        if not _lock_pool():
            return None
        told_at = fold_ledger(half_life_s=policy().half_life_s, asked=asked)
        now = database_now()
        released = tend_reservations(now)
        if not released and not anything_to_plan(now):
            return CycleResult(Done.RAN, total_ms=_ms_since(began))
        return _plan_and_write(began, now, told_at)


def _lock_pool() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_try_advisory_xact_lock(%s)",
            [LOCK_IDLE, POOL_LOCK],
        )
        _timeout, is_ours = cursor.fetchone()
    return bool(is_ours)


_KEEP = "INSERT INTO scheduling_cycle (pending, started, plan_ms, total_ms) VALUES (%s, %s, %s, %s)"


def _plan_and_write(began: float, now: datetime, told_at: datetime | None) -> CycleResult:
    loaded, rules = load(now), fitted_policy()
    planning = time.perf_counter()
    made = plan(loaded.snapshot, rules, now.timestamp())
    plan_ms = _ms_since(planning)
    placements = [
        jobs.Placement(
            job_id=int(str(start.job_id)),
            node_id=loaded.node_ids[start.node_id],  # type: ignore[index]
            gpu_ids=[loaded.gpu_ids[start.node_id, index] for index in start.gpu_indices],  # type: ignore[index]
            factors=asdict(start.factors) | {"is_backfilled": start.is_backfilled},
            reservation_id=_row(start.reservation_id),
            is_borrowed=start.is_borrowed,
            gpu_milli=start.gpu_milli,
            gpu_memory_mib=start.gpu_memory_mib,
        )
        for start in made.starts
    ]
    started = jobs.start_attempts(placements)
    asked = jobs.preempt_attempts(
        jobs.Preemption(
            job_id=int(str(one.job_id)),
            reason=str(one.reason),
            for_job_id=_row(one.for_job_id),
            for_reservation_id=_row(one.for_reservation_id),
        )
        for one in made.preempts
    )
    pending = len(loaded.snapshot.pending)
    told = 0
    if pending <= LONG_QUEUE or told_at is None or now - told_at >= timedelta(seconds=TELL_EVERY_S):
        told = write_waits(made, loaded, now)
        if pending > LONG_QUEUE:
            SchedulerMark.objects.update(waits_told_at=now)
    total_ms = _ms_since(began)
    if started or told or asked:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [pending, len(started), plan_ms, total_ms])
    return CycleResult(Done.RAN, pending, len(started), told, plan_ms, total_ms, len(asked))


def _row(planned_id: Id | None) -> int | None:
    return None if planned_id is None else int(str(planned_id))


def _sum(before: CycleResult, ran: CycleResult) -> CycleResult:
    return CycleResult(
        done=Done.RAN,
        pending=ran.pending,
        started=before.started + ran.started,
        told=before.told + ran.told,
        plan_ms=before.plan_ms + ran.plan_ms,
        total_ms=before.total_ms + ran.total_ms,
        preempted=before.preempted + ran.preempted,
    )


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def sweep_cycles() -> int:
    """Forget cycles older than a week; returns how many."""
    swept, _by_model = Cycle.objects.filter(at__lt=Now() - KEEP_CYCLES).delete()
    return swept
