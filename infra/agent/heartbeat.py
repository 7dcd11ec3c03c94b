"""Keeps the leases alive, and kills what could not be kept: two threads, so that a slow campus delays no kill."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from infra.agent import clock
from infra.agent.api import ApiError, NodeApi, NotOurs, Unauthorised
from infra.agent.domain import attempt as rules
from infra.agent.domain import lease
from infra.agent.inventory import Inventory
from infra.agent.persistence import say_token_refused
from infra.agent.registry import Registry
from infra.agent.wire import ProtocolError

log = structlog.get_logger("infra.agent")


class Heartbeat:
    """Renews every lease by one call each time, hears the verdicts, and wakes the claimer when work waits."""

    def __init__(
        self,
        api: NodeApi,
        registry: Registry,
        inventory: Inventory,
        *,
        boot_id: str,
        lease_s: float,
        every_s: float,
        data_sets: Callable[[], tuple[str, ...]],
        told_data_sets: tuple[str, ...],
        on_work: Callable[[], None],
        on_disowned: Callable[[str], None],
    ) -> None:
        self._api, self._registry, self._inventory = api, registry, inventory
        self._boot_id = boot_id
        self._every_s = every_s
        self._answer_within_s = lease.answer_within_s(lease_s)
        self._on_work, self._on_disowned = on_work, on_disowned
        self._is_away = False
        # Told when they change: others that share the folder fetch and drop as well.
        self._data_sets, self._told_data_sets = data_sets, told_data_sets

    def run(self, stopping: threading.Event) -> None:
        """Beat until told to stop."""
        while not stopping.is_set():
            began_at = clock.now_s()
            is_heard = self.beat()
            pause_s = self._every_s if is_heard else self._every_s / 2
            stopping.wait(max(pause_s - (clock.now_s() - began_at), 0.01))

    def beat(self) -> bool:
        """One exchange; whether the campus answered it."""
        attempts = self._registry.live()
        data_sets = self._data_sets()
        sent_at = clock.now_s()
        try:
            pulse = self._api.heartbeat(
                boot_id=self._boot_id,
                attempts=[(attempt.attempt_id, attempt.fence) for attempt in attempts],
                gpus=list(self._inventory.samples),
                data_sets=None if data_sets == self._told_data_sets else data_sets,
                within_s=self._answer_within_s,
            )
        except NotOurs as error:
            self._on_disowned(str(error))
            return False
        except (ApiError, ProtocolError) as error:
            self._say_away(error)
            return False
        self._told_data_sets = data_sets
        if self._is_away:
            log.info("the campus answers again")
            self._is_away = False
        for attempt in attempts:
            verdict = pulse.verdicts.get(attempt.attempt_id)
            if verdict in ("go", "stop", "preempt"):
                attempt.renew(sent_at)
            if verdict == "stop":
                attempt.tell(rules.StopAsked())
            elif verdict == "preempt":
                attempt.tell(rules.PreemptAsked(pulse.graces_s[attempt.attempt_id]))
            elif verdict == "kill":
                attempt.tell(rules.LeaseLost("the campus says that it is no longer ours"))
        if pulse.has_work:
            self._on_work()
        return True

    def _say_away(self, error: Exception) -> None:
        if isinstance(error, Unauthorised):
            say_token_refused(error)
        elif not self._is_away:
            log.warning("no heartbeat", why=str(error))
        self._is_away = True


class Watchdog:
    """Kills an attempt when too much of its lease has passed since the last renewal that was sent."""

    def __init__(self, registry: Registry, *, lease_s: float) -> None:
        self._registry = registry
        self._lease_s = lease_s

    def run(self, stopping: threading.Event) -> None:
        """Watch until told to stop."""
        while not stopping.wait(lease.watch_every_s(self._lease_s)):
            now = clock.now_s()
            for attempt in self._registry.live():
                if lease.is_lost(now, attempt.renewed_at, self._lease_s):
                    attempt.tell(rules.LeaseLost("the campus did not answer in time"))
