"""Filters that write numbers, durations and times; merged into `{% load ui %}`."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils.html import format_html

from campus.core import formats

register = template.Library()

NOTHING = "–"


def _number_filter(name: str, write):  # type: ignore[no-untyped-def]
    """Register a formatter of numbers that shows a dash for nothing."""

    def apply(value: float | None) -> str:
        return NOTHING if value is None or value == "" else write(float(value))

    register.filter(name, apply)


_number_filter("gpu_hours", formats.gpu_hours)
_number_filter("duration", formats.duration)
_number_filter("clock", formats.clock)
_number_filter("filesize_short", formats.file_size)


def _heard(gpus: Decimal | float, write: Callable[[Decimal | float], str]) -> str:
    """As it is read by eye, and where that is a fraction also as it is said."""
    shown, spoken = write(gpus), formats.gpu_spoken(gpus)
    if "/" not in shown:
        return shown
    return format_html('<span aria-hidden="true">{}</span><span class="visually-hidden">{}</span>', shown, spoken)


@register.filter
def gpu_number(gpus: Decimal | float | None) -> str:
    """How many GPUs, for columns whose head names them: 2, 1/4."""
    return NOTHING if gpus is None else _heard(gpus, formats.gpu_number)


@register.filter
def gpu_count(gpus: Decimal | float | None) -> str:
    """How many GPUs with their unit: 2 GPUs, 1/4 GPU."""
    return NOTHING if gpus is None else _heard(gpus, formats.gpu_count)


@register.filter
def gpu_memory(mib: int | None) -> str:
    """Memory of a GPU: 20 GiB."""
    return NOTHING if mib is None else formats.gpu_memory(int(mib))


@register.filter
def hours(gpu_seconds: float | None) -> str:
    """Hours without their unit, for columns whose head names it."""
    return NOTHING if gpu_seconds is None else formats.hours(float(gpu_seconds))


@register.filter
def number(value: float | None, decimals: int = 0) -> str:
    """A number with thousands separators."""
    return NOTHING if value is None else formats.number(float(value), int(decimals))


@register.filter
def percent(share: float | None, decimals: int = 0) -> str:
    """A share of 1 as a percentage."""
    return NOTHING if share is None else formats.percent(float(share), int(decimals))


@register.filter
def campus_time(value: datetime | None) -> str:
    """A time in the campus's zone, as people here write it."""
    return formats.campus_time(value) if value else NOTHING


@register.filter
def campus_date(value: date | datetime | None) -> str:
    """A day, as people here write it."""
    return formats.campus_date(value) if value else NOTHING
