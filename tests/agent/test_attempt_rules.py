"""What the agent does with an attempt, event by event."""

import itertools

import pytest

from infra.agent.domain.attempt import (
    AttemptState,
    BeginRun,
    CutPreparation,
    HandBack,
    KillRun,
    LeaseLost,
    Phase,
    PreemptAsked,
    PreparationFailed,
    Prepared,
    Report,
    RunOver,
    Settled,
    Silence,
    StopAsked,
    StopRun,
    step,
)

LOST, STOP, BACK, READY = LeaseLost("away"), StopAsked(), HandBack("node stopped"), Prepared()
NO_ENVIRONMENT = PreparationFailed("ENVIRONMENT_FAILED", "no such package")
ROOM = PreemptAsked(60.0)
EXITED, STOPPED, DIED = RunOver("EXITED"), RunOver("STOPPED", "node stopped"), RunOver("EXECUTOR_ERROR", "runner died")

STORIES = {
    "a run that ends by itself": (
        [READY, EXITED, Settled()],
        [BeginRun(), Report("EXITED", ""), Silence()],
        Phase.OVER,
    ),
    "cancelled while it runs": (
        [READY, STOP, RunOver("STOPPED", "cancelled"), Settled()],
        [BeginRun(), StopRun("cancelled"), Report("STOPPED", "cancelled"), Silence()],
        Phase.OVER,
    ),
    "cancelled twice is stopped once": ([READY, STOP, STOP], [BeginRun(), StopRun("cancelled")], Phase.RUNNING),
    "cancelled before it begins never begins": (
        [STOP, READY],
        [CutPreparation(), Report("STOPPED", "cancelled before it began")],
        Phase.REPORTING,
    ),
    "cancelled while its environment fails counts as cancelled": (
        [STOP, NO_ENVIRONMENT],
        [CutPreparation(), Report("STOPPED", "cancelled before it began")],
        Phase.REPORTING,
    ),
    "an environment that fails": (
        [NO_ENVIRONMENT],
        [Report("ENVIRONMENT_FAILED", "no such package")],
        Phase.REPORTING,
    ),
    "a lost lease kills, and nothing is reported": (
        [READY, LOST, RunOver("STOPPED", "away")],
        [BeginRun(), KillRun("away"), Silence()],
        Phase.OVER,
    ),
    "a lease lost before the run never begins it": ([LOST, READY], [CutPreparation(), Silence()], Phase.OVER),
    "a lease lost while reporting ends the reporting": (
        [READY, EXITED, LOST],
        [BeginRun(), Report("EXITED", ""), Silence()],
        Phase.OVER,
    ),
    "a lease lost twice kills once": ([READY, LOST, LOST], [BeginRun(), KillRun("away"), Silence()], Phase.ABANDONED),
    "handed back by a stopping node": (
        [READY, BACK, STOPPED],
        [BeginRun(), KillRun("node stopped"), Report("EXECUTOR_ERROR", "node stopped")],
        Phase.REPORTING,
    ),
    "handed back before it begins": (
        [BACK, READY],
        [CutPreparation(), Report("EXECUTOR_ERROR", "node stopped")],
        Phase.REPORTING,
    ),
    "a run that ends just before it is handed back keeps its end": (
        [READY, BACK, EXITED],
        [BeginRun(), KillRun("node stopped"), Report("EXITED", "")],
        Phase.REPORTING,
    ),
    "cancelled and then handed back counts as cancelled": (
        [READY, STOP, BACK, STOPPED],
        [BeginRun(), StopRun("cancelled"), KillRun("node stopped"), Report("STOPPED", "node stopped")],
        Phase.REPORTING,
    ),
    "asked to make room while it runs": (
        [READY, ROOM, RunOver("STOPPED", "preempted"), Settled()],
        [BeginRun(), StopRun("preempted", 60.0), Report("PREEMPTED", "preempted"), Silence()],
        Phase.OVER,
    ),
    "asked twice to make room is stopped once": (
        [READY, ROOM, ROOM],
        [BeginRun(), StopRun("preempted", 60.0)],
        Phase.RUNNING,
    ),
    "asked to make room before it begins never begins": (
        [ROOM, READY],
        [CutPreparation(), Report("PREEMPTED", "made room before it began")],
        Phase.REPORTING,
    ),
    "a run that ends just before it is asked to make room keeps its end": (
        [READY, ROOM, EXITED],
        [BeginRun(), StopRun("preempted", 60.0), Report("EXITED", "")],
        Phase.REPORTING,
    ),
    "cancelled while it makes room counts as cancelled": (
        [READY, ROOM, STOP, STOPPED],
        [BeginRun(), StopRun("preempted", 60.0), StopRun("cancelled"), Report("STOPPED", "node stopped")],
        Phase.REPORTING,
    ),
    "a cancelled run is not asked to make room": (
        [READY, STOP, ROOM],
        [BeginRun(), StopRun("cancelled")],
        Phase.RUNNING,
    ),
    "handed back while it saves is the platform's loss": (
        [READY, ROOM, BACK, STOPPED],
        [BeginRun(), StopRun("preempted", 60.0), KillRun("node stopped"), Report("EXECUTOR_ERROR", "node stopped")],
        Phase.REPORTING,
    ),
    "a lease lost while it saves kills, and nothing is reported": (
        [READY, ROOM, LOST, STOPPED],
        [BeginRun(), StopRun("preempted", 60.0), KillRun("away"), Silence()],
        Phase.OVER,
    ),
    "handing back does not disturb a report": (
        [READY, EXITED, BACK],
        [BeginRun(), Report("EXITED", "")],
        Phase.REPORTING,
    ),
    "a runner that dies is reported": (
        [READY, DIED],
        [BeginRun(), Report("EXECUTOR_ERROR", "runner died")],
        Phase.REPORTING,
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_every_story_ends_as_told(story: str) -> None:
    events, expected, phase = STORIES[story]
    state, done = AttemptState(), []
    for event in events:
        state, instructions = step(state, event)
        done += instructions
    assert done == expected
    assert state.phase is phase


def test_in_every_order_of_events_a_run_begins_once_and_silence_is_kept() -> None:
    events = (READY, NO_ENVIRONMENT, STOP, ROOM, BACK, LOST, EXITED, STOPPED, Settled())
    for order in itertools.permutations(events, 5):
        state, done = AttemptState(), []
        for event in order:
            state, instructions = step(state, event)
            done += instructions
        kinds = [type(instruction) for instruction in done]
        assert kinds.count(BeginRun) <= 1, order
        assert kinds.count(Report) <= 1, order
        if Silence in kinds:
            assert not {BeginRun, Report} & set(kinds[kinds.index(Silence) :]), order
