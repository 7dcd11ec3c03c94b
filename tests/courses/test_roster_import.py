"""A class list is imported as it was previewed: all of it, or nothing."""

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction

from campus.core.errors import Conflict, Full, InvalidInput, NotAllowed
from campus.people.api import Role
from campus.people.models import User
from courses.catalog import services as catalog
from courses.catalog.invitations import invite
from courses.catalog.models import Cohort, Enrolment
from labs.quota import api as quota

from . import build

pytestmark = pytest.mark.django_db

LIST = "이메일,이름,수강 방식,학번\nnew1@b.kr,김새롬,대면,11\nnew2@b.kr,이새봄,온라인,12\n"


def _import(cohort, text, **given):
    raw = text.encode()
    digest = catalog.preview_roster(cohort_id=cohort.pk, raw=raw).digest
    return catalog.import_roster(cohort_id=cohort.pk, raw=raw, **({"digest": digest, "actor": None} | given))


def _state():
    return User.objects.count(), Enrolment.objects.count(), list(Cohort.objects.values_list("seats_taken", flat=True))


def test_a_preview_changes_nothing():
    cohort = build.cohort()
    before = _state()

    preview = catalog.preview_roster(cohort_id=cohort.pk, raw=LIST.encode())

    assert [planned.effect for planned in preview.plan.rows] == ["create", "create"]
    assert _state() == before


def test_new_people_are_created_without_password_enrolled_and_given_an_account():
    cohort = build.cohort()

    result = _import(cohort, LIST)

    people = list(User.objects.filter(email__endswith="@b.kr").order_by("email"))
    assert (result.created, result.enrolled, result.refused) == (2, 2, 0)
    assert [(p.name, p.member_number, p.has_usable_password()) for p in people] == [
        ("김새롬", "11", False),
        ("이새봄", "12", False),
    ]
    rows = Enrolment.objects.filter(user__in=people).order_by("user__email")
    assert [(row.mode, row.account.allocated_s) for row in rows] == [
        ("ONSITE", build.HOUR),
        ("ONLINE", build.HOUR),
    ]  # fmt: skip
    cohort.refresh_from_db()
    assert cohort.seats_taken == 2
    with transaction.atomic():
        assert quota.rebuild() == []


def test_importing_the_same_list_again_changes_nothing():
    cohort = build.cohort()
    _import(cohort, LIST)
    before = _state()

    preview = catalog.preview_roster(cohort_id=cohort.pk, raw=LIST.encode())
    with pytest.raises(InvalidInput) as refusal:
        _import(cohort, LIST)

    assert {planned.effect for planned in preview.plan.rows} == {"keep"}
    assert refusal.value.code == "nothing_to_import"
    assert _state() == before


def test_with_an_error_in_the_file_nothing_is_imported_until_the_valid_rows_are_chosen():
    cohort = build.cohort()
    text = LIST + "nonsense,박오류,대면,13\n"
    before = _state()

    with pytest.raises(InvalidInput) as refusal:
        _import(cohort, text)
    assert refusal.value.code == "rows_with_errors"
    assert _state() == before

    assert _import(cohort, text, only_valid=True).refused == 1
    assert _state() == (before[0] + 2, before[1] + 2, [2])


def test_what_is_done_is_what_was_previewed_or_nothing():
    cohort = build.cohort()
    digest = catalog.preview_roster(cohort_id=cohort.pk, raw=LIST.encode()).digest
    build.person("먼저 온 사람")
    User.objects.create_user("new1@b.kr", name="다른 이름")
    before = _state()

    with pytest.raises(Conflict) as refusal:
        _import(cohort, LIST, digest=digest)

    assert refusal.value.code == "preview_is_old"
    assert _state() == before


def test_a_list_longer_than_the_seats_left_is_refused_as_a_whole():
    cohort = build.cohort(seats=1)
    before = _state()

    with pytest.raises(Full) as refusal:
        _import(cohort, LIST)

    assert refusal.value.facts == {"needed": 2, "left": 1}
    assert _state() == before


def test_a_failure_in_the_middle_leaves_nothing_behind():
    cohort = build.cohort()
    raw = LIST.encode()
    digest = catalog.preview_roster(cohort_id=cohort.pk, raw=raw).digest
    before = _state()
    with connection.cursor() as cursor:  # the database itself refuses the second enrolment of the two
        cursor.execute(
            "ALTER TABLE catalog_enrolment ADD CONSTRAINT only_for_this_test CHECK (mode <> 'ONLINE') NOT VALID"
        )
    try:
        with pytest.raises(IntegrityError), transaction.atomic():
            catalog.import_roster(cohort_id=cohort.pk, raw=raw, digest=digest, actor=None)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE catalog_enrolment DROP CONSTRAINT only_for_this_test")

    assert _state() == before


def test_a_name_on_record_is_never_overwritten():
    cohort = build.cohort()
    known = build.person("김하늘")

    _import(cohort, f"email,name\n{known.email.upper()},김다름\n")

    known.refresh_from_db()
    assert known.name == "김하늘"
    assert Enrolment.objects.filter(user=known, cohort=cohort).exists()


def test_modes_change_and_the_withdrawn_return():
    cohort = build.cohort()
    staying, returning = build.learner(cohort), build.learner(cohort)
    catalog.withdraw(enrolment_id=returning.pk, actor=None)
    text = f"email,name,mode\n{staying.user.email},x김,온라인\n{returning.user.email},x박,온라인\n"

    result = _import(cohort, text)

    assert (result.changed, result.enrolled, result.created) == (1, 1, 0)
    rows = Enrolment.objects.filter(cohort=cohort).order_by("pk")
    assert [(row.mode, row.state) for row in rows] == [("ONLINE", "ACTIVE"), ("ONLINE", "ACTIVE")]


def test_assistants_and_staff_of_other_cohorts_import_nothing():
    cohort, other = build.cohort(), build.cohort()
    for actor in (build.staff(Role.ASSISTANT, cohort.scope), build.staff(Role.INSTRUCTOR, other.scope)):
        with pytest.raises(NotAllowed):
            _import(cohort, LIST, actor=actor)
    assert _import(cohort, LIST, actor=build.staff(Role.INSTRUCTOR, cohort.scope)).created == 2


def test_the_invited_choose_a_password_by_the_link_and_nobody_is_invited_twice(client):
    cohort = build.cohort()
    _import(cohort, LIST)
    person = User.objects.get(email="new1@b.kr")

    assert invite(user_ids=[person.pk], site_url="http://testserver/") == 1
    link = next(word for word in mail.outbox[0].body.split() if word.startswith("http"))
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"password1": "bamboo-river-77", "password2": "bamboo-river-77"})

    person.refresh_from_db()
    assert person.check_password("bamboo-river-77")
    assert str(cohort.run) in mail.outbox[0].body
    assert invite(user_ids=[person.pk], site_url="http://testserver/") == 0


def test_two_hundred_people_take_a_bounded_number_of_queries(django_assert_max_num_queries):
    cohort = build.cohort(seats=200, learner_quota_s=60)
    text = "email,name\n" + "".join(f"many{n}@b.kr,김학생{n}가\n" for n in range(200))

    with django_assert_max_num_queries(12):
        catalog.preview_roster(cohort_id=cohort.pk, raw=text.encode())
    assert _import(cohort, text).created == 200
