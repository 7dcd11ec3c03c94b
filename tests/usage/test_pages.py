"""The pages of usage: one's own, and the reports of staff."""

import csv
from datetime import date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campus.people.models import RoleGrant, User
from courses.catalog.models import Cohort, Course, CourseRun, Programme, Term
from labs.quota.models import Account
from labs.usage import groupings
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree
from tests.usage.conftest import SEOUL, ran

pytestmark = pytest.mark.django_db
Role = RoleGrant.Role
MINE = "/usage/"


def today() -> date:
    return datetime.now(SEOUL).date()


def page_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["campus_language"] = "en"
    return client


def report(account: Account, query: str = "") -> str:
    return reverse("usage:account", args=[account.pk]) + query


def rows_of(client: Client, address: str) -> list[list[str]]:
    response = client.get(address)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))


@pytest.fixture
def admin(tree: Tree) -> User:
    return factories.staff(Role.CAMPUS_ADMIN, tree.campus_scope)


def test_a_learner_sees_what_is_left_and_what_each_job_cost(tree: Tree) -> None:
    job = ran(tree.learner, tree.owner, 2 * HOUR, today(), refunded_s=HOUR, title="digits")
    html = page_of(tree.owner).get(MINE).content.decode()
    assert "19 GPU-h" in html
    assert f"#{job.pk} digits" in html
    for text in ("7,260", "7,200", "3,600", "node lost", "Refund"):
        assert text in html
    assert "1 GPU-h used in the last 30 days" in html


def test_nobody_sees_anothers_jobs_on_their_own_page(tree: Tree) -> None:
    ran(tree.learner, tree.owner, HOUR, today(), title="digits")
    other = factories.UserFactory()
    factories.learner_account(tree.cohort, other, HOUR)
    assert "digits" not in page_of(other).get(MINE).content.decode()
    own = page_of(other).get(MINE, {"account": tree.learner.pk}).content.decode()
    assert "digits" not in own


def test_a_level_above_that_has_less_left_is_said(tree: Tree) -> None:
    Account.objects.filter(pk=tree.cohort.pk).update(used_s=99 * HOUR)
    html = page_of(tree.owner).get(MINE).content.decode()
    assert "AI 엔지니어 1기" in html
    assert "has only 1 GPU-h left" in html


def test_staff_without_an_account_go_to_their_report(tree: Tree, admin: User) -> None:
    response = page_of(admin).get(MINE)
    assert (response.status_code, response.headers["Location"]) == (302, report(tree.campus))


def test_staff_of_several_choose(tree: Tree, admin: User) -> None:
    other = factories.campus("jeonbuk", "전북")
    factories.account(Account.Kind.CAMPUS, tree.platform, other.scope, HOUR, name="전북 캠퍼스")
    RoleGrant.objects.create(user=admin, role=Role.INSTRUCTOR, scope=other.scope)
    html = page_of(admin).get(MINE).content.decode()
    assert "용인 캠퍼스" in html
    assert "전북 캠퍼스" in html


def test_a_report_is_seen_by_staff_and_owner_only(tree: Tree, admin: User) -> None:
    instructor = factories.staff(Role.ASSISTANT, tree.cohort_scope)
    for user, statuses in {
        admin: [404, 200, 200, 200],
        instructor: [404, 404, 200, 200],
        tree.owner: [404, 404, 404, 200],
        factories.UserFactory(): [404, 404, 404, 404],
    }.items():
        client = page_of(user)
        assert [client.get(report(account)).status_code for account in tree.path] == statuses
        downloads = [reverse("usage:account-csv", args=[account.pk]) for account in tree.path]
        assert [client.get(address).status_code for address in downloads] == statuses
    assert Client().get(MINE).status_code == 302


def test_a_report_groups_by_learner_and_says_who_used_most(tree: Tree, admin: User) -> None:
    other = factories.UserFactory(name="최유나")
    second = factories.learner_account(tree.cohort, other, 10 * HOUR)
    ran(tree.learner, tree.owner, HOUR, today())
    ran(second, other, 3 * HOUR, today() - timedelta(days=2))
    response = page_of(admin).get(report(tree.campus, "?by=learner"))
    assert [(entry.group, entry.use.used_s) for entry in response.context["page"]] == [
        ("최유나", 3 * HOUR),
        ("이서준", HOUR),
    ]
    assert "최유나 used most: 75% of 4 GPU-h" in response.content.decode()


def test_learners_called_alike_stay_apart(tree: Tree, admin: User) -> None:
    other = factories.UserFactory(name="이서준")
    second = factories.learner_account(tree.cohort, other, 10 * HOUR)
    ran(tree.learner, tree.owner, HOUR, today())
    ran(second, other, HOUR, today())
    response = page_of(admin).get(report(tree.cohort, "?by=learner"))
    assert {entry.group for entry in response.context["page"]} == {
        f"이서준 (#{tree.learner.pk})",
        f"이서준 (#{second.pk})",
    }


def test_apps_further_up_add_their_groupings(tree: Tree, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groupings, "_GROUPINGS", dict(groupings._GROUPINGS))
    groupings.register("topic", "Topic", lambda ids: {tree.cohort.pk: "Vision"} if tree.cohort.pk in ids else {})
    ran(tree.learner, tree.owner, HOUR, today())
    response = page_of(admin).get(report(tree.campus, "?by=topic"))
    assert [entry.group for entry in response.context["page"]] == ["Vision"]


