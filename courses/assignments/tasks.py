"""The sweep that finds test runs which a lost signal or nudge left behind, and feeds waiting ones in."""

from celery import shared_task

from .testing.runs import reconcile_runs

BEAT_SCHEDULE = {
    "test-runs-reconcile": {"task": "courses.assignments.reconcile_runs", "schedule": 10.0, "options": {"expires": 10}},
}


@shared_task(name="courses.assignments.reconcile_runs")
def reconcile_test_runs() -> None:
    """Finish and queue test runs."""
    reconcile_runs()
