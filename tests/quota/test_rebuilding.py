"""The nightly proof: balances equal the ledger, and what differs is said and, when asked, repaired."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from campus.core.models import AuditEntry
from labs.quota import api, tasks
from labs.quota.models import Account, UsageDay
from tests.factories import HOUR
from tests.quota.conftest import Tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(tree: Tree) -> Tree:
    """Two jobs: one settled and partly refunded, one still holding."""
    leaf = {"account_id": tree.learner.pk, "attempt": 1}
    api.hold(**leaf, job_id=1, gpu_seconds=HOUR)
    api.settle(**leaf, job_id=1, held_s=HOUR, charged_s=600)
    api.refund(**leaf, job_id=1, gpu_seconds=100)
    api.hold(**leaf, job_id=2, gpu_seconds=50)
    return tree


def spoil(tree: Tree) -> None:
    Account.objects.filter(pk=tree.cohort.pk).update(used_s=501, granted_s=20 * HOUR - 1)
    UsageDay.objects.update(charged_s=599, jobs=2)


def test_nothing_differs_where_only_services_wrote(busy: Tree) -> None:
    assert api.rebuild() == []
    assert (busy.fresh()[0].used_s, busy.fresh()[0].held_s) == (500, 50)


def test_each_difference_is_named_and_goes_to_the_audit_trail(busy: Tree) -> None:
    spoil(busy)
    found = {(d.account_id, d.field, d.kept, d.ledger) for d in api.rebuild()}
    assert found == {
        (busy.cohort.pk, "used_s", 501, 500),
        (busy.cohort.pk, "granted_s", 20 * HOUR - 1, 20 * HOUR),
        (busy.learner.pk, "charged_s", 599, 600),
        (busy.learner.pk, "jobs", 2, 1),
    }
    entries = AuditEntry.objects.filter(verb="quota.differs")
    assert {entry.object_id for entry in entries} == {str(busy.cohort.pk), str(busy.learner.pk)}
    assert busy.fresh()[2].used_s == 501


def test_repair_writes_what_the_ledger_says(busy: Tree) -> None:
    spoil(busy)
    UsageDay.objects.all().delete()
    assert api.rebuild(repair=True)
    assert api.rebuild() == []
    day = UsageDay.objects.get()
    assert (day.charged_s, day.refunded_s, day.jobs, day.path) == (600, 100, 1, busy.learner.path)


def test_the_nightly_task_reports_and_repairs_nothing(busy: Tree) -> None:
    spoil(busy)
    tasks.rebuild_balances()
    assert AuditEntry.objects.filter(verb="quota.differs").count() == 2
    assert not AuditEntry.objects.filter(verb="quota.repaired").exists()


def test_the_command_fails_until_it_may_repair(busy: Tree) -> None:
    out = StringIO()
    call_command("rebuild_ledger", stdout=out)
    assert "balances equal the ledger" in out.getvalue()
    spoil(busy)
    with pytest.raises(CommandError, match="4 figures differ"):
        call_command("rebuild_ledger", stdout=out)
    call_command("rebuild_ledger", "--repair", stdout=out)
    assert f"account {busy.cohort.pk} used_s: kept 501, ledger 500" in out.getvalue()
    call_command("rebuild_ledger", stdout=out)


def test_a_ledger_that_breaks_a_rule_is_left_to_a_person(busy: Tree) -> None:
    Account.objects.filter(pk=busy.learner.pk).update(used_s=0, held_s=0, allocated_s=0)
    Account.objects.filter(pk=busy.cohort.pk).update(granted_s=0, allocated_s=500 + 50)
    found = {(d.account_id, d.field) for d in api.rebuild()}
    assert (busy.learner.pk, "allocated_s") in found
    assert (busy.cohort.pk, "allocated_s") in found
