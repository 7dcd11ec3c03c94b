"""Cells of the boards, built here and not by templates: a board has hundreds of them."""

from collections.abc import Iterable
from datetime import datetime

from django import template
from django.template.defaultfilters import floatformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from campus.core.formats import gpu_hours
from campus.core.fragments import fragment
from campus.core.templatetags.ui import state_badge, when
from campus.web.cohort_board import Entry
from campus.web.pool_board import Cell, NodeRow

register = template.Library()

#: Thousandths of a cell's width between two shares of a GPU.
GAP = 60

#: Of each lab the state, the last run's job and the best value of the metric.
Labs = tuple[tuple[str, int | None, float | None], ...]


@register.simple_tag
def cohort_rows(entries: Iterable[Entry]) -> SafeString:
    """A cohort's learners, a table row each: mode, the labs, GPU time used and when they were last active."""
    this_year = timezone.localtime().year
    written = (
        _cohort_row(
            entry.row.user.name, entry.concern, entry.row.mode_label, entry.row.used_s, entry.row.last_activity_at,
            this_year, tuple((cell.state.value, cell.runs.last_job_id, cell.best) for cell in entry.cells),
        )
        for entry in entries
    )  # fmt: skip
    return mark_safe("".join(written))  # noqa: S308 - each is a fragment


@fragment(most=512)
def _cohort_row(
    name: str, concern: str, mode: str, used_s: int, active_at: datetime | None, _this_year: int, labs: Labs
) -> SafeString:
    before, after = reverse("jobs:job", args=[0]).split("0")  # once: a route takes longer than the rest of a cell
    return format_html(
        '<tr><th scope="row" class="nowrap">{}{}</th><td>{}</td>{}<td class="num">{}</td><td>{}</td></tr>\n',
        name, format_html('<div class="small muted">{}</div>', concern) if concern else "", mode,
        mark_safe("".join(_lab_cell(*lab, before, after) for lab in labs)),  # noqa: S308 - see _lab_cell
        gpu_hours(used_s), when(active_at) if active_at else mark_safe('<span class="muted">—</span>'),
    )  # fmt: skip


def _lab_cell(state: str, last_job_id: int | None, best: float | None, before: str, after: str) -> str:
    """The state, a link to the last run, the best value of the metric."""
    # Only markup of ours, a whole number and a formatted one: nothing that would need escaping, 800 times a page.
    shown: str = state_badge(state)
    if last_job_id is not None:
        shown = f'<a href="{before}{int(last_job_id)}{after}">{shown}</a>'
    if best is not None:
        shown += f' <span class="num small">{floatformat(float(best), 3)}</span>'
    return f'<td class="nowrap">{shown}</td>'


@register.simple_tag
def pool_nodes(rows: Iterable[NodeRow]) -> SafeString:
    """A site's nodes, a list item each, with their GPUs as cells."""
    written = (_pool_node(row.node.name, row.node.state, row.gpu_words, tuple(row.cells)) for row in rows)
    return mark_safe("".join(written))  # noqa: S308 - each is a fragment


@fragment(most=512)
def _pool_node(name: str, state: str, gpu_words: str, cells: tuple[Cell, ...]) -> SafeString:
    label = _("GPUs of %(node)s") % {"node": name}
    return format_html(
        '<li class="node"><div class="node-head"><a class="node-name" href="{}">{}</a>{}'
        '<span class="muted small">{}</span></div><ul class="cells" aria-label="{}">{}</ul></li>\n',
        reverse("web:node", args=[name]), name, state_badge(state, kind="node"), gpu_words or "—", label,
        mark_safe("".join(map(_gpu_cell, cells))),  # noqa: S308 - see _gpu_cell
    )  # fmt: skip


def _gpu_cell(cell: Cell) -> str:
    """One GPU: the colour is for the eye, the words are on hover and read out."""
    # What people wrote is escaped here once; the tone is one of ours and the address comes from the resolver.
    words = escape(f"{cell.label}: {cell.word}")
    said = f'<span class="visually-hidden">{words}</span>'
    shown = f'<a href="{escape(cell.url)}">{said}</a>' if cell.url else said
    return f'<li class="cell cell-{escape(cell.tone)}" title="{words}">{_parts(cell)}{shown}</li>'


@register.simple_tag
def cell_mark(cell: Cell) -> SafeString:
    """A GPU's cell beside words that say the same."""
    return mark_safe(f'<span class="cell cell-{escape(cell.tone)}" aria-hidden="true">{_parts(cell)}</span>')  # noqa: S308 - ours


def _parts(cell: Cell) -> str:
    """A shared GPU's cell is filled from the left, share by share, in thousandths of its width."""
    if not cell.shares:
        return ""
    x, parts = 0, ""
    for share in cell.shares:
        parts += f'<rect x="{x}" width="{max(share.milli - GAP, GAP)}" height="1000"></rect>'
        x += share.milli
    return f'<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">{parts}</svg>'
