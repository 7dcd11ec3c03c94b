"""Scores, their history, tests as jobs, regrades, publishing: rules of the services, with real rows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.core.models import Notice
from courses.assignments import api, extending, publishing, regrading, scores
from courses.assignments.models import AttemptReturn, GradingRun, Score, ScoreChange, Submission
from courses.assignments.scores import Grading, save_score
from courses.assignments.testing import runs
from courses.catalog.models import Enrolment
from labs.jobs.models import Job
from labs.jobs.services.submit import rerun

from . import build

D = Decimal
FULL = {build.METHOD: D(10), build.REPORT: D(10)}
ADDS, SECRET = "test_adds", "test_secret_of_zero"


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return build.scene()


def grade(scene: build.Scene, version: int = 0, learner: Enrolment | None = None, **said: Any) -> Score:
    grading = Grading(**({"picks": FULL} | said))
    return save_score(
        assignment=scene.assignment, enrolment=learner or scene.enrolment, version=version, grading=grading,
        actor=scene.instructor,
    )  # fmt: skip


def lines(**passed: bool) -> list[dict[str, Any]]:
    return [{"name": name, "passed": is_passed, "message": "SECRET-WORD"} for name, is_passed in passed.items()]


def run_of(submission: Submission) -> GradingRun:
    return GradingRun.objects.get(submission=submission, batch=None)


def test_a_score_adds_up_and_its_history_keeps_every_version(scene: build.Scene) -> None:
    scene.hand_in()
    first = grade(scene)
    second = grade(scene, version=1, given=D("12.5"), comment="다시 보세요")
    assert (first.raw, second.raw, second.adjusted) == (D(20), D("12.5"), D("12.5"))
    assert list(ScoreChange.objects.values_list("version", "raw")) == [(1, D(20)), (2, D("12.5"))]


def test_the_slower_of_two_graders_is_told_what_the_faster_saved(scene: build.Scene) -> None:
    scene.hand_in()
    grade(scene, comment="첫째")
    with pytest.raises(Conflict) as raised:
        grade(scene, version=0, given=D(3))
    assert raised.value.code == "score_changed"
    assert raised.value.facts["comment"] == "첫째"
    assert Score.objects.get().raw == D(20)


def test_lateness_is_judged_anew_when_the_deadline_moves(scene: build.Scene) -> None:
    scene.change(due_at=timezone.now() - timedelta(hours=30))
    scene.hand_in()
    late = grade(scene)
    assert (late.raw, late.late_deduction, late.adjusted) == (D(20), D("8.00"), D("12.00"))
    extending.extend(
        assignment=scene.assignment, enrolments=[scene.enrolment], due_at=timezone.now(), reason="정전",
        actor=scene.instructor,
    )  # fmt: skip
    after = Score.objects.get()
    assert (after.adjusted, after.version) == (D(20), 2)
    assert Notice.objects.get(kind="assignments.extended").recipient == scene.learner


def test_publishing_tells_each_learner_once_a_day_however_many_grades(scene: build.Scene) -> None:
    scene.hand_in()
    grade(scene)
    ids = [scene.enrolment.pk]
    assert publishing.publish_scores(assignment=scene.assignment, enrolment_ids=ids, actor=scene.instructor) == 1
    assert publishing.publish_scores(assignment=scene.assignment, enrolment_ids=ids, actor=scene.instructor) == 0
    publishing.tell_graded(scene.assignment, [scene.learner.pk])
    assert Notice.objects.filter(kind="assignments.graded").count() == 1


def test_the_gradebook_reads_missing_excused_pending_and_graded_apart(
    scene: build.Scene, django_assert_max_num_queries: Any
) -> None:
    learners = [scene.enrolment, *(scene.another() for _ in range(3))]
    scene.change(due_at=timezone.now() - timedelta(hours=1))
    for learner in learners[:2]:
        scene.hand_in(user=learner.user)
    grade(scene)
    scores.excuse(assignment=scene.assignment, enrolment=learners[2], version=0, reason="면제", actor=scene.instructor)
    with django_assert_max_num_queries(6):
        found = {one.enrolment_id: one for one in api.results_of(scene.world.run.pk)}
    assert [found[one.pk].state for one in learners] == ["GRADED", "PENDING", "EXCUSED", "MISSING"]
    assert [found[one.pk].is_published for one in learners] == [False, True, True, True]
    assert found[learners[0].pk].points == D(16)


def test_tests_run_on_the_cohorts_account_in_nobodys_name(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    build.suite_for(scene)
    before = scene.enrolment.account.held_s
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    job = run_of(made).job
    assert job is not None
    assert (job.purpose, job.account_id) == (Job.Purpose.GRADING, scene.world.cohort.account_id)
    assert not job.owner.is_active
    scene.enrolment.account.refresh_from_db()
    assert scene.enrolment.account.held_s == before


def test_points_come_from_the_report_and_only_once(scene: build.Scene, django_capture_on_commit_callbacks: Any) -> None:
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    run = build.end_job(run_of(made), lines(**{ADDS: True, SECRET: False}), scene.world.node)
    assert runs.finish_run(run_id=run.pk)
    assert not runs.finish_run(run_id=run.pk)
    score = Score.objects.get()
    assert (score.tested, score.raw, score.state) == (D(10), None, "DRAFT")
    assert grade(scene, version=score.version).raw == D(30)


def test_a_report_in_a_run_that_was_forged_gives_nothing(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    run = run_of(made)
    GradingRun.objects.filter(pk=run.pk).update(key="0" * 64)
    forged = build.end_job(run_of(made), lines(**{ADDS: True, SECRET: True}), scene.world.node)
    GradingRun.objects.filter(pk=run.pk).update(key=run.key)
    runs.finish_run(run_id=forged.pk)
    assert Score.objects.get().tested == 0


@pytest.mark.parametrize("reason", [Job.EndReason.PLATFORM, Job.EndReason.ENVIRONMENT, Job.EndReason.CANCELLED])
def test_a_fault_of_the_platform_gives_the_attempt_back(
    scene: build.Scene, reason: str, django_capture_on_commit_callbacks: Any
) -> None:
    scene.change(attempts_allowed=1)
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    run = build.end_job(run_of(made), None, scene.world.node, state=Job.State.FAILED, end_reason=reason)
    assert runs.finish_run(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.raw) == (GradingRun.State.PLATFORM, None)
    assert AttemptReturn.objects.get().submission == made
    assert not Score.objects.exists()
    assert scene.hand_in().number == 2


def test_what_the_platform_failed_is_tested_again_a_few_times_though_the_assignment_closed(scene: build.Scene) -> None:
    build.suite_for(scene)
    made = scene.hand_in()
    scene.change(due_at=made.submitted_at, closes_at=made.submitted_at)
    for number in (1, 2):
        runs.reconcile_runs()
        assert GradingRun.objects.count() == number
        fields = {"state": Job.State.FAILED, "end_reason": Job.EndReason.PLATFORM}
        build.end_job(GradingRun.objects.get(state=GradingRun.State.QUEUED), None, scene.world.node, **fields)
    runs.reconcile_runs()
    third = GradingRun.objects.get(state=GradingRun.State.QUEUED)
    build.end_job(third, [{"name": "test_adds", "passed": True}], scene.world.node)
    runs.reconcile_runs()
    assert Score.objects.get().tested == 10
    assert not GradingRun.objects.filter(state__in=[GradingRun.State.WAITING, GradingRun.State.QUEUED]).exists()


def test_nothing_is_tested_again_for_ever_or_where_somebody_ended_it(scene: build.Scene) -> None:
    build.suite_for(scene)
    scene.hand_in()
    for _try in range(runs.MOST_TRIES):
        runs.reconcile_runs()
        fields = {"state": Job.State.FAILED, "end_reason": Job.EndReason.PLATFORM}
        build.end_job(GradingRun.objects.get(state=GradingRun.State.QUEUED), None, scene.world.node, **fields)
    runs.reconcile_runs()
    assert [one.state for one in GradingRun.objects.all()] == [GradingRun.State.PLATFORM] * runs.MOST_TRIES
    scene.hand_in(build.BAD)
    runs.reconcile_runs()
    ended = GradingRun.objects.get(state=GradingRun.State.QUEUED)
    build.end_job(ended, None, scene.world.node, state=Job.State.CANCELLED, end_reason=Job.EndReason.CANCELLED)
    runs.reconcile_runs()
    assert GradingRun.objects.count() == runs.MOST_TRIES + 1


def test_the_learners_own_failure_is_an_attempt_and_worth_nothing(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    build.end_job(run_of(made), None, scene.world.node, state=Job.State.TIMED_OUT, end_reason=Job.EndReason.WALL_LIMIT)
    runs.reconcile_runs()
    assert Score.objects.get().tested == 0
    assert not AttemptReturn.objects.exists()


def test_a_run_waits_while_the_cohort_has_no_gpu_time(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    build.suite_for(scene, wall_s=24 * 3600)
    account = scene.world.cohort.account
    type(account).objects.filter(pk=account.pk).update(used_s=account.allocated_s)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    assert run_of(made).state == GradingRun.State.WAITING
    assert run_of(made).why
    type(account).objects.filter(pk=account.pk).update(used_s=0)
    assert runs.reconcile_runs() == 1
    assert run_of(made).state == GradingRun.State.QUEUED


def regraded(scene: build.Scene, **passed: bool) -> Any:
    """A published score of 20 + 10, and a regrade of it whose tests have ended as `passed` says."""
    build.suite_for(scene)
    made = scene.hand_in()
    runs.reconcile_runs()
    runs.finish_run(run_id=build.end_job(run_of(made), lines(**{ADDS: True, SECRET: False}), scene.world.node).pk)
    grade(scene, version=1)
    publishing.publish_scores(assignment=scene.assignment, enrolment_ids=[scene.enrolment.pk], actor=None)
    batch = regrading.start_regrade(assignment=scene.assignment, reason="시험 수정", actor=scene.instructor)
    with pytest.raises(Conflict):
        regrading.publish_regrade(batch_id=batch.pk, actor=scene.instructor)
    runs.reconcile_runs()
    run = build.end_job(batch.runs.get(), lines(**passed), scene.world.node)
    runs.finish_run(run_id=run.pk)
    return batch


def test_a_regrade_changes_nothing_until_it_is_published(scene: build.Scene) -> None:
    batch = regraded(scene, **{ADDS: True, SECRET: True})
    score = Score.objects.get()
    assert (score.tested, score.adjusted) == (D(10), D(30))
    found = regrading.diff_of(batch)
    assert [(row.before, row.after) for row in found.changed] == [(D(10), D(20))]
    assert regrading.publish_regrade(batch_id=batch.pk, actor=scene.instructor) == 1
    score.refresh_from_db()
    assert (score.tested, score.adjusted, score.state) == (D(20), D(40), "PUBLISHED")
    assert ScoreChange.objects.order_by("-version")[0].reason == "시험 수정"
    with pytest.raises(Conflict):
        regrading.publish_regrade(batch_id=batch.pk, actor=scene.instructor)


def test_a_discarded_regrade_leaves_every_grade(scene: build.Scene) -> None:
    batch = regraded(scene, **{ADDS: False, SECRET: False})
    regrading.discard_regrade(batch_id=batch.pk, actor=scene.instructor)
    assert Score.objects.get().adjusted == D(30)
    assert regrading.start_regrade(assignment=scene.assignment, reason="다시", actor=None).pk != batch.pk


def test_a_grader_after_a_regrade_sees_its_points(scene: build.Scene) -> None:
    batch = regraded(scene, **{ADDS: True, SECRET: True})
    regrading.publish_regrade(batch_id=batch.pk, actor=scene.instructor)
    score = Score.objects.get()
    assert grade(scene, version=score.version, comment="새로").raw == D(40)


def test_a_published_score_is_not_touched_by_newer_work_until_a_person_grades_it(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    scene.hand_in()
    grade(scene)
    publishing.publish_scores(assignment=scene.assignment, enrolment_ids=[scene.enrolment.pk], actor=None)
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        newer = scene.hand_in(build.BAD)
    runs.finish_run(run_id=build.end_job(run_of(newer), lines(**{ADDS: False}), scene.world.node).pk)
    assert Score.objects.get().adjusted == D(20)


def test_reasons_are_asked_for(scene: build.Scene) -> None:
    with pytest.raises(InvalidInput):
        scores.excuse(assignment=scene.assignment, enrolment=scene.enrolment, version=0, reason=" ", actor=None)
    with pytest.raises(InvalidInput):
        extending.accommodate(enrolment=scene.enrolment, factor_pct=150, reason="", actor=scene.instructor)


def test_nobody_reruns_a_test_run_as_their_own(scene: build.Scene, django_capture_on_commit_callbacks: Any) -> None:
    build.suite_for(scene)
    with django_capture_on_commit_callbacks(execute=True):
        made = scene.hand_in()
    for person in (scene.learner, scene.instructor):
        with pytest.raises(NotFound):
            rerun(job_id=run_of(made).job_id or 0, actor=person)


def test_a_regrades_page_gives_what_changes_alone(scene: build.Scene) -> None:
    build.suite_for(scene)
    scene.hand_in()
    batch = regrading.start_regrade(
        assignment=scene.assignment, cohort_id=scene.world.cohort.pk, reason="수정", actor=scene.instructor
    )
    client, address = Client(), reverse("assignments:regrade", args=[scene.assignment.pk, batch.pk])
    client.force_login(scene.instructor)
    whole, part = (client.get(address + query).content.decode() for query in ("", "?part=live"))
    assert 'data-regrade="on"' in whole
    assert "<html" not in part
    assert part.count("data-part=") == 2
    assert "disabled" in part
