"""Form fields that several forms of courses use: local times, days, GPU-hours."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class LocalTimeField(forms.DateTimeField):
    """A time in the campus's zone, entered with the browser's own picker."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
        super().__init__(**kwargs)


class DayField(forms.DateField):
    """A day, entered with the browser's own picker."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**kwargs)


class GpuHoursField(forms.DecimalField):
    """GPU-hours for people, whole GPU-seconds for us."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"min_value": 0, "max_value": 10_000_000, "max_digits": 10, "decimal_places": 2}
        super().__init__(**(defaults | kwargs))

    def clean(self, value: Any) -> Any:
        hours = super().clean(value)
        return None if hours is None else int(hours * 3600)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int):  # our own seconds, not what somebody typed
            return (Decimal(value) / 3600).quantize(Decimal("0.01")).normalize().to_eng_string()
        return value


class MinutesField(forms.DecimalField):
    """Minutes for people, whole seconds for us."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"min_value": 0, "max_digits": 7, "decimal_places": 2}
        super().__init__(**(defaults | kwargs))

    def clean(self, value: Any) -> Any:
        minutes = super().clean(value)
        return None if minutes is None else int(minutes * 60)

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 60:g}" if isinstance(value, int) else value


def slug_field(**kwargs: Any) -> forms.SlugField:
    """The part of an address that names a thing."""
    kwargs.setdefault("label", _("Address"))
    kwargs.setdefault("help_text", _("Small letters, digits and hyphens; it becomes part of the page's address."))
    return forms.SlugField(max_length=60, **kwargs)
