"""Reading batches of changes: who made which, what each changed, and whether it was undone."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campus.core.errors import NotFound
from campus.people.access import Standing

from .change_words import Figure, exact_hours, settings_words, signed
from .models import Account, Allocation, Batch, SettingChange
from .selectors_desk import administered


@dataclass(frozen=True)
class FoundBatch:
    """A batch; `hidden` of its accounts are not this reader's to see, so they cannot undo it."""

    batch: Batch
    undone_by: Batch | None
    hidden: int
    seen: dict[int, Account]


@dataclass(frozen=True)
class ChangedLine:
    """What a batch changed of one account."""

    account: Account
    granted: Figure | None
    settings: list[Figure]


def batches_for(standing: Standing) -> QuerySet[Batch]:
    """Return the batches that changed an account that one administers, newest first, with how many it gave or took."""
    seen = administered(standing).values("pk")
    gave = Exists(Allocation.objects.filter(batch=OuterRef("pk"), account__in=seen))
    setting = Exists(SettingChange.objects.filter(batch=OuterRef("pk"), account__in=seen))
    found = Batch.objects.filter(gave | setting).select_related("actor", "undoes", "undone_by__actor")
    return found.annotate(granted=_count(Allocation, "pk"), settings=_count(SettingChange, "account")).order_by("-id")


def _count(model: type[Allocation] | type[SettingChange], of: str) -> Coalesce:
    """Count the accounts on which a batch has such rows; apart from each other, as a join would multiply them."""
    rows = model._default_manager.filter(batch=OuterRef("pk")).order_by().values("batch")
    return Coalesce(Subquery(rows.annotate(n=Count(of, distinct=True)).values("n")), 0)


def batch_for(standing: Standing, batch_id: int) -> FoundBatch:
    """Return a batch. Raises NotFound where it changed nothing that one administers."""
    batch = (
        Batch.objects.select_related("actor", "undoes", "undone_by__actor").filter(pk=batch_id).first()
        if batch_id < 2**63
        else None
    )
    if batch is None:
        raise NotFound
    touched = Account.objects.filter(Q(allocations__batch=batch) | Q(setting_changes__batch=batch)).distinct()
    ids = set(touched.order_by().values_list("pk", flat=True))
    seen = {account.pk: account for account in administered(standing).filter(pk__in=ids)}
    if not seen:
        raise NotFound
    return FoundBatch(batch, getattr(batch, "undone_by", None), len(ids) - len(seen), seen)


def changed_lines(found: FoundBatch) -> list[ChangedLine]:
    """Return what a batch changed of the accounts that its reader may see. Two queries."""
    granted: dict[int, Figure] = {}
    for line in found.batch.allocations.order_by("id"):
        granted[line.account_id] = Figure(
            "", exact_hours(line.before_s), exact_hours(line.after_s), signed(line.delta_s)
        )
    changes: dict[int, list[SettingChange]] = {}
    for change in found.batch.setting_changes.order_by("id"):
        changes.setdefault(change.account_id, []).append(change)
    ordered = sorted(found.seen.values(), key=lambda account: (account.kind, account.name, account.pk))
    return [
        ChangedLine(account, granted.get(account.pk), settings_words(changes.get(account.pk, [])))
        for account in ordered
    ]
