"""Tasks of quota, and when beat runs them."""

from celery import shared_task
from celery.schedules import crontab
from django.db import transaction

from .services import rebuild

BEAT_SCHEDULE = {
    "quota-rebuild": {
        "task": "labs.quota.tasks.rebuild_balances",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600},
    }
}


@shared_task(name="labs.quota.tasks.rebuild_balances")
def rebuild_balances() -> None:
    """Prove every night that balances equal the ledger; differences go to the audit trail and the log."""
    with transaction.atomic():
        rebuild()
