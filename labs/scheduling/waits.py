"""Writing down why each job waits, where that has changed enough to be worth telling."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from labs.jobs.live import tell_jobs, tell_queue

from .domain.decisions import OWN_REASONS, Plan, Wait, WaitReason
from .snapshot_loader import Loaded, Stored

#: A new estimate is told when it moved by this much, or by this share of the wait.
LEAST_SHIFT_S = 5.0
SHIFT_OF_WAIT = 0.05
#: Nearer places are told exactly, later ones when they moved by a twentieth.
EXACT_PLACES = 20
#: Beyond so many changed jobs the watchers of the whole queue are told at once.
TELL_EACH = 200
_OWN = sorted(reason.value for reason in OWN_REASONS)

# Rows that somebody holds are passed over: that job is just being cancelled or started, and a cycle waits for nobody.
_WRITE = """
UPDATE jobs_job SET wait_reason = said.reason, wait_facts = said.facts, queue_place = said.place,
       held_back_s = held_back_s + CASE WHEN said.reason = ANY(%s) THEN 0
           ELSE COALESCE(EXTRACT(EPOCH FROM now() - held_back_from), 0)::int END,
       held_back_from = CASE WHEN said.reason = ANY(%s) THEN COALESCE(held_back_from, now()) END,
       start_p50_at = said.p50_at, start_p90_at = said.p90_at,
       promised_p50_at = COALESCE(jobs_job.promised_p50_at, said.p50_at),
       promised_p90_at = COALESCE(jobs_job.promised_p90_at, said.p90_at),
       promised_at = CASE WHEN jobs_job.promised_p90_at IS NULL AND said.p90_at IS NOT NULL THEN %s
           ELSE jobs_job.promised_at END,
       planned_p50_s = CASE WHEN jobs_job.promised_p90_at IS NULL THEN said.planned_p50_s
           ELSE jobs_job.planned_p50_s END,
       planned_p90_s = CASE WHEN jobs_job.promised_p90_at IS NULL THEN said.planned_p90_s
           ELSE jobs_job.planned_p90_s END
FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::int[], %s::timestamptz[], %s::timestamptz[],
            %s::float8[], %s::float8[])
     AS said (id, reason, facts, place, p50_at, p90_at, planned_p50_s, planned_p90_s)
WHERE jobs_job.id = said.id AND jobs_job.id IN (
    SELECT id FROM jobs_job WHERE id = ANY(%s) AND state = 'QUEUED' FOR NO KEY UPDATE SKIP LOCKED)
RETURNING jobs_job.id
"""


def write_waits(plan: Plan, loaded: Loaded, now: datetime) -> int:
    """Store the waits that changed, in one query, and tell their watchers on commit. Returns how many."""
    changed = []
    for job_id, wait in plan.waits.items():
        stored = loaded.stored.get(job_id)  # type: ignore[arg-type]
        if stored is not None and is_news(stored, wait, now):
            changed.append((job_id, wait))
    if not changed:
        return 0
    with connection.cursor() as cursor:
        ids = [job_id for job_id, _wait in changed]
        cursor.execute(
            _WRITE,
            [
                _OWN,
                _OWN,
                now,
                ids,
                [str(wait.reason) for _, wait in changed],
                [json.dumps(facts_of(wait, loaded.node_ids)) for _, wait in changed],
                [wait.place for _, wait in changed],
                [at(wait.start_p50_at) for _, wait in changed],
                [at(wait.start_p90_at) for _, wait in changed],
                [wait.planned_p50_s for _, wait in changed],
                [wait.planned_p90_s for _, wait in changed],
                ids,
            ],
        )
        written = cursor.fetchall()
    if len(written) <= TELL_EACH:
        tell_jobs(*(job_id for (job_id,) in written))
    else:
        tell_queue()
    return len(written)


def is_news(stored: Stored, wait: Wait, now: datetime) -> bool:
    """Say whether a wait differs from what is stored by enough to tell a person."""
    if stored.reason != wait.reason or _place_moved(stored.place, wait.place):
        return True
    if wait.reason is WaitReason.DEPENDENCY and stored.facts.get("job_id") != wait.facts.job_id:
        return True  # it is named, so it must be one that still holds it back
    return _moved(stored.start_p50_at, wait.start_p50_at, now) or _moved(stored.start_p90_at, wait.start_p90_at, now)


def _place_moved(before: int | None, after: int) -> bool:
    if before is None or min(before, after) <= EXACT_PLACES:
        return before != after
    return abs(after - before) > before / 20


def _moved(before: datetime | None, after: float | None, now: datetime) -> bool:
    if before is None or after is None:
        return (before is None) != (after is None)
    shift_s = abs(before.timestamp() - after)
    return shift_s > max(LEAST_SHIFT_S, SHIFT_OF_WAIT * (after - now.timestamp()))


def facts_of(wait: Any, node_ids: Mapping[int, int]) -> dict[str, Any]:
    """The facts as they are stored, with the node's row instead of the planner's state of it."""
    facts: dict[str, Any] = wait.facts.as_json()
    if "node_id" in facts:
        facts["node_id"] = node_ids.get(facts["node_id"], facts["node_id"])
    return facts


def at(seconds: float | None) -> datetime | None:
    """Seconds since the epoch as an aware time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)
