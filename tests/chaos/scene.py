"""The seeded world of a chaos campus, the learner's HTTP client, and programs that bear witness of their own runs."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections, transaction
from knox.models import get_token_model

from campus.people.models import User
from infra.executors.local import cgroups, kernel
from infra.pool import api as pool
from infra.pool.models import Node, Site
from labs.jobs.models import Attempt, Job, LogChunk
from tests import factories

from .stand import NODES, Campus, until

# Writes each line twice, unbuffered: to its output and to a file, so that the log can be held against what it said.
_WITNESS = """\
import os, time
said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def say(words):
    line = f"{words} {time.clock_gettime(time.CLOCK_BOOTTIME):.6f}\\n".encode()
    os.write(said, line)
    os.write(1, line)
say("begins")
for beat in range(BEATS):
    time.sleep(PAUSE_S)
    say(f"박자 {beat:04}")
say("ends")
"""


def witness(beats: int, pause_s: float) -> str:
    """A program that says when it begins, each beat and when it ends, by the clock that all runs of a machine share."""
    return f"BEATS, PAUSE_S = {beats}, {pause_s}\n{_WITNESS}"


def times_of(said: bytes) -> list[float]:
    """When each line was said. A last line that was cut off by a kill is left out."""
    whole = said[: said.rfind(b"\n") + 1]
    return [float(line.rsplit(b" ", 1)[1]) for line in whole.splitlines()]


@dataclass
class Answer:
    status: int
    body: Any


class Browser:
    """The learner's REST client, which has a token, and the cookie of a session for websockets."""

    def __init__(self, port: int, user: User) -> None:
        self._port = port
        self._token = get_token_model().objects.create(user=user)[1]
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        self.cookie = f"sessionid={session.session_key}"

    def ask(self, method: str, path: str, body: Any = None, *, within_s: float = 60.0) -> Answer:
        """One request. Raises OSError or HTTPException where the campus is away."""
        client = HTTPConnection("127.0.0.1", self._port, timeout=within_s)
        try:
            headers = {"Authorization": f"Token {self._token}", "Content-Type": "application/json"}
            content = json.dumps(body) if body is not None else None
            client.request(method, f"/api/v1/{path}", content, headers)
            response = client.getresponse()
            text = response.read()
            is_json = "json" in (response.headers.get("Content-Type") or "")
            return Answer(response.status, json.loads(text) if is_json else text)
        finally:
            client.close()

    def page(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """A page or download as the learner's browser gets it: status, headers by their small names, content."""
        client = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            client.request("GET", path, headers={"Cookie": f"{self.cookie}; campus_language=en"})
            response = client.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            client.close()

    def is_answered(self, method: str, path: str, status: int) -> bool:
        """Whether the campus is there and gives this status."""
        try:
            return self.ask(method, path, within_s=15).status == status
        except (OSError, HTTPException):
            return False


class Scene:
    """The campus with one learner's cohort, and words for what the tests do."""

    def __init__(self, campus: Campus) -> None:
        self.campus = campus
        with transaction.atomic():
            self._seed()
        self._marks = 0
        self._base = f"chaos{os.getpid()}"

    def _seed(self) -> None:
        factories.platform_account()
        homes = [factories.campus(), factories.campus("jeonbuk", "전북", "Jeonbuk")]
        accounts = [
            factories.account("CAMPUS", factories.platform_account(), home.scope, 400 * factories.HOUR)
            for home in homes
        ]
        cohort = factories.account(
            "COHORT", accounts[0], factories.cohort_scope(homes[0]), 300 * factories.HOUR
        )  # fmt: skip
        self.learner = factories.UserFactory()
        self.account = factories.learner_account(cohort, self.learner, 200 * factories.HOUR)
        self.operator = factories.staff("PLATFORM_ADMIN", factories.platform_scope())
        self.nodes = {}
        for home, name in zip(homes, NODES, strict=True):
            site = Site.objects.create(slug=home.slug, name_ko=home.name_ko, campus=home)
            node, self.campus.tokens[name] = pool.register_node(site_id=site.pk, name=name, actor=self.operator)
            self.nodes[name] = node.pk
        # Ids that no other test's runs on this machine have, so that a control group left behind is ours.
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER SEQUENCE jobs_attempt_id_seq RESTART {Random().randrange(10**8, 10**9)}")
        self.learners = Browser(self.campus.port, self.learner)

    # --- doing

    def request(self, beats: int = 40, pause_s: float = 0.05, **wishes: Any) -> dict[str, Any]:
        """A submission whose program has a name of its own, by which its processes are found."""
        self._marks += 1
        name = f"{self._base}_{self._marks}.py"
        asked = {"files": {name: witness(beats, pause_s)}, "entrypoint": name, "gpus": 1, "wall_s": 60}
        return {**asked, "idempotency_key": name, **wishes}

    def submit(self, beats: int = 40, pause_s: float = 0.05, **wishes: Any) -> Job:
        answer = self.learners.ask("POST", "jobs/", self.request(beats, pause_s, **wishes))
        assert answer.status == 201, answer
        return Job.objects.get(pk=answer.body["id"])

    def until_talking(self, job: Job) -> Attempt:
        until(lambda: self.talking(job), 60, what=f"{job} to print")
        return Attempt.objects.select_related("node").get(job=job, state="RUNNING")

    def talking(self, job: Job) -> bool:
        return LogChunk.objects.filter(attempt__job=job, attempt__state="RUNNING").exists()

    def until_over(self, job: Job, within_s: float = 60.0) -> Job:
        until(lambda: not Job.objects.get(pk=job.pk).is_open, within_s, what=f"{job} to end")
        return Job.objects.get(pk=job.pk)

    def run(self, source: str, **wishes: Any) -> Job:
        """Submit another program than a witness."""
        wish = self.request(**wishes)
        answer = self.learners.ask("POST", "jobs/", wish | {"files": {wish["entrypoint"]: source}})
        assert answer.status == 201, answer
        return Job.objects.get(pk=answer.body["id"])

    def until_nodes_are_up(self) -> None:
        until(lambda: Node.objects.filter(state="UP").count() == len(NODES), 60, what="both nodes to be up")

    def until_quiet(self, within_s: float = 90.0) -> None:
        """No job is open any more."""
        until(lambda: not Job.objects.filter(state__in=Job.OPEN_STATES).exists(), within_s, what="all jobs to end")

    def kill_agent_of(self, attempt: Attempt) -> str:
        name = f"agent-{attempt.node.name}"
        self.campus.kill(name)
        return name

    # --- looking

    def processes_of(self, job: Job) -> list[psutil.Process]:
        """The job's own Python processes, outermost first; the sandbox around them left out."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                words = process.cmdline()
                if words[-1:] == [job.entrypoint] and "python" in words[0] and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def leftovers(self) -> list[str]:
        """What of any job is still on this machine: processes that name it, and control groups of our agents.

        A runner that waits for the next job has a group, one an agent. All of an agent's are named if there are more,
        and those whose runner is dead.
        """
        left = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if any(self._base in word for word in process.cmdline()):
                    left.append(str(process))
        for name in NODES:
            label = cgroups.label_of(self.campus.executor_root(name))
            paths = glob.glob(f"/sys/fs/cgroup/**/{cgroups.PREFIX}*.{label}", recursive=True)
            groups = {Path(path).name for path in paths}
            left += [group for group in groups if len(groups) > 1 or not _has_runner(group)]
        return left


def _has_runner(group: str) -> bool:
    pid, ticks, _label = group.removeprefix(cgroups.PREFIX).split(".")
    return str(kernel.start_ticks(int(pid))) == ticks


@contextmanager
def looking_at(campus: Campus) -> Iterator[None]:
    """Have this process's ORM read the campus's own database meanwhile, and not the tests'."""
    before = connections["default"]
    parts = urlsplit(campus.postgres.url())
    where = {"NAME": parts.path[1:], "USER": parts.username, "PASSWORD": "", "PORT": ""}
    where["HOST"] = parse_qs(parts.query)["host"][0]
    fresh = type(before)({**before.settings_dict, **where}, "default")
    connections["default"] = fresh
    try:
        yield
    finally:
        fresh.close()
        connections["default"] = before
