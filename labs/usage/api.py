"""What other apps may use of usage."""

from .domain.folding import Use
from .domain.periods import Period, last_days
from .groupings import register as register_grouping
from .selectors import balances_of, today_in, use_by_day

__all__ = ["Period", "Use", "balances_of", "last_days", "register_grouping", "today_in", "use_by_day"]
