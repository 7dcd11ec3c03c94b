"""The clock of leases: it does not jump, and goes on while the machine sleeps."""

from __future__ import annotations

import time


def now_s() -> float:
    """Seconds since boot. Not `monotonic`, which stands still in a suspended machine while the lease runs out."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
