"""What other apps may use of assignments, besides the models."""

from .access import get_lab_for
from .deadlines import Deadlines, deadline_for, deadlines_of
from .domain.deadlines import Deadline, Rule
from .domain.progress import LabProgress, LabState, RunSummary, is_lower_better
from .due import Due, due_of
from .results import Result, results_of
from .score_history import ScoreStep, score_steps
from .selectors import (
    CohortOverview,
    CohortRow,
    DueLab,
    LabEntry,
    cohort_overview,
    lab_progress,
    labs_of,
    my_labs,
    runs_of_lab,
)
from .services import change_lab, open_lab, submit_lab_run, work_key
from .submitting import submit_work
from .words import rule_words, why_words
from .work_lists import Work, WorkState, work_of

__all__ = [
    "CohortOverview",
    "CohortRow",
    "Deadline",
    "Deadlines",
    "Due",
    "DueLab",
    "LabEntry",
    "LabProgress",
    "LabState",
    "Result",
    "Rule",
    "RunSummary",
    "ScoreStep",
    "Work",
    "WorkState",
    "change_lab",
    "cohort_overview",
    "deadline_for",
    "deadlines_of",
    "due_of",
    "get_lab_for",
    "is_lower_better",
    "lab_progress",
    "labs_of",
    "my_labs",
    "open_lab",
    "results_of",
    "rule_words",
    "runs_of_lab",
    "score_steps",
    "submit_lab_run",
    "submit_work",
    "why_words",
    "work_key",
    "work_of",
]
