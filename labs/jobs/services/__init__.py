"""What changes jobs: each service is one transaction. Locks are taken in one order, so that none waits in a ring:
job row, attempt row, GPU leases, then quota accounts by id (docs/decisions/0001).
"""

from .artifacts import published_artifacts, store_artifact
from .attempts import (
    claim,
    data_sets_of,
    gpus_of,
    small_sources,
    start_attempt,
    start_attempts,
    started,
)
from .bundles import store_bundle
from .cancel import cancel
from .checkpoints import checkpoint_file, checkpoints_of
from .corrections import charges_of, correct_charge
from .deadlines import set_deadline
from .leasing import Placement
from .nodes import heartbeat, hello
from .preempt import Preemption, preempt_attempts
from .reconcile import reconcile
from .reports import append_log, append_metrics
from .settle import Ended, settle
from .submit import rerun, submit
from .sweeps import SweepWish, cancel_sweep, newest_runs, points_of, rerun_failed, submit_sweep
from .validation import Wish

__all__ = [
    "Ended",
    "Placement",
    "Preemption",
    "SweepWish",
    "Wish",
    "append_log",
    "append_metrics",
    "cancel",
    "cancel_sweep",
    "charges_of",
    "checkpoint_file",
    "checkpoints_of",
    "claim",
    "correct_charge",
    "data_sets_of",
    "gpus_of",
    "heartbeat",
    "hello",
    "newest_runs",
    "points_of",
    "preempt_attempts",
    "published_artifacts",
    "reconcile",
    "rerun",
    "rerun_failed",
    "set_deadline",
    "settle",
    "small_sources",
    "start_attempt",
    "start_attempts",
    "started",
    "store_artifact",
    "store_bundle",
    "submit",
    "submit_sweep",
]
