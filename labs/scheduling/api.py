"""What other apps may use of scheduling, beside its models."""

from .forecasts import Forecast, account_for, forecast
from .kept_at import SiteKept, kept_at
from .reservations import cancel_reservation, move_reservation, reservations_of, reserve_class
from .services import CycleResult, Done, run_cycle, sweep_cycles
from .words import wait_ends_when, waits_because

__all__ = [
    "CycleResult",
    "Done",
    "Forecast",
    "SiteKept",
    "account_for",
    "cancel_reservation",
    "forecast",
    "kept_at",
    "move_reservation",
    "reservations_of",
    "reserve_class",
    "run_cycle",
    "sweep_cycles",
    "wait_ends_when",
    "waits_because",
]
