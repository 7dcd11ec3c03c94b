"""What other apps may use of usage."""

from .domain.folding import Use
from .domain.periods import Period, last_days
from .groupings import register as register_grouping
from .idleness import IdleRun, idle_runs_at, idle_runs_below
from .selectors import balances_of, today_in, use_by_day

__all__ = [
    "IdleRun",
    "Period",
    "Use",
    "balances_of",
    "idle_runs_at",
    "idle_runs_below",
    "last_days",
    "register_grouping",
    "today_in",
    "use_by_day",
]
