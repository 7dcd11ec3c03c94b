"""The supervisor against real processes: start, crash, stop, and its own sudden death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.embedded.program import Program
from infra.embedded.state import State, StateInUseError, StateUnusableError
from infra.embedded.supervisor import StartFailedError, Supervisor

from .conftest import ROOT, alive, until
from .stand import sleeper

pytestmark = pytest.mark.chaos


def python(name: str, code: str, **options: object) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", code), env={}, cwd=Path("/"), **options)


def test_sigterm_ends_everything_within_seconds(stand):
    running = stand()
    pids = running.everything()
    assert len(pids) > 5
    asked = time.monotonic()

    running.process.send_signal(signal.SIGTERM)

    assert running.process.wait(10) == 0
    assert time.monotonic() - asked < 5
    assert alive(pids) == set()


def test_ctrl_c_ends_everything_too(stand):
    running = stand()
    pids = running.everything()

    running.process.send_signal(signal.SIGINT)

    assert running.process.wait(10) == 0
    assert alive(pids) == set()


def test_a_child_that_ignores_sigterm_is_killed_with_its_grandchild(stand):
    running = stand("--ignore-term")
    pids = running.everything()

    running.process.send_signal(signal.SIGTERM)

    assert running.process.wait(10) == 0
    assert alive(pids) == set()


@pytest.mark.parametrize("option", ["", "--ignore-term"])
def test_nothing_outlives_a_supervisor_that_is_killed_with_9(stand, option):
    running = stand(*filter(None, [option]))
    pids = running.everything()

    running.process.kill()
    running.process.wait(5)

    until(lambda: not alive(pids), within_s=30, what=f"end of {pids}")


def test_a_start_after_the_death_of_supervisor_and_guard_ends_what_they_left(stand, folder):
    """The guard dies first, and the sleeper is deaf to the kernel's signal: only the record is left."""
    running = stand("--ignore-term")
    pids = running.everything()
    guard = next(
        child.pid for child in psutil.Process(running.process.pid).children() if "guard.py" in " ".join(child.cmdline())
    )
    os.kill(guard, signal.SIGKILL)
    running.process.kill()
    running.process.wait(5)
    assert running.pids["sleeper"] in alive(pids)

    stand()

    assert alive(pids) == set()


def test_a_second_start_on_the_same_state_is_refused_with_the_reason(stand, folder):
    running = stand()

    second = subprocess.run(
        [sys.executable, "-m", "tests.embedded.stand", str(folder / "state")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 3
    assert f"already runs on {folder / 'state'} (process {running.process.pid})" in second.stderr
    assert running.process.poll() is None


def test_a_crashed_program_is_started_again_and_the_delay_doubles(folder):
    reports: list[str] = []
    state = State(folder / "state")
    with Supervisor(state, report=reports.append) as supervisor:
        supervisor.start(sleeper())
        first = supervisor.pid("sleeper")
        assert first is not None

        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.turn() or supervisor.pid("sleeper") not in (first, None), within_s=30, what="restart")
        second = supervisor.pid("sleeper")
        assert second is not None
        os.kill(second, signal.SIGKILL)
        until(lambda: supervisor.turn() or len(reports) == 2, within_s=30, what="second report")

    assert reports == [
        "sleeper ended (killed by SIGKILL); starting it again in 0.5 s",
        "sleeper ended (killed by SIGKILL); starting it again in 1.0 s",
    ]
    state.close()


def test_the_grandchild_of_a_crashed_program_does_not_live_on(folder):
    state = State(folder / "state")
    with Supervisor(state, report=lambda line: None) as supervisor:
        supervisor.start(sleeper())
        leader = psutil.Process(supervisor.pid("sleeper"))
        until(lambda: bool(leader.children()), within_s=30, what="grandchild")
        grandchild = leader.children()[0].pid

        leader.kill()
        until(lambda: supervisor.turn() or not alive({grandchild}), within_s=30, what="end of the grandchild")
    state.close()


def test_a_program_that_ends_at_start_fails_with_its_last_words(folder):
    state = State(folder / "state")
    with (
        Supervisor(state) as supervisor,
        pytest.raises(StartFailedError, match=r"(?s)broken ended at start \(exit status 7\).*no such table"),
    ):
        supervisor.start(
            python("broken", "import sys; print('no such table'); sys.exit(7)", ready=lambda pid: False),
        )
    state.close()


def test_a_program_that_is_never_ready_fails_in_time(folder):
    state = State(folder / "state")
    with Supervisor(state) as supervisor, pytest.raises(StartFailedError, match="was not ready within 0 s"):
        supervisor.start(python("slow", "import time; time.sleep(60)", ready=lambda pid: False, ready_within_s=0.2))
    state.close()


def test_programs_end_in_the_reverse_order_of_their_start(folder):
    order = folder / "order"
    code = (
        "import signal, sys, time\n"
        f"def end(*_): open({str(order)!r}, 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "open(sys.argv[2], 'w').close()\n"
        "time.sleep(60)\n"
    )
    state = State(folder / "state")
    with Supervisor(state) as supervisor:
        for letter in "abc":
            mark = folder / f"up-{letter}"
            program = Program(
                name=letter,
                argv=(sys.executable, "-c", code, letter, str(mark)),
                env={},
                cwd=Path("/"),
                ready=lambda pid, mark=mark: mark.exists(),
            )
            supervisor.start(program)
    assert order.read_text() == "cba"
    state.close()


def test_a_program_sees_only_the_environment_it_was_given(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    state = State(folder / "state")
    with Supervisor(state) as supervisor:
        program = python("env", "import os; print(sorted(os.environ))")
        supervisor.run_once(program, within_s=20)
        printed = supervisor.log_path(program).read_text()
    assert "DATABASE_URL" not in printed
    assert "['LC_CTYPE']" in printed
    state.close()


def test_a_state_folder_that_cannot_be_written_is_named(folder):
    (folder / "file").write_text("in the way")
    with pytest.raises(StateUnusableError, match="set CAMPUS_STATE to a folder that you may write"):
        State(folder / "file" / "state")


def test_a_secret_is_made_once_and_readable_to_us_alone(folder):
    state = State(folder / "state")
    first = state.secret("secret_key")
    assert state.secret("secret_key") == first
    assert len(first) > 50
    assert (folder / "state" / "secret_key").stat().st_mode & 0o777 == 0o600
    state.close()


def test_the_lock_is_free_again_after_close(folder):
    State(folder / "state").close()
    State(folder / "state").close()


def test_two_states_in_one_process_are_kept_apart_by_the_lock(folder):
    state = State(folder / "state")
    with pytest.raises(StateInUseError):
        State(folder / "state", patience_s=0)
    state.close()
