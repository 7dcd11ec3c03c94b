"""The transactions of quota: opening and allocating accounts, posting to the ledger, rebuilding balances.

Every function must be called inside the caller's transaction. Account rows are locked by ascending id, as the last
locks of that transaction (docs/decisions/0001): job row, attempt row, GPU leases, then accounts.
"""

from .accounts import allocate, open_account, preview, refusal_of
from .batches import (
    AccountChange,
    ChangeRow,
    ChangesRefused,
    Preview,
    RowError,
    apply_changes,
    change_account,
    preview_changes,
    preview_undo,
    undo,
)
from .capping import CapLine, cap_lines
from .closing import close_account
from .day_grants import grant_for_days
from .grants import begin_grant, cancel_grant, end_grant, expire_grant, give_grant
from .lending import close_lending, lend, recall
from .postings import correct, hold, hold_all, refund, release, settle
from .rates import rate_of, rates_now, rates_of, set_rate
from .rebuilding import Difference, rebuild
from .room import room_for
from .sponsors import add_sponsor
from .sweeping import Swept, sweep

__all__ = [
    "AccountChange",
    "CapLine",
    "ChangeRow",
    "ChangesRefused",
    "Difference",
    "Preview",
    "RowError",
    "Swept",
    "add_sponsor",
    "allocate",
    "apply_changes",
    "begin_grant",
    "cancel_grant",
    "cap_lines",
    "change_account",
    "close_account",
    "close_lending",
    "correct",
    "end_grant",
    "expire_grant",
    "give_grant",
    "grant_for_days",
    "hold",
    "hold_all",
    "lend",
    "open_account",
    "preview",
    "preview_changes",
    "preview_undo",
    "rate_of",
    "rates_now",
    "rates_of",
    "rebuild",
    "recall",
    "refund",
    "refusal_of",
    "release",
    "room_for",
    "set_rate",
    "settle",
    "sweep",
    "undo",
]
