"""How often the promised start range held."""

from datetime import timedelta

from django.utils import timezone

from labs.jobs.models import Job
from labs.scheduling.promise_record import coverage
from tests.jobs.build import World, running, settle


def test_what_started_by_its_p90_held_and_what_never_started_counts_for_nothing(world: World) -> None:
    node, now = world.node(), timezone.now()
    for p50_s, p90_s in ((60, 120), (-60, 120), (-120, -60), (60, 90)):
        job = world.submit()
        Job.objects.filter(pk=job.pk).update(
            promised_p50_at=now + timedelta(seconds=p50_s), promised_p90_at=now + timedelta(seconds=p90_s)
        )
        settle(running(job, node))
    Job.objects.filter(pk=world.submit().pk).update(promised_p50_at=now, promised_p90_at=now)
    settle(running(world.submit(), node))
    found = coverage()
    assert (found.jobs, found.by_p50, found.by_p90, found.percent) == (4, 0.5, 0.75, 75)
    assert coverage(last=1).by_p90 == 1.0


def test_nothing_promised_is_no_record(world: World) -> None:
    assert coverage().jobs == 0
