"""What breaks around an agent, breaks: no byte is lost, nothing runs twice, nothing is left behind."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import AgentProcess
from .peer import Peer
from .processes import are_running, until

MakePeer = Callable[..., Peer]
StartAgent = Callable[..., AgentProcess]

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos]

LINES = 1_400
TALKER = f"import time\nfor number in range({LINES}):\n print(f'line {{number:06}}')\n time.sleep(0.005)\n"
TALK = "".join(f"line {number:06}\n" for number in range(LINES)).encode()
SLEEPER = "import time\nprint('here')\ntime.sleep(60)\n"


@pytest.mark.parametrize("how", ["hangs", "says 503"])
def test_a_campus_that_is_away_for_five_seconds_costs_no_byte(
    make_peer: MakePeer, start_agent: StartAgent, how: str
) -> None:
    peer = make_peer()
    start_agent(peer)
    tried = peer.assign(TALKER)
    peer.wait_for(lambda: len(tried.log) > 1000)
    if how == "hangs":
        peer.is_away.set()
    else:
        peer.status = 503
    threading.Event().wait(5)
    heard = len(tried.log)
    peer.is_away.clear()
    peer.status = None
    end = peer.wait_until_settled(tried, 40)
    assert 0 < heard < len(TALK)
    assert bytes(tried.log) == TALK
    assert (end["reason"], end["log_bytes"], tried.starts) == ("EXITED", len(TALK), 1)


def test_a_campus_that_lost_a_part_of_the_log_gets_it_again(make_peer: MakePeer, start_agent: StartAgent) -> None:
    peer = make_peer()
    start_agent(peer)
    tried = peer.assign(TALKER)
    for at_least in (2_000, 6_000):
        peer.wait_for(lambda least=at_least: len(tried.log) > least)  # type: ignore[misc]
        with peer.changed:
            del tried.log[10:]
    peer.wait_until_settled(tried, 40)
    assert bytes(tried.log) == TALK
    starts = [start for _at, start, _size in tried.log_posts]
    assert starts.count(10) == 2


def test_a_stopping_node_lets_a_short_run_end(make_peer: MakePeer, start_agent: StartAgent) -> None:
    peer = make_peer()
    agent = start_agent(peer, CAMPUS_NODE_STOP_GRACE_S="20")
    tried = peer.assign("import time\nprint('here')\ntime.sleep(1.5)\nprint('done')")
    peer.wait_for(lambda: len(tried.log) > 0)
    agent.signal(signal.SIGTERM)
    waiting = peer.assign("print('ran')", slots=(1,))
    assert agent.wait() == 0
    assert (tried.end["reason"], bytes(tried.log)) == ("EXITED", b"here\ndone\n")
    assert waiting.state == "ASSIGNED"


@pytest.mark.parametrize("times", [1, 2])
def test_a_stopping_node_hands_back_what_cannot_end_in_time(
    make_peer: MakePeer, start_agent: StartAgent, times: int
) -> None:
    peer = make_peer()
    grace_s = {1: "1", 2: "600"}[times]
    agent = start_agent(peer, CAMPUS_NODE_STOP_GRACE_S=grace_s)
    name = f"sleeper-stop-{times}.py"
    tried = peer.assign({name: SLEEPER}, entrypoint=name)
    peer.wait_for(lambda: len(tried.log) > 0)
    for _ in range(times):
        agent.signal(signal.SIGTERM)
        time.sleep(0.1)
    assert agent.wait() == 0
    assert (tried.end["reason"], tried.end["detail"]) == ("EXECUTOR_ERROR", "node stopped")
    assert not are_running(name)


def test_a_killed_agent_leaves_no_process_and_comes_back_as_another_boot(
    make_peer: MakePeer, start_agent: StartAgent
) -> None:
    peer = make_peer()
    agent = start_agent(peer)
    tried = peer.assign({"sleeper-kill.py": SLEEPER}, entrypoint="sleeper-kill.py")
    peer.wait_for(lambda: len(tried.log) > 0)
    assert are_running("sleeper-kill.py")
    agent.signal(signal.SIGKILL)
    agent.wait()
    until(lambda: not are_running("sleeper-kill.py"), 5)
    start_agent(peer)
    first, second = peer.hellos
    assert first["boot_id"] != second["boot_id"]
    assert tried.settlements == []


@pytest.mark.parametrize("lease_s", [1.0, 3.0])
def test_a_run_is_dead_before_its_lease_ends_when_the_campus_stops_answering(
    make_peer: MakePeer, start_agent: StartAgent, lease_s: float
) -> None:
    peer = make_peer(lease_s=lease_s, heartbeat_s=lease_s / 6)
    start_agent(peer)
    name = f"sleeper-lease-{lease_s}.py"
    tried = peer.assign({name: SLEEPER}, entrypoint=name)
    peer.wait_for(lambda: len(tried.log) > 0)
    until(lambda: peer.heartbeats[-1][1]["attempts"] != [])
    peer.is_away.set()
    last_heard_at = peer.heartbeats[-1][0]
    died_at = until(lambda: not are_running(name))
    # The campus may give the job away from last_heard_at + lease_s on: by then nothing of it runs here.
    assert 0.5 * lease_s - lease_s / 6 < died_at - last_heard_at < lease_s
    peer.is_away.clear()
    another = peer.assign("print('next')")
    peer.wait_until_settled(another)
    assert tried.settlements == []


def test_a_frozen_agent_does_not_go_on_with_what_it_lost(make_peer: MakePeer, start_agent: StartAgent) -> None:
    peer = make_peer(lease_s=1.5, heartbeat_s=0.2)
    agent = start_agent(peer)
    tried = peer.assign({"sleeper-freeze.py": SLEEPER}, entrypoint="sleeper-freeze.py")
    peer.wait_for(lambda: len(tried.log) > 0)
    agent.signal(signal.SIGSTOP)
    threading.Event().wait(2)
    with peer.changed:
        tried.state = "ENDED"  # as the campus's reconciler does
    agent.signal(signal.SIGCONT)
    until(lambda: not are_running("sleeper-freeze.py"), 3)
    again = peer.assign("print('elsewhere')")
    peer.wait_until_settled(again)
    assert tried.settlements == []


def test_a_wrong_token_is_said_loudly_and_mended_without_a_restart_of_the_campus(
    make_peer: MakePeer, start_agent: StartAgent, state: Path
) -> None:
    peer = make_peer()
    state.mkdir()
    agent = AgentProcess(state, peer.url)
    peer.wait_for(lambda: peer.hellos)
    peer.status = 401
    until(lambda: "CAMPUS_NODE_TOKEN_FILE" in agent.said)
    assert agent.process.poll() is None
    peer.status = None
    tried = peer.assign("print('ran')")
    assert peer.wait_until_settled(tried)["reason"] == "EXITED"
    agent.stop()


def test_a_second_agent_on_the_same_folder_is_refused(
    make_peer: MakePeer, start_agent: StartAgent, state: Path
) -> None:
    peer = make_peer()
    start_agent(peer)
    second = AgentProcess(state, peer.url)
    assert second.wait() == 2
    assert "CAMPUS_NODE_STATE" in second.said
    assert len(peer.hellos) == 1
