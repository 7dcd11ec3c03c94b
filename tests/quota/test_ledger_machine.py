"""Whatever is posted in whatever order, no invariant breaks and the ledger rebuilds to the second."""

from contextlib import suppress

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from campus.core.errors import Conflict, InvalidInput, OverQuota
from labs.quota import api
from labs.quota.models import Account, LedgerEntry
from tests import factories
from tests.quota.conftest import plant

amounts = st.integers(-50, 4000)


class Ledger(RuleBasedStateMachine):
    """Two learners of one cohort; attempts are (learner index, job, attempt)."""

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        """Each example starts from an empty database."""
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize()
    def open(self) -> None:
        self.tree = plant(learner_s=2000)
        with transaction.atomic():
            other = factories.learner_account(self.tree.cohort, factories.UserFactory(), 1500)
        self.leaves = [self.tree.learner, other]
        self.open_holds: dict[tuple[int, int, int], int] = {}
        self.charges: dict[tuple[int, int, int], int] = {}
        self.attempts: dict[int, tuple[int, int]] = {}
        self.jobs = 0

    def _hold(self, key: tuple[int, int, int], gpu_seconds: int) -> bool:
        which, job_id, attempt = key
        leaf = Account.objects.get(pk=self.leaves[which].pk)
        ancestors = Account.objects.filter(pk__in=leaf.path)
        fits = 0 < gpu_seconds <= min(account.available_s for account in ancestors)
        try:
            with transaction.atomic():
                api.hold(account_id=leaf.pk, job_id=job_id, attempt=attempt, gpu_seconds=gpu_seconds)
        except (OverQuota, InvalidInput):
            assert not fits
            return False
        assert fits
        self.open_holds[key] = gpu_seconds
        return True

    @rule(which=st.integers(0, 1), gpu_seconds=amounts)
    def submit(self, which: int, gpu_seconds: int) -> None:
        self.jobs += 1
        self._hold((which, self.jobs, 1), gpu_seconds)

    @rule(data=st.data(), share=st.floats(0, 1))
    def settle(self, data: st.DataObject, share: float) -> None:
        if not self.open_holds:
            return
        key = data.draw(st.sampled_from(sorted(self.open_holds)))
        held_s = self.open_holds.pop(key)
        which, job_id, attempt = key
        self.charges[key] = int(held_s * share)
        with transaction.atomic():
            api.settle(
                account_id=self.leaves[which].pk, job_id=job_id, attempt=attempt, held_s=held_s,
                charged_s=self.charges[key],
            )  # fmt: skip

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if not self.open_holds:
            return
        key = data.draw(st.sampled_from(sorted(self.open_holds)))
        held_s = self.open_holds.pop(key)
        with transaction.atomic():
            released = api.release(account_id=self.leaves[key[0]].pk, job_id=key[1], attempt=key[2])
        assert released == held_s

    @rule(data=st.data(), again=st.booleans())
    def lose(self, data: st.DataObject, again: bool) -> None:
        """The platform loses what it charged: all of it comes back, and the job may hold again."""
        lost = sorted(key for key, charged_s in self.charges.items() if charged_s)
        if not lost:
            return
        key = data.draw(st.sampled_from(lost))
        charged_s = self.charges.pop(key)
        with transaction.atomic():
            api.refund(account_id=self.leaves[key[0]].pk, job_id=key[1], attempt=key[2], gpu_seconds=charged_s)
        following = (key[0], key[1], key[2] + 1)
        if again and not LedgerEntry.objects.filter(job_id=key[1], attempt=key[2] + 1).exists():
            self._hold(following, charged_s)

    @rule(data=st.data())
    def settle_twice(self, data: st.DataObject) -> None:
        if not self.charges:
            return
        key = data.draw(st.sampled_from(sorted(self.charges)))
        with suppress(Conflict), transaction.atomic():
            api.settle(account_id=self.leaves[key[0]].pk, job_id=key[1], attempt=key[2], held_s=1, charged_s=1)
            raise AssertionError("an attempt was settled twice")

    @rule(level=st.integers(0, 3), delta_s=st.integers(-3000, 3000))
    def allocate(self, level: int, delta_s: int) -> None:
        with suppress(OverQuota, InvalidInput), transaction.atomic():
            api.allocate(account_id=self.tree.path[level].pk, delta_s=delta_s, reason="any", actor=None)

    @invariant()
    def balances_equal_the_ledger(self) -> None:
        with transaction.atomic():
            assert api.rebuild() == []

    @invariant()
    def nothing_is_below_zero(self) -> None:
        for account in Account.objects.all():
            assert min(account.used_s, account.held_s, account.granted_s, account.available_s) >= 0
            assert account.granted_s <= account.allocated_s * account.overcommit_pct // 100

    @invariant()
    def what_is_held_is_what_is_open(self) -> None:
        cohort = Account.objects.get(pk=self.tree.cohort.pk)
        assert cohort.held_s == sum(self.open_holds.values())
        assert cohort.used_s == sum(self.charges.values())


@pytest.mark.django_db
def test_any_sequence_of_postings_keeps_every_invariant() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None, database=None),
    )
