"""One attempt on this node: prepare, run, report. Each has a thread; what to do is decided in `domain.attempt`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from infra.agent import checkpoints
from infra.agent.api import NodeApi, NotOurs, Rejected
from infra.agent.checkpoints import CheckpointFailed
from infra.agent.datasets import Cut, DataSetFailed, DataSets
from infra.agent.domain import attempt as rules
from infra.agent.domain import lease
from infra.agent.domain.attempt import AttemptState, Phase
from infra.agent.domain.shares import Part
from infra.agent.environments import EnvironmentFailed, Environments, last_lines
from infra.agent.inventory import Inventory, UnknownGpu
from infra.agent.persistence import GivenUp, insist
from infra.agent.uploads import Uploader
from infra.agent.wire import ArtifactReport, Assignment, ProtocolError, Settlement, Unreadable
from infra.executors.contract import EndReason, Executor, ExecutorError, OutputCaps, Run, RunEnded, RunSpec

log = structlog.get_logger("infra.agent")

DETAIL_LIMIT = 300
SHELL_SIGNAL_BASE = 128


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every attempt of a node uses."""

    api: NodeApi
    executor: Executor
    inventory: Inventory
    environments: Environments
    data_sets: DataSets
    spool_folder: Path
    caps: OutputCaps
    mps_pipe: str | None = None


