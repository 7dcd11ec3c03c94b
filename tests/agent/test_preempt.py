"""A run that makes room, through a real agent process and a real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import AgentProcess
from .peer import Peer

MakePeer = Callable[..., Peer]
StartAgent = Callable[..., AgentProcess]

pytestmark = pytest.mark.sandbox

#: Counts, saves what it has when asked to end, and goes on from there.
COUNTER = """\
import os, pathlib, signal, sys, time
place = pathlib.Path(os.environ["CAMPUS_CHECKPOINT_DIR"]) / "count.txt"
count = int(place.read_text()) if place.exists() else 0
def save(*_):
    fresh = place.with_suffix(".new")
    fresh.write_text(str(count))
    fresh.replace(place)
    pathlib.Path("half.txt").write_text("half")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("from", count, flush=True)
while count < GOAL:
    time.sleep(0.05)
    count += 1
print("done", count)
"""
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(60)"
LEAVES_LINK = (
    "import os, signal, sys, time\n"
    "def save(*_):\n os.symlink('/etc/passwd', 'checkpoint/link'); open('checkpoint/a', 'w').write('a'); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, save)\nprint('on', flush=True)\ntime.sleep(60)"
)


@pytest.fixture
def peer(make_peer: MakePeer) -> Peer:
    return make_peer()


def preempt(peer: Peer, tried: Any, grace_s: float = 5.0) -> dict[str, Any]:
    """Ask it to make room once it has printed something; its settlement."""
    peer.wait_for(lambda: tried.log)
    with peer.changed:
        tried.verdict, tried.grace_s = "preempt", grace_s
    return peer.wait_until_settled(tried)


def test_a_program_saves_on_sigterm_and_goes_on_from_there(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    first = peer.assign(COUNTER.replace("GOAL", "10_000"), checkpoint=[])
    end = preempt(peer, first)
    assert (end["reason"], end["exit_code"]) == ("PREEMPTED", 0)
    assert list(first.artifacts) == ["checkpoint/count.txt"]
    reached = int(first.artifacts["checkpoint/count.txt"])
    assert 0 < end["checkpoint_run_s"] <= end["run_s"]
    assert reached * 0.05 <= end["checkpoint_run_s"] + 0.1

    first.files["main.py"]["text"] = COUNTER.replace("GOAL", str(reached + 2))
    again = peer.resume(first, first.artifacts)
    end = peer.wait_until_settled(again)
    assert (end["reason"], end["exit_code"], end["checkpoint_run_s"]) == ("EXITED", 0, None)
    assert again.log.decode().split() == ["from", str(reached), "done", str(reached + 2)]


def test_one_that_ignores_the_signal_is_killed_when_its_grace_is_over(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    tried = peer.assign(DEAF, checkpoint=[])
    end = preempt(peer, tried, grace_s=0.6)
    assert (end["reason"], end["exit_code"], end["checkpoint_run_s"], end["artifacts"]) == ("PREEMPTED", 137, None, [])
    assert end["run_s"] >= 0.6


def test_a_cancellation_during_the_grace_wins_and_cuts_it_short(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    tried = peer.assign(DEAF, checkpoint=[], term_grace_s=0.2)
    peer.wait_for(lambda: tried.log)
    with peer.changed:
        tried.verdict, tried.grace_s = "preempt", 300.0
    beats = len(peer.heartbeats)
    peer.wait_for(lambda: len(peer.heartbeats) > beats + 2)
    with peer.changed:
        tried.verdict = "stop"
    assert peer.wait_until_settled(tried)["reason"] == "STOPPED"


def test_a_checkpoint_of_which_a_part_cannot_be_kept_is_none(peer: Peer, start_agent: StartAgent) -> None:
    start_agent(peer)
    tried = peer.assign(LEAVES_LINK, checkpoint=[])
    end = preempt(peer, tried)
    assert (end["reason"], end["checkpoint_run_s"], tried.artifacts) == ("PREEMPTED", None, {})
    assert ["checkpoint/link", "a link"] in end["skipped"]


def test_what_was_saved_and_not_touched_again_keeps_no_second_of_the_next_run(
    peer: Peer, start_agent: StartAgent
) -> None:
    start_agent(peer)
    first = peer.assign("import time\nprint('on', flush=True)\ntime.sleep(60)", checkpoint=[])
    tried = peer.resume(first, {"checkpoint/deep/er/model.bin": b"\0" * 5000}, slots=(1,))
    end = preempt(peer, tried)
    assert (end["reason"], end["checkpoint_run_s"]) == ("PREEMPTED", 0.0)
    assert tried.artifacts == tried.saved


def test_a_checkpoint_that_arrives_otherwise_than_it_was_saved_starts_nothing(
    peer: Peer, start_agent: StartAgent
) -> None:
    start_agent(peer)
    first = peer.assign("print('on')", checkpoint=[])
    tried = peer.resume(first, {"checkpoint/a": b"as it was"})
    tried.saved = {"checkpoint/a": b"otherwise"}
    end = peer.wait_until_settled(tried)
    assert (end["reason"], tried.starts) == ("EXECUTOR_ERROR", 0)
    assert "another SHA-256" in end["detail"]
