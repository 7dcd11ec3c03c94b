"""A CSV of changes as the services take them, and words for what is wrong with it."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from campus.people.access import Standing

from .access import accounts_for
from .domain.change_csv import ACCOUNT, CHANGING, MAX_ROWS, LineChange, LineError, read_changes
from .models import Account
from .services import AccountChange


@dataclass
class FileChanges:
    """What a file asks for; `lines` says on which line an account stands. With errors there are no changes."""

    changes: list[AccountChange] = field(default_factory=list)
    lines: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def changes_from_csv(raw: bytes, standing: Standing) -> FileChanges:
    """Read a CSV. Lines that say what stands already are left out. One query."""
    read = read_changes(raw)
    if read.errors:
        return FileChanges(errors=[words_for(error) for error in read.errors])
    seen = accounts_for(standing).filter(pk__in=[row.account_id for row in read.rows])
    accounts = {account.pk: account for account in seen}
    found = FileChanges(lines={row.account_id: row.line for row in read.rows})
    for row in read.rows:
        change = _change(row, accounts.get(row.account_id))
        if change is not None:
            found.changes.append(change)
    if not found.changes:
        found.errors.append(words_for(LineError("nothing_to_change")))
    return found


def _change(row: LineChange, account: Account | None) -> AccountChange | None:
    if account is None:
        return AccountChange(row.account_id)  # the services say that there is none
    delta_s = row.add_s or 0
    if row.granted_s is not None:
        delta_s = row.granted_s - account.allocated_s
    settings = {name: value for name, value in row.settings.items() if getattr(account, name) != value}
    if not delta_s and not settings:
        return None
    return AccountChange(row.account_id, delta_s, settings, row.seen_s if delta_s else None)


def words_for(error: LineError) -> str:
    """Say what is wrong, and on which line."""
    texts = {
        "too_large": _("The file is larger than 2 MB."),
        "encoding": _("This is no text that a spreadsheet writes. Save it as CSV (UTF-8)."),
        "empty": _("The file is empty."),
        "quotes": _("The quotation marks of a cell are not closed."),
        "too_many_rows": _("At most %(most)s lines at once, please.") % {"most": MAX_ROWS},
        "column_unknown": _("There is no column “%(value)s”. Names of columns are those of the export."),
        "column_twice": _("The column “%(value)s” is there twice."),
        "column_missing": _("The column “%(value)s” is missing: it says which account a line is for."),
        "nothing_to_change": _("Nothing is to be changed: at least one line needs a value in one of %(columns)s."),
        "cells_extra": _("The line has more cells than the head."),
        "twice": _("This account is on line %(value)s already."),
        "account_missing": _("The line does not say which account it is for."),
        "no_number": _("“%(value)s” in “%(column)s” is no number that fits."),
        "no_step": _("“%(value)s” in “%(column)s” is no step of 0.1 GPU-hours."),
        "below_nothing": _("“%(column)s” cannot be less than nothing."),
        "set_and_add": _("Say either what is granted or what to add, not both."),
    }
    facts = {"value": error.value, "column": error.column, "columns": ", ".join(CHANGING), "account": ACCOUNT}
    if error.code.startswith("column_"):
        facts["value"] = error.column
    words = texts[error.code] % facts
    return _("On line %(line)s: %(words)s") % {"line": error.line, "words": words} if error.line else words
