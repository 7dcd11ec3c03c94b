"""The form of an account's settings; caps in GPU-hours."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campus.core.errors import InvalidInput

from .models import Account

_IN_HOURS = {"day_cap_hours": "learner_day_cap_s", "week_cap_hours": "learner_week_cap_s"}
_PLAIN = ("weight", "overcommit_pct", "max_running_gpus")


class SettingsForm(forms.Form):
    """What an account's share, room to grant, and caps are."""

    weight = forms.IntegerField(
        label=_("Fair-share weight"), min_value=1, max_value=1000,
        help_text=_("An account with twice the weight of another beside it gets twice the share while both wait."),
    )  # fmt: skip
    overcommit_pct = forms.IntegerField(
        # xgettext:no-python-format
        label=_("May grant in all, % of its own"), min_value=1, max_value=1000,
        help_text=_("More than 100 lets the accounts below share what some of them leave."),
    )  # fmt: skip
    max_running_gpus = forms.IntegerField(
        label=_("Most GPUs at once"), min_value=0, required=False, help_text=_("Empty means no limit of its own.")
    )
    day_cap_hours = forms.DecimalField(
        label=_("Most for one learner a day, GPU-hours"), min_value=0, max_digits=10, decimal_places=2, required=False,
        help_text=_("Counts what is used and held, by the campus's own day. Empty means no cap."),
    )  # fmt: skip
    week_cap_hours = forms.DecimalField(
        label=_("Most for one learner a week, GPU-hours"), min_value=0, max_digits=10, decimal_places=2,
        required=False, help_text=_("A week begins on Monday. Empty means no cap."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("The audit trail shows it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        initial: dict[str, Any] = {name: getattr(account, name) for name in _PLAIN}
        for name, field in _IN_HOURS.items():
            seconds = getattr(account, field)
            initial[name] = None if seconds is None else (Decimal(seconds) / 3600).quantize(Decimal("0.01")).normalize()
        super().__init__(*args, **{**kwargs, "initial": initial})
        self._account = account

    def changed_settings(self) -> dict[str, int | None]:
        """Return the settings that differ from the account's, by the service's names."""
        given = self.cleaned_data
        wished: dict[str, int | None] = {name: given[name] for name in _PLAIN}
        for name, field in _IN_HOURS.items():
            if name in self.changed_data:
                wished[field] = None if given[name] is None else int(given[name] * 3600)
        return {name: value for name, value in wished.items() if getattr(self._account, name) != value}

    def named(self, error: InvalidInput) -> InvalidInput:
        """Return the error with this form's names of what the service calls otherwise."""
        names = {field: name for name, field in _IN_HOURS.items()}
        return InvalidInput({names.get(field, field): texts for field, texts in error.fields.items()})
