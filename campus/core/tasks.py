"""Tasks of the core, and when beat runs them."""

from datetime import timedelta

from celery import shared_task
from celery.schedules import crontab
from django.db.models.functions import Now
from django.utils import timezone

from .models import Notice
from .notices.digests import send_digests
from .notices.mailing import send_due_mail
from .notices.phones import send_phone_messages

KEPT_FOR = timedelta(days=365)

BEAT_SCHEDULE = {
    "core-notice-mail": {
        "task": "campus.core.tasks.mail_notices",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "core-digests": {
        "task": "campus.core.tasks.mail_digests",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "core-phone-messages": {
        "task": "campus.core.tasks.send_to_phones",
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


@shared_task(name="campus.core.tasks.mail_digests")
def mail_digests() -> None:
    """Open and send the daily e-mails whose hour has come. Any number of these may run at once."""
    send_digests(now=timezone.now())


@shared_task(name="campus.core.tasks.send_to_phones")
def send_to_phones() -> None:
    """Send the messages to phones that are due. Any number of these may run at once."""
    send_phone_messages()


@shared_task(name="campus.core.tasks.forget_old_notices")
def forget_old_notices() -> None:
    """Delete what was read and is older than a year."""
    Notice.objects.filter(created_at__lt=Now() - KEPT_FOR).exclude(read_at=None).delete()
