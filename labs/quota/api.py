"""What other apps may use of quota, beside its models.

Each function below `charge_s` must be called inside the caller's transaction, after its other locks.
"""

from .domain.charging import charge_s, cost_s
from .selectors import ledger_of_job
from .services import (
    AccountChange,
    CapLine,
    ChangesRefused,
    Difference,
    add_sponsor,
    allocate,
    apply_changes,
    cap_lines,
    close_account,
    correct,
    end_grant,
    give_grant,
    grant_for_days,
    hold,
    hold_all,
    lend,
    open_account,
    preview_changes,
    preview_undo,
    rate_of,
    rates_of,
    rebuild,
    recall,
    refund,
    release,
    room_for,
    set_rate,
    settle,
    sweep,
    undo,
)
from .services.locking import path_of
from .services.requests import approve, ask
from .shortage import helpers_of
from .zones import zone_of

__all__ = [
    "AccountChange",
    "CapLine",
    "ChangesRefused",
    "Difference",
    "add_sponsor",
    "allocate",
    "apply_changes",
    "approve",
    "ask",
    "cap_lines",
    "charge_s",
    "close_account",
    "correct",
    "cost_s",
    "end_grant",
    "give_grant",
    "grant_for_days",
    "helpers_of",
    "hold",
    "hold_all",
    "ledger_of_job",
    "lend",
    "open_account",
    "path_of",
    "preview_changes",
    "preview_undo",
    "rate_of",
    "rates_of",
    "rebuild",
    "recall",
    "refund",
    "release",
    "room_for",
    "set_rate",
    "settle",
    "sweep",
    "undo",
    "zone_of",
]
