"""Handing in: immutable versions, receipts, attempts, deadlines, late days."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from campus.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from campus.core.models import Notice
from courses.assignments import api, authoring, extending, submitting
from courses.assignments.domain.deadlines import Rule
from courses.assignments.models import Assignment, AttemptReturn, LabRun, Submission
from courses.assignments.reminding import remind
from labs.jobs.models import Job

from . import build


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return build.scene()


def code_of(call: Any) -> str:
    with pytest.raises(Conflict) as raised:
        call()
    return raised.value.code


def test_versions_are_kept_and_numbered(scene: build.Scene) -> None:
    first, second = scene.hand_in(build.BAD), scene.hand_in(build.GOOD)
    assert [first.number, second.number] == [1, 2]
    assert first.digest != second.digest
    assert len(second.digest) == 64
    assert second.due_at == scene.assignment.due_at


@pytest.mark.parametrize("act", ["update", "delete"])
def test_a_version_cannot_be_changed_or_deleted(scene: build.Scene, act: str) -> None:
    made = scene.hand_in()
    rows = Submission.objects.filter(pk=made.pk)
    with pytest.raises(DatabaseError, match="submission_is_append_only"), transaction.atomic():
        rows.update(number=F("number") + 1) if act == "update" else rows._raw_delete(rows.db)


def test_the_same_files_again_are_no_attempt(scene: build.Scene) -> None:
    scene.hand_in()
    assert code_of(scene.hand_in) == "same_files"
    assert Submission.objects.count() == 1


def test_a_receipt_holds_for_these_bytes_at_this_moment_alone(scene: build.Scene) -> None:
    made = scene.hand_in()
    code = submitting.receipt_of(made)
    assert submitting.receipt_of(Submission.objects.get(pk=made.pk)) == code
    made.submitted_at += timedelta(microseconds=1)
    assert submitting.receipt_of(made) != code


def test_attempts_end_and_come_back_when_the_platform_failed(scene: build.Scene) -> None:
    scene.change(attempts_allowed=1)
    made = scene.hand_in(build.BAD)
    assert code_of(scene.hand_in) == "no_attempts_left"
    AttemptReturn.objects.create(submission=made, reason="platform")
    assert scene.hand_in(build.BAD).number == 2


def test_work_comes_neither_before_it_opens_nor_after_it_closes(scene: build.Scene) -> None:
    now = timezone.now()
    scene.change(opens_at=now + timedelta(hours=1))
    assert code_of(scene.hand_in) == "not_open"
    scene.change(opens_at=now - timedelta(days=9), due_at=now - timedelta(days=2), closes_at=now - timedelta(days=1))
    assert code_of(scene.hand_in) == "closed"
    extending.extend(
        assignment=scene.assignment, enrolments=[scene.enrolment], due_at=now + timedelta(hours=1), reason="병원",
        actor=scene.instructor,
    )  # fmt: skip
    assert scene.hand_in().number == 1


def test_a_late_day_comes_out_of_the_bank_until_it_is_empty(scene: build.Scene) -> None:
    authoring.set_late_days(run_id=scene.world.run.pk, days=1, actor=None)
    before = scene.assignment.due_at
    submitting.take_late_day(assignment_id=scene.assignment.pk, user=scene.learner)
    deadline = api.deadline_for(scene.assignment, scene.enrolment)
    assert before is not None
    assert (deadline.due_at, deadline.rule) == (before + timedelta(days=1), Rule.LATE_DAY)
    take = lambda: submitting.take_late_day(assignment_id=scene.assignment.pk, user=scene.learner)  # noqa: E731
    assert code_of(take) == "no_late_days"


def test_strangers_staff_and_hidden_work(scene: build.Scene) -> None:
    with pytest.raises(NotFound):
        scene.hand_in(user=scene.world.people["stranger"])
    with pytest.raises(NotAllowed):
        scene.hand_in(user=scene.instructor)
    scene.change(is_published=False)
    with pytest.raises(NotFound):
        scene.hand_in()


@pytest.mark.parametrize(
    ("kind", "files", "field"),
    [
        ("TEXT", {"answer.md": b"  \n"}, "text"),
        ("NOTEBOOK", {"a.py": b"1"}, "upload"),
        ("NOTEBOOK", {"a.ipynb": b"{}"}, "upload"),
        ("FILE", {"../up.py": b"1"}, "files"),
        ("FILE", {}, "files"),
        ("FILE", {"big.bin": b"0" * (4 * 1024 * 1024 + 1)}, "files"),
    ],
)
def test_what_is_no_work_of_its_kind_is_refused(scene: build.Scene, kind: str, files: Any, field: str) -> None:
    scene.change(kind=kind)
    with pytest.raises(InvalidInput) as raised:
        submitting.submit_work(assignment_id=scene.assignment.pk, user=scene.learner, files=files)
    assert [*raised.value.fields] == [field]


def test_a_lab_is_handed_in_as_one_of_the_learners_own_runs_that_ended(scene: build.Scene) -> None:
    world = scene.world
    lab = authoring.open_assignment(
        module_id=world.module.pk, actor=None, title="실습 과제", kind=Assignment.Kind.LAB, lab=world.lab,
        due_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    world.lab.refresh_from_db()
    assert world.lab.due_at == lab.due_at
    job = world.job()

    def hand_in(job_id: int) -> Submission:
        return submitting.submit_work(assignment_id=lab.pk, user=scene.learner, job_id=job_id)

    with pytest.raises(InvalidInput):
        hand_in(job.pk)
    Job.objects.filter(pk=job.pk).update(state=Job.State.SUCCEEDED, ended_at=timezone.now())
    other = scene.another()
    LabRun.objects.filter(job=job).update(enrolment=other)
    with pytest.raises(InvalidInput):
        hand_in(job.pk)
    LabRun.objects.filter(job=job).update(enrolment=scene.enrolment)
    assert hand_in(job.pk).job_id == job.pk


def test_deadlines_of_many_take_one_query(scene: build.Scene, django_assert_num_queries: Any) -> None:
    learners = [scene.enrolment, *(scene.another() for _ in range(3))]
    extending.accommodate(enrolment=learners[0], factor_pct=150, reason="합의", actor=scene.instructor)
    with django_assert_num_queries(1):
        found = api.deadlines_of([scene.assignment], learners)
    assert [found[scene.assignment.pk, one.pk].rule for one in learners[:2]] == [Rule.ACCOMMODATION, Rule.COURSE]
    assert connection.in_atomic_block


def test_a_reminder_follows_the_learners_own_deadline_and_comes_once(scene: build.Scene) -> None:
    done, extended = scene.another(), scene.another()
    scene.change(due_at=timezone.now() + timedelta(hours=20))
    scene.hand_in(user=done.user)
    later = timezone.now() + timedelta(days=5)
    extending.extend(
        assignment=scene.assignment, enrolments=[extended], due_at=later, reason="출장", actor=scene.instructor
    )
    remind()
    remind()
    told = list(Notice.objects.filter(kind="assignments.due").values_list("recipient_id", flat=True))
    classmate = scene.world.people["classmate"].pk
    assert sorted(told) == sorted([scene.learner.pk, classmate])


def test_the_scheduler_is_told_the_learners_own_deadline(scene: build.Scene) -> None:
    world = scene.world
    lab = authoring.open_assignment(
        module_id=world.module.pk, actor=None, title="실습", kind=Assignment.Kind.LAB, lab=world.lab,
        due_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    assert world.job().deadline_at == lab.due_at
    later = timezone.now() + timedelta(days=4)
    extending.extend(assignment=lab, enrolments=[scene.enrolment], due_at=later, reason="출장", actor=scene.instructor)
    assert world.job().deadline_at == later
