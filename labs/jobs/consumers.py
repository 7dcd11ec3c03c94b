"""Websockets of jobs: one job, the jobs of a person or a cohort, the pool (`campus.people.live` says how they work)."""

from typing import Any

from channels.db import database_sync_to_async

from campus.core.errors import NotFound
from campus.core.live import GONE, number_of
from campus.people.access import Standing
from campus.people.live import LiveConsumer

from . import live_reads
from .access import get_job_for
from .live import POOL_GROUP, QUEUE_GROUP, job_group, owner_group, scope_group


class JobConsumer(LiveConsumer):
    """/ws/jobs/ID/?log_from=BYTE&attempt=N&metrics_from=SEQ: one job's state, log and metrics."""

    def check(self, standing: Standing) -> list[str]:
        job = get_job_for(standing, self.scope["url_route"]["kwargs"]["job_id"])
        self._job_id = job.pk
        return [job_group(job.pk), QUEUE_GROUP]

    def begin(self) -> None:
        self._attempt = self.number("attempt")
        self._log_at, self._points_at = self.number("log_from"), self.number("metrics_from")
        self._last: dict[str, Any] | None = None
        self._is_complete = False

    def resume(self, asked: dict[str, Any]) -> None:
        """Go on at the cursors that a sync names; from the beginning where it names none, which a client may skip."""
        self._log_at, self._points_at = number_of(asked.get("log_from")), number_of(asked.get("metrics_from"))
        self._last, self._is_complete = None, False

    async def send_news(self) -> None:
        now = await database_sync_to_async(live_reads.job_now)(self._job_id)
        if now is None:
            await self.close(GONE)
            return
        if now.attempt != self._attempt:
            if self._attempt or not now.attempt:
                self._log_at = self._points_at = 0
            self._attempt, self._is_complete = now.attempt, False
        if now.message != self._last:
            self._last = now.message
            await self.send_json(now.message)
        if now.attempt_id is not None:
            self._log_at = min(self._log_at, now.log_bytes)
            await self._send_log(now, now.attempt_id)
            await self._send_points(now.attempt_id)

    async def _send_log(self, now: live_reads.JobNow, attempt_id: int) -> None:
        while self._log_at < now.log_bytes:
            content = await database_sync_to_async(live_reads.log_after)(attempt_id, self._log_at)
            start, self._log_at = self._log_at, self._log_at + len(content)
            self._is_complete = now.is_over and self._log_at >= now.log_bytes
            await self.send_json(live_reads.log_message(now.attempt, start, content, is_complete=self._is_complete))
        if now.is_over and not self._is_complete:
            self._is_complete = True
            await self.send_json(live_reads.log_message(now.attempt, self._log_at, b"", is_complete=True))

    async def _send_points(self, attempt_id: int) -> None:
        while points := await database_sync_to_async(live_reads.points_after)(attempt_id, self._points_at):
            self._points_at = points[-1]["seq"] + 1
            await self.send_json({"type": "metrics", "attempt": self._attempt, "points": points})
            if len(points) < live_reads.POINTS:
                return


class MyJobsConsumer(LiveConsumer):
    """/ws/my-jobs/: changes of one's own jobs; with ?scope=ID, for its staff, those of a cohort's learners."""

    def check(self, standing: Standing) -> list[str]:
        scope_id = self.number("scope") if self.query("scope") else None
        self._jobs = live_reads.watched_jobs(standing, scope_id)
        watched = owner_group(standing.user_id or 0) if scope_id is None else scope_group(scope_id)
        return [watched, QUEUE_GROUP]

    def begin(self) -> None:
        self._known: dict[int, dict[str, Any]] | None = None

    def resume(self, asked: dict[str, Any]) -> None:
        self._known = None

    async def send_news(self) -> None:
        found = await database_sync_to_async(live_reads.brief_jobs)(self._jobs)
        known = self._known
        changed = [job for pk, job in sorted(found.items()) if known is None or known.get(pk) != job]
        self._known = found
        if changed or known is None:
            await self.send_json({"type": "jobs", "jobs": changed})


class PoolConsumer(LiveConsumer):
    """/ws/pool/: that something on the pool changed. For staff."""

    def check(self, standing: Standing) -> list[str]:
        if not standing.is_teaching:
            raise NotFound
        return [POOL_GROUP]

    async def send_news(self) -> None:
        await self.send_json({"type": "pool"})
