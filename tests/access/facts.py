"""What stands in the braces of the table's addresses: ids of things of the world."""

from datetime import time, timedelta

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from knox.models import get_token_model

from campus.core.models import Notice
from campus.core.notices.choices import unsubscribe_token
from campus.core.notices.topics import ASKED
from campus.people.models import RoleGrant
from courses.assignments.authoring import open_assignment
from courses.assignments.extending import accommodate
from courses.assignments.grouping import open_group_set
from courses.assignments.models import RegradeBatch, TestSuite
from courses.assignments.submitting import receipt_of, submit_work
from courses.catalog.models import Enrolment
from courses.gradebook import services as gradebook
from courses.support.services import write_to
from infra.pool.models import Gpu, Node
from labs.jobs.api import SweepWish, Wish, submit_sweep
from labs.jobs.models import Artifact, Attempt, Job, Sweep
from labs.quota import api as quota
from labs.quota.models import Account, QuotaRequest
from labs.quota.services.requests import ask
from labs.scheduling.models import ClassReservation, SiteLending

from .announcements_facts import announced
from .attendance_facts import attended
from .content_facts import lessons
from .materials_facts import shown
from .timetable_facts import planned
from .world import MAIN, World


def places(world: World) -> dict[str, object]:
    """Give each thing that an address may name. All is of Yongin's cohort and its learner."""
    job, ended, artifact = _jobs(world)
    grant = RoleGrant.objects.get(user=world.people["assistant"])
    other = Enrolment.objects.get(user=world.people["classmate"])
    course = world.run.course
    token, _secret = get_token_model().objects.create(user=world.learner)
    return {
        "campus": world.yongin.slug,
        "building": world.building.pk,
        "room": world.room.pk,
        "run": world.run.slug,
        "run_id": world.run.pk,
        "programme": course.programme_id,
        "course": course.pk,
        "term": world.run.term_id,
        "cohort": world.cohort.pk,
        "enrolment": world.enrolment.pk,
        "other_enrolment": other.pk,
        "module": world.module.pk,
        "lesson": world.lesson.pk,
        "lab": world.lab.pk,
        "job": job.pk,
        "ended": ended.pk,
        "artifact": artifact.pk,
        "sweep": _sweep(world).pk,
        "attempt": artifact.attempt_id,
        "account": world.enrolment.account_id,
        "cohort_account": world.cohort.account_id,
        "campus_account": Account.objects.get(scope=world.yongin.scope, kind=Account.Kind.CAMPUS).pk,
        "node": world.node.name,
        "digest": world.data_set.digest,
        "data_set": world.data_set.slug,
        "environment": world.environment.slug,
        "person": world.people["assistant"].pk,
        "grant": grant.pk,
        "token": token.token_key,
        "site": world.node.site_id,
        **_kept(world),
        **_handed_in(world),
        **_graded(world),
        **attended(world),
        **shown(world),
        **planned(world),
        **lessons(world),
        "request": _request(world).pk,
        **_given(world),
        **announced(world),
        "support_message": _written(world),
        "stop_token": unsubscribe_token(world.learner.pk, ASKED),
        "notice": Notice.objects.create(recipient=world.learner, kind="quota.request_approved", url="/quota/").pk,
    }


def _written(world: World) -> int:
    """A message of the instructor to the learner."""
    wish = {"enrolment": world.enrolment, "title": "잘 지내나요?", "body": "안녕하세요."}
    return int(write_to(**wish, actor=world.people["instructor"]).pk)


@transaction.atomic
def _given(world: World) -> dict[str, object]:
    """A grant to the learner, the cohort that lends, and a batch that changed the cohort's account."""
    account_id, until = world.cohort.account_id, timezone.now() + timedelta(days=9)
    grant = quota.give_grant(
        account_id=world.enrolment.account_id, gpu_seconds=360, label="RISE", ends_at=until, actor=None
    )
    lending = quota.lend(account_id=account_id, limit_s=360, until_at=until, reason="exam", actor=None)
    batch = quota.apply_changes(changes=[quota.AccountChange(account_id, 0, {"weight": 2})], reason="term", actor=None)
    return {"quota_grant": grant.pk, "quota_lending": lending.pk, "quota_batch": batch.pk}


