"""Tasks of announcements, and when beat runs them. PostgreSQL says what is left to bring."""

import time

from celery import shared_task

from .models import Announcement
from .services import bring, publish_due

#: A sweep ends by itself: the next one goes on.
BUSY_S = 50

BEAT_SCHEDULE = {
    "announcements": {
        "task": "courses.announcements.tasks.publish_and_bring",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}


@shared_task(name="courses.announcements.tasks.publish_and_bring")
def publish_and_bring() -> None:
    """Publish what is due, and bring on what a killed worker left."""
    publish_due()
    until = time.monotonic() + BUSY_S
    left = Announcement.objects.filter(state=Announcement.State.PUBLISHED, brought_at=None)
    for pk in left.order_by("pk").values_list("pk", flat=True):
        bring(announcement_id=pk, may_go_on=lambda: time.monotonic() < until)


@shared_task(name="courses.announcements.tasks.bring_one", expires=60)
def bring_one(announcement_id: int) -> None:
    """Bring one announcement at once; a nudge, the sweep does it too."""
    until = time.monotonic() + BUSY_S
    bring(announcement_id=announcement_id, may_go_on=lambda: time.monotonic() < until)
