"""Jobs that wait for other jobs: when they may be asked for, and what becomes of them."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from campus.core.errors import InvalidInput
from labs.jobs import api as jobs
from labs.jobs.models import Dependency, Job
from labs.quota import api as quota
from tests.jobs.build import World, entries, running, settle

ANY = jobs.Condition.ANY

pytestmark = pytest.mark.django_db(transaction=True)


def after(*on: Job, condition: jobs.Condition = jobs.Condition.OK) -> tuple[jobs.After, ...]:
    return tuple(jobs.After(job.pk, condition) for job in on)


def test_a_job_follows_others_of_its_owner(world: World) -> None:
    first, second = world.submit(), world.submit()
    last = world.submit(after=(*after(first), *after(second, condition=ANY)))
    found = Dependency.objects.filter(job=last).values_list("after_id", "condition")
    assert list(found) == [(first.pk, "afterok"), (second.pk, "afterany")]


def test_another_persons_job_an_unknown_one_and_a_broken_one_are_refused(world: World) -> None:
    other, account = world.another_learner()
    theirs = world.submit(owner=other, account_id=account.pk)
    failed = world.submit()
    settle(running(failed, world.node()), exit_code=1)
    twice = after(world.submit()) * 2
    for wish, words in (
        (after(theirs), "no job"),
        ((jobs.After(10**12),), "no job"),
        ((jobs.After(-1),), "no job"),
        (after(failed), "did not succeed"),
        (twice, "twice"),
    ):
        with translation.override("en"):
            with pytest.raises(InvalidInput) as error:
                world.submit(after=wish)
            assert list(error.value.fields) == ["after"]
            assert words in str(error.value.fields["after"][0])
    assert not Dependency.objects.exists()
    assert world.submit(after=after(failed, condition=ANY)).state == "QUEUED"


def test_more_than_ten_others_are_refused(world: World) -> None:
    many = [world.submit(wall_s=10) for _n in range(11)]
    with pytest.raises(InvalidInput) as error:
        world.submit(after=after(*many))
    assert list(error.value.fields) == ["after"]


def test_a_ring_cannot_be_written(world: World) -> None:
    first, second = world.submit(), world.submit()
    for job, on in ((first, second), (first, first)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Dependency.objects.create(job=job, after=on)


def test_what_can_never_start_is_cancelled_by_name_and_its_hold_comes_back_down_the_whole_chain(world: World) -> None:
    first = world.submit(title="Prepare")
    second = world.submit(after=after(first))
    third = world.submit(after=after(second))
    whatever = world.submit(after=after(first, condition=ANY))
    settle(running(first, world.node()), exit_code=1)
    for job, because in ((second, first), (third, second)):
        job.refresh_from_db()
        assert (job.state, job.end_reason, job.end_detail) == (
            "CANCELLED", "DEPENDENCY", f"#{because.pk} {because.title}"
        )  # fmt: skip
        assert entries(job) == [(1, "HOLD", 600), (1, "RELEASE", 600)]
        assert job.events.last().facts["reason"] == "DEPENDENCY"  # type: ignore[union-attr]
    whatever.refresh_from_db()
    assert whatever.state == "QUEUED"


@pytest.mark.parametrize("end", ["cancelled", "timed out", "lost for good"])
def test_every_end_but_success_breaks_it(world: World, end: str, settings: Any) -> None:
    settings.LABS_MAX_ATTEMPTS = 1
    first = world.submit()
    second = world.submit(after=after(first))
    if end == "cancelled":
        jobs.cancel(job_id=first.pk, actor=world.learner)
    elif end == "timed out":
        settle(running(first, world.node()), reason="TIMED_OUT", exit_code=None)
    else:
        settle(running(first, world.node()), reason="EXECUTOR_ERROR", exit_code=None)
    second.refresh_from_db()
    assert (second.state, second.end_reason) == ("CANCELLED", "DEPENDENCY")


def test_a_success_lets_it_go_on(world: World) -> None:
    first = world.submit()
    second = world.submit(after=after(first))
    settle(running(first, world.node()))
    second.refresh_from_db()
    assert second.state == "QUEUED"


def test_a_chain_as_long_as_a_learner_may_have_ends_at_once(world: World, settings: Any) -> None:
    settings.LABS_MAX_OPEN_JOBS = 300
    last = first = world.submit(wall_s=10)
    for _n in range(120):
        last = world.submit(wall_s=10, after=after(last))
    jobs.cancel(job_id=first.pk, actor=world.learner)
    assert not Job.objects.filter(state="QUEUED").exists()


def test_the_reconciler_ends_what_a_dying_process_left(world: World) -> None:
    first = world.submit()
    second = world.submit(after=after(first))
    third = world.submit(after=after(second))
    # What a process leaves that dies behind its commit.
    Job.objects.filter(pk=first.pk).update(state="FAILED", ended_at=first.submitted_at, end_reason="EXIT_CODE")
    assert jobs.reconcile().cancelled_dependents == 2
    assert jobs.reconcile().cancelled_dependents == 0
    assert set(Job.objects.filter(pk__in=[second.pk, third.pk]).values_list("end_reason", flat=True)) == {"DEPENDENCY"}
    with transaction.atomic():  # put right what the test left half done, for the invariants
        quota.release(account_id=first.account_id, job_id=first.pk, attempt=1, reason="test")


def test_running_it_again_waits_for_nothing(world: World) -> None:
    first = world.submit()
    second = world.submit(after=after(first))
    jobs.cancel(job_id=first.pk, actor=world.learner)
    again = jobs.rerun(job_id=second.pk, actor=world.learner)
    assert not again.dependencies.exists()
