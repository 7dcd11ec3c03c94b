"""What other apps may use of scheduling, beside its models."""

from .forecasts import Forecast, account_for, forecast
from .reservations import cancel_reservation, move_reservation, reservations_of, reserve_class
from .services import CycleResult, Done, run_cycle, sweep_cycles
from .words import wait_ends_when, waits_because

__all__ = [
    "CycleResult",
    "Done",
    "Forecast",
    "account_for",
    "cancel_reservation",
    "forecast",
    "move_reservation",
    "reservations_of",
    "reserve_class",
    "run_cycle",
    "sweep_cycles",
    "wait_ends_when",
    "waits_because",
]
