"""Tasks of the timetable, and when beat runs them."""

from celery import shared_task
from django.utils import timezone

from .services.reminders import remind

BEAT_SCHEDULE = {
    "timetable-reminders": {
        "task": "courses.timetable.tasks.remind_of_classes", "schedule": 120, "options": {"expires": 110}
    },
}  # fmt: skip


@shared_task(name="courses.timetable.tasks.remind_of_classes")
def remind_of_classes() -> None:
    """Tell people of classes that begin within half an hour."""
    remind(now=timezone.now())
