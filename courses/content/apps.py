"""The app's configuration."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "courses.content"

    def ready(self) -> None:
        from courses.catalog.api import register_copier

        from .copying import COPIER

        register_copier(COPIER)
