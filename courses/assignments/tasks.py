"""Sweeps: test runs that a lost signal or nudge left behind, reminders of what is due, offers after an outage."""

from celery import shared_task
from celery.schedules import crontab

from .offering import sweep_offers
from .reminding import remind
from .testing.runs import reconcile_runs

BEAT_SCHEDULE = {
    "test-runs-reconcile": {"task": "courses.assignments.reconcile_runs", "schedule": 10.0, "options": {"expires": 10}},
    "assignments-remind": {
        "task": "courses.assignments.remind", "schedule": crontab(minute=7), "options": {"expires": 3000},
    },
    "assignments-offer": {
        "task": "courses.assignments.offer", "schedule": 300.0, "options": {"expires": 300},
    },
}  # fmt: skip


@shared_task(name="courses.assignments.reconcile_runs")
def reconcile_test_runs() -> None:
    """Finish and queue test runs."""
    reconcile_runs()


@shared_task(name="courses.assignments.remind")
def remind_of_deadlines() -> None:
    """Tell learners what they have to hand in within a day."""
    remind()


@shared_task(name="courses.assignments.offer")
def offer_after_outages() -> None:
    """Find learners whom lost runs or long waits touched before a deadline."""
    sweep_offers()
