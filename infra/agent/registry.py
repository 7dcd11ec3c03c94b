"""The attempts that live on this node: each fence runs at most once, and no two runs hold the same GPU."""

from __future__ import annotations

import threading
from collections import OrderedDict

import structlog

from infra.agent.attempts import LiveAttempt, Workshop
from infra.agent.datasets import Cut
from infra.agent.domain import attempt as rules
from infra.agent.domain.shares import fit_together
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
        """Wait until earlier runs leave what it has of its GPUs: one that is being killed may linger. Raises Cut."""
        with self._changed:
            while not all(self._has_room(index, attempt) for index in attempt.gpu_indices):
                if attempt.cut.is_set():
                    raise Cut
                self._changed.wait(0.05)

    def _has_room(self, index: int, attempt: LiveAttempt) -> bool:
        """Whether all that runs on the GPU from before leaves room for the attempt's part of it."""
        before = [
            other.part
            for other in self._live.values()
            if other.may_hold_gpus and index in other.gpu_indices and other.fence < attempt.fence
        ]
        return fit_together([*before, attempt.part], gpu_memory_mib=self._workshop.inventory.memory_of(index))
