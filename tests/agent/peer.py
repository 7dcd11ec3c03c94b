"""The other end of the node API for the agent's tests: a real HTTP server that keeps what it is told in memory.

It stands in for no part of ours that the agent contains: it is what the agent talks to, made so that a test can
have it go away, answer late, lose its place in a log, or forget that an attempt is the node's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-test-node"


class Refusal(Exception):
    def __init__(self, status: int, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.status, self.body = status, {"code": code, "title": code, **facts}


@dataclass
class Tried:
    """An attempt as the campus sees it."""

    order: dict[str, Any]
    files: dict[str, Any]
    state: str = "ASSIGNED"
    verdict: str = "go"
    grace_s: float = 5.0
    saved: dict[str, bytes] = field(default_factory=dict)
    """What an earlier attempt saved, by path."""
    log: bytearray = field(default_factory=bytearray)
    log_posts: list[tuple[float, int, int]] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    claimed_at: float = 0.0
    started_at: float = 0.0
    starts: int = 0
    settlements: list[dict[str, Any]] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.order["attempt_id"]

    @property
    def end(self) -> dict[str, Any]:
        return self.settlements[0]


class Peer:
    def __init__(self, *, lease_s: float = 15.0, heartbeat_s: float = 0.2) -> None:
        self.lease_s, self.heartbeat_s = lease_s, heartbeat_s
        self.changed = threading.Condition()
        self.hellos: list[dict[str, Any]] = []
        self.heartbeats: list[tuple[float, dict[str, Any]]] = []
        self.claims = 0
        self.tried: dict[int, Tried] = {}
        self.environments: list[dict[str, Any]] = []
        self.data_sets: dict[str, bytes] = {}
        self.is_away = threading.Event()
        """Answers nothing: requests hang until the campus is back or the peer is closed."""
        self.status: int | None = None
        """Answers every request with this error."""
        self.may_fetch: Callable[[], bool] = lambda: True
        """Holds a data set back until this is true."""
        self.refused_artifacts: set[str] = set()
        self.is_claim_repeated = False
        """Gives out attempts again that were claimed and have not started, as the real campus does."""
        self._closed = threading.Event()
        self._next_id = 1
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    # ---- what a test does -------------------------------------------------------------------------------------------

    def assign(self, files: dict[str, str | bytes] | str, *, slots: tuple[int, ...] = (0,), **order: Any) -> Tried:
        """Give the node a job; `files` alone is main.py."""
        contents = {"main.py": files} if isinstance(files, str) else files
        with self.changed:
            number, self._next_id = self._next_id, self._next_id + 1
            own = {gpu["index"]: gpu for gpu in self.hellos[-1]["gpus"]}
            body = {
                "attempt_id": number,
                "fence": 1000 + number,
                "job_id": number,
                "number": 1,
                "title": "a job",
                "entrypoint": "main.py",
                "source_digest": "0" * 64,
                "environment": None,
                "data_sets": [],
                "gpus": [own[index] for index in slots],
                "gpu_count": len(slots),
                "wall_s": 60,
                "term_grace_s": 2,
                "env": {"CAMPUS_JOB_ID": str(number)},
            } | order
            encoded = {
                path: {"text": content} if isinstance(content, str) else {"base64": base64.b64encode(content).decode()}
                for path, content in contents.items()
            }
            tried = self.tried[number] = Tried(body, encoded)
            self.changed.notify_all()
            return tried

    def resume(self, tried: Tried, saved: dict[str, bytes], **order: Any) -> Tried:
        """Give the node the job again with what an earlier attempt saved."""
        named = [
            {"path": path, "digest": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
            for path, content in saved.items()
        ]
        again = self.assign("", checkpoint=named, number=tried.order["number"] + 1, **order)
        again.files, again.saved = tried.files, saved
        return again

    def offer_data_set(self, slug: str, archive: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(archive).hexdigest()
        self.data_sets[digest] = archive
        return {"slug": slug, "digest": digest, "size_bytes": len(archive)}

    def wait_for(self, holds: Callable[[], Any], timeout_s: float = 60.0) -> None:
        with self.changed:
            assert self.changed.wait_for(holds, timeout_s), f"still waiting after {timeout_s} s"

    def wait_until_settled(self, tried: Tried, timeout_s: float = 60.0) -> dict[str, Any]:
        self.wait_for(lambda: tried.settlements, timeout_s)
        return tried.end

    # ---- the node API -----------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Any:
        parts = path.strip("/").split("/")[2:]
        with self.changed:
            try:
                if parts[0] == "attempts":
                    return self._attempt(method, int(parts[1]), parts[2], query, body)
                if parts[0] == "data-sets":
                    self.changed.wait_for(self.may_fetch, 10)
                    return self.data_sets[parts[1]]
                return getattr(self, f"_{parts[0]}")(json.loads(body))
            finally:
                self.changed.notify_all()

    def _hello(self, body: dict[str, Any]) -> Any:
        self.hellos.append(body)
        return {
            "node": "test-01",
            "lease_s": self.lease_s,
            "heartbeat_s": self.heartbeat_s,
            "queue": "node.test-01",
            "drain": False,
        }

    def _heartbeat(self, body: dict[str, Any]) -> Any:
        self.heartbeats.append((time.monotonic(), body))
        verdicts = []
        for item in body["attempts"]:
            tried = self.tried.get(item["attempt_id"])
            ours = tried is not None and tried.state != "ENDED" and tried.order["fence"] == item["fence"]
            said = {"attempt_id": item["attempt_id"], "verdict": tried.verdict if ours and tried else "kill"}
            verdicts.append(
                said | ({"grace_s": tried.grace_s} if ours and tried and tried.verdict == "preempt" else {})
            )
        return {"attempts": verdicts, "work": any(tried.state in self._given for tried in self.tried.values())}

    @property
    def _given(self) -> tuple[str, ...]:
        return ("ASSIGNED", "CLAIMED") if self.is_claim_repeated else ("ASSIGNED",)

    def _claim(self, _body: dict[str, Any]) -> Any:
        self.claims += 1
        given = [tried for tried in self.tried.values() if tried.state in self._given]
        for tried in given:
            tried.state, tried.claimed_at = "CLAIMED", time.monotonic()
        return {"attempts": [tried.order for tried in given]}

    def _environments(self, body: dict[str, Any]) -> Any:
        self.environments.append(body)
        return {}

    def _attempt(self, method: str, number: int, action: str, query: dict[str, str], body: bytes) -> Any:
        tried = self.tried[number]
        said = json.loads(body) if action in ("started", "metrics", "settle") else query
        if int(said["fence"]) != tried.order["fence"]:
            raise Refusal(409, "stale_fence")
        if tried.state == "ENDED" and not (action == "settle" and tried.settlements):
            raise Refusal(409, "stale_fence")
        answers = {
            ("GET", "source"): lambda: {"files": tried.files},
            ("GET", "checkpoint"): lambda: tried.saved[query["path"]],
            ("POST", "started"): lambda: self._started(tried),
            ("POST", "log"): lambda: self._log(tried, int(query["start"]), body),
            ("POST", "metrics"): lambda: self._metrics(tried, said),
            ("PUT", "artifacts"): lambda: self._artifact(tried, query, body),
            ("POST", "settle"): lambda: self._settle(tried, said),
        }
        return answers[method, action]()

    def _started(self, tried: Tried) -> Any:
        tried.state, tried.started_at, tried.starts = "RUNNING", time.monotonic(), tried.starts + 1
        return {}

    def _log(self, tried: Tried, start: int, content: bytes) -> Any:
        tried.log_posts.append((time.monotonic(), start, len(content)))
        if start > len(tried.log):
            raise Refusal(409, "log_gap", next=len(tried.log))
        tried.log += content[len(tried.log) - start :]
        return {"next": len(tried.log)}

    def _metrics(self, tried: Tried, said: dict[str, Any]) -> Any:
        tried.points += said["points"][len(tried.points) - said["first_seq"] :]
        return {"next_seq": len(tried.points)}

    def _artifact(self, tried: Tried, query: dict[str, str], body: bytes) -> Any:
        assert hashlib.sha256(body).hexdigest() == query["digest"]
        if query["path"] in self.refused_artifacts:
            raise Refusal(413, "too_large", detail="That is too large")
        tried.artifacts[query["path"]] = body
        return {}

    def _settle(self, tried: Tried, said: dict[str, Any]) -> Any:
        if not tried.settlements:
            tried.settlements.append(said)
        tried.state = "ENDED"
        return {"state": "ENDED"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                self.wfile = self.connection.makefile("wb", buffering=65536)

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                while peer.is_away.is_set() and not peer._closed.wait(0.05):
                    pass
                status, answer = self._answer(body)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            def _answer(self, body: bytes) -> tuple[int, Any]:
                if peer.status is not None:
                    return peer.status, {"code": "test"}
                if self.headers.get("Authorization") != f"Node {TOKEN}":
                    return 401, {"code": "unauthorised"}
                url = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                try:
                    return 200, peer.answer(self.command, url.path, query, body)
                except Refusal as refusal:
                    return refusal.status, refusal.body

            do_GET = do_POST = do_PUT = _serve  # noqa: N815  # names that the server looks for

            def log_message(self, *_args: object) -> None:
                """Silence."""

        return Handler
