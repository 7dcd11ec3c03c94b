"""Grants, loans, corrections and batches in any order, on any postings: no invariant breaks, no second is lost."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from campus.core.clock import database_now
from campus.core.errors import CampusError, Conflict, InvalidInput, OverQuota
from labs.quota import api
from labs.quota.models import Account, Batch, Grant, GrantDraw, LedgerEntry, Lending, Sponsor
from labs.quota.services import change_account, close_lending, expire_grant
from tests import factories
from tests.quota.test_ledger_machine import Ledger


class Desk(Ledger):
    """The ledger's machine, with everything that an administrator and time can do to it."""

    @initialize()
    def people(self) -> None:
        self.staff = factories.UserFactory()
        self.sponsor = api.add_sponsor(name_ko="전북특별자치도", actor=None)

    def _hold(self, key: tuple[int, int, int], gpu_seconds: int) -> bool:
        which, job_id, attempt = key
        leaf = Account.objects.get(pk=self.leaves[which].pk)
        free_s = min(a.available_s for a in Account.objects.filter(pk__in=leaf.path))
        try:
            with transaction.atomic():
                api.hold(account_id=leaf.pk, job_id=job_id, attempt=attempt, gpu_seconds=gpu_seconds)
        except (OverQuota, InvalidInput):
            has_overdue = Grant.objects.filter(account_id__in=leaf.path, ends_at__lte=database_now()).exists()
            assert gpu_seconds <= 0 or gpu_seconds > free_s or has_overdue
            return False
        self.open_holds[key] = gpu_seconds
        return True

    @rule(
        level=st.integers(0, 3), gpu_seconds=st.integers(1, 1500), days=st.integers(1, 5), sponsored=st.booleans(),
        carry_pct=st.sampled_from([0, 40, 100]), most_s=st.none() | st.integers(0, 300), dated=st.booleans(),
    )  # fmt: skip
    def give(
        self, level: int, gpu_seconds: int, days: int, sponsored: bool, carry_pct: int, most_s: int | None, dated: bool
    ) -> None:
        until = database_now() + timedelta(days=9) if dated or sponsored else None
        with suppress(OverQuota, InvalidInput), transaction.atomic():
            api.give_grant(
                account_id=self.tree.path[level].pk, gpu_seconds=gpu_seconds, label="x", actor=None,
                ends_at=database_now() + timedelta(days=days), sponsor=self.sponsor if sponsored else None,
                carry_pct=carry_pct, carry_most_s=most_s, carry_until_at=until,
            )  # fmt: skip

    @rule(data=st.data(), is_swept=st.booleans())
    def time_passes(self, data: st.DataObject, is_swept: bool) -> None:
        """A grant's time is up; whether the sweep has seen it yet is another matter."""
        grants = list(Grant.objects.filter(state__in=["ACTIVE", "ENDED"]).order_by("pk"))
        if not grants:
            return
        grant = data.draw(st.sampled_from(grants))
        past = database_now() - timedelta(days=30)
        Grant.objects.filter(pk=grant.pk).update(begins_at=past, ends_at=past + timedelta(days=1))
        if is_swept:
            expire_grant(grant_id=grant.pk)
            grant.refresh_from_db()
            assert grant.seconds == grant.used_s + grant.held_s + grant.returned_s + grant.carried_s + grant.left_s

    @rule()
    def sweep(self) -> None:
        assert api.sweep(leftovers=True).failed == 0

    @rule(which=st.integers(0, 1), limit_s=st.integers(1, 1500))
    def lend(self, which: int, limit_s: int) -> None:
        api.lend(
            account_id=self.leaves[which].pk, limit_s=limit_s, until_at=database_now() + timedelta(days=1),
            reason="x", actor=None,
        )  # fmt: skip

    @rule(data=st.data())
    def recall(self, data: st.DataObject) -> None:
        lendings = list(Lending.objects.filter(closed_at=None).order_by("pk"))
        if lendings:
            lending = data.draw(st.sampled_from(lendings))
            with suppress(Conflict), transaction.atomic():
                api.recall(lending_id=lending.pk, actor=None, reason="x")
            close_lending(lending_id=lending.pk)

    @rule(data=st.data(), share=st.floats(0, 1))
    def correct(self, data: st.DataObject, share: float) -> None:
        if not self.charges:
            return
        key = data.draw(st.sampled_from(sorted(self.charges)))
        held_s = LedgerEntry.objects.get(job_id=key[1], attempt=key[2], kind="HOLD").gpu_seconds
        wanted_s = int(held_s * share)
        with suppress(OverQuota, InvalidInput), transaction.atomic():
            api.correct(
                account_id=self.leaves[key[0]].pk, job_id=key[1], attempt=key[2], seen_s=self.charges[key],
                charged_s=wanted_s, reason="x", actor=self.staff,
            )  # fmt: skip
            self.charges[key] = wanted_s

    @rule(deltas=st.lists(st.integers(-900, 900), min_size=5, max_size=5), pct=st.integers(80, 200))
    def change_together(self, deltas: list[int], pct: int) -> None:
        accounts = [*self.tree.path, self.leaves[1]]
        changes = [api.AccountChange(a.pk, delta) for a, delta in zip(accounts, deltas, strict=True)]
        with suppress(CampusError):
            api.apply_changes(changes=changes, reason="x", actor=None)
        with suppress(CampusError):
            change_account(account_id=self.tree.cohort.pk, settings={"overcommit_pct": pct}, reason="x", actor=None)

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        batches = list(Batch.objects.order_by("pk"))
        if batches:
            batch = data.draw(st.sampled_from(batches))
            before = {a.pk: a.allocated_s for a in Account.objects.all()}
            with suppress(CampusError):
                undone = api.undo(batch_id=batch.pk, actor=None)
                for account_id, delta_s in batch.allocations.values_list("account_id", "delta_s"):
                    assert Account.objects.get(pk=account_id).allocated_s == before[account_id] - delta_s
                assert undone.allocations.count() == batch.allocations.count()

    @invariant()
    def every_level_adds_up(self) -> None:
        for account in Account.objects.all():
            assert min(account.dated_s, account.borrowed_s, account.lent_s) >= 0
            below = account.children.aggregate(total=Sum("allocated_s"))["total"] or 0
            assert account.granted_s == below
        borrowed, lent = (sum(getattr(a, name) for a in Account.objects.all()) for name in ("borrowed_s", "lent_s"))
        assert borrowed == lent == sum(lending.out_s for lending in Lending.objects.all())

    @invariant()
    def a_second_is_paid_by_one_sponsor_at_most(self) -> None:
        sponsored = GrantDraw.objects.filter(grant__sponsor__isnull=False).values("entry")
        for row in sponsored.annotate(paid=Sum("gpu_seconds")).values("paid", "entry__gpu_seconds").order_by():
            assert row["paid"] <= row["entry__gpu_seconds"]
        assert Sponsor.objects.count() <= 1


@pytest.mark.django_db
def test_whatever_administrators_and_time_do_keeps_every_invariant() -> None:
    run_state_machine_as_test(
        Desk, settings=settings(max_examples=20, stateful_step_count=30, deadline=None, database=None)
    )
