"""Changing many accounts at once: a preview row by row, all or nothing, and undone by posting the reverse.

Rows are judged by what would stand when all of them were made (labs.quota.domain.batches): hours can be moved from one
account to another whatever the order of the rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F, Func
from django.utils.translation import gettext as _

from campus.core import audit
from campus.core.errors import Conflict, InvalidInput, NotFound
from campus.people.access import standing_of as standing_of_person
from campus.people.models import User
from labs.quota.access import accounts_for, may_allocate
from labs.quota.domain.allocation import Standing
from labs.quota.domain.batches import Node, Wanted, judge_all
from labs.quota.models import Account, Allocation, Batch, SettingChange

from .accounts import OVERCOMMIT_PCT, REASON_LENGTH, refusal_words
from .locking import lock_accounts
from .standings import standing_of

MOST_ROWS = 2000
# Setting: least and most, and whether it may be left empty (no cap).
BOUNDS: Mapping[str, tuple[int, int, bool]] = {
    "weight": (1, 1000, False),
    "overcommit_pct": (*OVERCOMMIT_PCT, False),
    "max_running_gpus": (0, 100_000, True),
    "learner_day_cap_s": (0, 10**12, True),
    "learner_week_cap_s": (0, 10**12, True),
}


@dataclass(frozen=True)
class AccountChange:
    """What to change of an account: GPU-seconds to add (negative takes back), and settings by field.

    With `seen_allocated_s` or `seen_settings` the row is refused when these are others by now.
    """

    account_id: int
    delta_s: int = 0
    settings: Mapping[str, int | None] = field(default_factory=dict)
    seen_allocated_s: int | None = None
    seen_settings: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RowError:
    """Why a row may not be: `code` for programs, `field` of the change, words for people."""

    code: str
    field: str
    message: str


@dataclass
class ChangeRow:
    """A change as it would stand. `account` is None where there is none that the actor may see."""

    change: AccountChange
    account: Account | None = None
    before: Standing | None = None
    after: Standing | None = None
    settings: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)


@dataclass
class Preview:
    """All rows, in the order given; `above` are the accounts whose room to grant changes, before and after."""

    rows: list[ChangeRow]
    above: list[tuple[Account, Standing, Standing]]

    @property
    def is_possible(self) -> bool:
        return not any(row.errors for row in self.rows)


class ChangesRefused(InvalidInput):
    """Some rows may not be, so nothing was changed. `preview` holds every row with its errors."""

    code = "changes_refused"

    def __init__(self, preview: Preview) -> None:
        wrong = [(index, error) for index, row in enumerate(preview.rows) for error in row.errors]
        super().__init__(
            {f"changes.{index}.{error.field}": error.message for index, error in wrong},
            _("Nothing was changed: %(count)s of the rows cannot be.") % {"count": len({index for index, _e in wrong})},
            facts={"rows": [{"row": index, "code": error.code, "field": error.field} for index, error in wrong]},
        )
        self.preview = preview


def preview_changes(*, changes: Sequence[AccountChange], actor: User | None) -> Preview:
    """Say what would stand after all changes, and which rows would be refused. Changes and locks nothing.

    `actor` None is the platform. Raises InvalidInput for no rows, or more than MOST_ROWS.
    """
    _check_count(changes)
    ids = {change.account_id for change in changes}
    parents = Account.objects.filter(pk__in=ids).values_list("parent_id", flat=True)
    accounts = Account.objects.in_bulk([*ids, *(pk for pk in parents if pk)])
    return _judge(changes, actor, accounts)


@transaction.atomic
def apply_changes(*, changes: Sequence[AccountChange], reason: str, actor: User | None) -> Batch:
    """Make all changes or none. Raises InvalidInput (reason, rows), ChangesRefused with the rows that may not be."""
    return _apply(changes, _checked(reason), actor, undoes=None)


@transaction.atomic
def undo(*, batch_id: int, actor: User | None, reason: str = "") -> Batch:
    """Post the reverse of a batch: allocations by so much as it changed them, settings back to what they were.

    Raises NotFound, Conflict (already_undone), ChangesRefused where a row can no longer be undone: what was used or
    granted meanwhile stays, and a setting that was changed since is not overwritten.
    """
    batch = _found(batch_id)
    words = _checked(reason or _("Undone: %(reason)s") % {"reason": batch.reason})
    return _apply(_reverse_of(batch), words, actor, undoes=batch)


def preview_undo(*, batch_id: int, actor: User | None) -> Preview:
    """Say what `undo` would leave, and which rows it would refuse. Raises NotFound, Conflict (already_undone)."""
    batch = _found(batch_id)
    _refuse_undone(batch)
    return preview_changes(changes=_reverse_of(batch), actor=actor)


def _found(batch_id: int) -> Batch:
    batch = Batch.objects.filter(pk=batch_id).first() if batch_id < 2**63 else None
    if batch is None:
        raise NotFound
    return batch


def _refuse_undone(batch: Batch) -> None:
    if Batch.objects.filter(undoes=batch).exists():
        raise Conflict(_("This was undone before."), code="already_undone")


def _reverse_of(batch: Batch) -> list[AccountChange]:
    deltas: dict[int, int] = {}
    for account_id, delta_s in batch.allocations.values_list("account_id", "delta_s"):
        deltas[account_id] = deltas.get(account_id, 0) + delta_s
    before: dict[int, dict[str, int | None]] = {}
    after: dict[int, dict[str, int | None]] = {}
    for change in batch.setting_changes.all():
        before.setdefault(change.account_id, {})[change.field] = change.before
        after.setdefault(change.account_id, {})[change.field] = change.after
    return [
        AccountChange(pk, -deltas.get(pk, 0), before.get(pk, {}), seen_settings=after.get(pk, {}))
        for pk in sorted(deltas.keys() | before.keys())
    ]


def change_account(*, account_id: int, settings: Mapping[str, int | None], reason: str, actor: User | None) -> Batch:
    """Change weight, overcommit or caps of one account: a batch of one row, so it can be undone.

    Raises NotFound, and InvalidInput whose fields are the settings' names and `reason`.
    """
    try:
        return apply_changes(changes=[AccountChange(account_id, 0, settings)], reason=reason, actor=actor)
    except ChangesRefused as refused:
        errors = refused.preview.rows[0].errors
        if any(error.code == "not_found" for error in errors):
            raise NotFound from refused
        raise InvalidInput({error.field: error.message for error in errors}) from refused


def _check_count(changes: Sequence[AccountChange]) -> None:
    if not changes:
        raise InvalidInput({"changes": _("Nothing is to be changed.")})
    if len(changes) > MOST_ROWS:
        raise InvalidInput({"changes": _("At most %(most)s rows at once, please.") % {"most": MOST_ROWS}})


def _checked(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput({"reason": _("Say why, in a few words: the history shows it.")})
    return reason.strip()[:REASON_LENGTH]


def _judge(
    changes: Sequence[AccountChange],
    actor: User | None,
    accounts: Mapping[int, Account],
) -> Preview:
    allowed = _allowed(actor, [change.account_id for change in changes])
    rows: list[ChangeRow] = []
    wanted: dict[int, Wanted] = {}
    for change in changes:
        row = ChangeRow(change)
        rows.append(row)
        account = accounts.get(change.account_id)
        if account is None or change.account_id not in allowed:
            row.errors.append(RowError("not_found", "account_id", _("There is no such account.")))
            continue
        row.account = account
        if not allowed[change.account_id]:
            row.errors.append(RowError("not_allowed", "account_id", _("You may see this account, but not change it.")))
        if change.account_id in wanted:
            row.errors.append(RowError("twice", "account_id", _("This account is listed twice.")))
            continue
        row.errors += _setting_errors(change, account)
        row.settings = {
            name: (getattr(account, name), value)
            for name, value in change.settings.items()
            if name in BOUNDS and getattr(account, name) != value
        }
        if not change.delta_s and not row.settings and not row.errors:
            row.errors.append(RowError("nothing", "delta_s", _("Nothing changes here.")))
        pct = change.settings.get("overcommit_pct")
        wanted[account.pk] = Wanted(change.delta_s, pct if not row.errors else None)
    nodes = {pk: Node(standing_of(account), account.parent_id) for pk, account in accounts.items()}
    judged = judge_all(nodes, wanted)
    for row in rows:
        if row.account is None:
            continue
        row.before, row.after = nodes[row.account.pk].standing, judged.after[row.account.pk]
        found = judged.refused.get(row.account.pk)
        if found:
            name = "delta_s" if row.change.delta_s else "overcommit_pct"
            row.errors.append(RowError(found.refusal, name, refusal_words(found.refusal, found.limit_s)))
    above = [
        (accounts[pk], nodes[pk].standing, judged.after[pk])
        for pk in sorted({node.parent_id for key, node in nodes.items() if key in wanted and node.parent_id})
        if judged.after[pk].granted_s != nodes[pk].standing.granted_s
    ]
    return Preview(rows, above)


def _allowed(actor: User | None, ids: Iterable[int]) -> dict[int, bool]:
    """Return, for the accounts that the actor may see, whether they may change them."""
    if actor is None:
        return dict.fromkeys(ids, True)
    standing = standing_of_person(actor)
    return {account.pk: may_allocate(standing, account) for account in accounts_for(standing).filter(pk__in=list(ids))}


def _setting_errors(change: AccountChange, account: Account) -> list[RowError]:
    errors, expected = [], change.seen_settings
    if change.seen_allocated_s is not None and change.seen_allocated_s != account.allocated_s:
        errors.append(RowError("changed", "delta_s", _("Somebody changed this allocation meanwhile.")))
    for name, value in change.settings.items():
        if name not in BOUNDS:
            errors.append(RowError("unknown", name, _("There is no such setting.")))
            continue
        least, most, may_be_empty = BOUNDS[name]
        if value is None and not may_be_empty:
            errors.append(RowError("invalid", name, _("This cannot be left empty.")))
        elif value is not None and not least <= value <= most:
            text = _("Use %(least)s to %(most)s.") % {"least": least, "most": most}
            errors.append(RowError("invalid", name, text))
        elif name in expected and getattr(account, name) != expected[name]:
            errors.append(RowError("changed", name, _("Somebody changed this setting since.")))
    return errors


def _apply(
    changes: Sequence[AccountChange],
    reason: str,
    actor: User | None,
    *,
    undoes: Batch | None,
) -> Batch:
    _check_count(changes)
    ids = [change.account_id for change in changes]
    paths = Account.objects.filter(pk__in=ids).annotate(up=Func(F("path"), function="unnest"))
    accounts = lock_accounts(paths.values_list("up", flat=True).distinct())
    if undoes is not None:
        _refuse_undone(undoes)
    preview = _judge(changes, actor, accounts)
    if not preview.is_possible:
        raise ChangesRefused(preview)
    batch = Batch.objects.create(reason=reason, actor=actor, undoes=undoes)
    _write(preview, batch, accounts)
    scopes = Account.objects.select_related("scope", "owner").in_bulk(ids)
    for row in preview.rows:
        account = scopes[row.change.account_id]
        figures: dict[str, tuple[Any, Any]] = dict(row.settings)
        if row.before and row.after:
            figures["allocated_s"] = (row.before.allocated_s, row.after.allocated_s)
        audit.record(
            actor=actor, verb="quota.undone" if undoes else "quota.changed", target=account, subject=account.owner,
            scope_path=account.scope.path, changes=figures, reason=reason,
        )  # fmt: skip
    return batch


def _write(preview: Preview, batch: Batch, accounts: Mapping[int, Account]) -> None:
    """Write every row's final figures in one statement: no order of single steps could keep every constraint."""
    allocations, settings = [], []
    for row in preview.rows:
        account, after = accounts[row.change.account_id], row.after
        if after is None:
            continue
        for name, (before, value) in row.settings.items():
            settings.append(SettingChange(account=account, batch=batch, field=name, before=before, after=value))
            setattr(account, name, value)
        if row.change.delta_s:
            allocations.append(
                Allocation(
                    account=account,
                    delta_s=row.change.delta_s,
                    before_s=account.allocated_s,
                    after_s=after.allocated_s,
                    reason=batch.reason,
                    actor=batch.actor,
                    batch=batch,
                )
            )
            account.allocated_s = after.allocated_s
    for account, _before, after in preview.above:
        account.granted_s = after.granted_s
    changed = [*{row.change.account_id for row in preview.rows}, *(account.pk for account, _b, _a in preview.above)]
    Account.objects.bulk_update([accounts[pk] for pk in sorted(set(changed))], ["allocated_s", "granted_s", *BOUNDS])
    Allocation.objects.bulk_create(allocations)
    SettingChange.objects.bulk_create(settings)
