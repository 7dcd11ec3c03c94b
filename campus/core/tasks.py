"""Tasks of the core, and when beat runs them."""

from datetime import timedelta

from celery import shared_task
from celery.schedules import crontab
from django.db.models.functions import Now

from .models import Notice
from .notices.mailing import send_due_mail

KEPT_FOR = timedelta(days=365)

BEAT_SCHEDULE = {
    "core-notice-mail": {
        "task": "campus.core.tasks.mail_notices",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "core-old-notices": {
        "task": "campus.core.tasks.forget_old_notices",
        "schedule": crontab(hour=4, minute=40),
        "options": {"expires": 3600},
    },
}


@shared_task(name="campus.core.tasks.mail_notices")
def mail_notices() -> None:
    """Send the e-mails of notices that are due. Any number of these may run at once."""
    send_due_mail()


@shared_task(name="campus.core.tasks.forget_old_notices")
def forget_old_notices() -> None:
    """Delete what was read and is older than a year."""
    Notice.objects.filter(created_at__lt=Now() - KEPT_FOR).exclude(read_at=None).delete()
