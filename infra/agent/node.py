"""The agent as a whole: says hello, claims work when woken, and ends in order when told to."""

from __future__ import annotations

import fcntl
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO

import structlog

from infra.agent import VERSION, clock
from infra.agent.api import ApiError, NodeApi, NotOurs, Rejected, Unauthorised
from infra.agent.attempts import Workshop
from infra.agent.datasets import DataSets
from infra.agent.domain import attempt as rules
from infra.agent.domain.pacing import retry_delays_s
from infra.agent.environments import Environments
from infra.agent.heartbeat import Heartbeat, Watchdog
from infra.agent.inventory import Inventory
from infra.agent.persistence import say_token_refused
from infra.agent.registry import Registry
from infra.agent.settings import Settings, SettingsError
from infra.agent.wire import Hello, ProtocolError, Welcome
from infra.executors.contract import Confinement, Executor, OutputCaps

log = structlog.get_logger("infra.agent")

REPORT_WITHIN_S = 5.0
"""How long a stopping node tries to hand its runs back."""
DISOWNED_PAUSE_S = 5.0
CONFINEMENT = {"full": "FULL", "unconfined": "UNCONFINED", "refused": "REFUSED"}
DETAIL_LIMIT = 300


class NodeAgent:
    """One agent. `run` takes the calling thread; `stop` may be called from any other."""

    def __init__(self, settings: Settings, executor: Executor, api: NodeApi) -> None:
        self._settings, self._executor, self._api = settings, executor, api
        self._guard = _only_one(settings.state)
        self._inventory = Inventory.find(settings)
        shared = settings.shared or settings.state / "shared"
        self._environments = Environments(
            executor=executor, folder=settings.state / "environments", tell=api.report_environment
        )
        spool = settings.state / "spool"
        spool.mkdir(exist_ok=True, mode=0o700)
        self._data_sets = DataSets(shared / "data-sets", cap_mib=settings.data_set_cache_mib)
        self._data_sets.sweep()
        self._registry = Registry(
            Workshop(
                api,
                executor,
                self._inventory,
                self._environments,
                self._data_sets,
                spool,
                OutputCaps(),
                mps_pipe=str(settings.mps_pipe) if settings.mps_pipe else None,
            )
        )
        self._wake = threading.Event()
        self._disowned = threading.Event()
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._over = threading.Event()
        self._has_helpers = False

    def stop(self) -> None:
        """Claim nothing more, and end when the runs have ended or the grace time is over. Again: do not wait."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Work until told to stop and every run has ended or was handed back."""
        confinement = self._executor.confinement()
        _say_confinement(confinement)
        try:
            while not self._stopping.is_set():
                boot_id = uuid.uuid4().hex
                data_sets = self._data_sets.held()
                welcome = self._introduce(boot_id, confinement, data_sets)
                if welcome is not None:
                    self._work(boot_id, welcome, data_sets, may_claim=confinement.level != "refused")
        finally:
            self._over.set()
            self._environments.close()
            self._executor.close()
            self._inventory.close()
            self._guard.close()

    # ---- hello ----------------------------------------------------------------------------------------------------

    def _introduce(self, boot_id: str, confinement: Confinement, data_sets: tuple[str, ...]) -> Welcome | None:
        """Say hello until the campus answers; None when told to stop before."""
        hello = Hello(
            boot_id=boot_id,
            agent_version=VERSION,
            cpu_count=max(int(self._inventory.capacity.cpus), 1),
            memory_mib=self._inventory.capacity.memory_mib,
            confinement=CONFINEMENT[confinement.level],
            confinement_detail="; ".join(confinement.missing)[:DETAIL_LIMIT],
            gpus=self._inventory.reports,
            environments=self._environments.known(),
            # Without control groups nothing keeps a run to its part.
            shares_gpus=self._inventory.gives_parts and confinement.level == "full",
            data_sets=data_sets,
        )
        delays = retry_delays_s(0.1, 5.0)
        while not self._stopping.is_set():
            try:
                welcome = self._api.hello(hello)
            except Unauthorised as error:
                say_token_refused(error)
                self._stopping.wait(15.0)
            except (NotOurs, Rejected) as error:
                _say_refused(error)
                self._stopping.wait(15.0)
            except (ApiError, ProtocolError) as error:
                pause_s = next(delays)
                log.warning("the campus does not answer", why=str(error), pause_s=pause_s)
                self._stopping.wait(pause_s)
            else:
                log.info("ready", node=welcome.node, boot_id=boot_id, gpus=len(hello.gpus), lease_s=welcome.lease_s)
                return welcome
        return None

    # ---- work -----------------------------------------------------------------------------------------------------

    def _work(self, boot_id: str, welcome: Welcome, told_data_sets: tuple[str, ...], *, may_claim: bool) -> None:
        """Run what is claimed under this boot, until told to stop or disowned by the campus."""
        quiet = threading.Event()
        self._disowned.clear()
        heartbeat = Heartbeat(
            self._api,
            self._registry,
            self._inventory,
            boot_id=boot_id,
            lease_s=welcome.lease_s,
            every_s=welcome.heartbeat_s,
            data_sets=self._data_sets.held,
            told_data_sets=told_data_sets,
            on_work=self._wake.set,
            on_disowned=self._on_disowned,
        )
        threads = [
            _thread("heartbeat", heartbeat.run, quiet),
            _thread("watchdog", Watchdog(self._registry, lease_s=welcome.lease_s).run, quiet),
        ]
        self._start_helpers(welcome.queue)
        self._wake.set()  # what was assigned before we listened
        while not self._stopping.is_set() and not self._disowned.is_set():
            self._wake.wait()
            self._wake.clear()
            if may_claim and not self._stopping.is_set():
                self._claim(boot_id, welcome.lease_s)
        self._finish_runs()
        quiet.set()
        for thread in threads:
            thread.join(welcome.lease_s)

    def _claim(self, boot_id: str, lease_s: float) -> None:
        sent_at = clock.now_s()
        try:
            orders = self._api.claim(boot_id=boot_id)
        except NotOurs as error:
            self._on_disowned(str(error))
        except (ApiError, ProtocolError) as error:
            log.warning("no claim, the next heartbeat asks again", why=str(error))
        else:
            for order in orders:
                self._registry.admit(order, claimed_at=sent_at, lease_s=lease_s)

    def _on_disowned(self, said: str) -> None:
        """The campus knows another start of this node: nothing that runs here is ours any more."""
        log.error("the campus knows a later start of this node; is a second agent running?", said=said)
        self._registry.tell_all(rules.LeaseLost("the campus knows a later start of this node"))
        self._disowned.set()
        self._wake.set()

    def _finish_runs(self) -> None:
        """Let runs end within the grace time, then hand the rest back as the platform's loss."""
        if self._disowned.is_set():
            self._registry.wait_until_empty(REPORT_WITHIN_S)
            self._stopping.wait(DISOWNED_PAUSE_S)
            return
        deadline = clock.now_s() + self._settings.stop_grace_s
        while not self._hurry.is_set() and (left_s := deadline - clock.now_s()) > 0:
            if self._registry.wait_until_empty(min(left_s, 0.2)):
                return
        self._registry.tell_all(rules.HandBack(rules.NODE_STOPPED))
        if not self._registry.wait_until_empty(REPORT_WITHIN_S):
            log.warning("the campus did not take everything back; leases will end by themselves")

    def _start_helpers(self, queue: str) -> None:
        """What lives as long as the process, whatever the campus calls this boot."""
        if self._has_helpers:
            return
        self._has_helpers = True
        _thread("environments", self._environments.run, self._over)
        _thread("samples", self._inventory.run, self._over)
        if self._settings.redis_url:
            _thread("nudges", lambda over: self._listen(queue, over), self._over)
        else:
            log.warning("REDIS_URL is not set: work is found by heartbeat alone, up to two seconds late")

    def _listen(self, queue: str, over: threading.Event) -> None:
        # Imported here, beside the first claim: Celery takes longer to import than all the rest.
        from infra.agent.nudges import Nudges

        settings = self._settings
        Nudges(redis_url=settings.redis_url, key_prefix=settings.key_prefix, queue=queue, wake=self._wake).run(over)


def _say_refused(error: ApiError) -> None:
    log.error("the campus refuses this node: is CAMPUS_NODE_API_URL right?", said=str(error))


def _say_confinement(confinement: Confinement) -> None:
    if confinement.level == "refused":
        log.error("this node cannot contain learners' code and will run none", missing=confinement.missing)
    elif confinement.level == "unconfined":
        log.warning("learners' code is NOT confined on this node", missing=confinement.missing)


def _thread(name: str, run: Callable[[threading.Event], None], stopping: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=run, args=(stopping,), name=name, daemon=True)
    thread.start()
    return thread


def _only_one(state: Path) -> IO[str]:
    """The lock that keeps a second agent off this folder. Raises SettingsError."""
    state.mkdir(parents=True, exist_ok=True, mode=0o755)
    guard = open(state / "agent.lock", "w")  # noqa: SIM115  # held as long as the agent lives
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        guard.close()
        raise SettingsError(f"another agent uses {state}; set CAMPUS_NODE_STATE to a folder of its own") from None
    return guard