def _kept(world: World) -> dict[str, object]:
    """A GPU that is kept for the cohort tomorrow, and a lending."""
    site = world.node.site
    Gpu.objects.create(node=world.node, index=0, uuid="GPU-0", kind=Gpu.Kind.NVIDIA, gpu_type="nvidia-h100")
    Node.objects.filter(pk=world.node.pk).update(confinement=Node.Confinement.FULL)
    begins = timezone.now() + timedelta(days=1)
    kept = ClassReservation.objects.create(
        account_id=world.cohort.account_id, site=site, title="3주차", gpus=1, start_at=begins,
        end_at=begins + timedelta(hours=2),
    )  # fmt: skip
    lent = SiteLending.objects.create(
        site=site, max_gpus=1, first_day=begins.date(), opens_at=time(19), closes_at=time(8)
    )  # fmt: skip
    return {"reservation": kept.pk, "lending": lent.pk}


def _handed_in(world: World) -> dict[str, object]:
    """An assignment with the learner's work, a deadline that differs, and a regrade that is still open."""
    assignment = open_assignment(
        module_id=world.module.pk, actor=None, title="과제", due_at=timezone.now() + timedelta(days=2)
    )
    submission = submit_work(assignment_id=assignment.pk, user=world.learner, files=MAIN)
    change = accommodate(enrolment=world.enrolment, factor_pct=150, reason="합의", actor=world.people["instructor"])
    suite = TestSuite.objects.create(assignment=assignment, version=1)
    batch = RegradeBatch.objects.create(assignment=assignment, cohort=world.cohort, suite=suite, reason="수정")
    group_set = open_group_set(run=world.run, name="조", actor=None)
    return {
        "group_set": group_set.pk,
        "assignment": assignment.pk,
        "submission": submission.pk,
        "receipt": receipt_of(submission),
        "deadline": change.pk,
        "regrade": batch.pk,
    }


def _graded(world: World) -> dict[str, object]:
    """An item with a mark of the learner's, and a question about it."""
    fields = {"name": "과제", "weight": 100}
    category = gradebook.save_category(run=world.run, fields=fields, category_id=None, actor=None)
    fields = {"category": category, "title": "퀴즈", "out_of": 10, "is_published": True}
    item = gradebook.save_item(run=world.run, fields=fields, item_id=None, actor=None)
    edit = gradebook.CellEdit(item.pk, world.enrolment.pk, "9", 0)
    entry = gradebook.set_cells(run=world.run, cohort_ids=[world.cohort.pk], edits=[edit], actor=None).entry_id
    question = gradebook.ask_regrade(enrolment=world.enrolment, item_id=item.pk, text="다시 확인해 주세요.")
    return {
        "grade_category": category.pk,
        "grade_item": item.pk,
        "grade_entry": entry,
        "grade_question": question.pk,
    }


def _jobs(world: World) -> tuple[Job, Job, Artifact]:
    """A queued job, and one that ended and left a file."""
    queued, ended = world.job(), world.job()
    now = timezone.now()
    attempt = Attempt.objects.create(
        job=ended, number=1, node=world.node, state=Attempt.State.ENDED, fence=1, ended_at=now,
        started_at=now - timedelta(seconds=9),
    )  # fmt: skip
    Job.objects.filter(pk=ended.pk).update(state=Job.State.SUCCEEDED, ended_at=now, attempts_made=1)
    artifact = Artifact(attempt=attempt, path="metrics.json", size_bytes=2, digest="c" * 64, is_published=True)
    artifact.file.save("metrics.json", ContentFile(b"{}"), save=True)
    return queued, ended, artifact


def _sweep(world: World) -> Sweep:
    """Two queued runs of the learner's."""
    wish = Wish(
        account_id=world.enrolment.account_id, title="", environment_id=None, files=MAIN, entrypoint="main.py", gpus=1,
        gpu_type="", wall_s=60, data_set_ids=(), preferred_campus_id=None, deadline_at=None, work_key="",
        idempotency_key=None,
    )  # fmt: skip
    return submit_sweep(owner=world.learner, wish=wish, asked=SweepWish(grid={"lr": [0.1, 0.2]}))[0]


def _request(world: World) -> QuotaRequest:
    """The learner asks for one hour more."""
    return ask(
        account_id=world.enrolment.account_id, asker=world.learner, wanted_s=3600, reason="실습",
        until=timezone.localdate() + timedelta(days=9),
    )  # fmt: skip
