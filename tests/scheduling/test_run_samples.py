"""What the snapshot knows of runs: trials of bursts, what deadline boosts have cost, and time that was no wait."""

from datetime import UTC, datetime, timedelta

import pytest

from labs.jobs.models import Job
from labs.scheduling.domain.snapshot import PendingJob
from labs.scheduling.snapshot_loader import load
from tests.factories import HOUR
from tests.jobs.build import World, running, settle

#: The first second of a burst.
BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def at(job: Job, after: timedelta, **changed: object) -> Job:
    """Let it be as if it had been submitted so long after the begin of a burst."""
    Job.objects.filter(pk=job.pk).update(submitted_at=BEGIN + after, **changed)
    job.refresh_from_db()
    return job


def pending(now: datetime | None = None) -> dict[object, PendingJob]:
    return {job.id: job for job in load(now or BEGIN + timedelta(hours=1)).snapshot.pending}


def test_the_first_of_a_burst_is_its_trial_until_one_of_it_has_run(world: World) -> None:
    world.node(gpus=1)
    alone = at(world.submit(), timedelta(minutes=-10))
    first, second, third = (at(world.submit(), timedelta(seconds=second)) for second in (0, 10, 20))
    assert [job for job, state in pending().items() if state.is_trial] == [first.pk]
    attempt = running(first, world.node())
    assert not any(state.is_trial for state in pending().values())
    settle(attempt, run_s=36.0)
    after = pending()
    assert set(after) == {alone.pk, second.pk, third.pk}
    assert not any(state.is_trial for state in after.values())
    assert after[second.pk].predicted_p50_s == pytest.approx(36.0, abs=1.0)


def test_runs_of_the_burst_say_more_of_its_others_than_older_runs(world: World) -> None:
    world.node(gpus=1)
    old = at(world.submit(), timedelta(days=-1))
    settle(running(old, world.node()), run_s=400.0)
    tried = at(world.submit(), timedelta(0))
    settle(running(tried, world.node()), run_s=4.0)
    like, other = at(world.submit(), timedelta(seconds=30)), at(world.submit(), timedelta(minutes=30))
    states = pending()
    # Both are known from 400 s and 4 s, so 40 s; the one of the burst is drawn to the 4 s once more.
    assert states[other.pk].predicted_p50_s == pytest.approx(40.0, rel=0.02)
    assert states[like.pk].predicted_p50_s == pytest.approx((4 * 40) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    ("due_h", "promised_h", "counts_h"), [(10, None, 10), (10, 4, 6), (10, -1, 10), (10, 12, 0), (-1, 4, -1)]
)
def test_the_wait_that_a_job_was_told_takes_from_its_slack(
    world: World, due_h: int, promised_h: int | None, counts_h: int
) -> None:
    now = BEGIN + timedelta(hours=1)
    promised_at = None if promised_h is None else now + timedelta(hours=promised_h)
    job = at(world.submit(), timedelta(minutes=5), deadline_at=now + timedelta(hours=due_h))
    Job.objects.filter(pk=job.pk).update(promised_p90_at=promised_at, promised_p50_at=promised_at)
    assert pending(now)[job.pk].deadline_at == (now + timedelta(hours=counts_h)).timestamp()


def test_what_was_started_with_a_deadline_boost_counts_as_spent_for_that_owner_and_work(world: World) -> None:
    node, due = world.node(gpus=2), BEGIN + timedelta(days=1)
    boosted = {"factors": {"slack": 0.4}, "deadline_at": due}
    ended, open_, unboosted = (at(world.submit(work_key="lab"), timedelta(minutes=k)) for k in range(3))
    elsewhere = at(world.submit(work_key="other"), timedelta(minutes=5), deadline_at=due)
    waiting = at(world.submit(work_key="lab"), timedelta(minutes=6), deadline_at=due)
    without = at(world.submit(work_key="lab"), timedelta(minutes=7))
    settle(running(ended, node), run_s=100.0)
    settle(running(unboosted, node), run_s=50.0)
    running(open_, node)
    Job.objects.filter(pk__in=(ended.pk, open_.pk)).update(**boosted)
    began_at = BEGIN + timedelta(hours=2)
    Job.objects.filter(pk=open_.pk).update(started_at=began_at)
    states = pending(began_at + timedelta(seconds=HOUR))
    ended.refresh_from_db()
    assert states[waiting.pk].slack_spent_s == pytest.approx(ended.charged_s + HOUR)
    assert states[elsewhere.pk].slack_spent_s == states[without.pk].slack_spent_s == 0.0


def test_what_a_checkpoint_keeps_was_not_waited_for(world: World) -> None:
    job = at(world.submit(), timedelta(0), kept_s=300)
    assert pending()[job.pk].eligible_at == (BEGIN + timedelta(seconds=300)).timestamp()
