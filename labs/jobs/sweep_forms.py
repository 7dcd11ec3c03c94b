"""The part of the new-job page that makes a sweep of it: parameters with their values, and how runs are compared."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campus.core.errors import InvalidInput

from .domain.results import MAX_NAME
from .domain.sweeps import MAX_NAMES, BadSweep, Value, parse_values, written
from .models import Sweep
from .refusals import sweep_words
from .services.sweeps import SweepWish

LEAST_ROWS = 2


class SweepForm(forms.Form):
    """Rows `param-N-name` and `param-N-values`; empty ones count for nothing, and without any there is no sweep."""

    metric = forms.CharField(
        label=_("Compare by"),
        max_length=MAX_NAME,
        required=False,
        help_text=_("A value that your program writes into metrics.json, such as accuracy."),
    )
    direction = forms.ChoiceField(label=_("Best is"), choices=Sweep.Direction.choices, required=False)
    max_running = forms.IntegerField(
        label=_("At most at once"), required=False, min_value=1, help_text=_("Empty: as many as there is room for.")
    )

    def __init__(
        self, data: Any = None, *, initial_grid: Mapping[str, list[Value]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.fields["max_running"].widget.attrs["max"] = settings.LABS_SWEEP_MAX_RUNS
        given = _rows_of(data) if data is not None else _rows_from(initial_grid or {})
        self.given_rows = [row for row in given if row["name"] or row["values"]]

    @property
    def is_filled(self) -> bool:
        return bool(self.given_rows)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows to show: those that were given, and empty ones to go on with."""
        empty = max(LEAST_ROWS - len(self.given_rows), 1) if len(self.given_rows) < MAX_NAMES else 0
        return [*self.given_rows, *({"name": "", "values": ""} for _n in range(empty))]

    def grid(self) -> dict[str, list[Value]]:
        """The grid that the rows describe. Raises InvalidInput (grid) for values that cannot be read."""
        grid: dict[str, list[Value]] = {}
        for row in self.given_rows:
            try:
                _add(grid, row["name"], row["values"])
            except BadSweep as refusal:
                words = sweep_words(refusal)
                is_named = bool(refusal.name) or not row["name"]
                raise InvalidInput({"grid": words if is_named else f"{row['name']}: {words}"}) from refusal
        return grid

    def wish(self) -> SweepWish:
        """The cleaned fields as the service takes them. Raises InvalidInput (grid)."""
        given = self.cleaned_data
        return SweepWish(
            grid=self.grid(),
            metric=given["metric"].strip(),
            direction=given["direction"] or Sweep.Direction.HIGHER,
            max_running=given["max_running"],
        )


def _add(grid: dict[str, list[Value]], name: str, values: str) -> None:
    """Raises BadSweep."""
    if name in grid:
        raise BadSweep("doubled_name", name)
    grid[name] = parse_values(values) if values else []


def _rows_of(data: Any) -> list[dict[str, str]]:
    """What stood in the rows, gaps and all; a few more than may be used, so that one too many is told."""
    return [
        {"name": str(data.get(f"param-{n}-name", "")).strip(), "values": str(data.get(f"param-{n}-values", "")).strip()}
        for n in range(2 * MAX_NAMES)
    ]


def _rows_from(grid: Mapping[str, list[Value]]) -> list[dict[str, str]]:
    return [{"name": name, "values": written(values)} for name, values in grid.items()]
