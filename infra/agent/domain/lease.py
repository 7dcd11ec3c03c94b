"""How long a node may believe that an attempt is still its own. All times in seconds of one clock."""

from __future__ import annotations

KILL_AT = 0.6
"""The share of the lease after which the node kills what it could not renew.

The rest is the margin in which the kill takes effect before the campus gives the job to another node.
"""

END_AT = 0.75
"""The share after which a run ends by itself, killed by its own watch because the agent did not (frozen, starved).

Later than the agent's kill by more than its watch is ever late, so that an agent that is awake decides itself.
"""


def kill_at(renewed_at: float, lease_s: float) -> float:
    """When to kill a run whose last answered renewal was sent at `renewed_at`."""
    return renewed_at + KILL_AT * lease_s


def end_at(renewed_at: float, lease_s: float) -> float:
    """When a run ends whose agent neither renewed nor killed it."""
    return renewed_at + END_AT * lease_s


def is_lost(now: float, renewed_at: float, lease_s: float) -> bool:
    """Whether the run must be killed now."""
    return now >= kill_at(renewed_at, lease_s)


def watch_every_s(lease_s: float) -> float:
    """How often to look: late by at most a twentieth of the lease."""
    return min(0.5, lease_s / 20)


def answer_within_s(lease_s: float) -> float:
    """How long to wait for a heartbeat's answer: at least two tries must fit before the kill."""
    return min(3.0, KILL_AT * lease_s / 3)
