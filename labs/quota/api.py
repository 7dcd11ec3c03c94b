"""What other apps may use of quota, beside its models.

Each function below `charge_s` must be called inside the caller's transaction, after its other locks.
"""

from .domain.charging import charge_s, cost_s
from .selectors import ledger_of_job
from .services import Difference, allocate, hold, hold_all, open_account, rebuild, refund, release, settle
from .shortage import helpers_of
from .zones import zone_of

__all__ = [
    "Difference",
    "allocate",
    "charge_s",
    "cost_s",
    "helpers_of",
    "hold",
    "hold_all",
    "ledger_of_job",
    "open_account",
    "rebuild",
    "refund",
    "release",
    "settle",
    "zone_of",
]
