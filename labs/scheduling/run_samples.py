"""From the database to what run times are predicted by: finished runs, their bursts, and boosts already spent."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from .domain import predict
from .domain.predict import burst_of


@dataclass(frozen=True, slots=True)
class OfOwner:
    """What an owner has done at one work: run seconds, oldest first, with their bursts; and boosted GPU-seconds."""

    runs_s: list[float]
    bursts: list[int]
    slack_spent_s: float


_NEVER = OfOwner([], [], 0.0)


class Samples:
    """Run seconds of finished jobs, oldest first: by work and owner, and by work."""

    def __init__(self, own: Mapping[tuple[str, int], OfOwner], of_work: Mapping[str, list[float]]) -> None:
        self._own, self._of_work = own, of_work
        self._known: dict[tuple[str, int, float, int | None], predict.Prediction] = {}
        #: The bursts of which a run has ended of late.
        self.bursts = {(owner_id, key, burst) for (key, owner_id), done in own.items() for burst in done.bursts}

    def predict(
        self, work_key: str, owner_id: int, wall_s: float, submitted_at: datetime | None = None
    ) -> predict.Prediction:
        """Predict a run of this work by this owner; work without a name is predicted from the owner's own only."""
        own = self._own.get((work_key, owner_id), _NEVER)
        burst = None if submitted_at is None else burst_of(owner_id, work_key, submitted_at.timestamp())[-1]
        asked = (work_key, owner_id, wall_s, burst if burst in own.bursts else None)
        if asked not in self._known:
            alike = [run_s for run_s, of_burst in zip(own.runs_s, own.bursts, strict=True) if of_burst == burst]
            self._known[asked] = predict.predict(own.runs_s, self._of_work.get(work_key, []), wall_s, alike)
        return self._known[asked]

    def slack_spent_s(self, work_key: str, owner_id: int) -> float:
        """GPU-seconds that the owner has started with a deadline boost for this work."""
        return self._own.get((work_key, owner_id), _NEVER).slack_spent_s


# A run's seconds are what it was charged for by its GPUs, or its share of one, and its rate; what the platform lost was
# charged nothing.
_SAMPLES = """
SELECT asked.work_key, asked.owner_id, runs, bursts, COALESCE(spent, 0)
FROM unnest(%(keys)s::text[], %(owners)s::bigint[], %(due)s::bool[]) AS asked (work_key, owner_id, is_due)
CROSS JOIN LATERAL (
    SELECT COALESCE(array_agg(run_s), '{}'), COALESCE(array_agg(burst), '{}') FROM (
        SELECT charged_s / (gpus * gpu_milli / 1000.0 * rate)::float8,
               floor(extract(epoch FROM submitted_at) / %(burst_s)s)::bigint
        FROM jobs_job
        WHERE jobs_job.work_key = asked.work_key AND jobs_job.owner_id = asked.owner_id
          AND state IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT') AND charged_s > 0
        ORDER BY id DESC LIMIT %(own)s) AS newest (run_s, burst)
    ) AS own (runs, bursts)
LEFT JOIN LATERAL (
    SELECT SUM(CASE state WHEN 'RUNNING'
                          THEN gpus * gpu_milli / 1000.0 * greatest(0, extract(epoch FROM %(now)s - started_at))
                          ELSE charged_s / rate END)::float8
    FROM jobs_job
    WHERE asked.is_due AND jobs_job.work_key = asked.work_key AND jobs_job.owner_id = asked.owner_id
      AND deadline_at IS NOT NULL AND (factors->>'slack')::float8 > 0
    ) AS boosted (spent) ON true
UNION ALL
SELECT asked.work_key, NULL, ARRAY(
    SELECT charged_s / (gpus * gpu_milli / 1000.0 * rate)::float8 FROM jobs_job
    WHERE jobs_job.work_key = asked.work_key AND work_key <> ''
      AND state IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT') AND charged_s > 0
    ORDER BY id DESC LIMIT %(lab)s), '{}', 0
FROM unnest(%(works)s::text[]) AS asked (work_key)
"""


def load(pairs: Iterable[tuple[str, int]], now: datetime, due: Collection[tuple[str, int]]) -> Samples:
    """Of pairs of a work key and an owner. ``due`` are those of which a job with a deadline waits. One query."""
    asked = list(pairs)
    arguments: dict[str, Any] = {
        "keys": [key for key, _ in asked],
        "owners": [owner for _, owner in asked],
        "due": [pair in due for pair in asked],
        "works": sorted({work_key for work_key, _owner in asked if work_key}),
        "burst_s": predict.BURST_S,
        "own": predict.OWN_RUNS,
        "lab": predict.LAB_RUNS,
        "now": now,
    }
    own: dict[tuple[str, int], OfOwner] = {}
    of_work: dict[str, list[float]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES, arguments)
        for work_key, owner_id, runs_s, bursts, spent_s in cursor.fetchall():
            if owner_id is None:
                of_work[work_key] = runs_s[::-1]
            else:
                own[work_key, owner_id] = OfOwner(runs_s[::-1], bursts[::-1], spent_s)
    return Samples(own, of_work)
