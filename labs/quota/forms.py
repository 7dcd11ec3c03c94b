"""The form in which people allocate: GPU-hours in steps of a tenth."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .domain.allocation import seconds_of_hours


class AllocateForm(forms.Form):
    """How much to add or take back, and why."""

    gpu_hours = forms.DecimalField(
        label=_("GPU-hours to add"),
        help_text=_("In steps of 0.1. A negative number takes back."),
        max_digits=12,
        decimal_places=1,
        widget=forms.NumberInput(attrs={"step": "0.1", "inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Everyone who may see this account reads it in the history."),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, account_id: int, is_preview: bool = False, **kwargs: Any) -> None:
        # Several of these forms may stand in one tree: their fields need ids of their own.
        super().__init__(*args, **{**kwargs, "auto_id": f"id_%s_{account_id}"})
        if is_preview:
            self.fields["reason"].required = False

    def clean_gpu_hours(self) -> Decimal:
        hours: Decimal = self.cleaned_data["gpu_hours"]
        try:
            self.delta_s = seconds_of_hours(hours)
        except ValueError as error:
            raise ValidationError(_("Use steps of 0.1 GPU-hours.")) from error
        return hours
