"""Whoever of the three processes above a job dies, nothing of the job survives, and the next start tidies up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.executors.contract import EndReason
from infra.executors.local import cgroups, kernel
from infra.executors.local.executor import LocalExecutor
from tests.executors.conftest import FIRST_UID, SLOT_COUNT
from tests.executors.support import Recorder, play, processes_of, spec_of

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos]

PROJECT = Path(__file__).resolve().parents[2]
# Beside the ids that the session's executor uses.
AGENT_UID = FIRST_UID + 500
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
print("up")
time.sleep(60)
"""


def until(is_met: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not is_met():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True


@pytest.fixture
def agent(executor, tmp_path) -> Iterator[subprocess.Popen[str]]:
    """An agent in the middle of a job that does not want to go."""
    command = [sys.executable, "-m", "tests.executors.agent_process", str(tmp_path), str(AGENT_UID), STUBBORN]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("full")
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def job() -> list[str]:
    return processes_of(range(AGENT_UID, AGENT_UID + 4))


def groups() -> set[str]:
    hierarchy, _why = cgroups.find_hierarchy()
    assert hierarchy is not None
    return {path.name for _name, parent in hierarchy.parents for path in Path(parent).glob(f"{cgroups.PREFIX}*")}


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_job_does_not_outlive_an_agent_that_is_killed(agent):
    (launcher,) = children(agent.pid)
    runner, waiting = children(launcher)
    assert len(job()) >= 4
    assert until(lambda: any(f"{cgroups.PREFIX}{waiting}." in name for name in groups()))
    agent.send_signal(signal.SIGKILL)
    assert until(lambda: job() == [])
    assert until(lambda: all(kernel.start_ticks(pid) is None for pid in (runner, waiting, launcher)))
    assert not any(f"{cgroups.PREFIX}{pid}." in name for name in groups() for pid in (runner, waiting))


def test_a_runner_that_is_killed_while_it_waits_costs_no_job(tmp_path):
    executor = LocalExecutor(tmp_path, first_uid=AGENT_UID + 200, slot_count=4)
    assert executor.confinement().level == "full"
    launcher = executor._launcher._process.pid
    assert until(lambda: len(children(launcher)) == 1)
    (waiting,) = children(launcher)
    os.kill(waiting, signal.SIGKILL)
    assert until(lambda: kernel.start_ticks(waiting) is None)
    assert play(executor, "print('here')").log == "here\n"
    executor.close()


def test_a_job_does_not_outlive_its_runner_and_the_agent_is_told(agent, tmp_path):
    (launcher,) = children(agent.pid)
    runner, _waiting = children(launcher)
    os.kill(runner, signal.SIGKILL)
    assert until(lambda: job() == [])
    assert agent.stdout.readline() == "ended executor_error None None the runner died\n"
    # What the dead runner left is swept by the next start on this machine, ours below or a neighbour's before it,
    # and what the living have is not.
    mine = cgroups.group_name(os.getpid(), tmp_path)
    hierarchy, _why = cgroups.find_hierarchy()
    hierarchy.group(mine).create()
    leaked = tmp_path / "runs" / "999999999.1.abcdef"
    kept = tmp_path / "runs" / f"{os.getpid()}.{kernel.start_ticks(os.getpid())}.abcdef"
    for folder in (leaked, kept):
        folder.mkdir()
    try:
        fresh = LocalExecutor(tmp_path, first_uid=AGENT_UID, slot_count=4)
        assert fresh.confinement().level == "full"
        fresh.close()
        assert not any(f"{cgroups.PREFIX}{runner}." in name for name in groups())
        assert mine in groups()
        assert kept.exists()
        assert not leaked.exists()
    finally:
        hierarchy.group(mine).remove()


def test_a_job_goes_on_when_only_the_launcher_dies_and_the_next_gets_a_new_one(tmp_path):
    executor = LocalExecutor(tmp_path, first_uid=AGENT_UID + 100, slot_count=4)
    assert executor.confinement().level == "full"
    recorder = Recorder()
    run = executor.start(spec_of("print('on'); import time; time.sleep(0.5); print('done')"), recorder)
    recorder.on = lambda _: recorder.chunks[1:] or os.kill(executor._launcher._process.pid, signal.SIGKILL)
    assert run.wait().reason is EndReason.EXITED
    assert recorder.text == "on\ndone\n"
    run.close()
    assert play(executor, "print('again')").log == "again\n"
    executor.close()


def test_every_slot_comes_back_after_use_and_none_is_shared(executor):
    runs = [executor.start(spec_of("print(1); import time; time.sleep(30)"), Recorder()) for _ in range(SLOT_COUNT)]
    recorders = [run._listener for run in runs]
    threads = [threading.Thread(target=run.wait) for run in runs]
    for thread in threads:
        thread.start()
    assert until(lambda: all(recorder.log for recorder in recorders))
    one_too_many = play(executor, "print(1)").ended
    assert one_too_many.reason is EndReason.EXECUTOR_ERROR
    assert "slots are in use" in one_too_many.detail
    for run in runs:
        run.kill("enough")
    for thread in threads:
        thread.join()
    for run in runs:
        run.close()
    assert play(executor, "print(1)").ended.reason is EndReason.EXITED
