"""The forms of the quota desk: looking for accounts, one change for many, rows by hand, a CSV, and what is applied."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .domain.bulk import Op, delta_s, hours_text
from .domain.change_csv import NONE
from .models import Account
from .selectors_desk import Concern
from .services import AccountChange
from .services.batches import BOUNDS, MOST_ROWS, REASON_LENGTH

MOST_BY_HAND = 150  # seven fields a row: Django takes two thousand of a form
_HOURS = {"day_cap": "learner_day_cap_s", "week_cap": "learner_week_cap_s"}
_PLAIN = {"weight": "weight", "overcommit": "overcommit_pct", "most_gpus": "max_running_gpus"}
FIELDS = ("granted", *_PLAIN, *_HOURS)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)


class DeskForm(forms.Form):
    """What to look for on the desk."""

    q = forms.CharField(label=_("Name or e-mail"), required=False, max_length=100)
    show = forms.ChoiceField(label=_("Only"), required=False)
    within = forms.ChoiceField(label=_("Within"), required=False)

    def __init__(self, *args: Any, places: Iterable[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].widget.attrs["type"] = "search"
        only: Any = self.fields["show"]
        only.choices = [
            ("", _("All accounts")),
            (Concern.RUNS_OUT.value, _("Runs out")),
            (Concern.REQUESTS.value, _("With requests")),
            (Concern.ENDING.value, _("With grants that end soon")),
            (Concern.LENDING.value, _("Lending or borrowing")),
            (Concern.IDLE.value, _("With idle GPUs")),
        ]
        within: Any = self.fields["within"]
        within.choices = [("", _("Everywhere")), *((str(place.pk), place.name) for place in places)]


class AlikeForm(forms.Form):
    """One change for all accounts that were chosen; what is left empty stays as it is."""

    op = forms.ChoiceField(
        label=_("What was granted"), required=False,
        choices=((Op.ADD.value, _("Add GPU-hours")), (Op.SET.value, _("Set to GPU-hours")),
                 (Op.MULTIPLY.value, _("Multiply by"))),
    )  # fmt: skip
    amount = forms.DecimalField(
        label=_("GPU-hours, or a factor"), required=False, max_digits=13, decimal_places=3,
        min_value=-1_000_000_000, max_value=1_000_000_000,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("GPU-hours in steps of 0.1; a negative number takes back."),
    )  # fmt: skip
    weight = forms.IntegerField(label=_("Fair-share weight"), min_value=1, max_value=1000, required=False)
    overcommit = forms.IntegerField(
        # xgettext:no-python-format
        label=_("May grant in all, % of its own"), min_value=1, max_value=1000, required=False
    )  # fmt: skip
    most_gpus = forms.CharField(label=_("Most GPUs at once"), required=False, max_length=12)
    day_cap = forms.CharField(label=_("One learner a day, at most"), required=False, max_length=12)
    week_cap = forms.CharField(label=_("One learner a week, at most"), required=False, max_length=12)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("most_gpus", "day_cap", "week_cap"):
            hint = _("Write “none” to take the limit away.")
            self.fields[name].help_text = hint if name == "most_gpus" else _("GPU-hours.") + f" {hint}"
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        amount = given.get("amount")
        if amount is not None:
            op = Op(given.get("op") or Op.ADD)
            if op is Op.MULTIPLY and amount < 0:
                self.add_error("amount", _("A factor is nothing or more."))
            try:
                delta_s(op, amount, 0)
            except ValueError:
                self.add_error("amount", _("Use steps of 0.1 GPU-hours."))
        for name in ("most_gpus", "day_cap", "week_cap"):
            if given.get(name):
                try:
                    given[name] = limit_of(name, given[name])
                except ValidationError as error:
                    self.add_error(name, error)
        return given

    @property
    def says_something(self) -> bool:
        given = self.cleaned_data
        return given.get("amount") is not None or any(given.get(name) not in (None, "") for name in FIELDS[1:])

    def changes(self, accounts: Iterable[Account]) -> list[AccountChange]:
        """Return the change of each account; those that stay as they are are left out."""
        given = self.cleaned_data
        amount, op = given.get("amount"), Op(given.get("op") or Op.ADD)
        wished = {
            field: given[name] for name, field in {**_PLAIN, **_HOURS}.items() if given.get(name) not in (None, "")
        }
        plain = {field: None if value == NONE else value for field, value in wished.items()}
        made = []
        for account in accounts:
            delta = 0 if amount is None else delta_s(op, amount, account.allocated_s)
            settings = {name: value for name, value in plain.items() if getattr(account, name) != value}
            if delta or settings:
                made.append(AccountChange(account.pk, delta, settings, account.allocated_s if delta else None))
        return made


class HandForm:
    """A row of fields for each account, filled with what stands; what differs from that is a change.

    `seen` travels with each row, so that a change of somebody else is refused and not overwritten.
    """

    def __init__(self, accounts: Sequence[Account], given: Mapping[str, str] | None = None) -> None:
        self.errors: list[str] = []
        self.changes: list[AccountChange] = []
        self.rows = []
        for account in accounts:
            seen = _seen(given.get(f"seen-{account.pk}", "")) if given else None
            stood = seen or standing_fields(account)
            typed = (
                {name: given.get(f"{name}-{account.pk}", stood[name]).strip() for name in FIELDS} if given else stood
            )
            problems = self._read(account, stood, typed, int(stood["allocated_s"])) if given else {}
            self.rows.append(HandRow(account, stood, typed, problems))

    @property
    def is_valid(self) -> bool:
        return not any(row.problems for row in self.rows)

    def _read(
        self, account: Account, stood: Mapping[str, str], typed: Mapping[str, str], seen_s: int
    ) -> dict[str, str]:
        problems: dict[str, str] = {}
        settings: dict[str, int | None] = {}
        seen: dict[str, int | None] = {}
        delta = 0
        for name in FIELDS:
            if typed[name] == stood[name]:
                continue
            try:
                if name == "granted":
                    delta = delta_s(Op.SET, _number(typed[name]), seen_s)
                    continue
                field = {**_PLAIN, **_HOURS}[name]
                settings[field] = _as_setting(name, typed[name])
                seen[field] = _as_setting(name, stood[name])
            except (ArithmeticError, ValueError):
                problems[name] = str(_("Use steps of 0.1 GPU-hours."))
            except ValidationError as error:
                problems[name] = error.messages[0]
        if not problems and (delta or settings):
            self.changes.append(AccountChange(account.pk, delta, settings, seen_s if delta else None, seen))
        return problems


class HandRow:
    """An account's fields: what stood there, what was typed, what is wrong with that."""

    def __init__(
        self, account: Account, stood: Mapping[str, str], typed: Mapping[str, str], problems: Mapping[str, str]
    ) -> None:
        self.account, self.problems = account, problems
        self.seen = "|".join(stood[name] for name in ("allocated_s", *FIELDS))
        self.typed = typed

    @property
    def cells(self) -> list[dict[str, Any]]:
        labels = {
            "granted": _("Granted, GPU-hours"), "weight": _("Fair-share weight"),
            # xgettext:no-python-format
            "overcommit": _("May grant in all, % of its own"), "most_gpus": _("Most GPUs at once"),
            "day_cap": _("Most for one learner a day, GPU-hours"),
            "week_cap": _("Most for one learner a week, GPU-hours"),
        }  # fmt: skip
        return [
            {"name": f"{name}-{self.account.pk}", "label": labels[name], "value": self.typed[name],
             "problem": self.problems.get(name, ""), "is_number": name in ("granted", "weight", "overcommit")}
            for name in FIELDS
        ]  # fmt: skip


