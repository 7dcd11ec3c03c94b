"""What an agent does with one attempt: an event comes in, instructions go out.

Events come from several threads (heartbeat, watchdog, the attempt's own); the caller serialises them.
The rules that matter: a run begins at most once; after a lost lease nothing is said of it any more; what
is asked while the run is being prepared takes effect the moment it would begin.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

STOPPED = "STOPPED"
PREEMPTED = "PREEMPTED"
EXECUTOR_ERROR = "EXECUTOR_ERROR"


class Phase(enum.StrEnum):
    """How far an attempt is on this node."""

    PREPARING = "preparing"
    RUNNING = "running"
    ABANDONED = "abandoned"
    """Its lease is lost and its run, if any, is being killed: nothing more is reported."""
    REPORTING = "reporting"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class AttemptState:
    """Where an attempt stands, and what was asked of it so far."""

    phase: Phase = Phase.PREPARING
    is_stop_asked: bool = False
    is_preempt_asked: bool = False
    handed_back: str = ""
    """Why this node gives the attempt back unfinished; empty when it does not."""


# ---- events -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sources, data sets and environment lie here: it can begin."""


@dataclass(frozen=True, slots=True)
class PreparationFailed:
    """It cannot begin. `reason` is one of the node API's."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunOver:
    """Nothing of the run is left. `reason` is one of the node API's."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The learner cancelled."""


@dataclass(frozen=True, slots=True)
class PreemptAsked:
    """It is to make room: save its work within the grace time, and go on another time."""

    grace_s: float


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """Another attempt may have begun elsewhere, or may soon."""

    why: str


@dataclass(frozen=True, slots=True)
class HandBack:
    """This node ends before the run does."""

    why: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The campus has taken the report."""


Event = Prepared | PreparationFailed | RunOver | StopAsked | PreemptAsked | LeaseLost | HandBack | Settled


# ---- instructions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BeginRun:
    """Start the program."""


@dataclass(frozen=True, slots=True)
class CutPreparation:
    """Wake what waits for an environment, a data set or a GPU."""


@dataclass(frozen=True, slots=True)
class StopRun:
    """SIGTERM, and the kill after the grace time; None is the run's usual one."""

    reason: str
    grace_s: float | None = None


@dataclass(frozen=True, slots=True)
class KillRun:
    """Kill at once."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """Upload what it left, then settle with this reason."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Stop every delivery and every attempt at one: this node no longer speaks for the attempt."""


Instruction = BeginRun | CutPreparation | StopRun | KillRun | Report | Silence
Step = tuple[AttemptState, tuple[Instruction, ...]]

NODE_STOPPED = "node stopped"


def step(state: AttemptState, event: Event) -> Step:
    """The state after this event, and what to do now."""
    match state.phase:
        case Phase.PREPARING:
            return _preparing(state, event)
        case Phase.RUNNING:
            return _running(state, event)
        case Phase.REPORTING:
            return _reporting(state, event)
        case Phase.ABANDONED if isinstance(event, Prepared | PreparationFailed | RunOver):
            return replace(state, phase=Phase.OVER), ()
        case _:
            return state, ()


def _preparing(state: AttemptState, event: Event) -> Step:
    match event:
        case StopAsked():
            return replace(state, is_stop_asked=True), (CutPreparation(),)
        case PreemptAsked():
            return replace(state, is_preempt_asked=True), (CutPreparation(),)
        case HandBack(why):
            return replace(state, handed_back=why), (CutPreparation(),)
        case LeaseLost():
            return replace(state, phase=Phase.ABANDONED), (CutPreparation(), Silence())
        case Prepared() | PreparationFailed() if state.is_stop_asked:
            return _report(state, STOPPED, "cancelled before it began")
        case Prepared() | PreparationFailed() if state.is_preempt_asked:
            return _report(state, PREEMPTED, "made room before it began")
        case Prepared() | PreparationFailed() if state.handed_back:
            return _report(state, EXECUTOR_ERROR, state.handed_back)
        case Prepared():
            return replace(state, phase=Phase.RUNNING), (BeginRun(),)
        case PreparationFailed(reason, detail):
            return _report(state, reason, detail)
    return state, ()


def _running(state: AttemptState, event: Event) -> Step:
    match event:
        case StopAsked() if not state.is_stop_asked:
            return replace(state, is_stop_asked=True), (StopRun("cancelled"),)
        case PreemptAsked(grace_s) if not state.is_preempt_asked and not state.is_stop_asked:
            return replace(state, is_preempt_asked=True), (StopRun("preempted", grace_s),)
        case HandBack(why) if not state.handed_back:
            return replace(state, handed_back=why), (KillRun(why),)
        case LeaseLost(why):
            return replace(state, phase=Phase.ABANDONED), (KillRun(why), Silence())
        case RunOver(reason, _) if reason == STOPPED and state.handed_back and not state.is_stop_asked:
            # We killed it, nobody asked for that: the platform's fault, so that it is refunded and tried again.
            return _report(state, EXECUTOR_ERROR, state.handed_back)
        case RunOver(reason, detail) if reason == STOPPED and state.is_preempt_asked and not state.is_stop_asked:
            # Any other reason: it ended by itself before the request reached it, and that end counts.
            return _report(state, PREEMPTED, detail)
        case RunOver(reason, detail):
            return _report(state, reason, detail)
    return state, ()


def _reporting(state: AttemptState, event: Event) -> Step:
    match event:
        case LeaseLost():
            return replace(state, phase=Phase.OVER), (Silence(),)
        case Settled():
            return replace(state, phase=Phase.OVER), (Silence(),)
    return state, ()


def _report(state: AttemptState, reason: str, detail: str) -> Step:
    return replace(state, phase=Phase.REPORTING), (Report(reason, detail),)
