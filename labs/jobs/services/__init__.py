"""What changes jobs: each service is one transaction. Locks are taken in one order, so that none waits in a ring:
job row, attempt row, GPU leases, then quota accounts by id (docs/decisions/0001).
"""

from .artifacts import published_artifacts, store_artifact
from .attempts import Placement, claim, small_sources, start_attempt, start_attempts, started
from .bundles import store_bundle
from .cancel import cancel
from .nodes import heartbeat, hello
from .reconcile import reconcile
from .reports import append_log, append_metrics
from .settle import Ended, settle
from .submit import rerun, submit

__all__ = [
    "Ended",
    "Placement",
    "append_log",
    "append_metrics",
    "cancel",
    "claim",
    "heartbeat",
    "hello",
    "published_artifacts",
    "reconcile",
    "rerun",
    "settle",
    "small_sources",
    "start_attempt",
    "start_attempts",
    "started",
    "store_artifact",
    "store_bundle",
    "submit",
]
