"""Cells of the boards, built here and not by templates: a board has hundreds of them."""

from collections.abc import Iterable

from django import template
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campus.core.templatetags.ui import state_badge
from campus.web.pool_board import Cell
from courses.assignments.api import LabProgress

register = template.Library()


@register.simple_tag
def lab_cells(entries: Iterable[LabProgress]) -> SafeString:
    """One learner's labs, a table cell each: the state, a link to the last run, the best value of the metric."""
    address = reverse("jobs:job", args=[0])  # once: to resolve a route takes longer than the rest of a cell
    cells = ((_run(entry, address), _best(entry)) for entry in entries)
    return format_html_join("", '<td class="nowrap">{}{}</td>', cells)


def _run(entry: LabProgress, address: str) -> SafeString:
    badge, job_id = state_badge(entry.state), entry.runs.last_job_id
    if job_id is None:
        return badge
    return format_html('<a href="{}">{}</a>', address.replace("/0/", f"/{job_id}/"), badge)


def _best(entry: LabProgress) -> SafeString | str:
    if entry.best is None:
        return ""
    return format_html(' <span class="num small">{}</span>', floatformat(entry.best, 3))


@register.simple_tag
def gpu_cells(cells: Iterable[Cell]) -> SafeString:
    """The GPUs of a node, a list item each: the colour is for the eye, the words are on hover and read out."""
    return format_html_join("", '<li class="cell cell-{}" title="{}">{}</li>', (_gpu(cell) for cell in cells))


def _gpu(cell: Cell) -> tuple[str, str, SafeString]:
    words = f"{cell.label}: {cell.word}"
    said = format_html('<span class="visually-hidden">{}</span>', words)
    return cell.tone, words, format_html('<a href="{}">{}</a>', cell.url, said) if cell.url else said
