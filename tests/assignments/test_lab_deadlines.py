"""A lab that is handed in is due when the one resolver says so, on every page and in every queue."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campus.core.formats import campus_time
from courses.assignments import authoring, extending
from courses.assignments.api import cohort_overview, lab_progress, my_labs
from courses.assignments.domain.progress import LabState
from courses.assignments.models import Assignment, LabRun
from courses.assignments.sweeping import submit_lab_sweep
from courses.catalog.models import Enrolment
from labs.jobs import api as jobs
from labs.jobs.models import Job

from . import build

FILES = {"main.py": b"print(1)"}


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return build.scene()


def handed_in(scene: build.Scene, due_at: datetime) -> Assignment:
    return authoring.open_assignment(
        module_id=scene.world.module.pk, actor=None, title="실습 과제", kind=Assignment.Kind.LAB, lab=scene.world.lab,
        opens_at=due_at - timedelta(days=7), due_at=due_at,
    )  # fmt: skip


def extend(scene: build.Scene, lab: Assignment, days: int) -> datetime:
    """Give the learner so many days from now."""
    later = timezone.now() + timedelta(days=days)
    extending.extend(assignment=lab, enrolments=[scene.enrolment], due_at=later, reason="출장", actor=scene.instructor)
    return later


def test_pages_say_the_learners_own_deadline(scene: build.Scene, client: Client) -> None:
    later = extend(scene, handed_in(scene, timezone.now() - timedelta(days=1)), days=4)
    client.force_login(scene.learner)

    for name, args in (("assignments:lab", [scene.world.lab.pk]), ("catalog:run", [scene.world.run.slug])):
        assert campus_time(later) in client.get(reverse(name, args=args)).content.decode(), name
    (entry,) = my_labs(scene.learner.pk, timezone.now())
    assert (entry.due_at, entry.progress.state) == (later, LabState.NOT_STARTED)


def test_a_cohorts_board_counts_nobody_as_overdue_who_has_more_time(scene: build.Scene) -> None:
    classmate = scene.another()
    lab = handed_in(scene, timezone.now() - timedelta(days=1))
    now = timezone.now()

    def late() -> dict[int, int]:
        return {row.enrolment_id: row.labs_late for row in cohort_overview(scene.world.cohort, now).rows}

    assert {late()[scene.enrolment.pk], late()[classmate.pk]} == {1}
    extend(scene, lab, days=4)
    assert (late()[scene.enrolment.pk], late()[classmate.pk]) == (0, 1)
    told = lab_progress(cohort_overview(scene.world.cohort, now), [scene.enrolment.pk, classmate.pk], now)
    assert [one.state for (one,) in told.values()] == [LabState.NOT_STARTED, LabState.OVERDUE]


def test_a_cohorts_own_date_is_that_of_all_its_labs_pages(scene: build.Scene) -> None:
    lab = handed_in(scene, timezone.now() - timedelta(days=1))
    later = timezone.now() + timedelta(days=2)
    extending.set_cohort_deadline(
        assignment=lab, cohort=scene.world.cohort, due_at=later, closes_at=None, reason="축제", actor=scene.instructor
    )
    assert [row.labs_late for row in cohort_overview(scene.world.cohort, timezone.now()).rows] == [0]
    assert [one.due_at for one in my_labs(scene.learner.pk, timezone.now())] == [later]


def test_sweeps_and_runs_that_are_made_again_go_by_the_learners_own_deadline(scene: build.Scene) -> None:
    due_at = timezone.now() + timedelta(days=1)
    lab = handed_in(scene, due_at)
    first = scene.world.job()
    assert first.deadline_at == due_at
    Job.objects.filter(pk=first.pk).update(state=Job.State.FAILED, ended_at=timezone.now())
    later = extend(scene, lab, days=4)

    again = jobs.rerun(job_id=first.pk, actor=scene.learner)
    again.refresh_from_db()
    assert again.deadline_at == later
    assert LabRun.objects.filter(job=again, enrolment=scene.enrolment).exists()
    swept, _is_new = submit_lab_sweep(
        lab_id=scene.world.lab.pk, user=scene.learner, files=FILES, asked=jobs.SweepWish({"lr": [1, 2]}), gpus=1,
        gpu_milli=1000, gpu_memory_mib=None, wall_s=60, is_preemptible=False, idempotency_key="sweep",
    )  # fmt: skip
    assert {job.deadline_at for job in Job.objects.filter(sweep=swept)} == {later}
    last = extend(scene, lab, days=6)
    Job.objects.filter(sweep=swept).update(state=Job.State.FAILED, ended_at=timezone.now())
    for fresh in jobs.rerun_failed(sweep_id=swept.pk, actor=scene.learner):
        run = LabRun.objects.select_related("job").get(job=fresh)
        assert (run.lab, run.enrolment, run.job.deadline_at) == (scene.world.lab, scene.enrolment, last)


def test_the_overview_takes_one_query_more_where_labs_are_handed_in(
    scene: build.Scene, django_assert_num_queries: Any
) -> None:
    lab = handed_in(scene, timezone.now() - timedelta(days=1))
    cohort_overview(scene.world.cohort, timezone.now())
    with django_assert_num_queries(5):
        cohort_overview(scene.world.cohort, timezone.now())
    learners = [scene.another() for _ in range(5)]
    extending.extend(
        assignment=lab, enrolments=learners, due_at=timezone.now() + timedelta(days=2), reason="출장",
        actor=scene.instructor,
    )  # fmt: skip
    with django_assert_num_queries(5):
        rows = cohort_overview(scene.world.cohort, timezone.now()).rows
    assert sum(row.labs_late for row in rows) == Enrolment.objects.filter(cohort=scene.world.cohort).count() - 5
