"""The composition root: settings, URLs, ASGI, Celery. Nobody imports it."""

from .celery import app as celery_app

__all__ = ["celery_app"]
