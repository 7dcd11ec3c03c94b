"""Mails to people who were put on a class list."""

from celery import shared_task

from .invitations import invite


@shared_task(name="courses.catalog.tasks.send_invitations", ignore_result=True)
def send_invitations(user_ids: list[int], site_url: str) -> None:
    """Invite people who have no password yet; `site_url` is the campus's address."""
    invite(user_ids=user_ids, site_url=site_url)
