"""Now and then all documents are compared with what they copy. Running twice changes nothing."""

from celery import shared_task

from . import indexing

BEAT_SCHEDULE = {
    "search-refresh": {"task": "courses.search.tasks.refresh", "schedule": 300.0, "options": {"expires": 300}},
}


@shared_task(name="courses.search.tasks.refresh")
def refresh() -> None:
    """Bring documents up to date that were missed when their rows were written in bulk."""
    indexing.refresh()
