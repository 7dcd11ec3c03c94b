"""The forms of requests: asking, and answering. GPU-hours in steps of a tenth."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .domain.allocation import seconds_of_hours
from .services.requests import ASKED_LENGTH, REASON_LENGTH


class HoursField(forms.DecimalField):
    """GPU-hours, cleaned to whole GPU-seconds."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.NumberInput(attrs={"step": "0.1", "min": "0.1", "inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_digits=9, decimal_places=1, min_value=Decimal("0.1"), widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        hours = super().clean(value)
        if hours is None:
            return None
        try:
            return seconds_of_hours(hours)
        except ValueError as error:
            raise ValidationError(_("Use steps of 0.1 GPU-hours.")) from error


class AskForm(forms.Form):
    """How much more, until when, and what for."""

    wanted_s = HoursField(label=_("GPU-hours more"), help_text=_("On top of what the account has. In steps of 0.1."))
    until = forms.DateField(label=_("Needed until"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(
        label=_("What for"),
        help_text=_("What you want to run, and why what you have is not enough. Who decides reads it."),
        max_length=ASKED_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class ApproveForm(forms.Form):
    """The whole or a part of what was asked for."""

    given_s = HoursField(label=_("GPU-hours to give"), required=False)
    until = forms.DateField(
        label=_("Given until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The last day; what is unused goes back then. Empty means for good."),
    )  # fmt: skip
    answer = forms.CharField(
        label=_("Word to go with it"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class DeclineForm(forms.Form):
    """Why not."""

    answer = forms.CharField(
        label=_("Why not"),
        help_text=_("Who asked reads it."),
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PassUpForm(forms.Form):
    """What to say further up."""

    answer = forms.CharField(
        label=_("What to say with it"),
        help_text=_("Left empty, they read what was asked of you."),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
