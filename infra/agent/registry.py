"""The attempts that live on this node: each fence runs at most once, and no two runs hold the same GPU."""

from __future__ import annotations

import threading
from collections import OrderedDict

import structlog

from infra.agent.attempts import LiveAttempt, Workshop
from infra.agent.datasets import Cut
from infra.agent.domain import attempt as rules
from infra.agent.wire import Assignment, Unreadable

log = structlog.get_logger("infra.agent")

REMEMBERED = 10_000


class Registry:
    """Safe to use from several threads."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._changed = threading.Condition()
        self._live: dict[tuple[int, int], LiveAttempt] = {}
        self._known: OrderedDict[tuple[int, int], None] = OrderedDict()

    def admit(self, order: Assignment | Unreadable, *, claimed_at: float, lease_s: float) -> bool:
        """Begin an attempt; False when this fence was begun before, however that ended."""
        key = (order.attempt_id, order.fence)
        with self._changed:
            if key in self._known:
                return False
            self._known[key] = None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            attempt = LiveAttempt(
                order,
                self._workshop,
                renewed_at=claimed_at,
                lease_s=lease_s,
                await_gpus=self._await_gpus,
                on_over=self._forget,
            )
            self._live[key] = attempt
        log.info("claimed", attempt_id=order.attempt_id, fence=order.fence)
        attempt.start()
        return True

    def live(self) -> list[LiveAttempt]:
        """Every attempt that is not over, oldest first."""
        with self._changed:
            return list(self._live.values())

    def tell_all(self, event: rules.Event) -> None:
        """Tell every attempt."""
        for attempt in self.live():
            attempt.tell(event)

    def wait_until_empty(self, timeout_s: float) -> bool:
        """True once no attempt is left."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._live, timeout_s)

    def _forget(self, attempt: LiveAttempt) -> None:
        with self._changed:
            self._live.pop((attempt.attempt_id, attempt.fence), None)
            self._changed.notify_all()

    def _await_gpus(self, attempt: LiveAttempt) -> None:
        """Wait until nothing of an earlier run is left on its GPUs: one that is being killed may linger. Raises Cut."""
        with self._changed:
            while any(self._is_before(other, attempt) for other in self._live.values()):
                if attempt.cut.is_set():
                    raise Cut
                self._changed.wait(0.05)

    def _is_before(self, other: LiveAttempt, attempt: LiveAttempt) -> bool:
        if other is attempt or not other.may_hold_gpus or not other.gpu_indices & attempt.gpu_indices:
            return False
        return other.fence < attempt.fence
