"""Tests of submissions on the real campus: Celery worker, node agent, sandbox; honest and hostile programs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from courses.assignments.models import GradingRun, Score
from infra.pool import api as pool
from labs.jobs.models import Artifact, LogChunk
from labs.quota.models import Account
from tests.agent import stand as stands
from tests.agent.conftest import AgentProcess
from tests.agent.processes import until
from tests.factories import PASSWORD

from . import build

pytestmark = [pytest.mark.sandbox, pytest.mark.chaos]

# It looks for hidden tests, for the key and for the grader's memory, and says what it found where its learner reads.
SPY = b"""
import os
# From hexadecimal, so that neither it nor what Python compiles it to holds what it looks for.
WORDS = [bytes.fromhex(word) for word in ("5345435245542d574f5244", "746573745f736563726574", "226b6579223a2022")]
found = []
for folder in (os.getcwd(), "/tmp", "/dev/shm"):
    for root, _folders, names in os.walk(folder):
        for name in names:
            try:
                body = open(os.path.join(root, name), "rb").read(1_000_000)
            except OSError:
                continue
            found += [f"{name}:{word!r}" for word in WORDS if word in body]
parent = os.getppid()
for what in ("mem", "environ", "maps"):
    try:
        with open(f"/proc/{parent}/{what}", "rb") as stream:
            stream.read(1)
            found.append(what)
    except OSError:
        pass
try:
    found += [f"fd {fd}" for fd in os.listdir(f"/proc/{parent}/fd")]
except OSError:
    pass

def add(a, b):
    raise AssertionError("found: " + repr(found))
"""

# It answers for all tests in a report of its own, and takes care that it stays: a folder, a link, a late writer.
FORGER = b"""
import json, os, subprocess, sys
NAME = "_campus_grading_report.json"
FORGED = "0" * 64 + "\\n" + json.dumps([{"name": n, "passed": True} for n in ("test_adds", "test_secret_of_zero")])
open(NAME, "w").write(FORGED)
late = f"import time\\nfor _ in range(200):\\n time.sleep(0.05)\\n open({NAME!r}, 'w').write({FORGED!r})"
subprocess.Popen([sys.executable, "-c", late], start_new_session=True)

def add(a, b):
    return -1
"""


@dataclass
class Stage:
    scene: build.Scene

    def grade(self, main: bytes, **others: bytes) -> GradingRun:
        """Hand in, and wait until it is tested."""
        files = {"main.py": main} | {f"{name}.py": body for name, body in others.items()}
        made = self.scene.hand_in(files)
        until(lambda: GradingRun.objects.get(submission=made).state not in ("WAITING", "QUEUED"), 90)
        return GradingRun.objects.select_related("job__account").get(submission=made)


@pytest.fixture(scope="module")
def stage(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Stage]:
    """Started once: the programs keep their database, so nothing is rolled back between these tests."""
    folder = stands.folder()
    with django_db_blocker.unblock(), stands.database():
        stand, agent = stands.Stand(folder), None
        try:
            scene = build.scene()
            build.suite_for(scene)
            site_id = scene.world.node.site_id
            _node, token = pool.register_node(site_id=site_id, name="test-01", actor=None)
            stand.start_web()
            stand.start_worker()
            redis = {
                "REDIS_URL": os.environ["REDIS_URL"],
                "CAMPUS_KEY_PREFIX": os.environ.get("CAMPUS_KEY_PREFIX", "campus"),
            }
            agent = AgentProcess(folder / "node", stand.url, token=token, **redis)
            until(lambda: "nudges arrive" in agent.said, 30)
            yield Stage(scene)
        finally:
            if agent is not None:
                agent.stop()
                sys.stdout.write(f"--- agent\n{agent.said}\n")
            stand.close()
            sys.stdout.write(stand.logs())
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _unblocked(stage: Stage, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def outcomes(run: GradingRun) -> dict[str, str]:
    return {row[0]: row[4] for row in run.report["outcomes"]}


def messages(run: GradingRun) -> str:
    """What a learner is shown of a run."""
    return " ".join(row[5] for row in run.report["outcomes"] if row[3])


def test_sound_work_gets_its_points_and_the_course_pays(stage: Stage) -> None:
    before = Account.objects.get(pk=stage.scene.enrolment.account_id)
    # Modules of the standard library's names beside it are the learner's own business, not the grader's.
    run = stage.grade(build.GOOD["main.py"], json=b"raise SystemExit('mine')", hmac=b"raise SystemExit('mine')")
    assert run.job is not None
    assert outcomes(run) == {"test_adds": "passed", "test_secret_of_zero": "passed"}, log_of(run)
    assert run.raw == Decimal(20)
    assert Score.objects.get().tested == Decimal(20)
    assert run.job.account_id == stage.scene.world.cohort.account_id
    assert run.job.charged_s > 0
    after = Account.objects.get(pk=stage.scene.enrolment.account_id)
    assert (after.used_s, after.held_s) == (before.used_s, before.held_s)


def log_of(run: GradingRun) -> str:
    chunks = LogChunk.objects.filter(attempt__job_id=run.job_id).order_by("start")
    return b"".join(bytes(chunk.content) for chunk in chunks).decode("utf-8", "replace")


def test_a_program_finds_no_hidden_test_no_key_and_no_memory_of_the_grader(stage: Stage) -> None:
    run = stage.grade(SPY)
    assert messages(run) == "found: []", log_of(run)


def test_a_forged_report_is_worth_nothing(stage: Stage) -> None:
    run = stage.grade(FORGER)
    assert run.raw == 0, log_of(run)


def test_a_program_that_hangs_is_ended_and_the_other_tests_still_run(stage: Stage) -> None:
    build.suite_for(stage.scene, wall_s=20)
    hangs = b"import sys, time\ndef add(a, b):\n    if a == 1:\n        time.sleep(600)\n    return a + b\n"
    run = stage.grade(hangs)
    assert outcomes(run) == {"test_adds": "silent", "test_secret_of_zero": "passed"}, log_of(run)


def test_no_learner_reaches_a_test_run_its_log_or_its_files(stage: Stage) -> None:
    run = GradingRun.objects.filter(state="DONE", job__isnull=False).latest("pk")
    artifact = Artifact.objects.filter(attempt__job_id=run.job_id).latest("pk")
    people = stage.scene.world.people
    addresses = [
        f"/jobs/{run.job_id}/", f"/jobs/{run.job_id}/log/", f"/jobs/{run.job_id}/artifacts/{artifact.pk}/",
        f"/api/v1/jobs/{run.job_id}/", f"/api/v1/jobs/{run.job_id}/log/", f"/api/v1/jobs/{run.job_id}/artifacts/",
    ]  # fmt: skip
    for name, wanted in (("learner", {404}), ("classmate", {404}), ("instructor", {200})):
        client = Client()
        assert client.login(username=people[name].email, password=PASSWORD)
        assert {client.get(address).status_code for address in addresses} == wanted, name
    learner = Client()
    assert learner.login(username=stage.scene.learner.email, password=PASSWORD)
    for address in (f"/submissions/{run.submission_id}/", f"/assignments/{stage.scene.assignment.pk}/"):
        page = learner.get(address).content.decode()
        assert "secret" not in page.lower()