class LiveAttempt:
    """An attempt that this node has claimed. `tell` may be called from any thread and never waits for the run."""

    def __init__(
        self,
        order: Assignment | Unreadable,
        workshop: Workshop,
        *,
        renewed_at: float,
        lease_s: float,
        await_gpus: Callable[[LiveAttempt], None],
        on_over: Callable[[LiveAttempt], None],
    ) -> None:
        self.order = order
        self.attempt_id, self.fence = order.attempt_id, order.fence
        self.renewed_at = renewed_at
        """When the last renewal that was answered had been sent, by `clock.now_s`."""
        self._lease_s = lease_s
        self.gpu_indices = frozenset(index for index, _uuid in getattr(order, "gpus", ()))
        self.part = Part(order.gpu_milli, order.gpu_memory_mib) if isinstance(order, Assignment) else Part()
        """What of each it has."""
        self._shop = workshop
        self._await_gpus, self._on_over = await_gpus, on_over
        self._lock = threading.Lock()
        self._state = AttemptState()
        self._run: Run | None = None
        self._uploader: Uploader | None = None
        self.cut = threading.Event()
        """Set when waiting for what it needs has become pointless."""
        self.silenced = threading.Event()
        """Set when this node no longer speaks for it."""
        self._thread = threading.Thread(target=self._live, name=f"attempt-{self.attempt_id}", daemon=True)

    def start(self) -> None:
        """Begin its life."""
        self._thread.start()

    def renew(self, sent_at: float) -> None:
        """The campus has answered a renewal that was sent then."""
        self.renewed_at = max(self.renewed_at, sent_at)
        if self._run is not None:
            self._keep(self._run)

    def _keep(self, run: Run) -> None:
        """The run's own watch ends it when the lease does, also while this whole process is frozen."""
        run.keep(lease.end_at(self.renewed_at, self._lease_s))

    @property
    def phase(self) -> Phase:
        """How far it is."""
        return self._state.phase

    @property
    def may_hold_gpus(self) -> bool:
        """False once nothing of its run is left."""
        return self.phase in (Phase.PREPARING, Phase.RUNNING, Phase.ABANDONED)

    def tell(self, event: rules.Event) -> tuple[rules.Instruction, ...]:
        """Take an event in and do at once what needs no waiting; all the instructions, for the attempt's own thread."""
        with self._lock:
            before = self._state.phase
            self._state, instructions = rules.step(self._state, event)
            for instruction in instructions:
                self._obey(instruction)
        if self._state.phase is not before:
            log.info("attempt", attempt_id=self.attempt_id, phase=str(self._state.phase), after=type(event).__name__)
        return instructions

    def _obey(self, instruction: rules.Instruction) -> None:
        match instruction:
            case rules.CutPreparation():
                self.cut.set()
            case rules.Silence():
                self.silenced.set()
                if self._uploader is not None:
                    self._uploader.wake()
            case rules.StopRun(reason, grace_s) if self._run is not None:
                self._run.stop(reason, grace_s)
            case rules.KillRun(reason) if self._run is not None:
                self._run.kill(reason)

    # ---- the attempt's own thread -----------------------------------------------------------------------------------

    def _live(self) -> None:
        with contextlib.ExitStack() as held:
            try:
                self._advance(held)
            except Exception as error:
                # A fault of ours must not look like a job that runs for ever: the lease ends and others take over.
                log.exception("attempt failed in the agent", attempt_id=self.attempt_id)
                self.tell(rules.LeaseLost(f"fault of the agent: {error}"))
            finally:
                self._close()

    def _advance(self, held: contextlib.ExitStack) -> None:
        spec = None
        try:
            spec = self._prepare(held)
            instructions = self.tell(rules.Prepared())
        except (Cut, GivenUp):
            instructions = self.tell(rules.Prepared())
        except EnvironmentFailed as error:
            # The whole of it went with the environment's report; a learner needs the last lines.
            instructions = self.tell(
                rules.PreparationFailed("ENVIRONMENT_FAILED", last_lines(str(error), DETAIL_LIMIT))
            )
        except NotOurs as error:
            self.tell(rules.LeaseLost(str(error)))
            instructions = self.tell(rules.Prepared())
        except (DataSetFailed, CheckpointFailed, UnknownGpu, ProtocolError, Rejected, OSError, ValueError) as error:
            instructions = self.tell(rules.PreparationFailed(rules.EXECUTOR_ERROR, str(error)))
        ended = RunEnded(EndReason.EXECUTOR_ERROR)
        if spec is not None and any(isinstance(instruction, rules.BeginRun) for instruction in instructions):
            ended = self._run_through(spec)
            instructions = self.tell(rules.RunOver(ended.reason.name, ended.detail))
        for instruction in instructions:
            if isinstance(instruction, rules.Report):
                self._report(instruction, ended)

    def _prepare(self, held: contextlib.ExitStack) -> RunSpec:
        """Everything that the run needs, brought here. Raises what says why not."""
        order, shop = self.order, self._shop
        if isinstance(order, Unreadable):
            raise ProtocolError(order.problem)
        grants = shop.inventory.grants_for(order.gpus, self.part)
        share = shop.inventory.share_for(grants)
        files = order.files
        if files is None:
            files = insist(lambda: shop.api.source(order.attempt_id, order.fence), until=self.cut, what="source")
        data_sets = []
        for data_set in order.data_sets:
            folder = held.enter_context(shop.data_sets.use(data_set, is_cut=self.cut.is_set, fetch=self._fetch))
            data_sets.append((data_set.slug, str(folder)))
        saved = None
        if order.checkpoint is not None:
            saved = checkpoints.bring(order, shop.api, shop.spool_folder, held=held, cut=self.cut)
        if order.environment is not None:
            shop.environments.ensure(order.environment, cut=self.cut)
        self._await_gpus(self)
        return RunSpec(
            run_id=f"attempt-{order.attempt_id}-{order.fence}",
            files=files,
            argv=("python", order.entrypoint if not order.entrypoint.startswith("-") else f"./{order.entrypoint}"),
            env=order.env,
            environment_digest=order.environment.digest if order.environment else None,
            datasets=tuple(data_sets),
            checkpoint=saved,
            gpus=grants,
            mps_pipe=shop.mps_pipe,
            cpu_cores=share.cpu_cores,
            memory_bytes=share.memory_bytes,
            work_bytes=share.work_bytes,
            max_processes=share.max_processes,
            wall_s=order.wall_s,
            term_grace_s=order.term_grace_s,
            caps=shop.caps,
        )

    def _fetch(self, digest: str, target: IO[bytes], most: int) -> None:
        def again() -> None:
            target.seek(0)
            target.truncate()
            self._shop.api.fetch_data_set(digest, target, most=most)

        insist(again, until=self.cut, what=f"data set {digest[:12]}")

    def _run_through(self, spec: RunSpec) -> RunEnded:
        """Run it to its end, whatever that is; what the executor cannot do is an end as well."""
        uploader = self._uploader = Uploader(
            self._shop.api,
            attempt_id=self.attempt_id,
            fence=self.fence,
            folder=self._shop.spool_folder,
            caps=spec.caps,
            silenced=self.silenced,
            on_not_ours=self._on_not_ours,
        )
        try:
            return self._begin(spec, uploader).wait()
        except (ExecutorError, OSError) as error:
            return RunEnded(EndReason.EXECUTOR_ERROR, detail=str(error))
        except Exception as error:  # what the listener raised, by which the executor has killed the run
            log.exception("the run's listener failed", attempt_id=self.attempt_id)
            return RunEnded(EndReason.EXECUTOR_ERROR, detail=f"{type(error).__name__}: {error}")

    def _begin(self, spec: RunSpec, uploader: Uploader) -> Run:
        """Start the run under the lock: whoever wants it stopped comes before (and is obeyed here) or after."""
        with self._lock:
            run = self._run = self._shop.executor.start(spec, uploader)
            self._keep(run)
            state = self._state
            if state.phase is Phase.ABANDONED or state.handed_back:
                run.kill(state.handed_back or "lease lost")
            elif state.is_stop_asked:
                run.stop("cancelled")
            # Between Prepared and here: nothing has begun, so there is nothing to save either.
            elif state.is_preempt_asked:
                run.stop("preempted", 0.0)
            return run

    def _on_not_ours(self, said: str) -> None:
        self.tell(rules.LeaseLost(said))

    def _report(self, report: rules.Report, ended: RunEnded) -> None:
        """Deliver the rest, upload the outputs, settle: until done, or until the lease is lost."""
        if self._uploader is not None and not self._uploader.finish():
            return
        refused = list(self._uploader.refused) if self._uploader else []
        artifacts, skipped = [], list(ended.skipped)
        is_preempted = report.reason == rules.PREEMPTED
        # What else a preempted run left is half done; the next attempt makes it anew.
        outputs = checkpoints.whole_checkpoint(ended) if is_preempted else ended.outputs
        try:
            for output in outputs:
                artifact = ArtifactReport(output.path, output.size, output.sha256)
                try:
                    self._send(artifact, output.file)
                    artifacts.append(artifact)
                except Rejected as error:
                    skipped.append((output.path, f"the campus refused it: {error}"[:200]))
            settlement = Settlement(
                fence=self.fence,
                reason=report.reason,
                exit_code=_exit_code(ended),
                run_s=round(ended.run_seconds, 6),
                cpu_s=round(ended.cpu_seconds, 6),
                peak_memory_bytes=ended.peak_memory_bytes,
                log_bytes=self._uploader.log_bytes if self._uploader else 0,
                log_truncated=ended.log_truncated,
                skipped=tuple(skipped),
                detail="\n".join(part for part in (report.detail, *refused) if part)[:DETAIL_LIMIT],
                artifacts=tuple(artifacts),
                checkpoint_run_s=(
                    round(ended.checkpoint_seconds or 0.0, 6)
                    if is_preempted and outputs and len(artifacts) == len(outputs)
                    else None
                ),
            )
            state = insist(
                lambda: self._shop.api.settle(self.attempt_id, settlement), until=self.silenced, what="settle"
            )
            log.info("settled", attempt_id=self.attempt_id, reason=report.reason, state=state)
            self.tell(rules.Settled())
        except GivenUp:
            return
        except (NotOurs, Rejected) as error:
            self.tell(rules.LeaseLost(str(error)))

    def _send(self, artifact: ArtifactReport, file: Path) -> None:
        insist(
            lambda: self._shop.api.store_artifact(self.attempt_id, self.fence, artifact, file),
            until=self.silenced,
            what=f"artifact {artifact.path}",
        )

    def _close(self) -> None:
        self.silenced.set()
        if self._run is not None:
            self._run.close()
        if self._uploader is not None:
            self._uploader.close()
        self._on_over(self)


def _exit_code(ended: RunEnded) -> int | None:
    """As a shell would say it: a program that a signal ended has 128 and the signal's number."""
    return SHELL_SIGNAL_BASE + ended.signal if ended.exit_code is None and ended.signal else ended.exit_code
