"""Time offered after an outage: found from what jobs really went through, granted once, followed by everything."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from campus.core.errors import Conflict, InvalidInput
from campus.core.models import AuditEntry, Notice
from courses.assignments import authoring, extending, offering, submitting
from courses.assignments.api import deadline_for, rule_words
from courses.assignments.deadlines import outage_facts
from courses.assignments.models import Assignment, DeadlineChange, LabRun, OutageEvidence, OutageOffer, OutagePolicy
from courses.catalog.models import Enrolment
from labs.jobs.models import Attempt, Job
from tests import factories

from . import build
from .test_races import together

HOUR = timedelta(hours=1)
State = OutageOffer.State


def lab_scene(due_in: timedelta = timedelta(hours=6)) -> build.Scene:
    """A lab that is handed in, due in six hours."""
    scene = build.scene()
    made = authoring.open_assignment(
        module_id=scene.world.module.pk, actor=None, title="실습 제출", kind=Assignment.Kind.LAB, lab=scene.world.lab,
        due_at=timezone.now() + due_in,
    )  # fmt: skip
    return build.Scene(scene.world, made)


def run_of(scene: build.Scene, enrolment: Enrolment, **fields: Any) -> Job:
    """A run of the lab as it stands in the tables, submitted three hours ago."""
    like = Job.objects.filter(lab_run__isnull=False).first() or scene.world.job()
    now = timezone.now()
    values: dict[str, Any] = {
        "owner": enrolment.user, "account": enrolment.account, "title": "실습", "environment": like.environment,
        "source": like.source, "wall_s": 600, "state": Job.State.SUCCEEDED, "end_reason": Job.EndReason.COMPLETED,
        "submitted_at": now - 3 * HOUR, "ended_at": now - timedelta(minutes=5), "attempts_made": 1,
    }  # fmt: skip
    job = Job.objects.create(**(values | fields))
    LabRun.objects.create(lab=scene.world.lab, enrolment=enrolment, job=job)
    return job


def attempt_of(scene: build.Scene, job: Job, number: int, from_h: float, until_h: float, outcome: str) -> Attempt:
    """An attempt between so many hours ago."""
    now = timezone.now()
    return Attempt.objects.create(
        job=job, number=number, node=scene.world.node, fence=job.pk * 10 + number, state=Attempt.State.ENDED,
        outcome=outcome, assigned_at=now - from_h * HOUR, started_at=now - from_h * HOUR, ended_at=now - until_h * HOUR,
    )  # fmt: skip


def lost_run(scene: build.Scene, enrolment: Enrolment) -> Job:
    """Lost at once, run again two and a half hours later: 2.9 h ago until 0.4 h ago."""
    job = run_of(scene, enrolment, attempts_made=2)
    attempt_of(scene, job, 1, 2.9, 2.8, Attempt.Outcome.LOST)
    attempt_of(scene, job, 2, 0.4, 0.1, Attempt.Outcome.SETTLED)
    return job


def waited_run(scene: build.Scene, enrolment: Enrolment, **fields: Any) -> Job:
    """It waited from three hours ago until a little more than an hour ago."""
    job = run_of(scene, enrolment, **fields)
    attempt_of(scene, job, 1, 1.1, 0.5, Attempt.Outcome.SETTLED)
    return job


@pytest.fixture
def scene(db: Any) -> build.Scene:
    return lab_scene()


def find(scene: build.Scene) -> int:
    return offering.find_offers(assignment_id=scene.assignment.pk)


def grant(scene: build.Scene) -> list[OutageOffer]:
    ids = list(OutageOffer.objects.values_list("pk", flat=True))
    return offering.grant_offers(assignment=scene.assignment, offer_ids=ids, actor=scene.instructor)


def test_lost_runs_and_long_waits_are_offered_with_their_evidence(scene: build.Scene) -> None:
    lost, waited = scene.enrolment, scene.another()
    scene.another()  # whom nothing touched
    lost_job, waited_job = lost_run(scene, lost), waited_run(scene, waited)
    assert find(scene) == 2
    assert find(scene) == 0, "looking again says nothing new"
    offers = {one.enrolment_id: one for one in OutageOffer.objects.all()}
    assert {pk: one.hours for pk, one in offers.items()} == {lost.pk: 3, waited.pk: 2}
    rows = {(one.job_id, one.attempt, one.node) for one in OutageEvidence.objects.all()}
    assert rows == {(lost_job.pk, 1, scene.world.node.name), (waited_job.pk, None, "")}
    notice = Notice.objects.get(kind="assignments.offers", recipient=scene.instructor)
    assert notice.facts["learners"] == 2


def test_time_that_the_learners_own_cap_took_is_not_offered(scene: build.Scene) -> None:
    waited_run(scene, scene.enrolment, held_back_s=2 * 3600 - 60)
    assert find(scene) == 0


def test_a_grant_moves_the_deadline_once_and_says_why_in_the_readers_words(
    scene: build.Scene, django_capture_on_commit_callbacks: Any
) -> None:
    lost_run(scene, scene.enrolment)
    due_at = scene.assignment.due_at
    open_run = run_of(
        scene, scene.enrolment, state=Job.State.QUEUED, end_reason="", ended_at=None, deadline_at=due_at,
        submitted_at=timezone.now(), attempts_made=0,
    )  # fmt: skip
    find(scene)
    assert len(grant(scene)) == 1
    deadline = deadline_for(scene.assignment, scene.enrolment)
    assert due_at is not None
    assert deadline.due_at == due_at + 3 * HOUR
    with translation.override("en"):
        assert rule_words(deadline).startswith("Extended by 3 hours because the GPU pool was down or crowded from ")
    open_run.refresh_from_db()
    assert open_run.deadline_at == deadline.due_at, "the scheduler goes by it"
    assert Notice.objects.filter(kind="assignments.extended", recipient=scene.learner).count() == 1
    entry = AuditEntry.objects.get(verb="outage_offer.granted")
    assert entry.changes["learners"] == [0, 1]
    change = DeadlineChange.objects.get(kind="OUTAGE")
    assert change.approver == scene.instructor
    assert OutageOffer.objects.get().change == change
    with pytest.raises(Conflict):
        grant(scene)
    assert find(scene) == 0, "the same evidence is never offered twice"
    assert DeadlineChange.objects.filter(kind="OUTAGE").count() == 1


def test_new_trouble_after_a_grant_is_a_new_offer_for_the_new_trouble_alone(scene: build.Scene) -> None:
    lost_run(scene, scene.enrolment)
    find(scene)
    grant(scene)
    waited_run(scene, scene.enrolment)
    assert find(scene) == 1
    assert OutageOffer.objects.get(state=State.OPEN).hours == 2


def test_late_days_stay_the_learners_own_on_top_of_an_offer(scene: build.Scene) -> None:
    authoring.set_late_days(run_id=scene.world.run.pk, days=2, actor=None)
    submitting.take_late_day(assignment_id=scene.assignment.pk, user=scene.learner)
    lost_run(scene, scene.enrolment)
    find(scene)
    grant(scene)
    due_at = scene.assignment.due_at
    assert due_at is not None
    assert deadline_for(scene.assignment, scene.enrolment).due_at == due_at + 27 * HOUR


def test_an_offer_lapses_where_the_deadline_moved_as_far_by_other_ways(scene: build.Scene) -> None:
    lost_run(scene, scene.enrolment)
    find(scene)
    due_at = timezone.now() + timedelta(days=2)
    extending.extend(
        assignment=scene.assignment, enrolments=[scene.enrolment], due_at=due_at, reason="병결", actor=scene.instructor
    )
    assert grant(scene) == []
    assert OutageOffer.objects.get().state == State.LAPSED
    assert deadline_for(scene.assignment, scene.enrolment).due_at == due_at


def test_an_open_offer_follows_its_evidence_and_goes_with_it(scene: build.Scene) -> None:
    lost_run(scene, scene.enrolment)
    find(scene)
    OutagePolicy.objects.create(run=scene.world.run, most_h=2)
    assert find(scene) == 1
    assert OutageOffer.objects.get().hours == 2
    OutagePolicy.objects.update(most_h=0)
    find(scene)
    assert not OutageOffer.objects.exists()


def test_declining_says_why_and_is_not_asked_again(scene: build.Scene) -> None:
    lost_run(scene, scene.enrolment)
    find(scene)
    ids = [OutageOffer.objects.get().pk]
    with pytest.raises(InvalidInput):
        offering.decline_offers(assignment=scene.assignment, offer_ids=ids, actor=scene.instructor, reason=" ")
    offering.decline_offers(assignment=scene.assignment, offer_ids=ids, actor=scene.instructor, reason="이미 제출함")
    assert find(scene) == 0
    assert not DeadlineChange.objects.filter(kind="OUTAGE").exists()


def test_the_page_grants_to_all_with_one_click_but_only_in_ones_own_cohorts(scene: build.Scene) -> None:
    other = Enrolment.objects.get(user=scene.world.people["classmate"])
    for learner in (scene.enrolment, other):
        lost_run(scene, learner)
    find(scene)
    client, address = Client(), reverse("assignments:offers", args=[scene.assignment.pk])
    client.force_login(scene.instructor)
    page = client.get(address).content.decode()
    assert scene.learner.name in page
    assert other.user.name not in page
    ids = list(OutageOffer.objects.values_list("pk", flat=True))
    answer = client.post(address, {"what": "grant-all", "shown": ids})
    assert answer.status_code == 302
    states = {one.enrolment_id: one.state for one in OutageOffer.objects.all()}
    assert states == {scene.enrolment.pk: State.GRANTED, other.pk: State.OPEN}
    learner = Client()
    learner.force_login(scene.learner)
    assert "GPU" in learner.get(reverse("assignments:assignment", args=[scene.assignment.pk])).content.decode()


def test_the_page_and_the_sweep_take_the_same_queries_at_one_and_at_twenty(scene: build.Scene) -> None:
    client, address = Client(), reverse("assignments:offers", args=[scene.assignment.pk])
    client.force_login(scene.instructor)
    lost_run(scene, scene.enrolment)

    def counted() -> tuple[int, int]:
        find(scene)
        client.get(address)
        with CaptureQueriesContext(connection) as page:
            assert client.get(address).status_code == 200
        with CaptureQueriesContext(connection) as sweep:
            find(scene)
        return len(page), len(sweep)

    few = counted()
    for _n in range(19):
        lost_run(scene, scene.another())
    assert counted() == few
    assert max(few) <= 20, few


@pytest.mark.django_db(transaction=True)
def test_of_two_who_click_at_once_one_grants() -> None:
    factories.platform_scope()
    scene = lab_scene()
    lost_run(scene, scene.enrolment)
    find(scene)

    def click(_number: int) -> str:
        try:
            return f"granted {len(grant(scene))}"
        except Conflict as error:
            return error.code

    assert sorted(together(4, click)) == ["granted 1", *["offers_are_decided"] * 3]
    assert DeadlineChange.objects.filter(kind="OUTAGE").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_without_the_lock() -> None:
    factories.platform_scope()
    scene = lab_scene()
    lost_run(scene, scene.enrolment)
    find(scene)
    seen = threading.Barrier(3)

    def click(_number: int) -> None:
        given = OutageOffer.objects.select_related("enrolment__user", "enrolment__cohort__scope").get(state=State.OPEN)
        seen.wait(timeout=30)  # everybody has seen it open before anybody grants
        with transaction.atomic():
            extending.extend_after_outage(
                assignment=scene.assignment, enrolment=given.enrolment, due_at=given.due_at + given.hours * HOUR,
                facts=outage_facts(given.hours, given.from_at, given.until_at), actor=scene.instructor,
            )  # fmt: skip

    together(3, click)
    assert DeadlineChange.objects.filter(kind="OUTAGE").count() == 3, "three clicks, three extensions, three notices"
