"""Tasks of usage, and when beat runs them."""

from celery import shared_task

from .idleness import watch

BEAT_SCHEDULE = {
    "usage-gpu-activity": {
        "task": "labs.usage.tasks.watch_gpus",
        "schedule": 60.0,
        "options": {"expires": 50},
    }
}


@shared_task(name="labs.usage.tasks.watch_gpus")
def watch_gpus() -> None:
    """Sample how busy allocated GPUs are, and tell owners of idle ones."""
    watch()
