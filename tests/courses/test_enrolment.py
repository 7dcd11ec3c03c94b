"""Taking a seat, giving it back, and the GPU account that comes and goes with it."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campus.core.errors import Conflict, Full, InvalidInput, NotAllowed, NotFound
from campus.core.models import AuditEntry
from campus.people.api import Role
from courses.catalog import services as catalog
from courses.catalog.models import Cohort, Enrolment
from labs.quota import api as quota
from labs.quota.models import Account, LedgerEntry

from . import build

pytestmark = pytest.mark.django_db


def _no_difference():
    with transaction.atomic():
        return quota.rebuild() == []


def test_a_cohort_opens_with_a_scope_below_its_campus_and_an_account_below_the_programmes():
    cohort = build.cohort(seats=10)

    kinds = dict(Account.objects.filter(pk__in=cohort.account.path).values_list("kind", "allocated_s"))
    assert cohort.scope.path == [*cohort.campus.scope.path, cohort.scope_id]
    assert kinds["COHORT"] == kinds["PROGRAMME"] == 10 * build.HOUR
    assert kinds["CAMPUS"] == 10_000 * build.HOUR
    assert _no_difference()


def test_a_second_cohort_of_the_programme_at_the_same_campus_shares_its_account():
    first = build.cohort(seats=10)
    second = build.cohort(of=first.run, at=first.campus, seats=5)

    assert second.account.parent_id == first.account.parent_id
    assert second.account.parent.allocated_s == 15 * build.HOUR


def test_learners_share_what_the_cohort_has_when_it_has_less_than_their_parts():
    cohort = build.cohort(seats=10, quota_s=4 * build.HOUR)

    for _ in range(10):
        build.learner(cohort)

    shares = Account.objects.filter(parent=cohort.account).values_list("allocated_s", flat=True)
    assert list(shares) == [build.HOUR] * 10
    assert _no_difference()


def test_enrolling_takes_a_seat_opens_an_account_and_is_audited():
    cohort = build.cohort()
    user = build.person("김하늘")

    enrolment = catalog.self_enrol(cohort_id=cohort.pk, user=user, mode="ONLINE")

    cohort.refresh_from_db()
    assert cohort.seats_taken == 1
    assert (enrolment.mode, enrolment.state) == ("ONLINE", "ACTIVE")
    assert (enrolment.account.owner, enrolment.account.allocated_s) == (user, build.HOUR)
    assert AuditEntry.objects.filter(verb="enrolment.opened", subject=user, actor=user).count() == 1


def test_the_last_seat_is_the_last():
    cohort = build.cohort(seats=1)
    build.learner(cohort)
    late = build.person()

    for enrol in (catalog.self_enrol, lambda **given: catalog.enrol(**given, actor=None)):
        with pytest.raises(Full):
            enrol(cohort_id=cohort.pk, user=late, mode="ONSITE")

    assert not Account.objects.filter(owner=late).exists()


@pytest.mark.parametrize(
    ("opens", "closes", "code"),
    [(None, None, "enrolment_by_staff"), (1, None, "enrolment_not_open"), (-2, -1, "enrolment_over")],
)
def test_nobody_enrols_outside_the_window(opens, closes, code):
    now = timezone.now()
    cohort = build.cohort(
        self_enrolment_opens_at=opens and now + timedelta(hours=opens),
        self_enrolment_closes_at=closes and now + timedelta(hours=closes),
    )

    with pytest.raises(NotAllowed) as refusal:
        catalog.self_enrol(cohort_id=cohort.pk, user=build.person(), mode="ONSITE")

    assert refusal.value.code == code


def test_a_hidden_run_cannot_be_enrolled_in():
    cohort = build.cohort(of=build.run(is_published=False))

    with pytest.raises(NotFound):
        catalog.self_enrol(cohort_id=cohort.pk, user=build.person(), mode="ONSITE")


def test_one_is_enrolled_once_in_a_run_whatever_the_cohort():
    first = build.cohort()
    other = build.cohort(of=first.run, at=first.campus)
    user = build.learner(first).user

    for cohort in (first, other):
        with pytest.raises(Conflict) as refusal:
            catalog.enrol(cohort_id=cohort.pk, user=user, mode="ONSITE", actor=None)
        assert refusal.value.code == "already_enrolled"

    assert list(Cohort.objects.filter(run=first.run).order_by("pk").values_list("seats_taken", flat=True)) == [1, 0]


def test_a_mode_must_be_one_of_two():
    with pytest.raises(InvalidInput):
        catalog.self_enrol(cohort_id=build.cohort().pk, user=build.person(), mode="MARS")


def test_withdrawing_frees_the_seat_closes_the_account_and_keeps_the_ledger():
    cohort = build.cohort(seats=1)
    enrolment = build.learner(cohort)
    with transaction.atomic():
        quota.hold(account_id=enrolment.account_id, job_id=7, attempt=1, gpu_seconds=600)
        quota.settle(account_id=enrolment.account_id, job_id=7, attempt=1, held_s=600, charged_s=250)

    catalog.withdraw(enrolment_id=enrolment.pk, actor=enrolment.user)

    cohort.refresh_from_db()
    account = Account.objects.get(pk=enrolment.account_id)
    cohort.account.refresh_from_db()
    assert cohort.seats_taken == 0
    assert (account.is_open, account.allocated_s, account.used_s) == (False, 250, 250)
    assert cohort.account.granted_s == 250
    assert LedgerEntry.objects.filter(account=account).count() == 3
    assert _no_difference()


def test_the_freed_seat_goes_to_the_next_and_the_withdrawn_may_return():
    cohort = build.cohort(seats=1)
    enrolment = build.learner(cohort)
    catalog.withdraw(enrolment_id=enrolment.pk, actor=None)

    again = catalog.enrol(cohort_id=cohort.pk, user=enrolment.user, mode="ONLINE", actor=None)

    account = Account.objects.get(pk=again.account_id)
    assert again.pk == enrolment.pk
    assert (again.state, again.mode, again.ended_at) == ("ACTIVE", "ONLINE", None)
    assert (account.pk, account.is_open, account.allocated_s) == (enrolment.account_id, True, build.HOUR)
    assert _no_difference()


def test_a_seat_is_given_back_once():
    enrolment = build.learner(build.cohort())
    catalog.withdraw(enrolment_id=enrolment.pk, actor=None)

    with pytest.raises(Conflict):
        catalog.withdraw(enrolment_id=enrolment.pk, actor=None)

    assert Cohort.objects.get(pk=enrolment.cohort_id).seats_taken == 0


def test_only_the_learner_and_staff_of_the_cohort_may_end_an_enrolment():
    cohort = build.cohort()
    elsewhere = build.cohort(of=cohort.run)
    enrolment = build.learner(cohort)
    for stranger in (
        build.person(),
        build.learner(cohort).user,
        build.staff(Role.INSTRUCTOR, elsewhere.scope),
        build.staff(Role.ASSISTANT, cohort.scope),
    ):
        with pytest.raises(NotFound):
            catalog.withdraw(enrolment_id=enrolment.pk, actor=stranger)

    catalog.withdraw(enrolment_id=enrolment.pk, actor=build.staff(Role.CAMPUS_ADMIN, cohort.campus.scope))

    assert Enrolment.objects.get(pk=enrolment.pk).state == "WITHDRAWN"


def test_changing_between_on_site_and_online_is_audited():
    enrolment = build.learner(build.cohort())

    catalog.change_mode(enrolment_id=enrolment.pk, mode="ONLINE", actor=enrolment.user)

    entry = AuditEntry.objects.get(verb="enrolment.changed")
    assert entry.changes == {"mode": ["ONSITE", "ONLINE"]}


def test_seats_cannot_fall_below_those_taken():
    cohort = build.cohort()
    build.learner(cohort)
    build.learner(cohort)

    with pytest.raises(InvalidInput) as refusal:
        catalog.change_cohort(cohort_id=cohort.pk, fields={"seats": 1}, actor=None)

    assert "seats" in refusal.value.fields


def test_only_administrators_of_the_campus_open_cohorts_there():
    first, other = build.campus(), build.campus()
    run = build.run()
    admin = build.staff(Role.CAMPUS_ADMIN, other.scope)
    fields = {"run_id": run.pk, "name": "반", "seats": 5, "learner_quota_s": 60}

    with pytest.raises(NotAllowed):
        catalog.open_cohort(campus_id=first.pk, actor=admin, **fields)

    assert catalog.open_cohort(campus_id=other.pk, actor=admin, **fields).campus == other


def test_the_database_itself_holds_the_seat_cap():
    cohort = build.cohort(seats=1)
    build.learner(cohort)

    with (
        pytest.raises(Exception, match="cohort_seats_not_exceeded"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE catalog_cohort SET seats_taken = 2 WHERE id = %s", [cohort.pk])
