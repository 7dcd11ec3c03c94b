"""What a node says of itself, and what that means for the attempts it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from infra.pool import api as pool
from infra.pool.models import Node
from labs.jobs.live import tell_pool
from labs.jobs.models import Attempt
from labs.jobs.nudges import nudge_scheduler

from .fences import UnknownBoot
from .lost import lose_attempt


@dataclass(frozen=True)
class Pulse:
    """The answer to a heartbeat: a verdict for each attempt (go, stop, preempt, kill), and whether work waits.

    `graces_s` are the seconds that those to preempt have between SIGTERM and the kill.
    """

    verdicts: dict[int, str]
    has_work: bool
    graces_s: dict[int, int]


def hello(*, node: Node, said: pool.Hello) -> Node:
    """A node's agent has started. What an earlier boot of it was running is lost: refunded, and queued again."""
    node = pool.record_hello(node=node, hello=said)
    orphans = Attempt.objects.filter(node=node, state__in=[Attempt.State.CLAIMED, Attempt.State.RUNNING])
    for attempt_id in list(orphans.exclude(boot_id=said.boot_id).order_by("pk").values_list("pk", flat=True)):
        lose_attempt(attempt_id=attempt_id, cause="node_restarted")
    _tell_change()
    return node


def _tell_change() -> None:
    with transaction.atomic():
        nudge_scheduler()
        tell_pool()


_RENEW = """
WITH renewed AS (
    UPDATE jobs_attempt SET lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
    FROM unnest(%(ids)s::bigint[], %(fences)s::bigint[]) AS held (id, fence)
    WHERE jobs_attempt.id = held.id AND jobs_attempt.fence = held.fence AND jobs_attempt.node_id = %(node_id)s
      AND jobs_attempt.boot_id = %(boot_id)s AND jobs_attempt.state <> 'ENDED'
    RETURNING jobs_attempt.id, jobs_attempt.job_id, jobs_attempt.preempt_grace_s
)
SELECT renewed.id, CASE WHEN jobs_job.cancel_requested_at IS NOT NULL THEN 'stop'
       WHEN renewed.preempt_grace_s IS NOT NULL THEN 'preempt' ELSE 'go' END, renewed.preempt_grace_s
FROM renewed JOIN jobs_job ON jobs_job.id = renewed.job_id
"""


def heartbeat(
    *,
    node: Node,
    boot_id: str,
    attempts: Sequence[tuple[int, int]],
    gpus: Sequence[Mapping[str, Any]] = (),
    data_sets: Sequence[str] | None = None,
) -> Pulse:
    """Renew the leases of (attempt id, fence) pairs, and note how busy its GPUs are and which data sets lie there.

    Four queries, whatever their number. An attempt whose lease is not renewed is to be killed: it is over, or
    another's. Raises UnknownBoot.
    """
    if not pool.record_heartbeat(node=node, boot_id=boot_id, gpus=gpus, data_sets=data_sets):
        raise UnknownBoot
    if node.state == Node.State.DOWN:  # as it stood before this heartbeat: it is back
        _tell_change()
    renewed = _renew(node, boot_id, attempts) if attempts else {}
    verdicts = {attempt_id: renewed.get(attempt_id, ("kill", None))[0] for attempt_id, _fence in attempts}
    graces_s = {attempt_id: grace_s or 0 for attempt_id, (verdict, grace_s) in renewed.items() if verdict == "preempt"}
    has_work = Attempt.objects.filter(node=node, state=Attempt.State.ASSIGNED).exists()
    return Pulse(verdicts, has_work, graces_s)


def _renew(node: Node, boot_id: str, attempts: Sequence[tuple[int, int]]) -> dict[int, tuple[str, int | None]]:
    """The verdict by attempt, for those whose lease is renewed, and the grace time of one that was preempted."""
    facts = {
        "lease_s": settings.LABS_LEASE_S,
        "ids": [attempt_id for attempt_id, _fence in attempts],
        "fences": [fence for _attempt_id, fence in attempts],
        "node_id": node.pk,
        "boot_id": boot_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, facts)
        return {attempt_id: (verdict, grace_s) for attempt_id, verdict, grace_s in cursor.fetchall()}
