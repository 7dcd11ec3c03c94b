"""The desk as a CSV, which can be edited and sent back: domain.change_csv reads the same columns."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse

from campus.core.formats import number
from campus.core.spreadsheets import csv_response

from .domain.bulk import hours_text
from .domain.change_csv import COLUMNS, NONE
from .models import Account
from .selectors_desk import DeskRow


def desk_csv(rows: Iterable[DeskRow], names: dict[int, str], name: str) -> HttpResponse:
    """Answer with one line an account; `names` are those of the accounts above, by id."""
    lines: list[list[Any]] = [list(COLUMNS)]
    for row in rows:
        figures = figures_of_row(row) | {"above": names.get(row.account.parent_id or 0, "")}
        lines.append([figures[column] for column in COLUMNS])
    return csv_response(lines, name)


def figures_of_row(row: DeskRow) -> dict[str, Any]:
    """Return what a line says, by column; hours as plain decimals, caps that are not there as `none`."""
    account, forecast = row.account, row.outlook.forecast if row.outlook else None
    return {
        "account_id": account.pk,
        "account": account.name,
        "kind": account.kind,
        "is_open": int(account.is_open),
        "granted_gpu_hours": hours_text(account.allocated_s),
        "granted_s": account.allocated_s,
        "used_gpu_hours": hours_text(account.used_s),
        "used_this_term_gpu_hours": hours_text(row.term_used_s),
        "used_lately_gpu_hours": hours_text(row.decayed_s),
        "held_gpu_hours": hours_text(account.held_s),
        "left_gpu_hours": hours_text(account.available_s),
        "granted_below_gpu_hours": hours_text(account.granted_s),
        "left_to_grant_gpu_hours": "" if account.kind == Account.Kind.LEARNER else hours_text(row.left_to_grant_s),
        "forecast": forecast.verdict.value if forecast else "",
        "runs_out_from": forecast.earliest_on or "" if forecast else "",
        "runs_out_to": forecast.latest_on or "" if forecast else "",
        "needed_until": forecast.until or "" if forecast else "",
        "open_requests": row.requests,
        "lent_gpu_hours": hours_text(account.lent_s),
        "borrowed_gpu_hours": hours_text(account.borrowed_s),
        "ending_gpu_hours": hours_text(row.ending_s),
        "ends_next_on": row.ends_next_on or "",
        "idle_gpus": number(row.idle_gpus, 3).replace(",", ""),
        "weight": account.weight,
        "overcommit_pct": account.overcommit_pct,
        "max_running_gpus": _or_none(account.max_running_gpus),
        "learner_day_cap_gpu_hours": _cap(account.learner_day_cap_s),
        "learner_week_cap_gpu_hours": _cap(account.learner_week_cap_s),
    }


def _cap(gpu_seconds: int | None) -> str:
    return NONE if gpu_seconds is None else hours_text(gpu_seconds)


def _or_none(value: int | None) -> object:
    return NONE if value is None else value
