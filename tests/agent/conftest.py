"""An agent as a process of its own beside a campus made for the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .peer import TOKEN, Peer

ROOT = Path(__file__).resolve().parents[2]


class AgentProcess:
    """`python -m infra.agent`, its log kept line by line."""

    def __init__(self, state: Path, url: str, *, token: str = TOKEN, **settings: str) -> None:
        token_file = state / "token"
        state.mkdir(parents=True, exist_ok=True)
        token_file.write_text(token)
        env = {
            "PATH": os.environ["PATH"],
            "CAMPUS_NODE_NAME": "test-01",
            "CAMPUS_NODE_TOKEN_FILE": str(token_file),
            "CAMPUS_NODE_API_URL": url,
            "CAMPUS_NODE_STATE": str(state),
            "CAMPUS_NODE_SLOTS": "2",
            "CAMPUS_NODE_CPUS": "2",
            "CAMPUS_NODE_MEMORY_MIB": "2048",
            "CAMPUS_NODE_STOP_GRACE_S": "0.5",
        } | settings
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.agent"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self.lines.append(line.rstrip())

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, timeout_s: float = 60.0) -> int:
        code = self.process.wait(timeout_s)
        self._reader.join(5)
        return code

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The agent's folder, which the sandbox's users must be able to pass through."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if str(folder).startswith("/tmp/"):  # noqa: S108
            folder.chmod(0o755)
    return tmp_path / "node"


@pytest.fixture
def make_peer() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def make(**times: float) -> Peer:
        peers.append(Peer(**times))
        return peers[-1]

    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
def start_agent(state: Path) -> Iterator[Callable[..., AgentProcess]]:
    agents: list[AgentProcess] = []

    def start(peer: Peer, **settings: str) -> AgentProcess:
        hellos = len(peer.hellos)
        agent = AgentProcess(state, peer.url, **settings)
        agents.append(agent)
        peer.wait_for(lambda: len(peer.hellos) > hellos)
        return agent

    yield start
    for agent in agents:
        agent.stop()
        sys.stdout.write(f"--- agent {agent.process.pid}, exit code {agent.process.returncode}\n{agent.said}\n")
