"""Usage as CSV, for spreadsheets."""

from collections.abc import Sequence
from datetime import date

from django.http import HttpResponse
from django.utils.translation import gettext as _

from campus.core.spreadsheets import csv_response

from .domain.folding import GroupUse, Use


def days_csv(used: dict[date, Use], name: str) -> HttpResponse:
    """One line a day."""
    head = [_("Day"), *_figures_head()]
    return csv_response([head, *([day.isoformat(), *_figures(used[day])] for day in sorted(used))], name)


def groups_csv(groups: Sequence[GroupUse], label: str, name: str) -> HttpResponse:
    """One line a day and group."""
    head = [_("Day"), label, *_figures_head()]
    rows = ([e.day.isoformat() if e.day else "", e.group or _("Elsewhere"), *_figures(e.use)] for e in groups)
    return csv_response([head, *rows], name)


def _figures_head() -> list[str]:
    return [_("Charged GPU-seconds"), _("Refunded GPU-seconds"), _("Used GPU-seconds"), _("Jobs charged")]


def _figures(use: Use) -> list[int]:
    return [use.charged_s, use.refunded_s, use.used_s, use.jobs]
