"""Two at once, with real connections; each race with its negative control, in which the lock is taken out."""

import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connections
from django.utils import timezone

from campus.core.errors import CampusError
from courses.attendance.models import Evidence, Policy, Verdict, VerdictHistory
from courses.attendance.services import checking, drawing, marking, policies
from courses.attendance.services.streaming import hear
from tests.courses import build as courses

from . import build

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage():
    courses.root()
    cohort = courses.cohort()
    session = build.session(cohort)
    return cohort, session, courses.learner(cohort)


def together(*acts):
    """Do these at once, each on a connection of its own; what each came to, as `ok` or the error's name."""
    start = threading.Barrier(len(acts))

    def run(act):
        try:
            start.wait(10)
            act()
        except CampusError as error:
            return error.code
        except Exception as error:
            return type(error).__name__
        else:
            return "ok"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))


def two_staff(stage):
    """Two of the staff saw the same verdict and mark the learner differently."""
    cohort, session, learner = stage
    people = [courses.staff("INSTRUCTOR", cohort.scope) for _ in range(2)]
    Verdict.objects.create(session=session, enrolment=learner)

    def give(actor, mark):
        marking.mark(
            session=session, wishes=[marking.Wish(learner.pk, 0)], mark=mark, reason="봤어요", actor=actor,
            cohort_ids=[cohort.pk], now=timezone.now(),
        )  # fmt: skip

    return together(lambda: give(people[0], "PRESENT"), lambda: give(people[1], "ABSENT"))


def test_of_two_staff_who_mark_one_learner_the_later_is_told(stage):
    assert two_staff(stage) == {"ok": 1, "changed_meanwhile": 1}
    assert Evidence.objects.count() == VerdictHistory.objects.count() == 1


def test_without_the_lock_two_staff_would_overwrite_each_other(stage, monkeypatch):
    """The negative control: both read the verdict before either wrote."""
    both_read = threading.Barrier(2)

    def unlocked(pairs):
        wanted = set(pairs)
        rows = Verdict.objects.filter(session_id__in={s for s, _e in wanted}, enrolment_id__in={e for _s, e in wanted})
        found = {(row.session_id, row.enrolment_id): row for row in rows}
        with suppress(threading.BrokenBarrierError):
            both_read.wait(5)
        return found

    monkeypatch.setattr(marking, "lock_verdicts", unlocked)
    monkeypatch.setattr(drawing, "lock_verdicts", unlocked)
    assert two_staff(stage) != {"ok": 1, "changed_meanwhile": 1}


def test_one_learner_on_two_phones_at_once_is_one_check_in(stage):
    _cohort, session, learner = stage
    screen = build.screen(session)
    acts = [lambda: build.came(screen, learner)] * 6
    assert together(*acts) == {"ok": 6}
    assert Evidence.objects.count() == 1


def test_without_the_lock_the_second_phone_would_meet_an_error(stage, monkeypatch):
    """The negative control: nobody has checked in yet when both look, and only a constraint stops the second."""
    cohort, session, learner = stage
    screen = build.screen(session)
    drawing.policy_of(cohort.run_id)
    both_looked = threading.Barrier(2)
    look = checking.material

    def looked(*which):
        found = look(*which)
        both_looked.wait(10)
        return found

    Verdict.objects.create(session=session, enrolment=learner)
    monkeypatch.setattr(checking, "material", looked)
    monkeypatch.setattr(
        checking, "lock_verdicts", lambda pairs: {(session.pk, learner.pk): Verdict.objects.get(session=session)}
    )
    assert together(*[lambda: build.came(screen, learner)] * 2) == {"ok": 1, "IntegrityError": 1}


def change_policy_while_people_come(stage, count=12):
    """A policy by which all of them are late is saved in the midst of their check-ins."""
    cohort, session, learner = stage
    people = [learner, *(courses.learner(cohort) for _ in range(count))]
    screen, actor = build.screen(session), courses.staff("INSTRUCTOR", cohort.scope)
    drawing.policy_of(cohort.run_id)

    def change():
        policies.save_policy(
            run=cohort.run, said={"late_after_min": 0}, reason="", seen_version=1, actor=actor, now=timezone.now()
        )

    return together(change, *[lambda one=one: build.came(screen, one) for one in people])


def test_no_check_in_is_drawn_by_the_old_policy_behind_the_back_of_the_new(stage):
    assert change_policy_while_people_come(stage) == {"ok": 14}
    newest = Policy.objects.get(version=2)
    assert set(Verdict.objects.values_list("policy", "mark")) == {(newest.pk, "LATE")}


def test_without_holding_the_policy_a_check_in_would_be_left_by_the_old_one(stage, monkeypatch):
    """The negative control: a check-in reads the old policy, the new one is saved, then the check-in writes."""
    cohort, session, learner = stage
    drawing.policy_of(cohort.run_id)
    screen, actor = build.screen(session), courses.staff("INSTRUCTOR", cohort.scope)
    has_read, is_saved = threading.Event(), threading.Event()
    read = checking.policy_of

    def slowly(run_id):
        found = read(run_id)
        has_read.set()
        is_saved.wait(10)
        return found

    def change():
        has_read.wait(10)
        policies.save_policy(
            run=cohort.run, said={"late_after_min": 0}, reason="", seen_version=1, actor=actor, now=timezone.now()
        )
        is_saved.set()

    monkeypatch.setattr(checking, "policy_of", slowly)
    monkeypatch.setattr(checking, "hold_policy", lambda run_id: None)
    assert together(change, lambda: build.came(screen, learner)) == {"ok": 2}
    assert build.verdict(session, learner).policy.version == 1


def test_two_pages_that_beat_at_once_are_two_watches_and_never_a_failure(stage):
    _cohort, session, learner = stage
    tabs = [uuid.uuid4() for _ in range(4)]
    acts = [lambda tab=tab: hear(session=session, enrolment=learner, tab=tab, now=timezone.now()) for tab in tabs * 2]
    assert together(*acts) == {"ok": 8}
