"""What the tests of assignments stand on: the world of tests/access, with an assignment of each kind."""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from campus.people.models import User
from courses.assignments import authoring, submitting
from courses.assignments.domain import reports
from courses.assignments.domain.rubrics import as_json, key_of, parse
from courses.assignments.models import Assignment, GradingRun, Submission, TestSuite
from courses.catalog import api as catalog
from courses.catalog.models import Enrolment
from labs.jobs.models import Artifact, Attempt, Job
from tests import factories
from tests.access import world as worlds

RUBRIC = "Method: missing = 0; partly = 5; sound = 10\nReport: none = 0; clear = 10"
METHOD, REPORT = key_of("Method"), key_of("Report")
VISIBLE = """def test_adds():
    '''Adds two numbers.'''
    from main import add
    assert add(1, 2) == 3, 'one and two'
"""
HIDDEN = "def test_secret_of_zero():\n    from main import add\n    assert add(0, 0) == 0, 'SECRET-WORD'\n"
GOOD = {"main.py": b"def add(a, b):\n    return a + b\n"}
BAD = {"main.py": b"def add(a, b):\n    return a - b\n"}


@dataclass
class Scene:
    """The world, and a file assignment of 40 points: 20 by rubric, 20 by tests, due in three days."""

    world: worlds.World
    assignment: Assignment

    @property
    def learner(self) -> User:
        return self.world.learner

    @property
    def enrolment(self) -> Enrolment:
        return self.world.enrolment

    @property
    def instructor(self) -> User:
        return self.world.people["instructor"]

    def another(self) -> Enrolment:
        """One more learner of the same cohort."""
        return catalog.enrol(cohort_id=self.world.cohort.pk, user=factories.UserFactory(), mode="ONSITE", actor=None)

    def hand_in(self, files: dict[str, bytes] | None = None, user: User | None = None) -> Submission:
        return submitting.submit_work(assignment_id=self.assignment.pk, user=user or self.learner, files=files or GOOD)

    def change(self, **fields: Any) -> None:
        authoring.change_assignment(assignment_id=self.assignment.pk, fields=fields, actor=None)
        self.assignment.refresh_from_db()


def scene(**fields: Any) -> Scene:
    """A fresh scene in an empty database."""
    world = worlds.build()
    wanted: dict[str, Any] = {
        "title": "덧셈", "kind": Assignment.Kind.FILE, "points": Decimal(40), "rubric": as_json(parse(RUBRIC)),
        "due_at": timezone.now() + timedelta(days=3), "late_deduct_pct": Decimal(10),
    }  # fmt: skip
    return Scene(world, authoring.open_assignment(module_id=world.module.pk, actor=None, **(wanted | fields)))


def suite_for(scene: Scene, visible: str = VISIBLE, hidden: str = HIDDEN, **wishes: Any) -> TestSuite:
    """Give the scene's assignment a version of tests."""
    asked: dict[str, Any] = {"environment_id": None, "seed": 7, "wall_s": 60, "gpus": 1}
    return authoring.save_suite(
        assignment_id=scene.assignment.pk, visible=visible, hidden=hidden, actor=None, **(asked | wishes)
    )


def end_job(run: GradingRun, lines: list[dict[str, Any]] | None, node: Any, **ended: Any) -> GradingRun:
    """End a run's job as a node would have: with a signed report of `lines`, or with none."""
    run.refresh_from_db()
    assert run.job is not None
    now = timezone.now()
    attempt = Attempt.objects.create(
        job=run.job, number=1, node=node, state=Attempt.State.ENDED, fence=run.pk, started_at=now, ended_at=now
    )
    if lines is not None:
        body = json.dumps(lines).encode()
        written = reports.signature(run.key, body).encode() + b"\n" + body
        artifact = Artifact(
            attempt=attempt, path="_campus_grading_report.json", size_bytes=len(written), digest="d" * 64,
            is_published=True,
        )  # fmt: skip
        artifact.file.save("report", ContentFile(written), save=True)
    fields = {"state": Job.State.SUCCEEDED, "end_reason": Job.EndReason.COMPLETED, "attempts_made": 1} | ended
    Job.objects.filter(pk=run.job.pk).update(ended_at=now, **fields)
    return run


def notebook(source: str) -> bytes:
    """A notebook whose every part holds `source`."""
    outputs = [{"output_type": "display_data", "data": {"text/html": source, "text/plain": source}}]
    cells = [
        {"cell_type": "markdown", "source": source},
        {"cell_type": "code", "source": source, "outputs": outputs},
        {"cell_type": "raw", "source": source},
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