def standing_fields(account: Account) -> dict[str, str]:
    """Return what stands of an account as the fields write it; `none` where there is no limit."""
    stands = {"allocated_s": str(account.allocated_s), "granted": hours_text(account.allocated_s)}
    stands |= {name: _text(getattr(account, field)) for name, field in _PLAIN.items()}
    for name, field in _HOURS.items():
        cap_s = getattr(account, field)
        stands[name] = NONE if cap_s is None else hours_text(cap_s)
    return stands


def _seen(text: str) -> dict[str, str] | None:
    values = text.split("|")
    names = ("allocated_s", *FIELDS)
    is_whole = len(values) == len(names) and re.fullmatch(r"[0-9]{1,16}", values[0])
    return dict(zip(names, values, strict=True)) if is_whole else None


def _text(value: int | None) -> str:
    return NONE if value is None else str(value)


def _as_setting(name: str, text: str) -> int | None:
    value = limit_of(name, text)
    return None if value == NONE else int(value)


def _number(text: str) -> Decimal:
    """Read a plain decimal number; no exponents, whose digits could be a million. Raises ValueError."""
    plain = text.replace(",", "").strip()
    if not _NUMBER.fullmatch(plain):
        raise ValueError(text)
    return Decimal(plain)


def limit_of(name: str, text: str) -> int | str:
    """Return a setting as the service takes it, or NONE. Raises ValidationError."""
    if text.strip().lower() == NONE:
        return NONE
    try:
        number = _number(text)
        seconds = int((number * 3600).to_integral_value()) if name in _HOURS else int(number)
        is_whole = name in _HOURS or number == seconds
    except (ArithmeticError, ValueError):
        is_whole, seconds = False, 0
    least, most, _empty = BOUNDS[{**_PLAIN, **_HOURS}[name]]
    if not is_whole or not least <= seconds <= most:
        raise ValidationError(_("Use a number from %(least)s on, or “none”."), params={"least": least})
    return seconds


class UploadForm(forms.Form):
    """A CSV of changes."""

    table = forms.FileField(label=_("CSV of changes"))


class ApplyForm(forms.Form):
    """What was previewed, and why it is done."""

    changes = forms.CharField(widget=forms.HiddenInput, max_length=2_000_000)
    reason = forms.CharField(
        label=_("Reason"), max_length=REASON_LENGTH, help_text=_("The history of each account shows it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def clean_changes(self) -> list[AccountChange]:
        try:
            return [_read_change(given) for given in json.loads(self.cleaned_data["changes"])[: MOST_ROWS + 1]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValidationError(_("The preview is no longer whole. Make it again.")) from error


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The history shows it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


def as_text(changes: Iterable[AccountChange]) -> str:
    """Write changes as ApplyForm reads them."""
    return json.dumps(
        [
            {"a": one.account_id, "d": one.delta_s, "s": dict(one.settings), "n": one.seen_allocated_s,
             "m": dict(one.seen_settings)}
            for one in changes
        ],
        separators=(",", ":"),
    )  # fmt: skip


def _read_change(given: Mapping[str, Any]) -> AccountChange:
    seen_s = given["n"]
    return AccountChange(
        _whole(given["a"]), _whole(given["d"]), {str(k): _limit(v) for k, v in given["s"].items()},
        None if seen_s is None else _whole(seen_s), {str(k): _limit(v) for k, v in given["m"].items()},
    )  # fmt: skip


def _limit(value: Any) -> int | None:
    return None if value is None else _whole(value)


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError("no whole number")
    return value
