"""The transactions of quota: opening and allocating accounts, posting to the ledger, rebuilding balances.

Every function must be called inside the caller's transaction. Account rows are locked by ascending id, as the last
locks of that transaction (docs/decisions/0001): job row, attempt row, GPU leases, then accounts.
"""

from .accounts import allocate, open_account, preview, refusal_of
from .postings import hold, hold_all, refund, release, settle
from .rebuilding import Difference, rebuild

__all__ = [
    "Difference",
    "allocate",
    "hold",
    "hold_all",
    "open_account",
    "preview",
    "rebuild",
    "refund",
    "refusal_of",
    "release",
    "settle",
]
