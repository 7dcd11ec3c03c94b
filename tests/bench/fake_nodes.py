"""Nodes without a sandbox: they claim, start and settle over the node API as fast as the campus lets them.

They wait for the same nudges in Redis as real agents do, and beat as often, so that what is measured is the server.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import redis

from . import labs
from .http import Answer, Browser

_BEAT_S = 2.0
_NUDGE_S = 0.2


@dataclass
class Tally:
    """What the nodes of one measurement did; times in ms, moments in seconds of `perf_counter`."""

    took: dict[str, list[float]] = field(default_factory=lambda: {"claim": [], "started": [], "settle": []})
    settled_at: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, call: str, answer: Answer) -> Any:
        """Take an answer in. Raises RuntimeError for any but 200."""
        if answer.status != 200:
            raise RuntimeError(f"{call} answered {answer.status}: {answer.body[:300]!r}")
        if call in self.took:
            with self.lock:
                self.took[call].append(answer.took_ms)
                if call == "settle":
                    self.settled_at.append(time.perf_counter())
        return answer.said


class FakeNode:
    """One node, on one connection. `serve` until `is_over` is set."""

    def __init__(self, registered: labs.Registered, port: int, gpus: int, tally: Tally) -> None:
        self._browser = Browser(port, {"Authorization": f"Node {registered.token}"})
        self._tally = tally
        self._queue = f"campus:{registered.node.queue}"
        self._call("hello", labs.hello_of(gpus))

    def serve(self, redis_url: str, is_over: threading.Event) -> None:
        """Wait for nudges, take what there is, and beat; as an agent does."""
        beaten = time.monotonic()
        with redis.Redis.from_url(redis_url) as nudges:
            while not is_over.is_set():
                self.work_off()
                if time.monotonic() - beaten > _BEAT_S:
                    beaten = time.monotonic()
                    self._call("heartbeat", {"boot_id": "bench", "attempts": [], "gpus": []})
                nudges.blpop([self._queue], timeout=_NUDGE_S)

    def work_off(self) -> int:
        """Claim once; start and settle all of it. Returns how many."""
        orders = self._call("claim", {"boot_id": "bench"})["attempts"]
        for order in orders:
            where, fence = f"attempts/{order['attempt_id']}", {"fence": order["fence"]}
            self._call("started", fence, f"{where}/started")
            self._call("settle", fence | {"reason": "EXITED", "exit_code": 0, "run_s": 0.01}, f"{where}/settle")
        return len(orders)

    def _call(self, call: str, said: dict[str, Any], path: str = "") -> Any:
        return self._tally.note(call, self._browser.post_json(f"/node/v1/{path or call}", said))

    def close(self) -> None:
        """Let the connection go."""
        self._browser.close()
