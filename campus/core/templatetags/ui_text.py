"""Filters that write numbers, durations and times; merged into `{% load ui %}`."""

from datetime import date, datetime

from django import template

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
