"""633 people want 20 seats: real threads, real connections, exact seats; and the race is real without the lock."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import F

from campus.core.errors import Conflict, Full
from campus.people.models import User
from courses.catalog import services as catalog
from courses.catalog.models import Cohort, Enrolment
from labs.quota import api as quota
from labs.quota.models import Account

from . import build

pytestmark = pytest.mark.django_db(transaction=True)

APPLICANTS, SEATS, THREADS = 633, 20, 8


def _rush(people, attempt):
    """Let every person try once, on THREADS connections that begin together; return what each attempt gave."""
    begin = threading.Barrier(THREADS)
    shares = [people[number::THREADS] for number in range(THREADS)]

    def work(share):
        try:
            begin.wait(timeout=30)
            return [attempt(person) for person in share]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return [result for results in pool.map(work, shares) for result in results]


def test_633_people_rush_for_20_seats_and_exactly_20_get_one():
    build.root()
    cohort = build.cohort(seats=SEATS)
    people = build.people(APPLICANTS)

    def attempt(person):
        try:
            return catalog.self_enrol(cohort_id=cohort.pk, user=person, mode="ONSITE").user_id
        except Full:
            return None

    results = _rush(people, attempt)

    winners = [user_id for user_id in results if user_id]
    cohort.refresh_from_db()
    assert len(results) == APPLICANTS
    assert len(winners) == cohort.seats_taken == SEATS
    assert Enrolment.objects.filter(cohort=cohort, state="ACTIVE").count() == SEATS
    assert set(Account.objects.filter(parent=cohort.account).values_list("owner_id", flat=True)) == set(winners)
    with transaction.atomic():
        assert quota.rebuild() == []


def test_one_person_who_presses_often_gets_one_seat():
    build.root()
    cohort = build.cohort(seats=SEATS)
    person = build.person()

    def attempt(user):
        try:
            return catalog.self_enrol(cohort_id=cohort.pk, user=user, mode="ONLINE").pk
        except Exception as error:
            return getattr(error, "code", repr(error))

    results = _rush([person] * 40, attempt)

    assert sum(isinstance(result, int) for result in results) == 1
    assert {result for result in results if not isinstance(result, int)} == {"already_enrolled"}
    assert Cohort.objects.get(pk=cohort.pk).seats_taken == 1


def test_two_cohorts_of_a_run_cannot_both_take_the_same_person():
    build.root()
    first = build.cohort(seats=40)
    second = build.cohort(of=first.run, at=first.campus, seats=40)
    people = build.people(24)

    def attempt(wish):
        user, cohort = wish
        try:
            return catalog.self_enrol(cohort_id=cohort.pk, user=user, mode="ONLINE").pk
        except Exception as error:
            return getattr(error, "code", repr(error))

    wishes = [(user, cohort) for user in people for cohort in (first, second)]
    results = _rush(wishes, attempt)

    assert sum(isinstance(result, int) for result in results) == len(people)
    assert {result for result in results if not isinstance(result, int)} == {"already_enrolled"}
    taken = Cohort.objects.filter(run=first.run).values_list("seats_taken", flat=True)
    assert sum(taken) == len(people)


def test_negative_control_counting_before_taking_gives_away_more_seats_than_there_are():
    """Without the conditional UPDATE and its constraint the same rush goes wrong: so the others prove something."""
    build.root()
    cohort = build.cohort(seats=SEATS)
    people = build.people(APPLICANTS)
    counted = threading.Barrier(THREADS)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_cohort DROP CONSTRAINT cohort_seats_not_exceeded")

    def attempt(person):
        taken = Cohort.objects.values_list("seats_taken", flat=True).get(pk=cohort.pk)
        counted.wait(timeout=30)  # all have counted before one takes
        if taken >= SEATS:
            return None
        Cohort.objects.filter(pk=cohort.pk).update(seats_taken=F("seats_taken") + 1)
        return person.pk

    try:
        results = _rush(people[: APPLICANTS // THREADS * THREADS], attempt)
        assert sum(result is not None for result in results) > SEATS
        assert Cohort.objects.get(pk=cohort.pk).seats_taken > SEATS
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE catalog_cohort SET seats_taken = 0")
            cursor.execute(
                "ALTER TABLE catalog_cohort ADD CONSTRAINT cohort_seats_not_exceeded CHECK (seats_taken <= seats)"
            )


def test_two_class_lists_that_bring_the_same_new_people_at_once_do_so_once_and_nobody_meets_an_error():
    build.root()
    first = build.cohort(seats=40)
    second = build.cohort(of=first.run, seats=40)
    rows = "".join(f"new{number}@b.kr,김새롬\n" for number in range(40))
    raw = f"email,name\n{rows}".encode()

    def attempt(cohort):
        digest = catalog.preview_roster(cohort_id=cohort.pk, raw=raw).digest
        begin.wait(timeout=30)
        try:
            return catalog.import_roster(cohort_id=cohort.pk, raw=raw, digest=digest, actor=None).enrolled
        except Conflict as conflict:
            return conflict.code
        finally:
            connection.close()

    begin = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, [first, second]), key=str) == [40, "preview_is_old"]
    assert User.objects.filter(email__startswith="new").count() == Enrolment.objects.count() == 40
    assert sorted(Cohort.objects.values_list("seats_taken", flat=True)) == [0, 40]
