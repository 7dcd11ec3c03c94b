"""Tasks of attendance, and when beat runs them. PostgreSQL says what is due; running twice changes nothing."""

from celery import shared_task
from celery.schedules import crontab

from campus.core.clock import database_now
from courses.timetable.models import ClassSession

from .services import closing
from .services.streaming import end_lapsed

BEAT_SCHEDULE = {
    "attendance-sweep": {
        "task": "courses.attendance.tasks.sweep",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "attendance-forget": {
        "task": "courses.attendance.tasks.forget_devices",
        "schedule": crontab(hour=4, minute=20),
        "options": {"expires": 3600},
    },
}


@shared_task(name="courses.attendance.tasks.sweep")
def sweep() -> None:
    """Write what closed pages watched, and draw the verdicts of classes that are over."""
    now = database_now()
    for session in ClassSession.objects.filter(pk__in=closing.watched_classes()):
        end_lapsed(session=session, now=now)
    for session_id in closing.due_classes(now):
        closing.close_class(session_id=session_id, now=now)


@shared_task(name="courses.attendance.tasks.forget_devices")
def forget_devices() -> None:
    """Delete hashes of devices and networks whose time is over."""
    closing.forget(database_now())
