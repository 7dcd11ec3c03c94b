"""The Celery application. Tasks carry nudges and sweeps; PostgreSQL holds the truth."""

import gc
import os
import sys

from celery import Celery
from celery.signals import import_modules, setup_logging, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campus.config.settings")

app = Celery("campus")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def use_django_logging(**_kwargs: object) -> None:
    """Keep Django's logging: Celery would otherwise replace its handlers."""


@import_modules.connect(sender=app)
def gather_schedules(**_kwargs: object) -> None:
    """Make one schedule for beat of what each app says beside its tasks (BEAT_SCHEDULE).

    Here and not in settings, which may not import apps; this signal comes once their tasks are imported.
    """
    from django.apps import apps

    for config in apps.get_app_configs():
        tasks = sys.modules.get(f"{config.name}.tasks")
        app.conf.beat_schedule |= getattr(tasks, "BEAT_SCHEDULE", {})


@worker_ready.connect
def spare_what_is_loaded(**_kwargs: object) -> None:
    """Else a full collection looks at all that was imported, and holds up a cycle for a tenth of a second."""
    gc.freeze()
