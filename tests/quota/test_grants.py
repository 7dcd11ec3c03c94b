"""Grants that end: given, drawn upon in their order, expired by what time brings; sponsors' hours stay theirs."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from campus.core.clock import database_now
from campus.core.errors import Conflict, InvalidInput, NotFound, OverQuota
from campus.core.models import AuditEntry
from labs.quota import api, tasks
from labs.quota.models import Account, Allocation, Grant, GrantDraw, Sponsor
from labs.quota.services import begin_grant, cancel_grant, expire_grant
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db


def soon(days: float = 30) -> datetime:
    return database_now() + timedelta(days=days)


def give(account: Account, gpu_seconds: int = 10 * HOUR, **fields: Any) -> Grant:
    given = {"label": "2026-2", "ends_at": soon(), "actor": None} | fields
    return api.give_grant(account_id=account.pk, gpu_seconds=gpu_seconds, **given)


def province() -> Sponsor:
    found = Sponsor.objects.filter(name_ko="전북특별자치도").first()
    return found or api.add_sponsor(name_ko="전북특별자치도", name_en="Jeonbuk", kind="PUBLIC", actor=None)


def time_is_up(*grants: Grant) -> None:
    """Move the grants into the past, as a month would."""
    past = database_now() - timedelta(days=60)
    for number, grant in enumerate(grants):
        Grant.objects.filter(pk=grant.pk).update(
            begins_at=past, ends_at=past + timedelta(days=1, minutes=number),
            **({"carry_until_at": past + timedelta(days=90)} if grant.carry_until_at else {}),
        )  # fmt: skip


def run(tree: Tree, job_id: int, held_s: int, charged_s: int | None = None) -> None:
    api.hold(account_id=tree.learner.pk, job_id=job_id, attempt=1, gpu_seconds=held_s)
    if charged_s is not None:
        api.settle(account_id=tree.learner.pk, job_id=job_id, attempt=1, held_s=held_s, charged_s=charged_s)


def figures(grant: Grant) -> tuple[int, int, int, int, int]:
    grant.refresh_from_db()
    return grant.used_s, grant.held_s, grant.returned_s, grant.carried_s, grant.left_s


def assert_sound() -> None:
    assert api.rebuild() == []


def test_a_grant_comes_out_of_the_parent_and_is_in_the_history(tree: Tree) -> None:
    grant = give(tree.cohort, 100 * HOUR)
    _platform, campus, cohort, _learner = tree.fresh()
    assert (cohort.allocated_s, cohort.dated_s, campus.granted_s) == (200 * HOUR, 100 * HOUR, 200 * HOUR)
    assert campus.allocated_s == 400 * HOUR
    line = Allocation.objects.filter(account=tree.cohort).first()
    assert line is not None
    assert (line.kind, line.delta_s, line.grant) == ("GRANT", 100 * HOUR, grant)
    assert AuditEntry.objects.get(verb="quota.grant_given").object_id == str(grant.pk)
    assert_sound()


def test_a_parent_with_less_to_grant_refuses_and_a_sponsor_needs_none(tree: Tree) -> None:
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        give(tree.cohort, 301 * HOUR)
    assert caught.value.facts["short_account_id"] == tree.campus.pk
    assert not Grant.objects.exists()
    give(tree.cohort, 301 * HOUR, sponsor=province())
    platform, campus, cohort, learner = tree.fresh()
    assert [a.allocated_s for a in (platform, campus, cohort)] == [1301 * HOUR, 701 * HOUR, 401 * HOUR]
    assert (platform.granted_s, campus.granted_s, learner.allocated_s) == (701 * HOUR, 401 * HOUR, 20 * HOUR)
    assert_sound()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"gpu_seconds": 0}, "gpu_seconds"),
        ({"label": " "}, "label"),
        ({"days": -1}, "ends_at"),
        ({"carry_pct": 101}, "carry_pct"),
        ({"carry_most_s": -1}, "carry_most_s"),
        ({"carry_days": 1}, "carry_until_at"),
    ],
)
def test_what_is_wrong_with_a_grant_names_its_field(tree: Tree, fields: dict[str, Any], wrong: str) -> None:
    given: dict[str, Any] = {"gpu_seconds": HOUR, "label": "x", "ends_at": soon(fields.pop("days", 30))}
    if "carry_days" in fields:
        given["carry_until_at"] = soon(fields.pop("carry_days"))
    with pytest.raises(InvalidInput) as caught:
        api.give_grant(account_id=tree.cohort.pk, actor=None, **given | fields)
    assert list(caught.value.fields) == [wrong]


def test_what_a_sponsor_gave_is_never_carried_over_for_good(tree: Tree) -> None:
    with pytest.raises(InvalidInput) as caught:
        give(tree.cohort, sponsor=province(), carry_pct=50)
    assert list(caught.value.fields) == ["carry_until_at"]
    grant = give(tree.cohort, sponsor=province())
    with pytest.raises(DatabaseError, match="grant_sponsored_stays_dated"), transaction.atomic():
        Grant.objects.filter(pk=grant.pk).update(carry_pct=50)


def test_one_that_begins_later_is_posted_then_and_once(tree: Tree) -> None:
    grant = give(tree.cohort, begins_at=soon(1))
    assert (grant.state, tree.fresh()[2].allocated_s) == ("PLANNED", 100 * HOUR)
    assert not begin_grant(grant_id=grant.pk)
    Grant.objects.filter(pk=grant.pk).update(begins_at=database_now())
    tasks.sweep_grants()
    tasks.sweep_grants()
    assert (tree.fresh()[2].allocated_s, Allocation.objects.filter(grant=grant).count()) == (110 * HOUR, 1)
    with pytest.raises(Conflict):
        cancel_grant(grant_id=grant.pk, actor=None)


def test_one_whose_parent_is_short_waits_and_begins_when_there_is_room(tree: Tree) -> None:
    grant = give(tree.cohort, 301 * HOUR, begins_at=soon(1))
    Grant.objects.filter(pk=grant.pk).update(begins_at=database_now())
    assert api.sweep().failed == 1
    grant.refresh_from_db()
    assert grant.state == "PLANNED"
    api.allocate(account_id=tree.campus.pk, delta_s=HOUR, reason="room", actor=None)
    assert api.sweep().begun == 1
    assert tree.fresh()[2].allocated_s == 401 * HOUR


def test_a_planned_grant_can_be_cancelled(tree: Tree) -> None:
    grant = give(tree.cohort, begins_at=soon(1))
    cancel_grant(grant_id=grant.pk, actor=None)
    Grant.objects.filter(pk=grant.pk).update(begins_at=database_now())
    tasks.sweep_grants()
    assert tree.fresh()[2].allocated_s == 100 * HOUR
    with pytest.raises(NotFound):
        begin_grant(grant_id=10**9)


def test_expiry_takes_back_what_is_free_and_running_it_again_changes_nothing(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    run(tree, 1, 4 * HOUR, 3 * HOUR)
    run(tree, 2, 2 * HOUR)
    assert figures(grant) == (3 * HOUR, 2 * HOUR, 0, 0, 5 * HOUR)
    assert expire_grant(grant_id=grant.pk) == 0  # its time is not up
    time_is_up(grant)
    tasks.sweep_grants()
    tasks.sweep_grants()
    assert figures(grant) == (3 * HOUR, 2 * HOUR, 5 * HOUR, 0, 0)
    cohort, learner = tree.fresh()[2:]
    assert (learner.allocated_s, learner.dated_s, cohort.granted_s) == (25 * HOUR, 0, 25 * HOUR)
    line = Allocation.objects.filter(account=tree.learner).first()
    assert line is not None
    assert (line.kind, line.delta_s, line.grant, line.actor) == ("EXPIRY", -5 * HOUR, grant, None)
    # What was held comes back when the job is over; what it used stays.
    api.settle(account_id=tree.learner.pk, job_id=2, attempt=1, held_s=2 * HOUR, charged_s=HOUR)
    assert figures(grant) == (4 * HOUR, 0, 5 * HOUR, 0, HOUR)
    tasks.sweep_leftovers()
    tasks.sweep_leftovers()
    assert figures(grant) == (4 * HOUR, 0, 6 * HOUR, 0, 0)
    assert tree.fresh()[3].allocated_s == 24 * HOUR
    assert_sound()


def test_what_is_over_is_nobodys_from_that_second_on_even_before_it_is_swept(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    time_is_up(grant)
    with pytest.raises(OverQuota) as caught, transaction.atomic():
        run(tree, 1, 20 * HOUR + 1)
    assert caught.value.facts["available_s"] == 20 * HOUR
    run(tree, 1, 20 * HOUR)
    assert not GrantDraw.objects.exists()
    tasks.sweep_grants()
    assert figures(grant) == (0, 0, 10 * HOUR, 0, 0)


def test_a_share_is_carried_over_for_good_or_into_another_date(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR, carry_pct=30)
    dated = give(tree.cohort, 10 * HOUR, carry_pct=100, carry_most_s=4 * HOUR, carry_until_at=soon(60), label="여름")
    time_is_up(grant, dated)
    tasks.sweep_grants()
    assert figures(grant) == (0, 0, 7 * HOUR, 3 * HOUR, 0)
    assert figures(dated) == (0, 0, 6 * HOUR, 4 * HOUR, 0)
    cohort, learner = tree.fresh()[2:]
    assert (learner.allocated_s, learner.dated_s) == (23 * HOUR, 0)
    assert (cohort.allocated_s, cohort.dated_s) == (104 * HOUR, 4 * HOUR)
    following = Grant.objects.get(carried_from=dated)
    assert (following.state, following.seconds, following.label) == ("ACTIVE", 4 * HOUR, "여름")
    assert_sound()
    time_is_up(following)
    tasks.sweep_grants()
    assert tree.fresh()[2].allocated_s == 100 * HOUR
    assert_sound()


def test_what_was_granted_below_stays_until_it_comes_back_from_there(tree: Tree) -> None:
    grant = give(tree.cohort, 50 * HOUR)
    api.allocate(account_id=tree.learner.pk, delta_s=100 * HOUR, reason="all of it", actor=None)
    time_is_up(grant)
    tasks.sweep_grants()
    assert figures(grant) == (0, 0, 30 * HOUR, 0, 20 * HOUR)
    api.allocate(account_id=tree.learner.pk, delta_s=-100 * HOUR, reason="back", actor=None)
    tasks.sweep_leftovers()
    assert figures(grant) == (0, 0, 50 * HOUR, 0, 0)
    assert tree.fresh()[2].allocated_s == 100 * HOUR


def test_a_cohorts_grant_ends_before_its_campuss_in_one_sweep(tree: Tree) -> None:
    campus = give(tree.campus, 50 * HOUR)
    cohort = give(tree.cohort, 350 * HOUR)
    time_is_up(campus, cohort)
    assert api.sweep().ended == 2
    assert (figures(campus)[-1], figures(cohort)[-1]) == (0, 0)


def test_nobody_takes_back_what_ends_by_itself(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    with pytest.raises(InvalidInput) as caught:
        api.allocate(account_id=tree.learner.pk, delta_s=-20 * HOUR - 1, reason="all", actor=None)
    assert caught.value.facts["limit_s"] == -20 * HOUR
    with pytest.raises(InvalidInput):
        api.end_grant(grant_id=grant.pk, actor=None, reason=" ")
    api.end_grant(grant_id=grant.pk, actor=None, reason="a mistake")
    assert (tree.fresh()[3].allocated_s, figures(grant)[-1]) == (20 * HOUR, 0)
    with pytest.raises(Conflict):
        api.end_grant(grant_id=grant.pk, actor=None, reason="again")
    api.allocate(account_id=tree.learner.pk, delta_s=-20 * HOUR, reason="all", actor=None)


def test_sponsors_pay_first_and_each_second_is_one_sponsors(tree: Tree) -> None:
    company = api.add_sponsor(name_ko="한빛소프트", actor=None)
    own = give(tree.cohort, 5 * HOUR, ends_at=soon(1))
    theirs = give(tree.campus, 3 * HOUR, sponsor=province(), ends_at=soon(10))
    companys = give(tree.cohort, 2 * HOUR, sponsor=company, ends_at=soon(5))
    run(tree, 1, 8 * HOUR, 4 * HOUR)
    assert figures(companys)[0] == 2 * HOUR
    assert figures(theirs)[0] == 2 * HOUR
    # The province's hours were new to the campus, not to the cohort: there they are the cohort's own use.
    assert figures(own)[0] == 2 * HOUR
    assert_sound()
    api.refund(account_id=tree.learner.pk, job_id=1, attempt=1, gpu_seconds=3 * HOUR)
    assert (figures(companys)[0], figures(theirs)[0], figures(own)[0]) == (HOUR, 0, 0)
    assert_sound()


def test_a_sponsors_rest_leaves_every_level_again(tree: Tree) -> None:
    grant = give(tree.cohort, 10 * HOUR, sponsor=province())
    run(tree, 1, 4 * HOUR, 4 * HOUR)
    time_is_up(grant)
    tasks.sweep_grants()
    platform, campus, cohort, _learner = tree.fresh()
    assert [a.allocated_s for a in (platform, campus, cohort)] == [1004 * HOUR, 404 * HOUR, 104 * HOUR]
    assert (platform.granted_s, campus.granted_s) == (404 * HOUR, 104 * HOUR)
    assert Allocation.objects.filter(grant=grant, kind="EXPIRY").count() == 3
    assert_sound()


def test_a_hold_that_ends_without_a_charge_gives_the_grant_all_of_it_back(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    run(tree, 1, 12 * HOUR)
    assert figures(grant)[1] == 10 * HOUR
    api.release(account_id=tree.learner.pk, job_id=1, attempt=1)
    assert figures(grant) == (0, 0, 0, 0, 10 * HOUR)
    assert tree.fresh()[3].dated_s == 10 * HOUR
    assert_sound()


def test_closing_an_account_ends_its_grants_and_gives_everything_free_back(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    later = give(tree.learner, 10 * HOUR, begins_at=soon(2))
    run(tree, 1, 4 * HOUR, 4 * HOUR)
    run(tree, 2, 1 * HOUR)
    api.close_account(account_id=tree.learner.pk, reason="left", actor=None)
    cohort, learner = tree.fresh()[2:]
    assert (learner.allocated_s, learner.is_open, cohort.granted_s) == (5 * HOUR, False, 5 * HOUR)
    later.refresh_from_db()
    grant.refresh_from_db()
    assert (grant.state, later.state) == ("ENDED", "CANCELLED")
    assert_sound()


def test_postings_cost_no_query_more_where_no_grant_is(tree: Tree) -> None:
    give(tree.campus, HOUR, sponsor=province())
    other = factories.account(Account.Kind.CAMPUS, tree.platform, tree.campus_scope, 10 * HOUR)
    with CaptureQueriesContext(connection) as without:
        api.hold(account_id=other.pk, job_id=1, attempt=1, gpu_seconds=5)
    # And with grants: they are read, their draws written, their figures changed.
    with CaptureQueriesContext(connection) as having:
        api.hold(account_id=tree.learner.pk, job_id=2, attempt=1, gpu_seconds=5)
    assert (len(without), len(having)) == (3, 7)


def test_the_database_itself_refuses_to_draw_a_grant_below_nothing(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    with pytest.raises(DatabaseError, match="grant_left_not_negative"), transaction.atomic():
        Grant.objects.filter(pk=grant.pk).update(used_s=10 * HOUR + 1)
    run(tree, 1, HOUR)
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        GrantDraw.objects.update(gpu_seconds=1)


def test_a_spoilt_grant_is_found_and_repaired(tree: Tree) -> None:
    grant = give(tree.learner, 10 * HOUR)
    run(tree, 1, HOUR, 600)
    Grant.objects.filter(pk=grant.pk).update(used_s=601)
    found = {(d.name, d.kept, d.ledger) for d in api.rebuild(repair=True)}
    assert (f"grant {grant.pk} used_s", 601, 600) in found
    api.rebuild(repair=True)
    assert_sound()
