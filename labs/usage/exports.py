"""Usage as CSV, for spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date

from django.http import HttpResponse
from django.utils.translation import gettext as _

from .domain.folding import GroupUse, Use

# A cell that begins so would be run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def days_csv(used: dict[date, Use], name: str) -> HttpResponse:
    """One line a day."""
    head = [_("Day"), *_figures_head()]
    return _csv(name, head, ([day.isoformat(), *_figures(used[day])] for day in sorted(used)))


def groups_csv(groups: Sequence[GroupUse], label: str, name: str) -> HttpResponse:
    """One line a day and group."""
    head = [_("Day"), label, *_figures_head()]
    rows = ([e.day.isoformat() if e.day else "", e.group or _("Elsewhere"), *_figures(e.use)] for e in groups)
    return _csv(name, head, rows)


def _figures_head() -> list[str]:
    return [_("Charged GPU-seconds"), _("Refunded GPU-seconds"), _("Used GPU-seconds"), _("Jobs charged")]


def _figures(use: Use) -> list[int]:
    return [use.charged_s, use.refunded_s, use.used_s, use.jobs]


def _csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("\ufeff")  # without the mark Excel takes Korean for something else
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return response


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
