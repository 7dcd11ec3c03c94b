"""Who leaves a cohort leaves no job behind that would still start; what runs finishes, and no GPU time is lost."""

import pytest
from django.db import transaction

from campus.people.api import Role
from courses.catalog.api import withdraw
from labs.jobs import api as jobs
from labs.jobs.models import Job
from labs.quota.models import Account
from tests.access import world as worlds
from tests.jobs.build import assign, ended, hello_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return worlds.build()


def account_of(world):
    return Account.objects.get(pk=world.enrolment.account_id)


def running(world, job):
    node = jobs.hello(node=world.node, said=hello_of(gpus=1))
    assign(job, node)
    attempt = next(one for one in jobs.claim(node=node, boot_id=node.boot_id) if one.job_id == job.pk)
    jobs.started(attempt=attempt, fence=attempt.fence)
    return attempt


@pytest.mark.parametrize("by", ["themselves", Role.INSTRUCTOR])
def test_what_waits_is_cancelled_with_its_reason_and_nothing_stays_held(world, by):
    first, second = world.job(), world.job()
    actor = world.learner if by == "themselves" else world.people["instructor"]
    withdraw(enrolment_id=world.enrolment.pk, actor=actor)
    for job in (first, second):
        job.refresh_from_db()
        assert (job.state, job.end_reason, job.charged_s) == ("CANCELLED", "ACCOUNT_CLOSED", 0)
    account = account_of(world)
    assert (account.held_s, account.available_s, account.is_open) == (0, 0, False)


def test_what_runs_finishes_and_is_charged(world):
    attempt = running(world, world.job())
    waiting = world.job()
    withdraw(enrolment_id=world.enrolment.pk, actor=world.learner)
    waiting.refresh_from_db()
    assert waiting.state == "CANCELLED"
    assert account_of(world).held_s == Job.objects.get(pk=attempt.job_id).hold_s
    assert jobs.settle(attempt=attempt, fence=attempt.fence, ended=ended()) == "SUCCEEDED"
    assert (account_of(world).held_s, account_of(world).used_s) == (0, 13)


def test_what_came_while_the_account_closed_is_found_by_the_reconciler(world):
    job = world.job()
    Account.objects.filter(pk=world.enrolment.account_id).update(is_open=False)
    assert jobs.reconcile().cancelled_of_closed == 1
    assert jobs.reconcile().cancelled_of_closed == 0
    job.refresh_from_db()
    assert (job.state, job.end_reason, account_of(world).held_s) == ("CANCELLED", "ACCOUNT_CLOSED", 0)


def test_a_withdrawal_that_fails_cancels_nothing(world):
    job = world.job()
    with transaction.atomic():
        withdraw(enrolment_id=world.enrolment.pk, actor=world.learner)
        transaction.set_rollback(True)
    job.refresh_from_db()
    assert job.state == "QUEUED"
