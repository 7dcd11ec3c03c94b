"""Two tabs at once, with real connections; with its negative control, in which the condition is taken out."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.db.models import F

from courses.materials.models import WatchCredit, WatchEvidence
from courses.materials.services import watching
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage():
    """A learner who opened a long video ten seconds ago."""
    courses.root()
    cohort = courses.cohort()
    version = build.video(build.module(cohort.run), 600)
    learner = courses.learner(cohort)
    watching.report(version=version, enrolment=learner, tab=uuid4(), number=0, said=[], position_s=0)
    WatchCredit.objects.update(reported_at=F("reported_at") - timedelta(seconds=10))
    return version, learner


def together(*acts):
    """Do these at once, each on a connection of its own."""
    start = threading.Barrier(len(acts))

    def run(act):
        try:
            start.wait(10)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def two_tabs(stage):
    """Each tab claims ten other seconds that it played in the ten that passed."""
    version, learner = stage

    def tab(start):
        return lambda: watching.report(
            version=version, enrolment=learner, tab=uuid4(), number=1, said=[[start, start + 20]], position_s=start
        )

    together(tab(0), tab(300))
    return WatchCredit.objects.get()


def test_two_tabs_at_once_share_the_time_that_passed_and_lose_no_report(stage):
    credit = two_tabs(stage)
    assert 20 <= credit.seconds <= 24
    assert credit.revision == 3
    counted = [piece for one in WatchEvidence.objects.all() for piece in one.counted]
    assert sum(end - start for start, end in counted) == sum(end - start for start, end in credit.pieces)


def test_without_the_condition_two_tabs_would_spend_the_same_time_twice(stage, monkeypatch):
    """The negative control: both fold the same state, and the later overwrites."""
    both_read = threading.Barrier(2)
    write = watching.write_credit

    def unconditional(credit, *facts):
        with suppress(threading.BrokenBarrierError):
            both_read.wait(5)
        credit.revision = WatchCredit.objects.get(pk=credit.pk).revision
        if write(credit, *facts):
            return True
        credit.revision += 1
        return write(credit, *facts)

    monkeypatch.setattr(watching, "write_credit", unconditional)
    two_tabs(stage)
    counted = [piece for one in WatchEvidence.objects.all() for piece in one.counted]
    assert sum(end - start for start, end in counted) >= 40_000


def test_one_report_that_arrives_twice_at_once_counts_once(stage):
    version, learner = stage
    tab = uuid4()
    act = lambda: watching.report(  # noqa: E731
        version=version, enrolment=learner, tab=tab, number=1, said=[[0, 10]], position_s=10
    )
    together(act, act, act)
    assert WatchEvidence.objects.filter(tab=tab).count() == 1
    assert WatchCredit.objects.get().seconds == 10
