"""Tasks of quota, and when beat runs them."""

from celery import shared_task
from celery.schedules import crontab
from django.db import transaction

from .services import rebuild, sweep

BEAT_SCHEDULE = {
    "quota-rebuild": {
        "task": "labs.quota.tasks.rebuild_balances",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600},
    },
    "quota-sweep": {"task": "labs.quota.tasks.sweep_grants", "schedule": 60, "options": {"expires": 55}},
    "quota-leftovers": {
        "task": "labs.quota.tasks.sweep_leftovers",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 500},
    },
}


@shared_task(name="labs.quota.tasks.rebuild_balances")
def rebuild_balances() -> None:
    """Prove every night that balances equal the ledger; differences go to the audit trail and the log."""
    with transaction.atomic():
        rebuild()


@shared_task(name="labs.quota.tasks.sweep_grants")
def sweep_grants() -> None:
    """Begin and end grants, and close lendings, whose time has come."""
    sweep()


@shared_task(name="labs.quota.tasks.sweep_leftovers")
def sweep_leftovers() -> None:
    """Take back what ended grants still have where it came free, and return loans that nobody needs any more."""
    sweep(leftovers=True)
