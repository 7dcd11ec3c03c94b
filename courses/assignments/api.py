"""What other apps may use of assignments, besides the models."""

from .access import get_lab_for
from .domain.progress import LabProgress, LabState, RunSummary, is_lower_better
from .selectors import (
    CohortOverview,
    CohortRow,
    DueLab,
    LabEntry,
    cohort_overview,
    due_labs,
    lab_progress,
    labs_of,
    my_labs,
    progress_of,
    runs_of_lab,
)
from .services import change_lab, open_lab, submit_lab_run, work_key

__all__ = [
    "CohortOverview",
    "CohortRow",
    "DueLab",
    "LabEntry",
    "LabProgress",
    "LabState",
    "RunSummary",
    "change_lab",
    "cohort_overview",
    "due_labs",
    "get_lab_for",
    "is_lower_better",
    "lab_progress",
    "labs_of",
    "my_labs",
    "open_lab",
    "progress_of",
    "runs_of_lab",
    "submit_lab_run",
    "work_key",
]
