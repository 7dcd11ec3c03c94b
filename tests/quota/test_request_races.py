"""Two approvers at once: one gives, the other is told so. With its negative control."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from campus.core.errors import Conflict
from campus.core.models import Notice
from campus.people.access import standing_of
from campus.people.models import User
from labs.quota import api
from labs.quota.models import Allocation, QuotaRequest
from labs.quota.services import requests
from tests import factories
from tests.factories import HOUR
from tests.quota.conftest import Tree, plant
from tests.quota.test_races import rush

pytestmark = pytest.mark.django_db(transaction=True)

APPROVERS = 6


def scene() -> tuple[Tree, QuotaRequest, list[User]]:
    """A learner who asks for ten hours, and six administrators of the campus."""
    tree = plant()
    approvers = [factories.staff("CAMPUS_ADMIN", tree.campus_scope) for _ in range(APPROVERS)]
    found = requests.ask(
        account_id=tree.learner.pk, asker=tree.owner, wanted_s=10 * HOUR, reason="대회",
        until=timezone.localdate() + timedelta(days=9),
    )  # fmt: skip
    return tree, found, approvers


def answer(found: QuotaRequest, approver: User, number: int) -> str:
    """Every third declines."""
    if number % 3 == 2:
        return requests.decline(request_id=found.pk, actor=approver, answer="no").state
    return requests.approve(request_id=found.pk, actor=approver, standing=standing_of(approver)).state


def test_of_six_answers_at_once_one_counts_and_the_others_are_told_so() -> None:
    tree, found, approvers = scene()
    ends = rush(APPROVERS, lambda number: answer(found, approvers[number], number))
    states = [end for end in ends if isinstance(end, str)]
    refusals = [end for end in ends if isinstance(end, Conflict)]
    assert len(states) == 1
    assert [refusal.code for refusal in refusals] == ["request_decided"] * (APPROVERS - 1)
    found.refresh_from_db()
    assert found.state == states[0]
    given_s = 10 * HOUR if found.state == "APPROVED" else 0
    assert tree.fresh()[3].allocated_s == 20 * HOUR + given_s
    assert Notice.objects.filter(recipient=tree.owner).count() == 1
    with transaction.atomic():
        assert api.rebuild() == []


def test_withdrawing_and_approving_at_once_do_one_of_both() -> None:
    tree, found, approvers = scene()

    def act(number: int) -> str:
        if number:
            return answer(found, approvers[0], 0)
        return requests.withdraw(request_id=found.pk, actor=tree.owner).state

    ends = rush(2, act)
    assert sorted(isinstance(end, Conflict) for end in ends) == [False, True]
    found.refresh_from_db()
    assert tree.fresh()[3].allocated_s == (30 if found.state == "APPROVED" else 20) * HOUR


def naive_approve(found: QuotaRequest, approver: User, gate: threading.Barrier) -> str:
    """What approving would be without the request's lock: read, decide, allocate, write."""
    seen = QuotaRequest.objects.get(pk=found.pk)
    if seen.state != "OPEN":
        return "late"
    gate.wait(timeout=60)  # everybody has read before anybody writes: the window that the lock closes
    api.allocate(account_id=seen.account_id, delta_s=seen.wanted_s, reason="naive", actor=approver)
    QuotaRequest.objects.filter(pk=seen.pk).update(
        state="APPROVED", given_s=seen.wanted_s, decided_by=approver, decided_at=timezone.now()
    )
    return "given"


def test_without_the_lock_everyone_gives() -> None:
    tree, found, approvers = scene()
    gate = threading.Barrier(APPROVERS)
    ends = rush(APPROVERS, lambda number: naive_approve(found, approvers[number], gate))
    assert ends == ["given"] * APPROVERS
    assert Allocation.objects.filter(account=tree.learner).count() == 1 + APPROVERS
