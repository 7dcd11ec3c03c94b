"""Where a learner stands with a lab."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from courses.assignments.domain.progress import LabState, RunSummary, count_overdue, is_lower_better, progress

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("runs", "due_at", "state"),
    [
        (RunSummary(), None, LabState.NOT_STARTED),
        (RunSummary(), AFTER, LabState.NOT_STARTED),
        (RunSummary(), BEFORE, LabState.OVERDUE),
        (RunSummary(runs=1, queued=1), AFTER, LabState.ACTIVE),
        (RunSummary(runs=1, running=1), BEFORE, LabState.ACTIVE),
        (RunSummary(runs=2), AFTER, LabState.TRIED),
        (RunSummary(runs=2), BEFORE, LabState.OVERDUE),
        (RunSummary(runs=1, succeeded=1, first_success_at=BEFORE), AFTER, LabState.DONE),
        (RunSummary(runs=1, succeeded=1, first_success_at=BEFORE), BEFORE, LabState.DONE),
        (RunSummary(runs=1, succeeded=1, first_success_at=NOW), BEFORE, LabState.DONE_LATE),
        (RunSummary(runs=1, succeeded=1, first_success_at=NOW), None, LabState.DONE),
        (RunSummary(runs=3, running=1, succeeded=1, first_success_at=BEFORE), AFTER, LabState.DONE),
    ],
)
def test_a_lab_is_judged_by_its_runs_and_its_deadline(runs, due_at, state):
    assert progress(runs, metric="accuracy", due_at=due_at, now=NOW).state == state


def test_a_run_counts_for_when_it_was_submitted_so_waiting_never_makes_it_late():
    runs = RunSummary(runs=1, succeeded=1, first_success_at=BEFORE)

    assert progress(runs, metric="accuracy", due_at=BEFORE, now=AFTER).state == LabState.DONE


@pytest.mark.parametrize(
    ("metric", "best"), [("accuracy", 0.9), ("val_loss", 0.1), ("error", 0.1), ("RMSE", 0.1), ("terror", 0.9)]
)
def test_the_best_value_depends_on_what_is_measured(metric, best):
    runs = RunSummary(runs=2, succeeded=2, first_success_at=BEFORE, highest=0.9, lowest=0.1)

    assert progress(runs, metric=metric, due_at=None, now=NOW).best == best
    assert is_lower_better(metric) == (best == 0.1)


@pytest.mark.parametrize("due_at", [None, BEFORE, AFTER])
@pytest.mark.parametrize("counts", list(itertools.product((0, 1), repeat=4)))
def test_a_count_of_overdue_labs_says_what_judging_each_says(due_at, counts):
    queued, running, succeeded, _failed = counts
    runs = RunSummary(runs=sum(counts), queued=queued, running=running, succeeded=succeeded)
    due = [1] if due_at is not None and due_at < NOW else []

    counted = count_overdue(due, succeeded=[1] * succeeded, is_open=[1] * bool(queued or running))

    assert counted == (progress(runs, metric="accuracy", due_at=due_at, now=NOW).state == LabState.OVERDUE)
