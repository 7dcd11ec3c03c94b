"""Carries what a run says to the campus, in order and without loss: its start, its log, its metrics.

The run's own thread only puts things down here; a thread of this module's carries them, so that a campus that is
away for a while neither stops the job nor loses a byte. Memory is bounded: the log lies in a file whose size the
executor bounds, and a run that gives points faster than they can be sent waits.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from infra.agent.api import LogGap, NodeApi, NotOurs, Rejected
from infra.agent.domain import pacing
from infra.agent.persistence import GivenUp, insist
from infra.agent.spool import Spool
from infra.executors.contract import KIB, OutputCaps

log = structlog.get_logger("infra.agent")

MOST_POINTS_WAITING = 2_000


class Uploader:
    """One attempt's deliveries. `on_not_ours` is called when the campus says that the attempt is no longer ours."""

    def __init__(
        self,
        api: NodeApi,
        *,
        attempt_id: int,
        fence: int,
        folder: Path,
        caps: OutputCaps,
        silenced: threading.Event,
        on_not_ours: Callable[[str], None],
    ) -> None:
        self._api = api
        self._attempt_id, self._fence = attempt_id, fence
        self._silenced = silenced
        self._on_not_ours = on_not_ours
        self._spool = Spool(folder, most=caps.log_head + caps.log_tail + 4 * KIB)
        self._changed = threading.Condition()
        self._points: deque[tuple[float, dict[str, float]]] = deque()
        self._first_seq = 0
        self._sent_to = 0
        self._log_sent_at: float | None = None
        self._points_sent_at: float | None = None
        self._began_at: float | None = None
        self._is_start_told = False
        self._is_closing = False
        self.refused: list[str] = []
        """What the campus would not take, in words."""
        self._thread = threading.Thread(target=self._carry, name=f"uploads-{attempt_id}", daemon=True)
        self._thread.start()

    # ---- the run's thread (infra.executors.contract.RunListener) ----------------------------------------------------

    def on_started(self) -> None:
        """The job's first instruction is about to run."""
        with self._changed:
            self._began_at = time.monotonic()
            self._changed.notify_all()

    def on_log(self, chunk: bytes) -> None:
        """The next bytes of the log."""
        with self._changed:
            self._spool.append(chunk)
            self._changed.notify_all()

    def on_metric(self, point: Mapping[str, float]) -> None:
        """The next point; waits while too many are on their way."""
        with self._changed:
            run_s = time.monotonic() - (self._began_at or time.monotonic())
            while len(self._points) >= MOST_POINTS_WAITING and not self._silenced.is_set():
                self._changed.wait(0.1)
            self._points.append((round(run_s, 3), dict(point)))
            self._changed.notify_all()

    def wake(self) -> None:
        """Look again whether anyone may still hear it."""
        with self._changed:
            self._changed.notify_all()

    @property
    def log_bytes(self) -> int:
        """How long the log is."""
        return self._spool.size

    def finish(self) -> bool:
        """Wait until all is delivered; False when the attempt was silenced before."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()
        return not self._silenced.is_set()

    def close(self) -> None:
        """Stop carrying and drop the log. The run is over."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()
        self._spool.close()

    # ---- the carrier's thread ---------------------------------------------------------------------------------------

    def _carry(self) -> None:
        try:
            while (parcel := self._next()) is not None:
                insist(parcel, until=self._silenced, what=f"attempt {self._attempt_id}: {parcel.__name__}")
        except GivenUp:
            return
        except NotOurs as error:
            self._on_not_ours(str(error))

    def _next(self) -> Callable[[], None] | None:
        """What to send now, waiting for its time; None when there is nothing more, or nobody may hear it."""
        with self._changed:
            while not self._silenced.is_set():
                if self._began_at is not None and not self._is_start_told:
                    return self._tell_start
                log_due_s = self._due_in_s(pacing.LOG, self._spool.size - self._sent_to, self._log_sent_at)
                if log_due_s == 0:
                    return self._send_log
                points_due_s = self._due_in_s(pacing.METRICS, len(self._points), self._points_sent_at)
                if points_due_s == 0:
                    return self._send_points
                if self._is_closing:
                    return None
                self._changed.wait(min(due for due in (log_due_s, points_due_s, 0.5) if due is not None))
        return None

    def _due_in_s(self, pace: pacing.Pace, waiting: int, sent_at: float | None) -> float | None:
        since_last_s = None if sent_at is None else time.monotonic() - sent_at
        return pacing.due_in_s(pace, waiting=waiting, since_last_s=since_last_s, is_closing=self._is_closing)

    def _tell_start(self) -> None:
        self._api.started(self._attempt_id, self._fence)
        self._is_start_told = True

    def _send_log(self) -> None:
        start, end = self._sent_to, self._spool.size
        content = self._spool.read(start, pacing.LOG.most)
        try:
            heard_to = self._api.append_log(self._attempt_id, self._fence, start, content)
            if heard_to <= start:
                self._refuse("log", Rejected("the campus keeps no more of it"))
                heard_to = end
        except LogGap as error:
            heard_to = error.next_start
        except Rejected as error:
            self._refuse("log", error)
            heard_to = end
        # The campus is right about what it has: also when that is less than it once said (a restored database).
        self._sent_to = min(max(heard_to, 0), end)
        self._log_sent_at = time.monotonic()

    def _send_points(self) -> None:
        with self._changed:
            points = [self._points[at] for at in range(min(len(self._points), pacing.METRICS.most))]
        after = self._first_seq + len(points)
        try:
            next_seq = self._api.append_metrics(self._attempt_id, self._fence, self._first_seq, points)
        except Rejected as error:
            self._refuse("metrics", error)
            next_seq = after
        with self._changed:
            # One that wants an earlier number has lost points that we no longer hold: go on from its number.
            # One that wants the same number again keeps no more of them.
            taken = len(points) if next_seq == self._first_seq else min(max(next_seq - self._first_seq, 0), len(points))
            for _ in range(taken):
                self._points.popleft()
            self._first_seq = min(next_seq, after)
            self._points_sent_at = time.monotonic()
            self._changed.notify_all()

    def _refuse(self, what: str, error: Rejected) -> None:
        log.warning("the campus refused a part", attempt_id=self._attempt_id, what=what, said=str(error))
        if len(self.refused) < 5:
            self.refused.append(f"{what}: {error}")
