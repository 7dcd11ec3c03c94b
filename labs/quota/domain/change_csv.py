"""Reading changes from a CSV: text in, one change a line and errors with their line numbers out.

The columns are those of the desk's own export, so that one can be edited and sent back: a line is an account, named by
`account_id`. A cell that is empty leaves what it stands for; `none` takes a cap away. Columns that only report are
ignored, others are refused: a misspelt one would silently change nothing. An error is a code; its words come later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from campus.core.tables import BadTable, Record, read_table

from .allocation import MOST_S, seconds_of_hours
from .bulk import hours_text

MAX_ROWS = 2_000
MAX_BYTES = 2 * 1024 * 1024
NONE = "none"

ACCOUNT, GRANTED, ADD, SEEN = "account_id", "granted_gpu_hours", "add_gpu_hours", "granted_s"
PLAIN: Mapping[str, str] = {
    "weight": "weight",
    "overcommit_pct": "overcommit_pct",
    "max_running_gpus": "max_running_gpus",
}
HOURS: Mapping[str, str] = {
    "learner_day_cap_gpu_hours": "learner_day_cap_s",
    "learner_week_cap_gpu_hours": "learner_week_cap_s",
}
REPORTED = (
    "account", "kind", "above", "used_gpu_hours", "used_this_term_gpu_hours", "used_lately_gpu_hours",
    "held_gpu_hours", "left_gpu_hours", "granted_below_gpu_hours", "left_to_grant_gpu_hours", "forecast",
    "runs_out_from", "runs_out_to", "needed_until", "open_requests", "lent_gpu_hours", "borrowed_gpu_hours",
    "ending_gpu_hours", "ends_next_on", "idle_gpus", "is_open",
)  # fmt: skip
CHANGING = (GRANTED, ADD, *PLAIN, *HOURS)
_KNOWN = frozenset((ACCOUNT, SEEN, *CHANGING, *REPORTED))
COLUMNS = (
    ACCOUNT, "account", "kind", "above", "is_open", GRANTED, SEEN, *REPORTED[3:-1], *PLAIN, *HOURS,
)  # fmt: skip


@dataclass(frozen=True)
class LineError:
    """What is wrong: `line` counts from 1 as a text editor does, None is the whole file."""

    code: str
    line: int | None = None
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class LineChange:
    """What a line asks for. `granted_s` is the allocation wanted, `add_s` what to add; one of both at most.

    A wanted allocation that reads as the one that was exported is no wish. `seen_s` is what the export had.
    """

    line: int
    account_id: int
    granted_s: int | None = None
    add_s: int | None = None
    seen_s: int | None = None
    settings: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadChanges:
    """What was read; `rows` are those without an error of their own."""

    rows: tuple[LineChange, ...] = ()
    errors: tuple[LineError, ...] = ()


def read_changes(raw: bytes) -> ReadChanges:
    """Read a CSV of changes. Never raises: whatever is wrong is in `errors`."""
    try:
        table = read_table(raw, max_bytes=MAX_BYTES, max_records=MAX_ROWS + 1, is_known=_is_known)
    except BadTable as bad:
        code = {"binary": "encoding", "too_many": "too_many_rows"}.get(bad.code, bad.code)
        return ReadChanges(errors=(LineError(code, bad.line if code == "quotes" else None),))
    head = [cell.lower() for cell in table[0].cells]
    wrong = _wrong_head(head)
    return ReadChanges(errors=wrong) if wrong else _rows(head, table[1:])


def _is_known(cell: str) -> bool:
    return cell.strip().lower() in _KNOWN


def _wrong_head(head: list[str]) -> tuple[LineError, ...]:
    named = [cell for cell in head if cell]
    wrong = [LineError("column_unknown", None, cell[:60]) for cell in named if cell not in _KNOWN]
    wrong += [LineError("column_twice", None, cell) for cell in sorted({c for c in named if named.count(c) > 1})]
    if ACCOUNT not in named:
        wrong.append(LineError("column_missing", None, ACCOUNT))
    elif not set(named) & set(CHANGING):
        wrong.append(LineError("nothing_to_change"))
    return tuple(wrong)


def _rows(head: list[str], table: Sequence[Record]) -> ReadChanges:
    rows: list[LineChange] = []
    errors: list[LineError] = []
    first: dict[int, int] = {}
    for line, cells in ((record.line, record.cells) for record in table):
        given = {name: cells[index] for index, name in enumerate(head) if name and index < len(cells)}
        found = _Line(line, given)
        row = found.change()
        if any(cells[len(head) :]):
            found.wrong("cells_extra", "")
        if row.account_id and first.setdefault(row.account_id, line) != line:
            found.errors.append(LineError("twice", line, ACCOUNT, str(first[row.account_id])))
        errors += found.errors
        if not found.errors and (row.granted_s is not None or row.add_s is not None or row.settings):
            rows.append(row)
    if not rows and not errors:
        errors.append(LineError("nothing_to_change"))
    return ReadChanges(tuple(rows), tuple(errors))


class _Line:
    """One line being read; what is wrong is collected."""

    def __init__(self, line: int, cells: Mapping[str, str]) -> None:
        self.line, self.cells = line, cells
        self.errors: list[LineError] = []

    def wrong(self, code: str, column: str) -> None:
        self.errors.append(LineError(code, self.line, column, self.cells.get(column, "")[:60]))

    def change(self) -> LineChange:
        account_id = self._whole(ACCOUNT, most=2**63 - 1)
        if account_id is None and not self.errors:
            self.wrong("account_missing", ACCOUNT)
        seen_s = self._whole(SEEN, most=MOST_S)
        granted_s, add_s = self._hours(GRANTED, seen_s), self._hours(ADD)
        if granted_s is not None and add_s is not None:
            self.wrong("set_and_add", ADD)
        settings: dict[str, int | None] = {}
        for column, name in {**PLAIN, **HOURS}.items():
            text = self.cells.get(column, "")
            if text.lower() == NONE:
                settings[name] = None
            elif text:
                value = self._whole(column, most=10**15) if column in PLAIN else self._cap(column)
                if value is not None:
                    settings[name] = value
        return LineChange(self.line, account_id or 0, granted_s, add_s, seen_s, settings)

    def _whole(self, column: str, most: int) -> int | None:
        text = self.cells.get(column, "").replace(",", "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit()) or int(text) > most:
            self.wrong("no_number", column)
            return None
        return int(text)

    def _number(self, column: str) -> Decimal | None:
        text = self.cells.get(column, "").replace(",", "")
        try:
            number = Decimal(text) if text else None
        except InvalidOperation:
            number = Decimal("NaN")
        if number is not None and (not number.is_finite() or abs(number) * 3600 > MOST_S):
            self.wrong("no_number", column)
            return None
        return number

    def _hours(self, column: str, seen_s: int | None = None) -> int | None:
        number = self._number(column)
        if number is None or (seen_s is not None and number == Decimal(hours_text(seen_s))):
            return None
        if column == GRANTED and number < 0:
            self.wrong("below_nothing", column)
            return None
        try:
            return seconds_of_hours(number)
        except ValueError:
            self.wrong("no_step", column)
            return None

    def _cap(self, column: str) -> int | None:
        number = self._number(column)
        if number is not None and number < 0:
            self.wrong("below_nothing", column)
            return None
        return None if number is None else int((number * 3600).to_integral_value())
