"""Previews and batches as people read them: figures before and after, settings by name, every refusal in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from campus.core import formats

from .domain.allocation import Standing
from .models import Account, SettingChange
from .services import Preview
from .services.batches import ChangeRow

MOST_SHOWN = 300
_IN_SECONDS = frozenset({"learner_day_cap_s", "learner_week_cap_s"})


@dataclass(frozen=True)
class Figure:
    """A value before and after, as text; `change` where it is an amount."""

    label: str
    before: str
    after: str
    change: str = ""


@dataclass(frozen=True)
class Line:
    """A row of a preview. `line` is the line of the file that it came from."""

    account: Account | None
    account_id: int
    line: int | None
    granted: Figure | None
    left: Figure | None
    settings: list[Figure]
    problems: list[str]


@dataclass(frozen=True)
class Shown:
    """A preview for a page: rows that cannot be come first; `above` are the accounts that grant, `more` left out."""

    lines: list[Line]
    above: list[tuple[Account, Figure]]
    more: int
    count: int
    refused: int
    total: str

    @property
    def is_possible(self) -> bool:
        return not self.refused


def shown(preview: Preview, lines: Mapping[int, int] | None = None) -> Shown:
    """Put a preview into words; `lines` says on which line of a file an account stands."""
    ordered = sorted(preview.rows, key=lambda row: not row.errors)
    moved = sum(row.change.delta_s for row in preview.rows)
    return Shown(
        lines=[_line(row, (lines or {}).get(row.change.account_id)) for row in ordered[:MOST_SHOWN]],
        above=[(account, _room(before, after)) for account, before, after in preview.above],
        more=max(0, len(ordered) - MOST_SHOWN),
        count=len(ordered),
        refused=sum(bool(row.errors) for row in ordered),
        total=signed(moved) if moved else "",
    )


def settings_words(changes: Iterable[SettingChange]) -> list[Figure]:
    """Put the settings that a batch changed into words."""
    return [_setting(change.field, change.before, change.after) for change in changes]


def exact_hours(gpu_seconds: int) -> str:
    """Write GPU-hours to the tenth in which they are allocated: a rounded figure would hide what changes."""
    return formats.number(gpu_seconds / 3600, 1)


def signed(gpu_seconds: int) -> str:
    """Write an amount with its sign."""
    text = exact_hours(abs(gpu_seconds))
    return f"+{text}" if gpu_seconds > 0 else f"−{text}" if gpu_seconds < 0 else text


def _line(row: ChangeRow, number: int | None) -> Line:
    before, after = row.before, row.after
    granted = left = None
    if before and after:
        if row.change.delta_s:
            granted = Figure(
                _("Granted"), exact_hours(before.allocated_s), exact_hours(after.allocated_s),
                signed(row.change.delta_s),
            )  # fmt: skip
        left = Figure(_("Left"), exact_hours(before.free_s), exact_hours(after.free_s))
    return Line(
        account=row.account,
        account_id=row.change.account_id,
        line=number,
        granted=granted,
        left=left,
        settings=[_setting(name, *pair) for name, pair in row.settings.items()],
        problems=[_problem(error.field, error.message) for error in row.errors],
    )


def _problem(name: str, message: str) -> str:
    label = dict(SettingChange.Field.choices).get(name)
    return f"{label}: {message}" if label else message


def _setting(name: str, before: Any, after: Any) -> Figure:
    write = _write_cap if name in _IN_SECONDS else _write
    label = dict(SettingChange.Field.choices).get(name, name)
    return Figure(str(label), write(before), write(after))


def _write(value: int | None) -> str:
    return _("no limit") if value is None else formats.number(value)


def _write_cap(value: int | None) -> str:
    return _("no limit") if value is None else formats.gpu_hours(value)


def _room(before: Standing, after: Standing) -> Figure:
    change = signed(after.granted_s - before.granted_s)
    return Figure(_("Left to grant"), exact_hours(before.grantable_s), exact_hours(after.grantable_s), change)
