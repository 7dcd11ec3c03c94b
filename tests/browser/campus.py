"""The campus that the stories happen on: the demo, started once, with web, worker, beat, two agents and the sandbox.

A demo that runs already is used instead with CAMPUS_BROWSER_URL (its address) and CAMPUS_BROWSER_STATE (its folder).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from .shots import read_accounts

ROOT = Path(__file__).resolve().parents[2]
START_S = 240.0
#: Whose streams the campus takes; a story answers for it.
STREAM_HOST = "https://video.campus.example"


@dataclass
class Campus:
    """Where the campus is, who may sign in, and a way to send jobs when a story needs the pool busy."""

    url: str
    state: Path
    process: subprocess.Popen[str] | None = None
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def accounts(self) -> dict[str, tuple[str, str]]:
        return read_accounts((self.state / "accounts.txt").read_text())

    def kill_web(self) -> None:
        """Kill the web process, sockets and all. Whoever watches over the demo starts it again."""
        children = json.loads((self.state / "children.json").read_text())
        os.kill(next(child["pid"] for child in children if child["name"] == "web"), signal.SIGKILL)

    def submit(self, code: str, *, role: str = "learner", **wishes: Any) -> int:
        """Send a job over the REST API; returns its id."""
        body = {"title": "Setting the stage", "files": {"main.py": code}, "gpus": 1, "wall_s": 120} | wishes
        return int(self.ask("POST", "jobs/", body, role=role)["id"])

    def job(self, job_id: int, *, role: str = "learner") -> dict[str, Any]:
        return self.ask("GET", f"jobs/{job_id}/", role=role)

    def cancel(self, job_id: int, *, role: str = "learner") -> None:
        """Cancel a job, unless it is over."""
        try:
            self.ask("POST", f"jobs/{job_id}/cancel/", role=role)
        except HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise

    def ask(self, method: str, path: str, body: Any = None, *, role: str = "learner") -> Any:
        headers = {"Content-Type": "application/json"}
        if role:
            headers["Authorization"] = f"Token {self._token(role)}"
        content = json.dumps(body).encode() if body is not None else None
        request = Request(f"{self.url}/api/v1/{path}", content, headers, method=method)  # noqa: S310  our own loopback
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def _token(self, role: str) -> str:
        if role not in self._tokens:
            email, password = self.accounts[role]
            answer = self.ask("POST", "auth/token/", {"email": email, "password": password}, role="")
            self._tokens[role] = answer["token"]
        return self._tokens[role]


def start_campus() -> Campus:
    """Start the demo in a folder of its own and wait until it serves."""
    if url := os.environ.get("CAMPUS_BROWSER_URL"):
        return Campus(url, Path(os.environ["CAMPUS_BROWSER_STATE"]))
    state = Path(tempfile.mkdtemp(prefix="campus-browser-"))
    state.chmod(0o711)  # the services' and the sandbox's own users pass through
    foreign = ("CAMPUS_", "PYTEST_", "DJANGO_", "DATABASE_", "REDIS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {"CAMPUS_STATE": str(state), "PORT": "0", "CAMPUS_DIE_WITH_PARENT": "1", "PYTHONUNBUFFERED": "1"}
    environment |= {"CAMPUS_HLS_ORIGINS": STREAM_HOST}
    # No story loses a node. One that kills the web server must not lose its job where that starts again slowly.
    environment |= {"LABS_LEASE_S": "90"}
    process = subprocess.Popen(
        [sys.executable, "-m", "campus.config.demo"], env=environment, cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Campus(_ready_url(process), state, process)


def _ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said, deadline = [], time.monotonic() + START_S
    for line in process.stdout:
        said.append(line)
        if line.startswith("ready "):
            return line.split()[1]
        if time.monotonic() > deadline:
            break
    process.terminate()
    raise AssertionError("the demo did not start:\n" + "".join(said))


def end_campus(campus: Campus) -> None:
    """End what was started, and remove its folder."""
    if campus.process is None:
        return
    campus.process.terminate()
    try:
        campus.process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        campus.process.kill()
        campus.process.communicate()
    shutil.rmtree(campus.state, ignore_errors=True)
