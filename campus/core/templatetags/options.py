"""What there is to choose from in a form: `{% load options %}` gives `{{ widget.optgroups|options }}`."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def options(groups: Iterable[tuple[str | None, list[dict[str, Any]], int]]) -> SafeString:
    """Write a widget's groups of options. Built here and not by a template: a course has hundreds of learners."""
    written = []
    for group, choices, _index in groups:
        inside = format_html_join("", '\n<option value="{}"{}>{}</option>', map(_parts, choices))
        written.append(format_html('<optgroup label="{}">{}</optgroup>', group, inside) if group else inside)
    return mark_safe("".join(written))  # noqa: S308 - each is written by format_html


def _parts(option: dict[str, Any]) -> tuple[str, str, str]:
    return str(option["value"]), flatatt(option["attrs"]) if option["attrs"] else "", option["label"]