def test_cohorts_add_up_to_their_course(tree: Tree, admin: User) -> None:
    programme = Programme.objects.create(slug="ai", name_ko="AI 엔지니어 과정")
    course = Course.objects.create(
        programme=programme, code="ML101", name_ko="기계학습 입문", name_en="Machine learning"
    )
    term = Term.objects.create(slug="2026-2", name_ko="2학기", starts_on="2026-09-01", ends_on="2026-12-20")
    run = CourseRun.objects.create(course=course, term=term, slug="ml101-2026-2")
    scope = factories.scope_below(tree.campus_scope, "COHORT", "2기")
    second = factories.account(Account.Kind.COHORT, tree.campus, scope, 10 * HOUR, name="2기")
    home = tree.campus_scope.campus
    for account in (tree.cohort, second):
        Cohort.objects.create(run=run, campus=home, name=account.name, seats=9, scope=account.scope, account=account)
    ran(tree.learner, tree.owner, HOUR, today())
    ran(second, admin, HOUR, today())
    response = page_of(admin).get(report(tree.campus, "?by=course"))
    assert [(e.group, e.use.used_s) for e in response.context["page"]] == [("Machine learning", 2 * HOUR)]


def test_what_was_used_on_no_groups_account_is_not_lost(tree: Tree, admin: User) -> None:
    ran(tree.campus, admin, HOUR, today())
    response = page_of(admin).get(report(tree.campus, "?by=cohort"))
    assert [(entry.group, entry.use.used_s) for entry in response.context["page"]] == [(None, HOUR)]
    assert "Elsewhere" in response.content.decode()


def test_an_owner_sees_no_groups_of_an_account_that_they_do_not_look_after(tree: Tree) -> None:
    assert page_of(tree.owner).get(report(tree.learner, "?by=learner")).context["grouping"] is None


def test_days_are_counted_in_the_campuss_zone(tree: Tree) -> None:
    with time_machine.travel(datetime(2026, 11, 20, 0, 30, tzinfo=ZoneInfo("Asia/Seoul")), tick=False):
        period = page_of(tree.owner).get(MINE).context["period"]
    assert period.last == date(2026, 11, 20)  # in UTC it is still the 19th


@pytest.mark.parametrize("days", ["7", "30", "120", "x", "999999999"])
def test_only_offered_periods_are_taken(tree: Tree, days: str) -> None:
    period = page_of(tree.owner).get(MINE, {"days": days}).context["period"]
    assert period.days == (int(days) if days in ("7", "30", "120") else 30)


def test_csv_by_day_and_by_group(tree: Tree, admin: User) -> None:
    ran(tree.learner, tree.owner, 2 * HOUR, today(), refunded_s=HOUR)
    line = [today().isoformat(), "7200", "3600", "3600", "1"]
    address = reverse("usage:account-csv", args=[tree.campus.pk])
    assert rows_of(page_of(admin), address)[1:] == [line]
    grouped = rows_of(page_of(admin), address + "?by=learner")
    assert grouped[0][1] == "Learner"
    assert grouped[1:] == [[line[0], "이서준", *line[1:]]]
    assert rows_of(page_of(tree.owner), reverse("usage:mine-csv"))[1:] == [line]


def test_a_name_in_the_csv_is_never_a_formula(tree: Tree, admin: User) -> None:
    Account.objects.filter(pk=tree.learner.pk).update(name="=HYPERLINK(1)")
    ran(tree.learner, tree.owner, HOUR, today())
    address = reverse("usage:account-csv", args=[tree.cohort.pk]) + "?by=learner"
    assert rows_of(page_of(admin), address)[1][1] == "'=HYPERLINK(1)"


def test_queries_are_the_same_at_one_and_at_twenty_rows(
    tree: Tree, admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # mine: session, user, roles; own accounts, above them, sponsors, (roots: none without a role), zone, days, jobs'
    # count, jobs, their lines. report: session, user, roles; the account, zone, by day, by account, names.
    own, staff = page_of(tree.owner), page_of(admin)

    def measure() -> None:
        with django_assert_num_queries(11):
            assert own.get(MINE).status_code == 200
        with django_assert_num_queries(8):
            assert staff.get(report(tree.campus, "?by=learner")).status_code == 200

    ran(tree.learner, tree.owner, 60, today())
    measure()
    for number in range(19):
        ran(tree.learner, tree.owner, 60, today() - timedelta(days=number))
        user = factories.UserFactory()
        ran(factories.learner_account(tree.cohort, user, HOUR), user, 60, today())
        sponsor = factories.account(Account.Kind.SPONSOR, tree.campus, tree.campus_scope, HOUR)
        factories.learner_account(sponsor, tree.owner, 60)
    measure()


def test_a_learner_of_two_cohorts_is_told_apart_by_the_cohort(tree: Tree, admin: User) -> None:
    scope = factories.scope_below(tree.campus_scope, "COHORT", "2기")
    cohort = factories.account(Account.Kind.COHORT, tree.campus, scope, 10 * HOUR, name="2기")
    again = factories.learner_account(cohort, tree.owner, HOUR)
    ran(tree.learner, tree.owner, HOUR, today())
    ran(again, tree.owner, 60, today())
    response = page_of(admin).get(report(tree.campus, "?by=learner"))
    assert [entry.group for entry in response.context["page"]] == ["이서준 · AI 엔지니어 1기", "이서준 · 2기"]
