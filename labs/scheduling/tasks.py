"""Tasks of scheduling, and when beat runs them. Nudges ask for the same cycle in between."""

from celery import shared_task
from django.conf import settings

from campus.core.clock import database_now
from labs.jobs import api as jobs

from . import promise_record, services

BEAT_SCHEDULE = {
    "scheduling-cycle": {
        "task": "labs.scheduling.tasks.run_cycle",
        "schedule": settings.LABS_CYCLE_EVERY_S,
        "kwargs": {"only_if_asked": False},
        "options": {"expires": settings.LABS_CYCLE_EVERY_S},
    },
    "scheduling-reconcile": {
        "task": "labs.scheduling.tasks.reconcile",
        "schedule": settings.LABS_RECONCILE_EVERY_S,
        "options": {"expires": settings.LABS_RECONCILE_EVERY_S},
    },
    "scheduling-sweep": {
        "task": "labs.scheduling.tasks.sweep_cycles",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "scheduling-refit": {
        "task": "labs.scheduling.tasks.refit",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}


@shared_task(name="labs.scheduling.tasks.run_cycle")
def run_cycle(*, only_if_asked: bool = True) -> None:
    """Start what may start. A nudge that an earlier cycle has seen costs two queries."""
    services.run_cycle(only_if_asked=only_if_asked)


@shared_task(name="labs.scheduling.tasks.reconcile")
def reconcile() -> None:
    """End what lost its lease, and find silent nodes."""
    jobs.reconcile()


@shared_task(name="labs.scheduling.tasks.sweep_cycles")
def sweep_cycles() -> None:
    """Forget old cycles."""
    services.sweep_cycles()


@shared_task(name="labs.scheduling.tasks.refit")
def refit() -> None:
    """Fit start ranges to how the last ones came true."""
    promise_record.refit(database_now())
