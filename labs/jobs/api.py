"""What other apps may use of jobs, beside its models."""

from .access import get_job_for, jobs_for
from .domain.source import from_json as files_of_bundle
from .services import (
    Ended,
    Placement,
    append_log,
    append_metrics,
    cancel,
    claim,
    heartbeat,
    hello,
    published_artifacts,
    reconcile,
    rerun,
    settle,
    start_attempt,
    start_attempts,
    started,
    store_artifact,
    store_bundle,
    submit,
)
from .services.validation import check_size, widest_by_type
from .signals import job_rerun, job_settled
from .submission import Submission, parse_submission
from .uploads import files_of, shown_files, typed_files

__all__ = [
    "Ended",
    "Placement",
    "Submission",
    "append_log",
    "append_metrics",
    "cancel",
    "check_size",
    "claim",
    "files_of",
    "files_of_bundle",
    "get_job_for",
    "heartbeat",
    "hello",
    "job_rerun",
    "job_settled",
    "jobs_for",
    "parse_submission",
    "published_artifacts",
    "reconcile",
    "rerun",
    "settle",
    "shown_files",
    "start_attempt",
    "start_attempts",
    "started",
    "store_artifact",
    "store_bundle",
    "submit",
    "typed_files",
    "widest_by_type",
]
