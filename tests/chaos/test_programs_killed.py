"""kill -9 of each program of the campus in mid-job: the job ends once, whole, and is charged once."""

from __future__ import annotations

import base64
import json
import signal
from contextlib import suppress

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from infra.pool import api as pool
from labs.jobs.models import Job
from labs.quota.models import LedgerEntry

from . import proof
from .scene import Scene
from .stand import APPLICATION

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos, pytest.mark.xdist_group("chaos")]


def entries(job: Job, attempt: int) -> dict[str, int]:
    lines = LedgerEntry.objects.filter(job_id=job.pk, attempt=attempt)
    return dict(lines.values_list("kind", "gpu_seconds"))


def test_a_killed_agent_costs_an_attempt_which_is_refunded_and_runs_on_the_other_node(scene: Scene) -> None:
    job = scene.submit()
    first = scene.until_talking(job)
    scene.kill_agent_of(first)
    last = proof.ended_once(scene, job, beats=40)
    first.refresh_from_db()
    assert (first.outcome, last.number) == ("LOST", 2)
    assert last.node_id != first.node_id
    lost = entries(job, 1)
    assert lost["CHARGE"] == lost["REFUND"] == first.lost_s > 0


def test_an_agent_killed_and_started_again_hands_its_job_back_at_once(scene: Scene) -> None:
    job = scene.submit()
    first = scene.until_talking(job)
    name = scene.kill_agent_of(first)
    scene.campus.start(name)
    first.refresh_from_db()
    assert first.outcome == "LOST", "hello said that the node has forgotten it, long before its lease ran out"
    assert proof.ended_once(scene, job, beats=40).number == 2


def test_a_worker_killed_between_submit_and_start_loses_no_job(scene: Scene) -> None:
    scene.campus.kill("worker")
    job = scene.submit(beats=5)
    assert (job.state, entries(job, 1)) == ("QUEUED", {"HOLD": job.hold_s})
    scene.campus.start("worker")
    assert proof.ended_once(scene, job, beats=5).number == 1


def test_a_worker_killed_in_mid_job_is_not_missed(scene: Scene) -> None:
    job = scene.submit(beats=20)
    scene.until_talking(job)
    scene.campus.kill("worker")
    proof.ended_once(scene, job, beats=20)


def test_beat_killed_in_mid_job_stops_neither_that_job_nor_the_next(scene: Scene) -> None:
    job = scene.submit(beats=20)
    scene.until_talking(job)
    scene.campus.kill("beat")
    following = scene.submit(beats=3)
    for each, beats in ((job, 20), (following, 3)):
        proof.ended_once(scene, each, beats=beats)


def test_web_killed_in_mid_log_loses_no_byte_and_the_watcher_goes_on_at_its_cursor(scene: Scene) -> None:
    job = scene.submit(beats=60)
    scene.until_talking(job)
    watcher = Watcher(scene, job)
    watcher.watch(until_bytes=200)
    scene.campus.kill("web")
    watcher.watch(until_bytes=1)  # what was on its way, up to the end of the socket
    scene.campus.start("web")
    while not watcher.is_complete:
        watcher.watch()
    settled = proof.ended_once(scene, job, beats=60)
    assert watcher.seen[settled.number] == proof.log_of(settled)
    assert watcher.connections > 1


class Watcher:
    """A page that shows a live log: reconnects at its cursor, and would notice a gap or an overlap."""

    def __init__(self, scene: Scene, job: Job) -> None:
        self._address = f"ws://127.0.0.1:{scene.campus.port}/ws/jobs/{job.pk}/"
        self._headers = {"Cookie": scene.learners.cookie}
        self._origin = f"http://127.0.0.1:{scene.campus.port}"
        self.seen: dict[int, bytes] = {}
        self.is_complete = False
        self.connections = 0

    def watch(self, *, until_bytes: int | None = None) -> None:
        """Read until the log is complete, the socket breaks, or so many bytes have come on this connection."""
        attempt = max(self.seen, default=0)
        cursors = f"?log_from={len(self.seen.get(attempt, b''))}&attempt={attempt}" if attempt else ""
        came = 0
        with (
            suppress(OSError, WebSocketException),
            connect(self._address + cursors, additional_headers=self._headers, origin=self._origin) as socket,
        ):
            self.connections += 1
            while not self.is_complete and (until_bytes is None or came < until_bytes):
                frame = json.loads(socket.recv(timeout=60))
                if frame["type"] == "log":
                    came += self._take(frame)

    def _take(self, frame: dict) -> int:
        so_far = self.seen.get(frame["attempt"], b"")
        assert frame["start"] == len(so_far), "parts follow each other without gap or overlap"
        part = base64.b64decode(frame["data"])
        self.seen[frame["attempt"]] = so_far + part
        self.is_complete = frame["is_complete"]
        return len(part)


def test_a_job_cancelled_while_its_node_is_dead_ends_and_costs_nothing(scene: Scene) -> None:
    job = scene.submit(beats=400)
    first = scene.until_talking(job)
    scene.kill_agent_of(first)
    assert scene.learners.ask("POST", f"jobs/{job.pk}/cancel/").status == 200
    job = scene.until_over(job)
    assert (job.state, job.end_reason, job.charged_s, job.attempts_made) == ("CANCELLED", "CANCELLED", 0, 1)
    line = entries(job, 1)
    assert line["CHARGE"] == line["REFUND"]


def test_a_drained_node_finishes_its_job_and_gets_no_other(scene: Scene) -> None:
    running = scene.submit(beats=60)
    node = scene.until_talking(running).node
    pool.drain(node_id=node.pk, actor=scene.operator, reason="a new power supply")
    try:
        others = [scene.submit(beats=3) for _ in range(6)]
        for job in others:
            assert proof.ended_once(scene, job, beats=3).node_id != node.pk
        assert proof.ended_once(scene, running, beats=60).node_id == node.pk
    finally:
        pool.resume(node_id=node.pk, actor=scene.operator)


def test_a_campus_told_to_end_and_started_again_in_mid_job_goes_on_with_it(scene: Scene) -> None:
    job = scene.submit(beats=40)
    scene.until_talking(job)
    for name in APPLICATION:
        scene.campus.kill(name, signal.SIGTERM)
    scene.campus.start(*APPLICATION)
    proof.ended_once(scene, job, beats=40)
